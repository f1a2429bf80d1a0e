package secrets

import (
	"bytes"

	"github.com/boltseal/boltseal"
)

func packageFamilies() []Rule {
	const (
		npm   = "https://www.npmjs.com/settings/~/tokens"
		pypi  = "https://pypi.org/manage/account/token/"
		crate = "https://crates.io/settings/tokens"
	)
	return []Rule{
		{ID: "npm-token", Provider: "npm", Title: "npm access token", Program: `"npm_" w36`, Severity: critical, Check: checkCRC62, Revoke: npm},
		{ID: "npm-legacy", Provider: "npm", Title: "npm access token", Program: `"_authToken=" ("\"")? {U}`, Left: `[0-9A-Za-z_]`, Revoke: npm},
		{ID: "pypi-token", Provider: "PyPI", Title: "PyPI API token", Program: `"pypi-AgEIcHlwaS5vcmc" u50..1000`, Severity: critical, Refine: defined(checkPyPI), Revoke: pypi},
		{ID: "pypi-test", Provider: "PyPI", Title: "TestPyPI API token", Program: `"pypi-AgENdGVzdC5weXBpLm9yZw" u50..1000`, Severity: low, Refine: defined(checkPyPI), Revoke: "https://test.pypi.org/manage/account/token/"},
		{ID: "rubygems", Provider: "RubyGems", Title: "RubyGems API key", Program: `"rubygems_" x48`, Severity: critical, Revoke: "https://rubygems.org/profile/api_keys"},
		{ID: "cratesio", Provider: "crates.io", Title: "crates.io API token", Program: `"cio" w32`, Left: `[0-9A-Za-z_+/-]`, Right: `[0-9A-Za-z_+/=-]`, Confidence: ConfidenceMedium, Severity: critical, Refine: varied(true), Revoke: crate},
		{ID: "cratesio-publish", Provider: "crates.io", Title: "crates.io publishing token", Program: `"cio_tp_" w32`, Severity: medium, Check: checkCratesIO, Revoke: "it expires half an hour after it was made"},
		{ID: "nuget", Provider: "NuGet", Title: "NuGet API key", Program: `"oy2" l43`, Severity: high, Refine: varied(false), Revoke: "https://www.nuget.org/account/apikeys"},
		{ID: "dockerhub-pat", Provider: "Docker Hub", Title: "Docker Hub personal access token", Program: `"dckr_pat_" u27`, Severity: critical, Revoke: "https://app.docker.com/settings/personal-access-tokens"},
		{ID: "dockerhub-org", Provider: "Docker Hub", Title: "Docker Hub organization access token", Program: `"dckr_oat_" (u32|u27)`, Severity: critical, Revoke: "Docker Hub: Organization > Access tokens"},
		{ID: "packagist", Provider: "Packagist", Title: "Packagist token", Program: `("packagist_out_"|"packagist_ort_"|"packagist_uut_"|"packagist_urt_") x68`},
		{ID: "artifactory-ref", Provider: "JFrog Artifactory", Title: "Artifactory reference token", Program: `"cmVmdGtu" w56`, Refine: func(c *Candidate) bool {
			return bytes.HasPrefix(decodeBase64(c.Token), []byte("reftkn:")) && notWrapped(c)
		}, Revoke: "JFrog: Administration > Access tokens"},
		{ID: "artifactory-api", Provider: "JFrog Artifactory", Title: "Artifactory API key", Program: `"AKCp" w68..70`, Refine: notWrapped, Revoke: "JFrog: Edit profile > API key"},
		{ID: "clojars", Provider: "Clojars", Title: "Clojars deploy token", Program: `"CLOJARS_" x60`, Revoke: "https://clojars.org/tokens"},
		{ID: "quay-robot", Provider: "Quay", Title: "Quay robot account password", By: ByAssignment, Program: `N64`, Context: []string{"quay"}, Kind: KindHalf, Confidence: ConfidenceMedium, Refine: quayRobot, Revoke: "Quay: Organization > Robot accounts"},
		{ID: "harbor-robot", Provider: "Harbor", Title: "Harbor robot account", Program: `"robot$" [0-9A-Za-z_.+-]1..80`, Left: "-", Kind: KindHalf, Confidence: ConfidenceMedium, Refine: pairRun("w", 32, "secret", "password", "token"), Revoke: "Harbor: Project > Robot accounts"},
		{ID: "cloudsmith", Provider: "Cloudsmith", Title: "Cloudsmith API key", Program: `"csa_" x30 w6`},
	}
}

// printable reports whether text is ASCII without control characters.
func printable(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(text) > 0
}

// registryAuth accepts what npm's _auth and _password hold: base 64 of
// user:password, or of a password.
func registryAuth(c *Candidate) bool {
	raw := decodeBase64(c.Secret)
	if !printable(raw) {
		return false
	}
	if user, password, ok := bytes.Cut(raw, []byte{':'}); ok {
		if len(password) == 0 {
			return false
		}
		c.Parts = append(c.Parts, Part{Name: "user", Value: string(user)})
	}
	c.Verdict = boltseal.VerdictPass
	return true
}
