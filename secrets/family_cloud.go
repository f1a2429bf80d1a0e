package secrets

import (
	"strings"

	"github.com/boltseal/boltseal"
)

func cloudFamilies() []Rule {
	const (
		iam     = "AWS console: IAM > Users > Security credentials"
		roles   = "AWS console: IAM > Roles > Revoke active sessions"
		apis    = "https://console.cloud.google.com/apis/credentials"
		account = "https://console.cloud.google.com/iam-admin/serviceaccounts"
		consent = "https://myaccount.google.com/connections"
	)
	return []Rule{
		{ID: "aws-key-id", Provider: "AWS", Title: "AWS access key", Program: `"AKIA" L16`, Kind: KindHalf, Refine: pairAWS, Revoke: iam},
		{ID: "aws-credentials", Provider: "AWS", Title: "AWS access key in a credentials file", Program: `"AKIA" L16`, Kind: KindHalf, Severity: critical, Refine: pairAWSProfile, Revoke: iam},
		{ID: "aws-secret-key", Provider: "AWS", Title: "AWS secret access key", By: ByAssignment, Program: "b40", Names: []string{
			"awssecretaccesskey", "awssecretkey", "awssecret", "secretaccesskey", "amazonsecretkey", "s3secretkey", "s3secretaccesskey", "awsaccesskeysecret"},
			Confidence: ConfidenceMedium, Severity: critical, Refine: func(c *Candidate) bool { return awsSecret(c.Secret) }, Revoke: iam},
		{ID: "aws-temporary", Provider: "AWS", Title: "AWS temporary access key", Program: `"ASIA" L16`, Kind: KindHalf, Confidence: ConfidenceMedium, Severity: medium, Refine: pairAWS, Revoke: roles},
		{ID: "aws-session-token", Provider: "AWS", Title: "AWS session token", Program: `("IQoJb3JpZ2lu"|"FwoGZXIvYXdz") b100..2000 ("=="|"=")?`, Kind: KindHalf, Confidence: ConfidenceMedium, Severity: medium, Refine: decodes("", 80), Revoke: roles},
		{ID: "aws-unique-id", Provider: "AWS", Title: "AWS unique identifier", Program: `("AIDA"|"AROA"|"AGPA"|"AIPA"|"ANPA"|"ANVA"|"APKA"|"ASCA"|"ABIA"|"ACCA") L16`, Kind: KindIdentifier},
		{ID: "aws-bedrock", Provider: "AWS", Title: "Amazon Bedrock API key", Program: `"ABSK" b109..269 ("=="|"=")?`, Refine: decodes("ABSK", 60), Revoke: "AWS console: IAM > API keys for Amazon Bedrock"},
		{ID: "aws-bedrock-short", Provider: "AWS", Title: "short-term Amazon Bedrock API key", Program: `"bedrock-api-key-" b133..4000 ("=="|"=")?`, Refine: decodes("bedrock-api-key-", 90), Revoke: roles},
		{ID: "aws-marketplace", Provider: "AWS", Title: "Amazon Marketplace Web Service token", Program: `"amzn.mws." {U}`},

		{ID: "gcp-service-account", Provider: "Google Cloud", Title: "Google Cloud service account key", By: ByJSON, Program: `"\"private_key_id\""`, Severity: critical, Check: checkObject("private_key", "client_email"), Refine: serviceAccount, Revoke: account},
		{ID: "gcp-adc-user", Provider: "Google Cloud", Title: "Google Cloud user credentials", By: ByJSON, Program: `"\"authorized_user\""`, Severity: critical, Check: checkObject("client_secret", "refresh_token"), Refine: userCredentials, Revoke: consent},
		{ID: "google-api-key", Provider: "Google", Title: "Google API key", Program: `"AIza" u35`, Severity: medium, Refine: webConfig, Revoke: apis},
		{ID: "google-auth-key", Provider: "Google", Title: "Google API key bound to a service account", Program: `"AQ.Ab8RN6" u44`, Revoke: apis},
		{ID: "google-oauth-secret", Provider: "Google", Title: "Google OAuth client secret", Program: `"GOCSPX-" u28`, Revoke: apis},
		{ID: "google-oauth-id", Provider: "Google", Title: "Google OAuth client ID", Program: `d10..13 "-" n32 ".apps.googleusercontent.com"`, Kind: KindIdentifier},
		{ID: "google-access", Provider: "Google", Title: "Google OAuth access token", Program: `"ya29." u20..1024`, Severity: medium, Revoke: "https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke"},
		{ID: "google-refresh", Provider: "Google", Title: "Google OAuth refresh token", Program: `"1//0" u40..160`, Left: `[0-9A-Za-z_/.:]`, Confidence: ConfidenceMedium, Revoke: consent},
		{ID: "google-fcm", Provider: "Google", Title: "Firebase Cloud Messaging server key", Program: `"AAAA" u7 ":APA91b" u134`, Revoke: "https://console.firebase.google.com"},

		{ID: "digitalocean-pat", Provider: "DigitalOcean", Title: "DigitalOcean personal access token", Program: `"dop_v1_" x64`, Severity: critical, Revoke: "https://cloud.digitalocean.com/account/api/tokens"},
		{ID: "digitalocean-oauth", Provider: "DigitalOcean", Title: "DigitalOcean OAuth token", Program: `("doo_v1_"|"dor_v1_") x64`, Revoke: "https://cloud.digitalocean.com/account/api/tokens"},
		{ID: "alibaba-key", Provider: "Alibaba Cloud", Title: "Alibaba Cloud access key", Program: `"LTAI" w12..21`, Kind: KindHalf, Refine: pairRun("w", 30, "secret"), Revoke: "Alibaba Cloud console: RAM > AccessKey"},
		{ID: "alibaba-sts", Provider: "Alibaba Cloud", Title: "Alibaba Cloud temporary access key", Program: `"STS." w16..64`, Kind: KindHalf, Severity: medium, Refine: each(varied(false), pairRun("w", 30, "secret"))},
		{ID: "tencent-key", Provider: "Tencent Cloud", Title: "Tencent Cloud secret key", Program: `"AKID" w32`, Kind: KindHalf, Refine: pairRun("w", 32, "secret"), Revoke: "https://console.cloud.tencent.com/cam/capi"},
		{ID: "volcengine-key", Provider: "Volcengine", Title: "Volcengine access key", Program: `"AKLT" w40..48`, Kind: KindHalf, Refine: pairBase64(40, 60, "secret")},
		{ID: "yandex-api", Provider: "Yandex Cloud", Title: "Yandex Cloud API key", Program: `"AQVN" u35..38`},
		{ID: "yandex-iam", Provider: "Yandex Cloud", Title: "Yandex Cloud IAM token", Program: `"t1." [0-9A-Za-z_-]4..400 ("=="|"=")? "." u86 ("=="|"=")?`, Severity: medium},
		{ID: "yandex-static", Provider: "Yandex Cloud", Title: "Yandex Cloud static access key", Program: `"YCA" u37`, Kind: KindHalf, Refine: each(varied(false), pairRun("u", 40, "secret"))},
		{ID: "exoscale-key", Provider: "Exoscale", Title: "Exoscale API key", Program: `"EXO" w24..30`, Kind: KindHalf, Refine: each(varied(false), pairRun("u", 43, "secret"))},
		{ID: "akamai-edgegrid", Provider: "Akamai", Title: "Akamai EdgeGrid credentials", Program: `"akab-" n16 "-" n16`, Kind: KindHalf, Refine: pairBase64(43, 44, "secret")},
		{ID: "cloudflare-token", Provider: "Cloudflare", Title: "Cloudflare API token", Program: `("cfut_"|"cfat_") w40 x8`, Severity: critical, Check: checkCRCHex, Revoke: "https://dash.cloudflare.com/profile/api-tokens"},
		{ID: "cloudflare-global", Provider: "Cloudflare", Title: "Cloudflare global API key", Program: `"cfk_" w40 x8`, Severity: critical, Check: checkCRCHex, Revoke: "https://dash.cloudflare.com/profile/api-tokens"},
		{ID: "cloudflare-origin-ca", Provider: "Cloudflare", Title: "Cloudflare origin CA key", Program: `"v1.0-" x24 "-" x146`, Revoke: "https://dash.cloudflare.com/profile/api-tokens"},
		{ID: "cloudflare-tunnel", Provider: "Cloudflare", Title: "Cloudflare tunnel token", Program: `"eyJhIjoi" [0-9A-Za-z+/_-]60..600 ("=="|"=")?`, Refine: defined(checkMembers(0, 0, "a", "t", "s")), Revoke: "Cloudflare dashboard: Zero Trust > Networks > Tunnels"},
	}
}

// webConfig lowers keys that a web page or a mobile app shows to everybody.
func webConfig(c *Candidate) bool {
	if c.near(1024, "authdomain", "messagingsenderid", "measurementid", "google_app_id", "mobilesdk_app_id", "maps.googleapis.com", "maps/api/js") {
		c.rate(low, "it stands in a configuration that clients are given: restrict what it may do")
	}
	return true
}

// userCredentials accepts the credentials of gcloud's users.
func userCredentials(c *Candidate) bool {
	return passed(c) && random([]byte(strings.TrimPrefix(stringMembers(c.Token)["refresh_token"], "1//0")))
}

// serviceAccount accepts the key file of a service account whose key parses.
func serviceAccount(c *Candidate) bool {
	object := stringMembers(c.Token)
	k := parseKey([]byte(object["private_key"]))
	if k.verdict != boltseal.VerdictPass {
		return false
	}
	c.Verdict, c.Secret = k.verdict, k.der
	c.Parts = append(c.Parts, Part{Name: "account", Value: object["client_email"]})
	noteKnown(c, k.public)
	return true
}
