package secrets

func hostingFamilies() []Rule {
	const (
		github  = "https://github.com/settings/tokens"
		gitlab  = "GitLab: Preferences > Access tokens"
		runners = "GitLab: Settings > CI/CD > Runners"
		kite    = "https://buildkite.com/user/api-access-tokens"
		jwt     = `"eyJ" u8+ ".eyJ" u8+ "." u16+`
		// What follows the prefix of a token that says which cell it belongs to.
		routable = `u27..300 (".01")? "." n9`
	)
	return []Rule{
		{ID: "github-pat", Provider: "GitHub", Title: "GitHub personal access token", Program: `"ghp_" w36`, Severity: critical, Check: checkCRC62, Revoke: github},
		{ID: "github-oauth", Provider: "GitHub", Title: "GitHub OAuth access token", Program: `"gho_" w36`, Severity: critical, Check: checkCRC62, Revoke: "https://github.com/settings/applications"},
		{ID: "github-user-server", Provider: "GitHub", Title: "GitHub App user token", Program: `"ghu_" w36`, Severity: critical, Check: checkCRC62, Revoke: "https://github.com/settings/apps/authorizations"},
		{ID: "github-install", Provider: "GitHub", Title: "GitHub App installation token", Program: `"ghs_" w36`, Severity: medium, Check: checkCRC62, Revoke: "it expires an hour after it was made"},
		{ID: "github-install-jwt", Provider: "GitHub", Title: "GitHub App installation token", Program: `"ghs_" d1..20 "_" ` + jwt, Severity: medium, Refine: defined(checkTrailingJWT('_')), Revoke: "it expires an hour after it was made"},
		{ID: "github-refresh", Provider: "GitHub", Title: "GitHub refresh token", Program: `"ghr_" (w76|w36)`, Revoke: github},
		{ID: "github-fine-grained", Provider: "GitHub", Title: "GitHub fine-grained personal access token", Program: `"github_pat_" w22 "_" w59`, Severity: critical, Revoke: github},
		{ID: "github-client-id", Provider: "GitHub", Title: "GitHub client ID", Program: `("Iv1." x16|"Iv23" w16)`, Kind: KindIdentifier},

		{ID: "gitlab-pat", Provider: "GitLab", Title: "GitLab personal access token", Program: `"glpat-" u20`, Severity: critical, Revoke: gitlab},
		{ID: "gitlab-pat-routable", Provider: "GitLab", Title: "GitLab personal access token", Program: `"glpat-" ` + routable, Severity: critical, Check: checkGitLab, Revoke: gitlab},
		{ID: "gitlab-deploy", Provider: "GitLab", Title: "GitLab deploy token", Program: `"gldt-" u20`, Severity: critical, Revoke: "GitLab: Settings > Repository > Deploy tokens"},
		{ID: "gitlab-runner", Provider: "GitLab", Title: "GitLab runner token", Program: `"glrt-" (("t" d "_")? u20|` + routable + `)`, Severity: critical, Check: checkGitLab, Revoke: runners},
		{ID: "gitlab-runner-reg", Provider: "GitLab", Title: "GitLab runner registration token", Program: `("glrtr-"|"GR1348941") u20`, Severity: critical, Revoke: runners},
		{ID: "gitlab-job", Provider: "GitLab", Title: "GitLab CI job token", Program: `"glcbt-" (w1..5 "_" u20|` + routable + `)`, Severity: medium, Check: checkGitLab, Revoke: "it ends with its job"},
		{ID: "gitlab-trigger", Provider: "GitLab", Title: "GitLab pipeline trigger token", Program: `"glptt-" x40`, Severity: medium, Revoke: "GitLab: Settings > CI/CD > Pipeline trigger tokens"},
		{ID: "gitlab-agent", Provider: "GitLab", Title: "GitLab agent token", Program: `"glagent-" u50`, Severity: medium, Revoke: "GitLab: Operate > Kubernetes clusters"},
		{ID: "gitlab-oauth-secret", Provider: "GitLab", Title: "GitLab application secret", Program: `"gloas-" x64`, Severity: medium, Revoke: "GitLab: Preferences > Applications"},
		{ID: "gitlab-feed", Provider: "GitLab", Title: "GitLab feed, mail, SCIM, feature-flag or workspace token", Program: `("glft-"|"glimt-") u20..25|("glsoat-"|"glffct-"|"glwt-") u20`, Severity: medium, Revoke: gitlab},
		{ID: "gitlab-session", Provider: "GitLab", Title: "GitLab session cookie", Program: `"_gitlab_session=" {x32}`, Left: `[0-9A-Za-z]`, Severity: medium, Revoke: "GitLab: Preferences > Active sessions"},

		{ID: "bitbucket-access", Provider: "Bitbucket", Title: "Bitbucket access token", Program: `"ATCTT3xFfGN0" u171 "=" X8`, Severity: medium, Check: checkCRCUpperSoft, Revoke: "Bitbucket: Repository settings > Access tokens"},
		{ID: "bitbucket-app", Provider: "Bitbucket", Title: "Bitbucket app password", Program: `"ATBB" w24 X8`, Severity: low, Check: checkCRCUpper, Revoke: "Bitbucket stopped accepting app passwords in June 2026"},
		{ID: "bitbucket-dc", Provider: "Bitbucket", Title: "Bitbucket Data Center HTTP access token", Program: `"BBDC-" b40..50`, Revoke: "Bitbucket: Manage account > HTTP access tokens"},
		{ID: "atlassian-api", Provider: "Atlassian", Title: "Atlassian API token", Program: `"ATATT3xFfGF0" u171 "=" X8`, Severity: critical, Check: checkCRCUpper, Revoke: "https://id.atlassian.com/manage-profile/security/api-tokens"},
		{ID: "gitea-oauth", Provider: "Gitea", Title: "Gitea OAuth token", Program: `("gta_"|"gto_") l52`, Revoke: "Gitea: Settings > Applications"},
		{ID: "circleci", Provider: "CircleCI", Title: "CircleCI API token", Program: `("CCIPAT_"|"CCIPRJ_") w22 "_" x40`, Revoke: "https://app.circleci.com/settings/user/tokens"},
		{ID: "buildkite", Provider: "Buildkite", Title: "Buildkite token", Program: `("bkua_"|"bkct_"|"bkaa_"|"bkpt_"|"bkps_"|"bkpat_"|"bkur_"|"bkcqt_"|"bkar_"|"bkat_"|"bkrt_"|"bktr_"|"bktx_") [0-9A-Za-z_.-]24..2048`, Revoke: kite},
		{ID: "buildkite-job", Provider: "Buildkite", Title: "Buildkite job token", Program: `("bkaj_"|"bkjat_") ` + jwt, Severity: medium, Refine: defined(checkTrailingJWT('_')), Revoke: "it ends with its job"},
		{ID: "jenkins-master-key", Provider: "Jenkins", Title: "master key of Jenkins", By: ByPlace, Severity: critical, Revoke: "rotate every credential of the server, and set it up anew"},
		{ID: "jenkins-secret", Provider: "Jenkins", Title: "credential encrypted by Jenkins", Program: `"{AQAAABAAAA" b30..2000 ("=="|"=")? "}"`, Left: "-", Right: "-", Refine: jenkinsSecret, Kind: KindEncrypted, Severity: low, Revoke: "rotate what is inside, if master.key and hudson.util.Secret of the server are known"},
		{ID: "jenkins-admin", Provider: "Jenkins", Title: "Jenkins initial administrator password", By: ByPlace, Revoke: "Jenkins: create an administrator, then delete the file"},
		{ID: "sonarqube", Provider: "SonarQube", Title: "SonarQube token", Program: `("squ_"|"sqa_"|"sqp_") x40`, Severity: medium, Revoke: "SonarQube: My account > Security"},
		{ID: "sonarqube-badge", Provider: "SonarQube", Title: "SonarQube badge token", Program: `"sqb_" x40`, Kind: KindIdentifier},
		{ID: "sonarcloud", Provider: "SonarQube", Title: "SonarQube Cloud token", Program: `"sqco_" w59`, Severity: medium, Revoke: "https://sonarcloud.io/account/security"},
		{ID: "sourcegraph", Provider: "Sourcegraph", Title: "Sourcegraph access token", Program: `"sgp_" ((x16|"local") "_")? x40|"slk_" x64`, Revoke: "Sourcegraph: Settings > Access tokens"},
		{ID: "teamcity", Provider: "TeamCity", Title: "TeamCity access token", Program: `"eyJ0eXAiOiAiVENWMiJ9." u36 "." u48`, Revoke: "TeamCity: My settings > Access tokens"},
		{ID: "harness", Provider: "Harness", Title: "Harness access token", Program: `("pat."|"sat.") u22 "." x24 "." w20`, Revoke: "Harness: My profile > API keys"},
		{ID: "octopus", Provider: "Octopus Deploy", Title: "Octopus Deploy API key", Program: `"API-" N26..34`, Refine: varied(false), Revoke: "Octopus: Profile > My API keys"},
	}
}
