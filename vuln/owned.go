package vuln

import (
	"fmt"

	"github.com/boltseal/boltseal"
)

// owners answers what a distribution says about an issue in a language package
// that one of its own packages brought.
type owners struct {
	byPURL map[string]int
	words  map[string]map[int]ownerWord // by PURL, then by ID
}

// ownerWord is the distribution's word on one issue.
type ownerWord struct {
	advisory int
	affected bool
}

// owned applies the distribution's word: it patches in place without raising
// the upstream version, so that it knows better.
func (s *matcher) owned(m *Match, a *advRecord) {
	words, owner := s.word(m.Package.OwnedBy)
	if words != nil {
		for _, list := range [][]int{{a.id}, a.aliases, a.upstream} {
			for _, id := range list {
				w, ok := words[id]
				if !ok {
					continue
				}
				by := s.db.ids.at(s.db.advisory(w.advisory).id)
				if w.affected {
					m.Suppressed = fmt.Sprintf("reported as %s for %s, which owns these files", by, owner.Name)
				} else {
					m.Suppressed = fmt.Sprintf("fixed by the distribution: %s does not affect %s %s, which owns these files", by, owner.Name, owner.Version)
				}
				return
			}
		}
	}
	m.basis.owned = true
}

// word collects, once per owner, everything its distribution says about it.
func (s *matcher) word(purl string) (map[int]ownerWord, *boltseal.Package) {
	if s.byPURL == nil {
		s.byPURL = make(map[string]int, len(s.pkgs))
		for i := range s.pkgs {
			if isOS(s.pkgs[i].Type) {
				s.byPURL[s.pkgs[i].PURL] = i
			}
		}
		s.words = map[string]map[int]ownerWord{}
	}
	i, ok := s.byPURL[purl]
	if !ok {
		return nil, nil
	}
	pkg := &s.pkgs[i]
	if w, ok := s.words[purl]; ok {
		return w, pkg
	}
	w := map[int]ownerWord{}
	// A matcher of its own: this one is in the middle of a package.
	o := matcher{db: s.db}
	o.tgt = o.targets(nil, pkg)
	for t := range o.tgt {
		o.collect(pkg, t)
		affected := map[int]bool{}
		for _, h := range o.hits {
			affected[h.advisory] = true
		}
		rows := s.db.rows(o.tgt[t].pkg)
		for r, more := rows.next(); more; r, more = rows.next() {
			a := s.db.advisory(r.advisory)
			if a.flags&(advWithdrawn|advNoSecurity) != 0 {
				continue
			}
			for _, list := range [][]int{{a.id}, a.aliases, a.upstream, a.related} {
				for _, id := range list {
					if old, ok := w[id]; !ok || affected[r.advisory] && !old.affected {
						w[id] = ownerWord{r.advisory, affected[r.advisory]}
					}
				}
			}
		}
	}
	s.words[purl] = w
	return w, pkg
}
