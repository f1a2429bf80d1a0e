package secrets

import (
	"bytes"

	"github.com/boltseal/boltseal"
)

func infrastructureFamilies() []Rule {
	const (
		vault = "vault token revoke"
		jwt   = `"eyJ" u8+ ".eyJ" u8+ "." u16+`
	)
	return []Rule{
		{ID: "vault-service", Provider: "HashiCorp Vault", Title: "Vault service token", Program: `"hvs." (u90..120|w24)`, Severity: critical, Revoke: vault},
		{ID: "vault-batch", Provider: "HashiCorp Vault", Title: "Vault batch token", Program: `"hvb." u138..300`, Severity: critical, Revoke: vault},
		{ID: "vault-recovery", Provider: "HashiCorp Vault", Title: "Vault recovery token", Program: `"hvr." u24..300`, Severity: critical, Revoke: vault},
		{ID: "vault-old", Provider: "HashiCorp Vault", Title: "Vault token", By: ByAssignment, Program: `("s."|"b."|"r.") w24`, Context: []string{"vault"}, Confidence: ConfidenceLow, Refine: varied(true), Revoke: vault},
		{ID: "vault-unseal", Provider: "HashiCorp Vault", Title: "Vault unseal key", Program: `("Unseal Key "|"Recovery Key ") d1..2 ": " {b44|b43 "="|x64..66}`, Confidence: ConfidenceMedium, Severity: critical, Revoke: "vault operator rekey"},
		{ID: "vault-unseal-key", Provider: "HashiCorp Vault", Title: "Vault unseal key", By: ByAssignment, Program: `b44|b43 "="|x64..66`, Context: []string{"unseal"}, Confidence: ConfidenceMedium, Severity: critical, Revoke: "vault operator rekey"},
		{ID: "terraform-cloud", Provider: "HCP Terraform", Title: "Terraform Cloud token", Program: `w14 ".atlasv1." u67`, Severity: critical, Revoke: "https://app.terraform.io/app/settings/tokens"},
		{ID: "pulumi", Provider: "Pulumi", Title: "Pulumi access token", Program: `"pul-" x40`, Revoke: "https://app.pulumi.com/account/tokens"},
		{ID: "doppler", Provider: "Doppler", Title: "Doppler token", Program: `("dp.pt."|"dp.ct."|"dp.sa."|"dp.said."|"dp.scim."|"dp.audit.") w40..44|"dp.st." ([0-9a-z_-]2..35 ".")? w40..44`, Revoke: "Doppler: Access"},
		{ID: "1password-service", Provider: "1Password", Title: "1Password service account token", Program: `"ops_eyJ" u250..4000`, Severity: critical, Refine: defined(checkMembers(len("ops_"), 0, "email", "secretKey")), Revoke: "https://my.1password.com/developer-tools/active"},
		{ID: "1password-key", Provider: "1Password", Title: "1Password secret key", Program: `"A3-" N6 "-" N6 "-" N5 "-" N5 "-" N5 "-" N5`, Severity: medium, Revoke: "1Password: Manage account > Regenerate secret key"},
		{ID: "bitwarden-sm", Provider: "Bitwarden", Title: "Bitwarden Secrets Manager access token", By: ByAssignment, Program: `"0." U "." w30 ":" b22 "=="`, Context: []string{"bws", "bitwarden", "token", "secret"}, Revoke: "Bitwarden: Secrets Manager > Machine accounts"},
		{ID: "databricks", Provider: "Databricks", Title: "Databricks access token", Program: `"dapi" x32 ("-" d)?`, Revoke: "Databricks: Settings > Developer > Access tokens"},
		{ID: "confluent", Provider: "Confluent Cloud", Title: "Confluent Cloud API secret", Program: `"cflt" b60`, Left: `[0-9A-Za-z_+/]`, Check: checkConfluent},
		{ID: "elastic-cloud", Provider: "Elastic Cloud", Title: "Elastic Cloud API key", Program: `"essu_" b60..200 ("=="|"=")?`},
		{ID: "mongodb-atlas", Provider: "MongoDB Atlas", Title: "MongoDB Atlas service account secret", Program: `"mdb_sa_sk_" u40`, Revoke: "MongoDB Atlas: Access Manager > Service accounts"},
		{ID: "mongodb-atlas-id", Provider: "MongoDB Atlas", Title: "MongoDB Atlas service account ID", Program: `"mdb_sa_id_" x24`, Kind: KindIdentifier},
		{ID: "planetscale", Provider: "PlanetScale", Title: "PlanetScale password or token", Program: `("pscale_pw_"|"pscale_tkn_"|"pscale_oauth_") u32..64`, Revoke: "PlanetScale: Settings > Passwords, Service tokens"},
		{ID: "supabase-secret", Provider: "Supabase", Title: "Supabase secret key", Program: `"sb_secret_" u22 "_" u8`, Severity: critical, Revoke: "Supabase: Project settings > API keys"},
		{ID: "supabase-publishable", Provider: "Supabase", Title: "Supabase publishable key", Program: `"sb_publishable_" u22 "_" u8`, Kind: KindIdentifier},
		{ID: "supabase-pat", Provider: "Supabase", Title: "Supabase personal access token", Program: `"sbp_" ("v0_")? n40`, Severity: critical, Revoke: "https://supabase.com/dashboard/account/tokens"},
		{ID: "supabase-role", Provider: "Supabase", Title: "Supabase service role token", Program: jwt, Severity: critical, Refine: jwtRefine(checkServiceRole), Revoke: "Supabase: Project settings > JWT keys"},
		{ID: "supabase-anon", Provider: "Supabase", Title: "Supabase anonymous token", Program: jwt, Kind: KindIdentifier, Refine: defined(checkAnonymous)},
		{ID: "neon", Provider: "Neon", Title: "Neon API key", Program: `"napi_" w64`, Revoke: "https://console.neon.tech/app/settings/api-keys"},
		{ID: "netlify", Provider: "Netlify", Title: "Netlify token", Program: `("nfp_"|"nfc_"|"nfo_"|"nfu_"|"nfb_") u36`, Revoke: "https://app.netlify.com/user/applications"},
		{ID: "vercel", Provider: "Vercel", Title: "Vercel token", Program: `("vcp_"|"vci_"|"vca_"|"vcr_"|"vck_") u56`, Revoke: "https://vercel.com/account/settings/tokens"},
		{ID: "heroku", Provider: "Heroku", Title: "Heroku API key", Program: `"HRKU-AA" u58|"HRKU-" U`, Revoke: "https://dashboard.heroku.com/account"},
		{ID: "fly", Provider: "Fly.io", Title: "Fly.io access token", Program: `("fm2_"|"fm1r_"|"fm1a_") [0-9A-Za-z+/_-]64..4000 ("=="|"=")?`, Revoke: "fly tokens revoke"},
		{ID: "render", Provider: "Render", Title: "Render API key", Program: `"rnd_" w28`, Revoke: "https://dashboard.render.com/u/settings"},
		{ID: "tailscale", Provider: "Tailscale", Title: "Tailscale key", Program: `"tskey-" ("auth"|"api"|"client"|"scim"|"webhook") "-" w5..40 "-" w15..80`, Revoke: "https://login.tailscale.com/admin/settings/keys"},
		{ID: "swarm-join", Provider: "Docker Swarm", Title: "Docker Swarm join token", Program: `"SWMTKN-" ("1-"|"2-1-") n50 "-" n25`, Severity: critical, Revoke: "docker swarm join-token --rotate worker; and manager"},
		{ID: "swarm-unlock", Provider: "Docker Swarm", Title: "Docker Swarm unlock key", Program: `"SWMKEY-1-" b43`, Severity: critical, Refine: decodes("SWMKEY-1-", 30), Revoke: "docker swarm unlock-key --rotate"},
		{ID: "kubeadm-bootstrap", Provider: "Kubernetes", Title: "Kubernetes bootstrap token", Program: `("--token "|"--token=") {n6 "." n16}`, Left: "-", Context: []string{"kubeadm"}, Confidence: ConfidenceMedium, Severity: critical, Revoke: "kubeadm token delete"},
		{ID: "kubeadm-token", Provider: "Kubernetes", Title: "Kubernetes bootstrap token", By: ByAssignment, Program: `n6 "." n16`, Names: []string{"token", "bootstraptoken", "tlsbootstraptoken", "discoverytoken", "kubeadmtoken"}, Confidence: ConfidenceMedium, Severity: critical, Refine: varied(false), Revoke: "kubeadm token delete"},
		{ID: "kubeadm-secret", Provider: "Kubernetes", Title: "Kubernetes bootstrap token", By: ByAssignment, Program: `n16`, Names: []string{"tokensecret"}, Confidence: ConfidenceMedium, Severity: critical, Refine: within(2048, "token-id", "bootstrap.kubernetes.io/token"), Revoke: "kubeadm token delete"},
		{ID: "k8s-sa-token", Provider: "Kubernetes", Title: "Kubernetes service account token", Program: jwt, Refine: each(jwtRefine(checkServiceAccount), endless), Revoke: "delete the Secret, or the pod it was made for"},
		{ID: "kubeconfig-key", Provider: "Kubernetes", Title: "client key in a kubeconfig", Program: `"client-key-data" ("\"")? ":" (" ")? ("\"")? {"LS0tLS1CRUdJTi" b60..4000 ("=="|"=")?}`, Left: `[0-9A-Za-z_-]`, Severity: critical, Refine: kubeconfigKey, Revoke: "rotate the certificate authority for clients, or wait for the certificate's end"},
		{ID: "kubeconfig-token", Provider: "Kubernetes", Title: "token in a kubeconfig", By: ByAssignment, Program: `[!-~]16..2048`, Names: []string{"token"}, Severity: critical, Refine: each(inKubeconfig, drawnToken), Revoke: "delete the Secret, or the account"},
		{ID: "rancher", Provider: "Rancher", Title: "Rancher API token", Program: `("token-"|"kubeconfig-") [0-9a-z.-]5..60 ":" {[bcdfghjklmnpqrstvwxz2456789]54}`, Severity: critical, Revoke: "Rancher: Account & API keys"},
		{ID: "cosign-key", Provider: "Sigstore", Title: "encrypted cosign private key", By: ByPEM, Program: `"ENCRYPTED SIGSTORE PRIVATE KEY"|"ENCRYPTED COSIGN PRIVATE KEY"`, Kind: KindEncrypted, Severity: low, Revoke: "cosign generate-key-pair"},
		{ID: "cockroach", Provider: "CockroachDB Cloud", Title: "CockroachDB Cloud API key", Program: `"CCDB1_" w22 "_" w40`},
		{ID: "clickhouse", Provider: "ClickHouse Cloud", Title: "ClickHouse Cloud API secret", Program: `"4b1d" w38`, Refine: varied(true)},
		{ID: "datastax", Provider: "DataStax Astra", Title: "Astra application token", Program: `"AstraCS:" a24 ":" w64`},
		{ID: "xata", Provider: "Xata", Title: "Xata API key", Program: `("xau_"|"xao_") w32..36`, Check: checkXata},
		{ID: "openshift", Provider: "OpenShift", Title: "OpenShift OAuth token", Program: `"sha256~" u43`, Severity: critical, Revoke: "oc delete oauthaccesstoken"},
		{ID: "portainer", Provider: "Portainer", Title: "Portainer access token", Program: `"ptr_" b43 [0-9A-Za-z+/=]`},
		{ID: "dependency-track", Provider: "Dependency-Track", Title: "Dependency-Track API key", Program: `"odt_" w32`},
		{ID: "unkey", Provider: "Unkey", Title: "Unkey key", Program: `"unkey_" (k8 "unkeyv1" k42|"3Z" k22)`},
		{ID: "ory", Provider: "Ory", Title: "Ory token", Program: `"ory_st_" w32|("ory_at_"|"ory_rt_") u43 "." u43`},
		{ID: "zuplo", Provider: "Zuplo", Title: "Zuplo API key", Program: `"zpka_" n32 "_" x8`, Check: checkZuplo},
	}
}

// kubeconfigKey accepts base 64 of a private key in PEM.
func kubeconfigKey(c *Candidate) bool {
	k := parseKey(decodeBase64(c.Secret))
	if len(k.public) > 0 {
		noteKnown(c, k.public)
	}
	c.Verdict, c.Secret = k.verdict, k.der
	return k.verdict == boltseal.VerdictPass
}

// drawnToken drops expressions of code, and words.
func drawnToken(c *Candidate) bool {
	share, pairs := wordShare(c.Secret)
	return !bytes.ContainsAny(c.Secret, "(){}&[]") && !(pairs >= 5 && share > 0.75 && textureOf(c.Secret).digits < 3)
}

// inKubeconfig keeps tokens of users in a kubeconfig.
func inKubeconfig(c *Candidate) bool {
	text := c.Text[max(0, c.Start-64<<10):c.Start]
	return (bytes.Contains(text, []byte("users:")) || bytes.Contains(text, []byte(`"users"`))) && c.near(64<<10, "kind: config", `"kind":"config"`, `"kind": "config"`)
}
