package document

import (
	"strings"

	"github.com/boltseal/boltseal"
)

// distroOf reads the purl qualifier distro: "debian-12", a version alone
// (trivy on Alpine), a code name alone (scalibr, OSV). Without one, a package is
// of the document's distribution if their names agree.
func distroOf(qualifier, namespace string, os *boltseal.Distro) *boltseal.Distro {
	if qualifier == "" {
		if os != nil && sameDistro(namespace, os.ID) {
			return os
		}
		return nil
	}
	if os != nil && (qualifier == os.String() || sameDistro(namespace, os.ID) && (qualifier == os.VersionID || qualifier == os.Codename)) {
		return os
	}
	var d boltseal.Distro
	switch i := versionStart(qualifier); {
	case i == 0:
		d = boltseal.Distro{ID: namespace, VersionID: qualifier}
	case i > 0:
		d = boltseal.Distro{ID: qualifier[:i-1], VersionID: qualifier[i:]}
	default:
		if d = codename(qualifier); d.ID == "" {
			d = boltseal.Distro{ID: qualifier}
		}
	}
	FoldDistro(&d)
	if os != nil && d.ID == os.ID && d.VersionID == os.VersionID {
		return os
	}
	if d.ID == "" {
		return nil
	}
	return &d
}

// FoldDistro takes back what writers make of os-release: syft and trivy write
// Debian's debian_version, 12.5, for its VERSION_ID, 12.
func FoldDistro(d *boltseal.Distro) {
	if d.ID == "debian" {
		d.VersionID, _, _ = strings.Cut(d.VersionID, ".")
	}
}

// versionStart is where a digit begins the string or follows a hyphen, or -1.
func versionStart(s string) int {
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' && (i == 0 || s[i-1] == '-') {
			return i
		}
	}
	return -1
}

// sameDistro compares a purl namespace with an os-release ID: the namespace is
// the vendor's name for some.
func sameDistro(namespace, id string) bool {
	switch namespace {
	case "redhat":
		return id == "rhel"
	case "opensuse":
		return strings.HasPrefix(id, "opensuse")
	case "suse":
		return strings.HasPrefix(id, "sle") || strings.HasPrefix(id, "opensuse")
	case "oracle":
		return id == "ol"
	case "amazon":
		return id == "amzn"
	}
	return namespace == id
}

// codename knows the releases that package URLs name by code name alone.
func codename(name string) boltseal.Distro {
	id, version := "", ""
	switch name {
	case "buster":
		id, version = "debian", "10"
	case "bullseye":
		id, version = "debian", "11"
	case "bookworm":
		id, version = "debian", "12"
	case "trixie":
		id, version = "debian", "13"
	case "bionic":
		id, version = "ubuntu", "18.04"
	case "focal":
		id, version = "ubuntu", "20.04"
	case "jammy":
		id, version = "ubuntu", "22.04"
	case "noble":
		id, version = "ubuntu", "24.04"
	}
	return boltseal.Distro{ID: id, VersionID: version, Codename: name}
}
