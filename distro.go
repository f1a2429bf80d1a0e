package boltseal

// Distro is the operating system release of a tree of files, from its
// os-release file (os-release(5)) or, where there is none, a weaker sign named
// in Evidence.
type Distro struct {
	ID         string   `json:"id"`                   // "debian"
	VersionID  string   `json:"versionId,omitempty"`  // "12"; empty for rolling releases
	Codename   string   `json:"codename,omitempty"`   // "bookworm"
	Name       string   `json:"name,omitempty"`       // "Debian GNU/Linux"
	PrettyName string   `json:"prettyName,omitempty"` // "Debian GNU/Linux 12 (bookworm)"
	IDLike     []string `json:"idLike,omitempty"`
	CPE        string   `json:"cpe,omitempty"` // CPE_NAME
	Variant    string   `json:"variant,omitempty"`
	// Repositories are the package repositories configured in the tree, where
	// they decide which advisories hold: Alpine's repository lines, Red Hat's
	// content sets, an Ubuntu Pro service such as esm-infra.
	Repositories []string   `json:"repositories,omitempty"`
	Evidence     []Evidence `json:"evidence,omitempty"`
	Locations    []Location `json:"locations,omitempty"`
}

// String returns ID-VersionID, the form of the purl qualifier distro, or ID
// alone for a release without a version.
func (d *Distro) String() string {
	switch {
	case d == nil || d.ID == "":
		return ""
	case d.VersionID == "":
		return d.ID
	}
	return d.ID + "-" + d.VersionID
}
