package secrets

import "github.com/boltseal/boltseal"

// contextFamilies are tokens that look like any other: the provider's name must
// stand in the name they are assigned to, or close before it.
func contextFamilies() []Rule {
	const c, h = critical, high
	rule := func(id, provider, program string, severity boltseal.Severity, context ...string) Rule {
		return Rule{
			ID: id, Provider: provider, Title: provider + " key or token", By: ByAssignment, Program: program,
			Context: context, Confidence: ConfidenceMedium, Severity: severity, Refine: contextual,
		}
	}
	return []Rule{
		rule("linode", "Linode", `x64`, c, "linode"),
		rule("hetzner", "Hetzner Cloud", `w64`, c, "hetzner", "hcloud"),
		rule("scaleway", "Scaleway", `U`, h, "scaleway", "scw_secret"),
		rule("ovh", "OVHcloud", `w32|w16`, h, "ovh_", "ovh-", "ovhcloud"),
		rule("vultr", "Vultr", `N36`, h, "vultr"),
		rule("ibm-cloud", "IBM Cloud", `u44`, h, "ibm_cloud", "ibmcloud", "ibm_api", "bluemix"),
		rule("oracle-oci", "Oracle Cloud", `p20`, h, "oci_auth", "ocir", "oracle_cloud"),
		rule("cloudflare-old", "Cloudflare", `u40|x37`, h, "cloudflare", "cf_api"),
		rule("fastly", "Fastly", `u32`, h, "fastly"),
		rule("gitea-token", "Gitea", `x40`, h, "gitea", "forgejo", "codeberg"),
		rule("github-app-secret", "GitHub", `x40`, h, "github_client_secret", "github_app", "github_secret", "github_oauth", "gh_client_secret"),
		rule("travis", "Travis CI", `u22`, h, "travis"),
		rule("drone", "Drone", `w32`, h, "drone_token", "drone_server", "drone_rpc"),
		rule("circleci-old", "CircleCI", `x40`, h, "circle_token", "circleci", "circle-token"),
		rule("jenkins-api", "Jenkins", `"11" x32`, h, "jenkins"),
		rule("snyk", "Snyk", `U`, h, "snyk"),
		rule("mattermost", "Mattermost", `n26`, h, "mattermost"),
		rule("zulip", "Zulip", `w32`, h, "zulip"),
		rule("zendesk", "Zendesk", `w40`, h, "zendesk"),
		rule("asana", "Asana", `d "/" d16 ("/" d16)? ":" x32`, h, "asana"),
		rule("okta", "Okta", `"00" u40`, h, "okta", "ssws"),
		rule("deepseek", "DeepSeek", `"sk-" x32`, h, "deepseek"),
		rule("mistral", "Mistral AI", `w32`, h, "mistral"),
		rule("cohere", "Cohere", `w40`, h, "cohere", "co_api_key"),
		rule("deepgram", "Deepgram", `n40`, h, "deepgram"),
		rule("wandb-old", "Weights & Biases", `x40`, h, "wandb"),
		rule("voyage", "Voyage AI", `"pa-" u43`, h, "voyage"),
		rule("paypal", "PayPal", `"E" u79`, h, "paypal"),
		rule("adyen", "Adyen", `"AQE" p50..200`, h, "adyen"),
		rule("mollie", "Mollie", `"live_" w30`, h, "mollie"),
		rule("postmark", "Postmark", `U`, h, "postmark"),
		rule("mailjet", "Mailjet", `x32`, h, "mailjet", "mj_api"),
		rule("messagebird", "MessageBird", `w25`, h, "messagebird"),
		rule("datadog-api", "Datadog", `x32`, h, "datadog", "dd_api_key", "dd-api-key"),
		rule("pagerduty", "PagerDuty", `"y_" [0-9A-Za-z_-]18|"u+" [0-9A-Za-z_-]18|x32`, h, "pagerduty"),
		rule("splunk-hec", "Splunk", `U`, h, "splunk", "hec_token"),
		rule("logz", "Logz.io", `U`, h, "logzio", "logz.io", "logz_io"),
		rule("sumo", "Sumo Logic", `w64`, h, "sumo"),
		rule("opsgenie", "Opsgenie", `U`, h, "opsgenie", "genie_key"),
		rule("launchdarkly", "LaunchDarkly", `("sdk-"|"api-") U`, h, "launchdarkly", "ld_sdk"),
		rule("vault-approle", "HashiCorp Vault", `U`, h, "vault_secret_id", "vault-secret-id", "approle", "vaultsecretid"),
		rule("consul-nomad", "HashiCorp Consul or Nomad", `U`, h, "consul_http_token", "consul_token", "nomad_token", "consul-token", "nomad-token"),
		rule("infisical", "Infisical", `"st." x24 "." x16..64 "." x16..64`, h, "infisical", "token"),
		rule("snowflake-pat", "Snowflake", `[0-9A-Za-z_.-]100..400`, h, "snowflake"),
		rule("confluent-old", "Confluent Cloud", `b64`, h, "confluent", "kafka_api"),
		rule("elastic-key", "Elastic", `b56..64 ("=="|"=")?`, h, "elastic"),
		rule("influxdb", "InfluxDB", `[0-9A-Za-z_+/-]86 "=="`, h, "influx"),
		rule("upstash", "Upstash", `b40..120 ("=="|"=")?`, h, "upstash"),
		rule("railway", "Railway", `U`, h, "railway"),
		rule("ngrok", "ngrok", `w26..27 "_" d w20`, h, "ngrok", "authtoken"),
		rule("teleport-join", "Teleport", `x32`, h, "teleport"),
		rule("ethereum", "Ethereum", `("0x")? x64`, h, "ethereum", "eth_private", "private_key", "wallet", "deployer"),
	}
}

// contextual keeps values that look drawn at random and whose names do not say
// that they are something else.
func contextual(c *Candidate) bool {
	share, pairs := wordShare(c.Secret)
	return secretName(c) && random(c.Secret) && !(pairs >= 20 && share > 0.7 && textureOf(c.Secret).digits < 2) // a long name in camel case
}
