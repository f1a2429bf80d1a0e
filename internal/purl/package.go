package purl

import (
	"strings"

	"github.com/boltseal/boltseal"
)

// Of builds the package URL of a package from its fields: type, namespace,
// name, version, arch, source, module and distro. Empty if the package has no
// type or no name.
func Of(pkg *boltseal.Package) string {
	if pkg.Type == "" || pkg.Name == "" {
		return ""
	}
	p := PURL{Type: strings.ToLower(pkg.Type), Namespace: pkg.Namespace, Name: pkg.Name, Version: pkg.Version}
	switch p.Type {
	case "golang": // the last segment is the name, the rest the namespace
		if i := strings.LastIndexByte(pkg.Name, '/'); i >= 0 {
			p.Namespace, p.Name = pkg.Name[:i], pkg.Name[i+1:]
		}
	case "rpm": // the only type that takes the epoch out of the version
		if epoch, rest, ok := strings.Cut(pkg.Version, ":"); ok {
			p.Version = rest
			if epoch != "0" {
				p.Set("epoch", epoch)
			}
		}
		p.Set("modularitylabel", pkg.Module)
	}
	p.Set("arch", pkg.Arch)
	p.Set("distro", pkg.Distro.String())
	if src := pkg.Source; src.Name != "" && (src.Name != pkg.Name || src.Version != "" && src.Version != pkg.Version) {
		up := src.Name
		if src.Version != "" && src.Version != pkg.Version {
			up += "@" + src.Version
		}
		p.Set("upstream", up)
	}
	for _, part := range []*string{&p.Namespace, &p.Name, &p.Version} {
		*part = strings.ToValidUTF8(*part, "\uFFFD")
	}
	p.fold()
	return p.String()
}

// IsOS reports the types whose packages an operating system's own package
// manager installs. ("portage" is no registered type; others' documents have it.)
func IsOS(typ string) bool {
	switch typ {
	case "alpm", "apk", "deb", "ebuild", "opkg", "portage", "rpm":
		return true
	}
	return false
}
