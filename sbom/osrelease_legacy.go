package sbom

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/boltseal/boltseal"
)

// parseSystemCPE reads etc/system-release-cpe: one CPE 2.2 or 2.3 name of an
// operating system, cpe:/o:VENDOR:PRODUCT:VERSION or
// cpe:2.3:o:VENDOR:PRODUCT:VERSION. Nil for a vendor that is not known.
func parseSystemCPE(data []byte) *boltseal.Distro {
	cpe := cleanWord(bytes.TrimSpace(data))
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(cpe, "cpe:/"), "cpe:2.3:"), ":")
	if len(parts) < 4 || parts[0] != "o" {
		return nil
	}
	ids := map[string]string{
		"almalinux": "almalinux", "amazon": "amzn", "centos": "centos", "fedoraproject": "fedora",
		"oracle": "ol", "redhat": "rhel", "rocky": "rocky", "resf": "rocky",
	}
	id, ok := ids[parts[1]]
	version := strings.Trim(parts[3], "*-")
	if !ok || len(version) > 64 {
		return nil
	}
	return &boltseal.Distro{ID: id, VersionID: version, CPE: cpe}
}

// releaseNames are the first words of the line in etc/redhat-release and its
// like.
var releaseNames = []struct{ prefix, id string }{
	{"AlmaLinux", "almalinux"}, {"Amazon Linux", "amzn"}, {"CentOS", "centos"}, {"Fedora", "fedora"},
	{"Oracle Linux", "ol"}, {"Red Hat Enterprise Linux", "rhel"}, {"Rocky Linux", "rocky"},
	{"SUSE Linux Enterprise Server", "sles"}, {"openSUSE", "opensuse"},
}

// parseReleaseLine reads "NAME release VERSION (CODENAME)".
func parseReleaseLine(data []byte) *boltseal.Distro {
	line, _, _ := bytes.Cut(bytes.TrimSpace(data), []byte{'\n'})
	if len(line) > 256 {
		return nil
	}
	text := strings.TrimSpace(string(line))
	for _, n := range releaseNames {
		if !strings.HasPrefix(text, n.prefix) {
			continue
		}
		d := &boltseal.Distro{ID: n.id, PrettyName: text}
		d.Name, d.VersionID, _ = strings.Cut(text, " release ")
		d.VersionID, d.Codename, _ = strings.Cut(d.VersionID, " ")
		d.Codename = strings.Trim(d.Codename, "()")
		return d
	}
	return nil
}

// debianVersion completes a release of Debian from etc/debian_version: "12.5"
// for a release, "trixie/sid" for testing and unstable, whose os-release has no
// VERSION_ID.
func debianVersion(d *boltseal.Distro, f boltseal.Fact) {
	version := cleanWord(bytes.TrimSpace(f.Data))
	if d.ID != "debian" || d.VersionID != "" || version == "" || len(version) > 64 {
		return
	}
	if '0' <= version[0] && version[0] <= '9' {
		d.VersionID, _, _ = strings.Cut(version, ".")
	} else if d.Codename == "" {
		d.Codename, _, _ = strings.Cut(version, "/")
	}
	d.Evidence = append(d.Evidence, boltseal.Evidence{
		Technique: boltseal.TechniqueManifest, Detail: f.Location.Path + " says " + version, Confidence: 0.9})
}

// contradiction compares the release with the package that ships the file. A
// copied os-release must not decide silently which advisories hold.
func contradiction(d *boltseal.Distro, pkgs []*boltseal.Package) string {
	for _, pkg := range pkgs {
		if pkg.Name == "" {
			continue
		}
		want := releasePackage(pkg)
		if want == "" || strings.HasPrefix(d.ID, want) {
			continue
		}
		return fmt.Sprintf("the release file says %s, the installed package %s %s belongs to %s", d, pkg.Name, pkg.Version, want)
	}
	return ""
}

// releasePackage returns the ID of the distribution whose release file the
// package ships, or "".
func releasePackage(pkg *boltseal.Package) string {
	switch pkg.Type {
	case "deb":
		if pkg.Name == "base-files" && strings.Contains(pkg.Version, "ubuntu") {
			return "ubuntu"
		}
	case "apk":
		switch pkg.Name {
		case "alpine-release", "alpine-baselayout":
			return "alpine"
		case "wolfi-baselayout":
			return "wolfi"
		case "chainguard-baselayout":
			return "chainguard"
		}
	case "rpm":
		name, _, ok := strings.Cut(pkg.Name, "-release")
		if !ok {
			return ""
		}
		switch name {
		case "redhat":
			return "rhel"
		case "oraclelinux":
			return "ol"
		case "centos-linux", "centos-stream":
			return "centos"
		case "almalinux", "rocky", "fedora", "centos", "sles", "mariner", "azurelinux", "photon", "mageia", "openEuler":
			if rest := strings.TrimPrefix(pkg.Name, name+"-release"); rest == "" || rest == "-common" || rest == "-server" {
				return name
			}
		}
	}
	return ""
}

// readBusybox finds the version that the binary prints, "BusyBox v1.36.1". It
// names a tree that has no other sign.
func readBusybox(f *boltseal.File, p *boltseal.Pass) error {
	const mark = "BusyBox v"
	r := io.LimitReader(f.Reader(), 8<<20)
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		chunk := buf[:kept+n]
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return fmt.Errorf("read busybox: %w", err)
		}
		if i := bytes.Index(chunk, []byte(mark)); i >= 0 && (last || i+64 <= len(chunk)) {
			version := chunk[i+len(mark):]
			end := 0
			for end < len(version) && end < 32 && (isAlnum(version[end]) || version[end] == '.' || version[end] == '_' || version[end] == '-') {
				end++
			}
			p.Fact(factBusybox, version[:end])
			return nil
		}
		if last {
			return nil
		}
		kept = copy(buf, chunk[len(chunk)-64:])
	}
}
