package vuln

import (
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// nameKind says what the names of an ecosystem's advisories are.
type nameKind uint8

const (
	kindPackage nameKind = iota // the package's own name
	kindSource                  // the source package's
	kindOrigin                  // Alpine's word for it
	kindBinary                  // the binary package's
	kindModule                  // a Go module
	kindDerived                 // a product name matched through a table: less certain
)

var kindNames = [...]string{"package", "source", "origin", "binary", "module", "derived"}

// EcosystemsOf maps a distribution release to the OSV ecosystems that speak of
// it, the decisive one first (OSV schema, "Defined ecosystems"). Nil means that
// no OSV ecosystem covers the release: its packages cannot be judged. A
// derivative is never judged by what it is like (ID_LIKE).
func EcosystemsOf(d *boltseal.Distro) []string {
	names, _ := distroEcosystems(d)
	return names
}

func distroEcosystems(d *boltseal.Distro) ([]string, nameKind) {
	if d == nil {
		return nil, kindSource
	}
	v := d.VersionID
	major, _, _ := strings.Cut(v, ".")
	versioned := func(prefix, release string, kind nameKind) ([]string, nameKind) {
		if release == "" {
			return nil, kind
		}
		return []string{prefix + ":" + release}, kind
	}
	switch strings.ToLower(d.ID) {
	case "debian":
		return versioned("Debian", major, kindSource)
	case "ubuntu":
		return ubuntuEcosystems(d), kindSource
	case "alpine":
		return alpineEcosystem(d), kindOrigin
	case "wolfi":
		return []string{"Wolfi"}, kindPackage
	case "chainguard":
		return []string{"Chainguard"}, kindPackage
	case "minimos":
		return []string{"MinimOS"}, kindPackage
	case "almalinux":
		return versioned("AlmaLinux", major, kindBinary)
	case "rocky":
		return versioned("Rocky Linux", major, kindSource)
	case "opensuse-leap":
		return versioned("openSUSE", leap(v), kindSource)
	case "opensuse-tumbleweed":
		return []string{"openSUSE:Tumbleweed"}, kindSource
	case "azurelinux", "mariner":
		return versioned("Azure Linux", major, kindSource)
	case "mageia":
		return versioned("Mageia", major, kindSource)
	case "photon":
		return versioned("Photon OS", v, kindSource)
	case "alpaquita":
		return versioned("Alpaquita", v, kindOrigin)
	case "openeuler":
		return versioned("openEuler", openEuler(d), kindSource)
	case "sles", "sled", "sle_hpc":
		return suseEcosystems(d), kindSource
	}
	return nil, kindSource
}

// ubuntuEcosystems: the archive first and Ubuntu Pro second, or the other way
// round on a system that is attached to Pro.
func ubuntuEcosystems(d *boltseal.Distro) []string {
	year, month, ok := strings.Cut(d.VersionID, ".")
	y, err := strconv.Atoi(year)
	if !ok || err != nil {
		return nil
	}
	if month != "04" || y%2 != 0 { // an interim release
		return []string{"Ubuntu:" + d.VersionID}
	}
	lts, pro := "Ubuntu:"+d.VersionID+":LTS", "Ubuntu:Pro:"+d.VersionID+":LTS"
	if isPro(d) {
		return []string{pro, lts}
	}
	return []string{lts, pro}
}

// isPro says whether a Pro service (esm-infra, esm-apps) is configured.
func isPro(d *boltseal.Distro) bool {
	for _, r := range d.Repositories {
		if strings.Contains(r, "esm") {
			return true
		}
	}
	return false
}

// alpineEcosystem: the configured repositories beat os-release, as packages
// come from them.
func alpineEcosystem(d *boltseal.Distro) []string {
	for _, r := range d.Repositories {
		if strings.Contains(r, "/edge/") {
			return []string{"Alpine:edge"}
		}
	}
	for _, r := range d.Repositories {
		if _, rest, ok := strings.Cut(r, "/alpine/v"); ok {
			if release, _, ok := strings.Cut(rest, "/"); ok && release != "" {
				return []string{"Alpine:v" + release}
			}
		}
	}
	if strings.Contains(d.VersionID, "_alpha") || d.VersionID == "edge" {
		return []string{"Alpine:edge"}
	}
	parts := strings.SplitN(d.VersionID, ".", 3)
	if len(parts) < 2 {
		return nil
	}
	return []string{"Alpine:v" + parts[0] + "." + parts[1]}
}

func leap(v string) string {
	if v == "" {
		return ""
	}
	return "Leap " + v
}

// openEuler writes 24.03-LTS-SP1 where PRETTY_NAME says "24.03 (LTS-SP1)".
func openEuler(d *boltseal.Distro) string {
	_, rest, ok := strings.Cut(d.PrettyName, "(")
	if !ok {
		return d.VersionID
	}
	return d.VersionID + "-" + strings.TrimSuffix(rest, ")")
}

// suseEcosystems lists the products of SUSE's own feed that a service pack is
// made of: since 15 its packages come in modules, the base ones in Basesystem.
func suseEcosystems(d *boltseal.Distro) []string {
	major, sp, _ := strings.Cut(d.VersionID, ".")
	if major == "" {
		return nil
	}
	release := major
	if sp != "" && sp != "0" {
		release += " SP" + sp
	}
	server, modules := "SUSE:Linux Enterprise Server "+release, "SUSE:Linux Enterprise Module for "
	if n, err := strconv.Atoi(major); err != nil || n < 15 {
		return []string{server}
	}
	return []string{modules + "Basesystem " + release, modules + "Server Applications " + release, server}
}

// languageEcosystem maps a purl type to an OSV ecosystem.
func languageEcosystem(purlType string) (name string, kind nameKind) {
	switch purlType {
	case "golang":
		return "Go", kindModule
	case "npm":
		return "npm", kindPackage
	case "pypi":
		return "PyPI", kindPackage
	case "maven":
		return "Maven", kindPackage
	case "gem":
		return "RubyGems", kindPackage
	case "cargo":
		return "crates.io", kindPackage
	case "nuget":
		return "NuGet", kindPackage
	case "composer":
		return "Packagist", kindPackage
	case "hex":
		return "Hex", kindPackage
	case "conan":
		return "ConanCenter", kindPackage
	case "pub":
		return "Pub", kindPackage
	case "cran":
		return "CRAN", kindPackage
	case "hackage":
		return "Hackage", kindPackage
	case "julia":
		return "Julia", kindPackage
	case "opam":
		return "opam", kindPackage
	case "swift":
		return "SwiftURL", kindPackage
	case "bitnami":
		return "Bitnami", kindPackage
	case "generic":
		return "Bitnami", kindDerived
	}
	return "", kindPackage
}

// isOS says whether packages of a purl type belong to a distribution.
func isOS(purlType string) bool {
	switch purlType {
	case "deb", "apk", "rpm", "alpm":
		return true
	}
	return false
}

// bitnamiName maps the name of a recognised program to the one Bitnami's
// advisories use for the same upstream product.
func bitnamiName(name string) string {
	switch name {
	case "httpd", "apache2":
		return "apache"
	case "postgres":
		return "postgresql"
	case "mysqld", "mysql-server":
		return "mysql"
	case "mongod":
		return "mongodb"
	case "nodejs":
		return "node"
	case "go", "golang-toolchain":
		return "golang"
	}
	return name
}
