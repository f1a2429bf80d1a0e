package vuln

import "strings"

// origins names the publishers of advisories by the prefix of their IDs (OSV
// schema, "id"), with the licence they publish under. Empty: they state none
// with the data.
var origins = [...]struct{ prefix, name, license string }{
	{"ALBA-", "AlmaLinux", "MIT"},
	{"ALEA-", "AlmaLinux", "MIT"},
	{"ALSA-", "AlmaLinux", "MIT"},
	{"ALPINE-", "Alpine secdb", ""},
	{"AZL-", "Azure Linux", "MIT"},
	{"BIT-", "Bitnami", "Apache-2.0"},
	{"DEBIAN-", "Debian", ""},
	{"DLA-", "Debian", ""},
	{"DSA-", "Debian", ""},
	{"DTSA-", "Debian", ""},
	{"DRUPAL-", "Drupal Security Team", ""},
	{"FOP-", "FriendsOfPHP", "Unlicense"},
	{"GHSA-", "GitHub Advisory Database", "CC-BY-4.0"},
	{"GLAD-", "GitLab Advisory Database (community)", "MIT"},
	{"GO-", "Go Vulnerability Database", "CC-BY-4.0"},
	{"NSWG-", "Node.js Security WG", "MIT"},
	{"OSV-", "OSS-Fuzz", "CC-BY-4.0"},
	{"PYSEC-", "PyPA Advisory Database", "CC-BY-4.0"},
	{"RETIREJS-", "RetireJS", "Apache-2.0"},
	{"RLSA-", "Rocky Linux", "BSD-3-Clause"},
	{"RXSA-", "Rocky Linux", "BSD-3-Clause"},
	{"RUBYSEC-", "Ruby Advisory Database", "public domain"},
	{"RUSTSEC-", "RustSec", "CC0-1.0"},
	{"UBUNTU-", "Ubuntu", ""},
	{"USN-", "Ubuntu", ""},
}

// The Elixir database publishes under GitHub's IDs.
const elixir, elixirLicense = "Elixir Security Advisories", "CC0-1.0"

// publisher names the publisher of a record. A GHSA ID in Hex without GitHub's
// own mark is of the Elixir database; anything else is told by its ID.
func publisher(r *record) string {
	if strings.HasPrefix(r.ID, "GHSA-") && r.Specific.GitHub.v == nil && len(r.Affected) > 0 {
		hex := true
		for i := range r.Affected {
			hex = hex && r.Affected[i].Package.Ecosystem == "Hex"
		}
		if hex {
			return elixir
		}
	}
	return sourceOf(r.ID)
}

// sourceOf names the publisher of an advisory by its ID.
func sourceOf(id string) string {
	for _, o := range origins {
		if strings.HasPrefix(id, o.prefix) {
			return o.name
		}
	}
	prefix, _, _ := strings.Cut(id, "-")
	return prefix
}

// licenseOf is the licence of a source named by sourceOf.
func licenseOf(source string) string {
	if source == elixir {
		return elixirLicense
	}
	for _, o := range origins {
		if o.name == source {
			return o.license
		}
	}
	return ""
}
