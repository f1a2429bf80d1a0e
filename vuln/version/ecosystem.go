package version

import "strings"

// SchemeFor returns the rules by which an OSV ecosystem (OSV schema 1.7,
// "Defined ecosystems") orders its versions. A release behind a colon is
// ignored, but for ecosystems that rebuild others' packages, where it names the
// ecosystem that was rebuilt. Ok is false for ecosystems that are not known.
func SchemeFor(ecosystem string) (s Scheme, ok bool) {
	name, release, _ := strings.Cut(ecosystem, ":")
	switch name {
	case "Root", "TuxCare", "Echo", "Docker Hardened Images": // rebuilders
		inner, _, _ := strings.Cut(release, ":")
		if s, ok = baseScheme(inner); ok {
			return s, true
		}
	}
	return baseScheme(name)
}

func baseScheme(name string) (Scheme, bool) {
	switch name {
	case "Debian", "Ubuntu", "Echo", "opam":
		return Deb, true
	case "AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE", "openEuler", "Mageia", "Azure Linux", "Photon OS":
		return RPM, true
	case "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita", "BellSoft Hardened Containers", "CleanStart":
		return APK, true
	case "crates.io", "Hex", "SwiftURL", "Julia", "ConanCenter", "GHC", "Bioconductor", "VSCode", "Docker Hardened Images", "Kubernetes":
		return SemVer, true
	case "Go":
		return Go, true
	case "npm":
		return NPM, true
	case "PyPI":
		return PEP440, true
	case "Maven":
		return Maven, true
	case "RubyGems":
		return RubyGems, true
	case "NuGet":
		return NuGet, true
	case "Packagist":
		return Packagist, true
	case "Bitnami":
		return Bitnami, true
	case "CRAN":
		return CRAN, true
	case "Hackage":
		return Hackage, true
	case "Pub":
		return Pub, true
	case "GitHub Actions", "OSS-Fuzz", "Android", "Linux", "GIT":
		return Unordered, true
	}
	return Unordered, false
}
