// Package sample holds the report that the tests of the SBOM formats write.
package sample

import (
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Layer digests of [Report].
const (
	Base = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	App  = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// Report returns a report that uses every field which an SBOM carries: packages
// of several ecosystems, edges by name and by virtual name, a nested archive,
// two places of one package, an owned package, odd licences, gaps and findings.
func Report() *boltseal.Report {
	created := time.Date(2024, 5, 6, 7, 8, 9, 123, time.FixedZone("", 3600))
	debian := &boltseal.Distro{
		ID: "debian", VersionID: "12", Codename: "bookworm", Name: "Debian GNU/Linux", PrettyName: "Debian GNU/Linux 12 (bookworm)",
		IDLike: []string{"x", "y"}, CPE: "cpe:/o:debian:debian_linux:12", Repositories: []string{"main"},
		Evidence:  []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "etc/os-release", Confidence: 1}},
		Locations: []boltseal.Location{{Layer: Base, Path: "usr/lib/os-release"}},
	}
	status := []boltseal.Location{{Layer: Base, Path: "var/lib/dpkg/status", Line: 10}}
	recorded := []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "dpkg status", Confidence: 0.95}}
	r := &boltseal.Report{
		Image: &boltseal.ReportImage{
			Name: "Registry.example:5000/team/app:1.2", Digest: "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
			ImageID: "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", Platform: "linux/arm64/v8", Created: &created,
			Base: &boltseal.ReportBase{Name: "docker.io/library/debian:12", Digest: Base},
		},
		Distro: debian,
		Layers: []boltseal.ReportLayer{{Index: 0, DiffID: Base}, {Index: 1, DiffID: App}},
		Skipped: []boltseal.Skip{
			{Path: "opt/big.jar", Reason: "larger than the limit"},
			{Path: "etc/passwd", Reason: "written twice", Note: true},
		},
	}
	add := func(p boltseal.Package, layer string) {
		p.PURL = purl.Of(&p)
		out := boltseal.ReportPackage{Package: p, Layer: layer}
		for _, l := range p.Locations {
			out.Paths = append(out.Paths, l.Path)
		}
		r.Packages = append(r.Packages, out)
	}
	deb := func(name, version string, p boltseal.Package) {
		p.Type, p.Namespace, p.Name, p.Version, p.Arch, p.Distro = "deb", "debian", name, version, "arm64", debian
		p.Locations, p.Evidence = status, recorded
		add(p, Base)
	}
	deb("libc6", "2.36-9+deb12u7", boltseal.Package{Source: boltseal.Source{Name: "glibc"}, Licenses: []string{"LGPL-2.1-or-later", "GPL-2.0-only WITH GCC-exception-2.0"}, DependsOn: []string{}})
	deb("libstdc++6", "12.2.0-14", boltseal.Package{Source: boltseal.Source{Name: "gcc-12", Version: "12.2.0-14+x"}, Licenses: []string{"GPL-3+ with exception", "MIT"}, DependsOn: []string{"libc6"}})
	deb("mawk", "1.3.4", boltseal.Package{Vendor: "Debian", Provides: []string{"awk"}, Licenses: []string{"MIT OR Apache-2.0"}})
	deb("python3-yaml", "1:6.0-3", boltseal.Package{DependsOn: []string{"awk", "libc6", "python3"}})
	add(boltseal.Package{
		Type: "rpm", Namespace: "almalinux", Name: "bind", Version: "32:9.11-1.el8", Arch: "aarch64", Module: "bind:9.16:8080:abc",
		Distro: &boltseal.Distro{ID: "almalinux", VersionID: "8.9"}, Vendor: "AlmaLinux", State: boltseal.StateInstalled,
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "unrated"}},
	}, "")
	add(boltseal.Package{
		Type: "pypi", Name: "pyyaml", Version: "6.0", OwnedBy: r.Packages[3].PURL, DependsOn: []string{},
		Locations: []boltseal.Location{{Layer: Base, Path: "usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA", Offset: 7}},
	}, Base)
	for _, path := range []string{"app/one", "app/two"} {
		at := []boltseal.Location{{Layer: App, Path: path}}
		add(boltseal.Package{Type: "golang", Name: "example.com/Main", Version: "v1.0.0", State: boltseal.StateEmbedded, DependsOn: []string{"github.com/Azure/x", "stdlib"}, Locations: at}, App)
		add(boltseal.Package{Type: "golang", Name: "github.com/Azure/x", Version: "v0.1.0", State: boltseal.StateEmbedded, Locations: at, Licenses: []string{"Apache-2.0"}}, App)
		add(boltseal.Package{Type: "golang", Name: "stdlib", Version: "1.22.1", State: boltseal.StateEmbedded, Locations: at}, App)
	}
	add(boltseal.Package{
		Type: "maven", Namespace: "org.x", Name: "inner", Version: "1", State: boltseal.StateEmbedded,
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "pom.properties", Confidence: 0.9}, {Detail: "a \"word\"", Confidence: 0.3}},
		Locations: []boltseal.Location{
			{Layer: App, Path: "app/a!b.war", Member: []string{"WEB-INF/lib/c!d.jar", "META-INF/maven/org.x/inner/pom.properties"}, HiddenBy: Base},
		},
	}, App)
	npm := func(path, namespace, name, version string, needs ...string) {
		add(boltseal.Package{Type: "npm", Namespace: namespace, Name: name, Version: version, DependsOn: needs, Locations: []boltseal.Location{{Layer: App, Path: path + "/package.json"}}}, App)
	}
	npm("srv/node_modules/a", "", "a", "1.0.0", "@s/b")
	npm("srv/node_modules/a/node_modules/@s/b", "@s", "b", "1.0.0")
	npm("srv/node_modules/@s/b", "@s", "b", "2.0.0")
	npm("srv/node_modules/c", "", "c", "1.0.0", "@s/b")

	r.Findings = []boltseal.Finding{
		{
			Kind: boltseal.KindVulnerability, Rule: "CVE-2024-2961", Title: "glibc: iconv overflow", Description: "long", Severity: boltseal.SeverityHigh, Score: 8.8,
			Package: r.Packages[0].PURL, Fixed: "2.36-9+deb12u8", Aliases: []string{"DSA-5673-1"}, Fix: "upgrade libc6", Fingerprint: "f1",
			References: []string{"https://example.com/a?b=c d", "javascript:alert(1)", "not a link"}, Evidence: recorded,
		},
		{Kind: boltseal.KindVulnerability, Rule: "GHSA-x", Title: "only in two", Package: r.Packages[7].PURL, Suppressed: "not in the execute path", Fingerprint: "f2", Locations: []boltseal.Location{{Path: "app/two"}}},
		{Kind: boltseal.KindSecret, Rule: "token", Title: "a secret", Fingerprint: "f3"},
	}
	return r
}
