package secrets

func monitoringFamilies() []Rule {
	const (
		datadog  = "https://app.datadoghq.com/organization-settings/application-keys"
		newrelic = "https://one.newrelic.com/api-keys"
		sentry   = "https://sentry.io/settings/account/api/auth-tokens/"
		grafana  = "Grafana: Administration > Service accounts"
	)
	return []Rule{
		{ID: "datadog-app", Provider: "Datadog", Title: "Datadog application key", Program: `"ddapp_" w34`, Revoke: datadog},
		{ID: "datadog-app-old", Provider: "Datadog", Title: "Datadog application key", By: ByAssignment, Program: `x40`, Context: []string{"datadog", "dd_app", "ddapp"}, Confidence: ConfidenceMedium, Refine: secretName, Revoke: datadog},
		{ID: "datadog-pat", Provider: "Datadog", Title: "Datadog access token", Program: `("ddpat_"|"ddsat_") u30..200`, Revoke: "https://app.datadoghq.com/personal-settings/access-tokens"},
		{ID: "newrelic-user", Provider: "New Relic", Title: "New Relic key", Program: `"NRAK-" N27|"NRAA-" x27|"NRRA-" x42`, Revoke: newrelic},
		{ID: "newrelic-license", Provider: "New Relic", Title: "New Relic license key", Program: `x32 "FFFFNRAL"|"eu01xx" x26 "FFFFNRAL"`, Severity: medium, Revoke: newrelic},
		{ID: "newrelic-insights", Provider: "New Relic", Title: "New Relic Insights key", Program: `("NRII-"|"NRIQ-") u32`, Severity: medium, Revoke: newrelic},
		{ID: "newrelic-browser", Provider: "New Relic", Title: "New Relic browser key", Program: `"NRJS-" x19`, Kind: KindIdentifier},
		{ID: "sentry-user", Provider: "Sentry", Title: "Sentry auth token", Program: `("sntryu_"|"sntrya_"|"sntryi_") x64`, Severity: medium, Revoke: sentry},
		{ID: "sentry-org", Provider: "Sentry", Title: "Sentry organization auth token", Program: `"sntrys_eyJ" b40..1000 ("=="|"=")? "_" b43`, Severity: medium, Refine: defined(checkMembers(len("sntrys_"), '_', "iat", "url", "org")), Revoke: "https://sentry.io/settings/auth-tokens/"},
		{ID: "sentry-dsn", Provider: "Sentry", Title: "Sentry client key", Program: `x32 ("@o" d1..20 ".ingest." (a2 ".")?|"@") "sentry.io/" d1..20`, Kind: KindIdentifier},
		{ID: "sentry-dsn-secret", Provider: "Sentry", Title: "Sentry client key with its secret", Program: `x32 ":" {x32} ("@o" d1..20 ".ingest." (a2 ".")?|"@") "sentry.io/" d1..20`, Severity: medium, Revoke: "Sentry: Project settings > Client keys"},
		{ID: "grafana-sa", Provider: "Grafana", Title: "Grafana service account token", Program: `"glsa_" w32 "_" x8`, Check: checkGrafana, Revoke: grafana},
		{ID: "grafana-cloud", Provider: "Grafana", Title: "Grafana Cloud access policy token", Program: `"glc_eyJ" b40..1000 ("=="|"=")?`, Refine: defined(checkMembers(len("glc_"), 0, "o", "n", "k")), Revoke: "Grafana Cloud: Administration > Access policies"},
		{ID: "grafana-old", Provider: "Grafana", Title: "Grafana API key", Program: `"eyJrIjoi" b40..400 ("=="|"=")?`, Refine: defined(checkMembers(0, 0, "k", "n", "id")), Revoke: grafana},
		{ID: "honeycomb", Provider: "Honeycomb", Title: "Honeycomb API key", Program: `"hc" [a-z] ("ik_"|"ic_") n58`, Severity: medium},
		{ID: "dynatrace", Provider: "Dynatrace", Title: "Dynatrace token", Program: `("dt0c01."|"dt0s" d2 ".") L24 "." L64`, Revoke: "Dynatrace: Access tokens"},
		{ID: "axiom", Provider: "Axiom", Title: "Axiom token", Program: `("xaat-"|"xapt-") U`},
		{ID: "posthog", Provider: "PostHog", Title: "PostHog personal API key", Program: `"phx_" u41..49`},
		{ID: "posthog-project", Provider: "PostHog", Title: "PostHog project key", Program: `"phc_" u41..49`, Kind: KindIdentifier},
		{ID: "logfire", Provider: "Pydantic Logfire", Title: "Logfire write token", Program: `"pylf_v" d "_" [a-z]2 "_" w44`},
	}
}
