package vuln

import (
	"iter"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Findings returns what [DB.Match] finds for one package, in the shared
// vocabulary. A package that one of the distribution's brought is judged by the
// distribution's word, as far as its owner's package URL tells who that is: the
// repositories that a machine has enabled are not in it.
func (db *DB) Findings(pkg *boltseal.Package) []boltseal.Finding {
	pkgs := []boltseal.Package{*pkg}
	if owner, ok := ownerOf(pkg); ok {
		pkgs = append(pkgs, owner)
	}
	var list []boltseal.Finding
	for m := range db.Match(pkgs) {
		if m.Package == &pkgs[0] {
			list = append(list, m.Finding())
		}
	}
	return list
}

// Keys are the names by which the advisories of any database may speak of a
// package: its own, and those of the distribution's package that brought it. They
// are what [DB.Changed] yields, and hold no zero byte.
func (db *DB) Keys(pkg *boltseal.Package) []string {
	keys := appendKeys(nil, pkg)
	if owner, ok := ownerOf(pkg); ok && len(keys) > 0 {
		keys = appendKeys(keys, &owner)
	}
	return keys
}

func appendKeys(keys []string, pkg *boltseal.Package) []string {
	if pkg.Name == "" || pkg.Version == "" || pkg.State == boltseal.StateDeclared {
		return keys // nothing is ever found for it
	}
	if isOS(pkg.Type) {
		ecosystems, kind := distroEcosystems(pkg.Distro)
		name, _ := osName(pkg, kind)
		for _, eco := range ecosystems {
			keys = append(keys, key(eco, name))
		}
		return keys
	}
	eco, _ := languageEcosystem(pkg.Type)
	if eco == "" {
		return keys
	}
	name, _ := appendLanguageName(nil, eco, pkg)
	keys = append(keys, key(eco, string(name)))
	if eco == "Packagist" && strings.HasPrefix(pkg.Namespace, "drupal") {
		keys = append(keys, key(drupal, string(name)))
	}
	return keys
}

// key joins an ecosystem and a name as its advisories write it. No advisory's
// has a zero byte (see goodName), so that one in a package's says nothing.
func key(ecosystem, name string) string {
	return strings.ReplaceAll(ecosystem+"\t"+name, "\x00", "")
}

// Changed yields the keys of the packages whose findings may differ from those
// of another database: what [Delta] yields, and those where a title, a rating or
// a listing as exploited changed. Dates do not count, nor does the probability of
// exploitation, which is another one every day.
//
// It compares digests that are in the files: a millisecond for fifty thousand
// packages. A file of an older version of this package has none, which costs a
// second or so.
func (db *DB) Changed(since *DB) iter.Seq[string] {
	return func(yield func(string) bool) {
		for c := range changes(since, db) {
			if !yield(key(c.Ecosystem, c.Name)) {
				return
			}
		}
	}
}

// ownerOf reads the distribution's package that brought another one out of its
// package URL, which is all that is known of it here.
func ownerOf(pkg *boltseal.Package) (owner boltseal.Package, ok bool) {
	if pkg.OwnedBy == "" {
		return owner, false
	}
	p, err := purl.Parse(pkg.OwnedBy)
	if err != nil || !isOS(p.Type) || p.Get("distro") == "" {
		return owner, false
	}
	owner = boltseal.Package{PURL: pkg.OwnedBy, Type: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version, Arch: p.Get("arch"), Module: p.Get("modularitylabel")}
	if epoch := p.Get("epoch"); epoch != "" {
		owner.Version = epoch + ":" + owner.Version
	}
	owner.Source.Name, owner.Source.Version, _ = strings.Cut(p.Get("upstream"), "@")
	d := &boltseal.Distro{ID: p.Get("distro")}
	if i := strings.LastIndexByte(d.ID, '-'); i >= 0 && slices.ContainsFunc([]byte(d.ID[i:]), func(c byte) bool { return '0' <= c && c <= '9' }) {
		d.ID, d.VersionID = d.ID[:i], d.ID[i+1:]
	}
	owner.Distro = d
	return owner, true
}
