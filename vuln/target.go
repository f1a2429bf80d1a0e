package vuln

import (
	"strings"

	"github.com/boltseal/boltseal"
)

// target is one place to look a package up: an ecosystem, and the name and
// version that its advisories would use.
type target struct {
	eco         int // index into the ecosystems
	pkg         int // index into the package table
	kind        nameKind
	field       string // of boltseal.Package, that gave the name
	name        string
	version     string
	bareVersion string // without the epoch, where advisories may leave it out; else empty
	os          bool
}

// distroView is the part of a lookup that all packages of one distribution
// share.
type distroView struct {
	distro *boltseal.Distro
	ecos   []int // those the database holds, the decisive one first
	kind   nameKind
}

func (db *DB) view(d *boltseal.Distro) distroView {
	names, kind := distroEcosystems(d)
	v := distroView{distro: d, kind: kind}
	for _, n := range names {
		if i, ok := db.ecosystem(n); ok {
			v.ecos = append(v.ecos, i)
		}
	}
	return v
}

// targets appends where to look a package up. A package that the database has
// never heard of yields none, without allocating.
func (s *matcher) targets(dst []target, pkg *boltseal.Package) []target {
	if pkg.Version == "" || pkg.Name == "" {
		return dst
	}
	if isOS(pkg.Type) {
		return s.osTargets(dst, pkg)
	}
	eco, kind := languageEcosystem(pkg.Type)
	if eco == "" {
		return dst
	}
	t := target{kind: kind, name: pkg.Name, version: pkg.Version}
	s.name, t.field = appendLanguageName(s.name[:0], eco, pkg)
	dst = s.lookup(dst, t, eco)
	if eco == "Packagist" && strings.HasPrefix(pkg.Namespace, "drupal") {
		dst = s.lookup(dst, t, drupal)
	}
	return dst
}

// drupal is where OSV keeps the advisories of Drupal's own packages.
const drupal = "Packagist:https://packages.drupal.org/8"

// appendLanguageName appends the name that an ecosystem's advisories have for a
// package, and says which field of [boltseal.Package] gave it.
func appendLanguageName(raw []byte, eco string, pkg *boltseal.Package) (name []byte, field string) {
	field = "Name"
	switch pkg.Type {
	case "maven":
		return append(append(append(raw, pkg.Namespace...), ':'), pkg.Name...), "Namespace, Name"
	case "npm", "composer", "swift":
		if pkg.Namespace != "" {
			raw, field = append(append(raw, pkg.Namespace...), '/'), "Namespace, Name"
		}
		raw = appendName(raw, eco, pkg.Name)
		if eco == "Packagist" {
			for i := range raw {
				raw[i] = lower(raw[i])
			}
		}
		return raw, field
	case "generic":
		return append(raw, bitnamiName(pkg.Name)...), field
	}
	return appendName(raw, eco, pkg.Name), field
}

// lookup resolves the name in s.name within an ecosystem.
func (s *matcher) lookup(dst []target, t target, eco string) []target {
	i, ok := s.db.ecosystem(eco)
	if !ok {
		return dst
	}
	if t.eco = i; s.resolve(&t) {
		dst = append(dst, t)
	}
	return dst
}

// resolve finds the package table entry of the name in s.name.
func (s *matcher) resolve(t *target) bool {
	lo, hi, buf := s.db.names.search(0, s.db.names.n, s.name, s.buf)
	if s.buf = buf; lo == hi {
		return false
	}
	p, ok := s.db.find(t.eco, lo)
	t.pkg = p
	return ok
}

func (s *matcher) osTargets(dst []target, pkg *boltseal.Package) []target {
	if pkg.Distro == nil {
		return dst
	}
	if s.view.distro != pkg.Distro {
		s.view = s.db.view(pkg.Distro)
	}
	t := target{kind: s.view.kind, version: pkg.Version, os: true}
	t.name, t.field = osName(pkg, t.kind)
	if t.kind == kindSource || t.kind == kindOrigin {
		if pkg.Source.Version != "" {
			t.version = pkg.Source.Version
		}
		if pkg.Type == "rpm" {
			// SOURCERPM states no epoch. The binary's is the best guess, and
			// many feeds leave it out: both forms are tried.
			if epoch, rest, ok := strings.Cut(pkg.Version, ":"); ok && epoch != "0" {
				t.bareVersion = rest
				if pkg.Source.Version != "" {
					t.bareVersion = pkg.Source.Version
					if !strings.Contains(t.version, ":") {
						t.version = epoch + ":" + t.version
					}
				}
			}
		}
	}
	s.name = append(s.name[:0], t.name...)
	for _, eco := range s.view.ecos {
		t.eco = eco
		if s.resolve(&t) {
			dst = append(dst, t)
		}
	}
	return dst
}

// osName is the name that a distribution's advisories have for a package.
func osName(pkg *boltseal.Package, kind nameKind) (name, field string) {
	if (kind == kindSource || kind == kindOrigin) && pkg.Source.Name != "" {
		return pkg.Source.Name, "Source.Name"
	}
	return pkg.Name, "Name"
}

// isKernel says whether an OS package is the kernel, its modules or its
// headers, which never run in a container.
func isKernel(pkg *boltseal.Package) bool {
	switch pkg.Source.Name {
	case "linux", "kernel", "linux-signed-amd64", "linux-signed-arm64", "linux-meta", "linux-signed":
		return pkg.Type != "rpm" || strings.HasPrefix(pkg.Name, "kernel")
	}
	name := pkg.Name
	switch {
	case pkg.Type == "apk":
		return name == "linux-lts" || name == "linux-virt" || name == "linux-headers" || name == "linux-edge" || name == "linux-rpi"
	case pkg.Type == "rpm":
		return name == "kernel" || strings.HasPrefix(name, "kernel-") && name != "kernel-rpm-macros" && name != "kernel-srpm-macros"
	case pkg.Type == "deb":
		for _, p := range [...]string{"linux-image", "linux-headers", "linux-modules", "linux-libc-dev"} {
			if strings.HasPrefix(name, p) {
				return true
			}
		}
	}
	return false
}
