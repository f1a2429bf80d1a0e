package document

import (
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// maxProviders bounds the edges that one needed name makes: a name that more
// packages answer to says nothing.
const maxProviders = 16

type nameKey struct{ typ, name string }

// link resolves DependsOn within the packages of the same type: by name, then
// by Provides. Of several packages with the name, the ones that the dependent
// can reach count: in the same file (a jar, a binary), in its own or a parent's
// node_modules, else of its own architecture.
func link(items []Item) {
	byName := make(map[nameKey][]int, len(items))
	provided := map[nameKey][]int{}
	for i := range items {
		p := &items[i].Package
		k := nameKey{p.Type, Qualified(p)}
		byName[k] = append(byName[k], i)
		for _, name := range p.Provides {
			k := nameKey{p.Type, name}
			if l := provided[k]; len(l) <= maxProviders && (len(l) == 0 || l[len(l)-1] != i) {
				provided[k] = append(l, i)
			}
		}
	}
	for i := range items {
		it := &items[i]
		if it.DependsOn == nil {
			continue
		}
		it.Edges = make([]string, 0, len(it.DependsOn))
		for _, name := range it.DependsOn {
			k := nameKey{it.Type, name}
			to := reach(items, i, byName[k])
			if len(to) == 0 && len(byName[k]) == 0 {
				to = provided[k]
			}
			if len(to) == 0 || len(to) > maxProviders {
				it.Unresolved = append(it.Unresolved, name)
				continue
			}
			for _, j := range to {
				if j != i {
					it.Edges = append(it.Edges, items[j].Ref)
				}
			}
		}
		slices.Sort(it.Edges)
		it.Edges = slices.Compact(it.Edges)
		slices.Sort(it.Unresolved)
		it.Unresolved = slices.Compact(it.Unresolved)
	}
}

// reach chooses among packages of one name those that package i means.
func reach(items []Item, i int, candidates []int) []int {
	if len(candidates) <= 1 {
		return candidates
	}
	// A name that thousands share is not worth thousands of looks per dependent.
	if len(candidates) > 1024 {
		return nil
	}
	from := items[i].ReportPackage
	at := FirstPath(from)
	if from.Type == "npm" {
		best, length := -1, -1
		for _, j := range candidates {
			p := items[j].ReportPackage
			dir, ok := strings.CutSuffix(FirstPath(p), "node_modules/"+Qualified(&p.Package)+"/package.json")
			if ok && len(dir) > length && strings.HasPrefix(at, dir) {
				best, length = j, len(dir)
			}
		}
		if best >= 0 {
			return []int{best}
		}
	}
	var same, arch []int
	for _, j := range candidates {
		p := items[j].ReportPackage
		if at != "" && FirstPath(p) == at {
			same = append(same, j)
			if p.Arch == from.Arch {
				arch = append(arch, j)
			}
		}
	}
	switch {
	case len(arch) > 0:
		return arch
	case len(same) > 0:
		return same
	case purl.IsOS(from.Type):
		return candidates
	}
	return nil
}

// Qualified is a package's name as other packages of its ecosystem write it.
func Qualified(p *boltseal.Package) string {
	switch {
	case p.Namespace == "":
		return p.Name
	case p.Type == "npm", p.Type == "composer":
		return p.Namespace + "/" + p.Name
	case p.Type == "maven":
		return p.Namespace + ":" + p.Name
	}
	return p.Name
}
