package tree

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/boltseal/boltseal"
)

// Tree is a finished tree with what was found in it. It implements
// [boltseal.View].
type Tree struct {
	s        *Squash
	packages []*boltseal.Package
	facts    map[string][]boltseal.Fact
	distro   *boltseal.Distro
	// Findings are those of the tree, and those in files that a higher layer
	// hides, whose locations say so.
	Findings []boltseal.Finding
	Skipped  []boltseal.Skip
	Layers   []Stats
}

// Finish returns the tree of all layers applied. It may be called again, for a
// tree of its own, but trees of one Squash must not be used at the same time,
// and none once another layer is applied.
func (s *Squash) Finish() *Tree {
	t := &Tree{s: s, facts: map[string][]boltseal.Fact{}, Layers: slices.Clone(s.stats)}
	for i := range t.Layers {
		t.Layers[i].Brought, t.Layers[i].Dropped = map[string]int{}, map[string]int{}
	}
	var distros []boltseal.Distro
	order := make([]id, 0, len(s.found))
	for n := range s.found {
		order = append(order, n)
	}
	slices.SortFunc(order, func(a, b id) int {
		return cmp.Or(cmp.Compare(s.found[a].layer, s.found[b].layer), cmp.Compare(s.found[a].result, s.found[b].result))
	})
	replaced := map[id]bool{}
	for _, old := range s.prev {
		replaced[old] = true
	}
	for _, n := range order {
		f := s.found[n]
		rec := s.records[f.layer]
		res := &rec.Results[f.result]
		at := s.visible(n)
		t.count(n, replaced[n])
		for _, skip := range res.Skipped {
			skip.Layer = rec.DiffID
			t.Skipped = append(t.Skipped, skip)
		}
		if at == 0 {
			hidden := s.records[s.nodes[n].killed-1].DiffID
			for _, fd := range res.Findings {
				fd.Locations = locate(fd.Locations, res.Path, res.Path, rec.DiffID, hidden)
				t.Findings = append(t.Findings, fd)
			}
			continue
		}
		where := string(s.path(nil, at))
		for _, fd := range res.Findings {
			fd.Locations = locate(fd.Locations, res.Path, where, rec.DiffID, "")
			t.Findings = append(t.Findings, fd)
		}
		for _, d := range res.Distros {
			d.Locations = locate(d.Locations, res.Path, where, rec.DiffID, "")
			distros = append(distros, d)
		}
		for _, fact := range res.Facts {
			fact.Location = locate([]boltseal.Location{fact.Location}, res.Path, where, rec.DiffID, "")[0]
			t.facts[fact.Kind] = append(t.facts[fact.Kind], fact)
		}
		if len(res.Packages) > 0 {
			older := s.older(n)
			for i := range res.Packages {
				p := res.Packages[i]
				layer := f.layer
				key := identity(&p)
				for _, o := range older {
					if !o.has[key] {
						break
					}
					layer = o.layer
				}
				p.Locations = locate(p.Locations, res.Path, where, s.records[layer].DiffID, "")
				t.packages = append(t.packages, &p)
			}
		}
	}
	for kind := range t.facts {
		list := t.facts[kind]
		sort.SliceStable(list, func(i, j int) bool { return list[i].Location.Path < list[j].Location.Path })
	}
	slices.SortStableFunc(t.packages, func(a, b *boltseal.Package) int {
		return strings.Compare(a.Locations[0].Path, b.Locations[0].Path)
	})
	t.distro = t.choose(distros)
	return t
}

// visible returns a living node with the content of n: n itself, else a hard
// link to it; 0 if all are gone.
func (s *Squash) visible(n id) id {
	if s.nodes[n].killed == 0 {
		return n
	}
	for _, twin := range s.twins[n] {
		if s.nodes[twin].killed == 0 {
			return twin
		}
	}
	return 0
}

// oldVersion is what a file held in a lower layer.
type oldVersion struct {
	layer uint16
	has   map[string]bool
}

// older returns the versions of a file that n replaced, the highest first.
func (s *Squash) older(n id) (list []oldVersion) {
	for n = s.prev[n]; n != 0; n = s.prev[n] {
		f, ok := s.found[n]
		if !ok {
			break
		}
		has := map[string]bool{}
		for i := range s.records[f.layer].Results[f.result].Packages {
			has[identity(&s.records[f.layer].Results[f.result].Packages[i])] = true
		}
		list = append(list, oldVersion{f.layer, has})
	}
	return list
}

// count adds up which packages a version of a file brings and which it drops,
// against the version before it.
func (t *Tree) count(n id, replaced bool) {
	s := t.s
	f := s.found[n]
	pkgs := s.records[f.layer].Results[f.result].Packages
	before := map[string]string{}
	if old, ok := s.found[s.prev[n]]; ok {
		for i := range s.records[old.layer].Results[old.result].Packages {
			p := &s.records[old.layer].Results[old.result].Packages[i]
			before[identity(p)] = p.Type
		}
	}
	for i := range pkgs {
		key := identity(&pkgs[i])
		if _, ok := before[key]; ok {
			delete(before, key)
		} else {
			t.Layers[f.layer].Brought[pkgs[i].Type]++
		}
	}
	for _, typ := range before {
		t.Layers[f.layer].Dropped[typ]++
	}
	if killed := s.nodes[n].killed; killed != 0 && !replaced && s.visible(n) == 0 {
		for i := range pkgs {
			t.Layers[killed-1].Dropped[pkgs[i].Type]++
		}
	}
}

func identity(p *boltseal.Package) string {
	return p.Type + "\x00" + p.Namespace + "\x00" + p.Name + "\x00" + p.Version + "\x00" + p.Arch
}

// locate fills the locations of a result: the layer, and the path at which the
// tree shows the file.
func locate(list []boltseal.Location, recorded, shown, layer, hiddenBy string) []boltseal.Location {
	if len(list) == 0 {
		list = []boltseal.Location{{}}
	}
	out := slices.Clone(list)
	for i := range out {
		l := &out[i]
		if l.Path == "" || l.Path == recorded {
			l.Path = shown
		}
		if l.Layer == "" {
			l.Layer = layer
		}
		l.HiddenBy = hiddenBy
	}
	return out
}

// choose takes the release that a process in the tree would read: that of
// etc/os-release, then of usr/lib/os-release (os-release(5)), then the first
// by path.
func (t *Tree) choose(list []boltseal.Distro) *boltseal.Distro {
	if len(list) == 0 {
		return nil
	}
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if p, ok := t.Resolve(name); ok {
			for i := range list {
				if list[i].Locations[0].Path == p {
					return &list[i]
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b boltseal.Distro) int {
		return strings.Compare(a.Locations[0].Path, b.Locations[0].Path)
	})
	return &list[0]
}

// Add takes what a Join found.
func (t *Tree) Add(r *boltseal.Results) {
	for i := range r.Packages {
		t.packages = append(t.packages, &r.Packages[i])
	}
	t.Findings = append(t.Findings, r.Findings...)
	t.Skipped = append(t.Skipped, r.Skipped...)
	for _, f := range r.Facts {
		t.facts[f.Kind] = append(t.facts[f.Kind], f)
	}
	if t.distro == nil && len(r.Distros) > 0 {
		t.distro = &r.Distros[0]
	}
}

// Packages implements [boltseal.View]. Packages without a name are gone.
func (t *Tree) Packages() []*boltseal.Package {
	t.packages = slices.DeleteFunc(t.packages, func(p *boltseal.Package) bool { return p.Name == "" })
	return t.packages
}

// Facts implements [boltseal.View].
func (t *Tree) Facts(kind string) iter.Seq[boltseal.Fact] { return slices.Values(t.facts[kind]) }

// Distro implements [boltseal.View].
func (t *Tree) Distro() *boltseal.Distro { return t.distro }

// Stat implements [boltseal.View].
func (t *Tree) Stat(path string) (boltseal.Entry, bool) {
	n, err := t.s.walk(root, []byte(path), walkOpt{})
	if err != nil || n == 0 {
		return boltseal.Entry{}, false
	}
	return t.s.describe(n), true
}

// Resolve implements [boltseal.View].
func (t *Tree) Resolve(path string) (string, bool) {
	n, err := t.s.walk(root, []byte(path), walkOpt{follow: true})
	if err != nil || n == 0 {
		return "", false
	}
	return string(t.s.path(nil, n)), true
}

func (s *Squash) describe(i id) boltseal.Entry {
	n := &s.nodes[i]
	e := boltseal.Entry{Path: string(s.path(nil, i)), Mode: n.mode}
	if int(n.layer) < len(s.records) {
		e.Layer = s.records[n.layer].DiffID
	}
	switch n.kind {
	case File:
		e.Size = n.size
	case Symlink:
		e.Target = string(s.linkOf(n))
	}
	return e
}

// All yields every path of the tree but the root, folder by folder in order of
// name, and the path under which what was found in its content stands: another
// one for a hard link.
func (t *Tree) All() iter.Seq2[boltseal.Entry, string] {
	return func(yield func(boltseal.Entry, string) bool) { t.s.visit(root, yield) }
}

func (s *Squash) visit(d id, yield func(boltseal.Entry, string) bool) bool {
	var list []id
	for c := s.nodes[d].first; c != 0; c = s.nodes[c].next {
		if s.nodes[c].killed == 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b id) int {
		return strings.Compare(string(s.nameOf(&s.nodes[a])), string(s.nameOf(&s.nodes[b])))
	})
	for _, c := range list {
		e, first := s.describe(c), ""
		if o := s.nodes[c].same; o != 0 {
			first = string(s.path(nil, s.visible(o)))
		} else {
			first = e.Path
		}
		if !yield(e, first) || s.nodes[c].kind == Dir && !s.visit(c, yield) {
			return false
		}
	}
	return true
}

var _ boltseal.View = (*Tree)(nil)
