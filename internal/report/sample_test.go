package report_test

import (
	"time"

	"github.com/boltseal/boltseal"
)

// sample is a report with one of everything: base and wasted layers, OS and
// language packages, every severity, a suppressed finding, an undecided check, a
// skipped file, and names made to deceive.
func sample() *boltseal.Report {
	day := func(y int, m time.Month, d int) *time.Time { t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); return &t }
	deb := &boltseal.Distro{ID: "debian", VersionID: "12", PrettyName: "Debian GNU/Linux 12 (bookworm)"}
	id := func(c string) string {
		s := "sha256:"
		for range 64 {
			s += c
		}
		return s
	}
	pkg := func(purl, typ, ns, name, version, layer, path string) boltseal.ReportPackage {
		p := boltseal.ReportPackage{Layer: layer, Paths: []string{path}}
		p.PURL, p.Type, p.Namespace, p.Name, p.Version = purl, typ, ns, name, version
		if typ == "deb" {
			p.Distro = deb
		}
		p.Evidence = []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "record in " + path, Confidence: 1}}
		p.Locations = []boltseal.Location{{Layer: layer, Path: path}}
		return p
	}
	find := func(rule, title string, sev boltseal.Severity, purl, fixed, layer, path string) boltseal.Finding {
		return boltseal.Finding{
			Kind: boltseal.KindVulnerability, Rule: rule, Title: title, Severity: sev, Package: purl, Fixed: fixed,
			Locations:   []boltseal.Location{{Layer: layer, Path: path}},
			Evidence:    []boltseal.Evidence{{Detail: "version is in the range introduced 0, fixed " + fixed}, {Detail: "ordered by the rules of the ecosystem"}},
			References:  []string{"https://example.com/" + rule, "javascript:alert(1)"},
			Fingerprint: boltseal.Fingerprint("vulnerability", rule, purl, path),
		}
	}
	const (
		openssl = "pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12"
		lodash  = "pkg:npm/lodash@4.17.4"
		log4j   = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"
		requ    = "pkg:pypi/requests@2.19.0"
		tool    = "pkg:golang/example.com/tool@v1.0.0"
	)
	status, nm := "var/lib/dpkg/status", "srv/app/node_modules/lodash/package.json"
	war := "srv/app/shop.war"
	evil := "srv/\x1b[31mred\u202egpj.exe"
	r := &boltseal.Report{
		Created: day(2026, 11, 25),
		Image: &boltseal.ReportImage{
			Name: "registry.example.com/shop/storefront:1.4.2", Digest: id("d"), ImageID: id("e"), Platform: "linux/amd64", Created: day(2026, 11, 20),
			Base: &boltseal.ReportBase{Name: "debian:12-slim", Layers: 1, Confidence: .8, Evidence: "annotation org.opencontainers.image.base.name"},
		},
		Distro: deb,
		Layers: []boltseal.ReportLayer{
			{Index: 0, DiffID: id("0"), Digest: id("a"), Kind: "base", Confidence: .95, Evidence: "os-release and a package database", CreatedBy: "/bin/sh -c #(nop) ADD file:4b1f in / ", Bytes: 74_800_000, Compressed: 28_200_000, Files: 3241, Added: 3241, FromBase: true, Packages: 88, Wasted: 1_200_000},
			{Index: 1, DiffID: id("1"), Kind: "os-packages", Confidence: .9, CreatedBy: "RUN /bin/sh -c apt-get update && apt-get install -y openssl ca-certificates && rm -rf /var/lib/apt/lists/* # buildkit", Bytes: 21_300_000, Files: 412, Added: 400, Modified: 12, Packages: 3},
			{Index: 2, DiffID: id("2"), Kind: "runtime", Confidence: .7, CreatedBy: "COPY /usr/local/bin/node /usr/local/bin/ # buildkit", Bytes: 98_000_000, Files: 1, Added: 1, Wasted: 98_000_000},
			{Index: 3, DiffID: id("3"), Kind: "dependencies", Confidence: .8, CreatedBy: "RUN npm ci --omit=dev", Bytes: 41_000_000, Files: 6021, Added: 6021, Packages: 204},
			{Index: 4, DiffID: id("4"), Kind: "application", Confidence: .8, CreatedBy: "COPY . /srv/app", Bytes: 3_100_000, Files: 88, Added: 80, Modified: 8, Removed: 2, Packages: 2},
			{Index: 5, DiffID: id("5"), Kind: "metadata", Confidence: 1, CreatedBy: `CMD ["node", "server.js"]`},
		},
		Packages: []boltseal.ReportPackage{
			pkg(openssl, "deb", "debian", "openssl", "3.0.11-1~deb12u1", id("1"), status),
			pkg(lodash, "npm", "", "lodash", "4.17.4", id("3"), nm),
			pkg(log4j, "maven", "org.apache.logging.log4j", "log4j-core", "2.14.1", id("4"), war),
			pkg(requ, "pypi", "", "requests", "2.19.0", id("3"), "usr/lib/python3/dist-packages/requests-2.19.0.dist-info/METADATA"),
			pkg(tool, "golang", "", "example.com/tool", "v1.0.0", id("4"), "srv/app/tool"),
		},
		Findings: []boltseal.Finding{
			find("CVE-2020-8203", "Prototype pollution in zipObjectDeep", boltseal.SeverityHigh, lodash, "4.17.19", id("3"), nm),
			find("CVE-2019-10744", "Prototype pollution in defaultsDeep", boltseal.SeverityCritical, lodash, "4.17.12", id("3"), nm),
			find("CVE-2021-44228", "Remote code execution through JNDI lookups in log messages, with a title long enough to be cut in eighty columns", boltseal.SeverityCritical, log4j, "2.15.0", id("4"), war),
			find("DSA-5764-1", "openssl security update", boltseal.SeverityMedium, openssl, "3.0.14-1~deb12u2", id("1"), status),
			find("DEBIAN-CVE-2023-9999", "", boltseal.SeverityUnknown, openssl, "", id("1"), status),
			find("CVE-2018-18074", "Credentials sent on a redirect to http", boltseal.SeverityLow, requ, "2.20.0", id("3"), "usr/lib/python3/dist-packages/requests-2.19.0.dist-info/METADATA"),
			{Kind: boltseal.KindIntegrity, Rule: "image/views", Title: "two clients see <b>two</b> images [x](http://evil) {0}", Severity: boltseal.SeverityHigh, Locations: []boltseal.Location{{Layer: id("4"), Path: evil}}, Fingerprint: "aa"},
			{Kind: boltseal.KindVulnerability, Rule: "GO-2022-0001", Title: "old toolchain", Severity: boltseal.SeverityHigh, Package: tool, Suppressed: "VEX: vulnerable_code_not_in_execute_path", Fingerprint: "bb"},
		},
		Checks: []boltseal.Check{
			{Rule: "vuln/golang", Title: "advisories for Go", Verdict: boltseal.VerdictPass},
			{Rule: "vuln/gentoo", Title: "advisories for Gentoo", Verdict: boltseal.VerdictUnknown, Reason: "the database holds none; build one with imagescan db build"},
		},
		Skipped: []boltseal.Skip{
			{Layer: id("4"), Path: "srv/app/huge.jar", Rule: "sbom/java", Reason: "nested archives: limit exceeded"},
			{Layer: id("0"), Path: "etc/x", Reason: "duplicate entry", Note: true},
		},
		Advisories: &boltseal.ReportAdvisories{Generation: "g1", Newest: day(2026, 8, 7), Advisories: 98_000, Sources: []boltseal.ReportSource{{Name: "PyPI", Advisories: 1, License: "CC-BY-4.0"}}},
	}
	libssl := r.Packages[0]
	libssl.PURL, libssl.Name = "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl", "libssl3"
	libssl.Source.Name = "openssl"
	r.Packages = append(r.Packages, libssl)
	r.Findings = append(r.Findings, find("DEBIAN-CVE-2023-9999", "DEBIAN-CVE-2023-9999 in libssl3", boltseal.SeverityUnknown, libssl.PURL, "", id("1"), status))
	r.Packages[2].Locations[0].Member = []string{"WEB-INF/lib/log4j-core-2.14.1.jar"}
	return r
}
