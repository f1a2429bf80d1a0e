package orchestrator

import (
	"fmt"
	"strings"

	"github.com/boltseal/boltseal"
)

// PathOptions say how a [Graph] is built and searched.
type PathOptions struct {
	// Settled answers conditions by their ID, or by the part before the colon:
	// true for what holds, false for what does not. A step whose condition does
	// not hold is left out. Conditions that are not answered stay with the paths
	// that depend on them.
	Settled map[string]bool
	// MaxStates bounds the work of one search for all paths between two
	// positions; 0 is 200,000 partial paths. Their number can grow exponentially
	// with the cluster.
	MaxStates int
}

// Path is a way from one position to another: a minimal one, in that no step
// can be left out.
type Path struct {
	From  Position `json:"from"`
	To    Position `json:"to"`
	Steps []Step   `json:"steps"`
	// Conditions are all that the steps depend on and the snapshot does not
	// tell. Without any, the path is confirmed.
	Conditions []Condition `json:"conditions,omitempty"`
}

// Step is one step of a path.
type Step struct {
	// ID and Title are those of the [Primitive], empty for a step that needs
	// none: to read a token that is mounted.
	ID    string `json:"id,omitempty"`
	Title string `json:"title"`
	// From are the positions that the step uses, the one that acts first.
	From []Position `json:"from"`
	To   Position   `json:"to"`
	// Uses are the rights that the step needs.
	Uses []Use `json:"uses,omitempty"`
	// Why names the field or object that makes the step possible, where that is
	// no right.
	Why        string      `json:"why,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"`
	// Remove says what to take away so that the step is no longer possible: one
	// entry for each need, of which one is enough.
	Remove []string `json:"remove,omitempty"`
}

// Use is a right that a step needs, who has it, and from where.
type Use struct {
	By        Position `json:"by"`
	Right     string   `json:"right"` // in words: "create serviceaccounts/token in kube-system"
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name,omitempty"`
	Grants    []Grant  `json:"-"`
	// Given are the grants in words: binding, subject, role and rule.
	Given []string `json:"given"`
}

// Confirmed reports whether nothing about the path is unknown.
func (p *Path) Confirmed() bool { return len(p.Conditions) == 0 }

// IDs returns the primitives of the path in the order of its steps; steps that
// need none are left out.
func (p *Path) IDs() (ids []string) {
	for i := range p.Steps {
		if id := p.Steps[i].ID; id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// String writes the path, a line for each step.
func (p Path) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -> %s", p.From, p.To)
	for i := range p.Steps {
		fmt.Fprintf(&b, "\n  %d. %s", i+1, p.Steps[i].String())
	}
	return b.String()
}

// String writes the step on one line: who does what, and what that gives.
func (s *Step) String() string {
	var b strings.Builder
	if s.ID != "" {
		b.WriteString(s.ID + " ")
	}
	for i, f := range s.From {
		if i > 0 {
			b.WriteString(" with ")
		}
		b.WriteString(f.String())
	}
	b.WriteString(": ")
	for i, u := range s.Uses {
		if i > 0 {
			b.WriteString(" and ")
		}
		b.WriteString(u.Right)
	}
	if len(s.Uses) == 0 {
		b.WriteString(s.Title)
	}
	if s.Why != "" {
		b.WriteString(" (" + s.Why + ")")
	}
	b.WriteString(" -> " + s.To.String() + onConditions(s.Conditions))
	return b.String()
}

// onConditions says what a step or an effect depends on: ", if … and …", or
// nothing.
func onConditions(conds []Condition) string {
	if len(conds) == 0 {
		return ""
	}
	return ", if " + conditionText(conds, " and ")
}

func conditionText(conds []Condition, between string) string {
	var text []string
	for _, c := range conds {
		text = append(text, c.Text)
	}
	return strings.Join(text, between)
}

// Edges returns the path in the shared vocabulary, an edge for each position
// that a step uses.
func (p *Path) Edges() []boltseal.Edge {
	var out []boltseal.Edge
	for i := range p.Steps {
		s := &p.Steps[i]
		verdict := boltseal.VerdictPass
		if len(s.Conditions) > 0 {
			verdict = boltseal.VerdictUnknown
		}
		var evidence []boltseal.Evidence
		for _, u := range s.Uses {
			for _, g := range u.Grants {
				evidence = append(evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: g.String()})
			}
		}
		if s.Why != "" {
			evidence = append(evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: s.Why})
		}
		for _, from := range s.From {
			out = append(out, boltseal.Edge{From: from.Asset().ID(), To: s.To.Asset().ID(), Relation: relation(s), Verdict: verdict, Evidence: evidence})
		}
	}
	return out
}

// relation is the step as a verb in the third person.
func relation(s *Step) string {
	switch s.ID {
	case "":
		return "holds a credential of"
	case "E70":
		return "holds credentials of what runs there:"
	case "E72":
		return "can break out to"
	case "E33", "E35", "E36", "E43":
		return "can run code in"
	}
	return "can escalate to"
}

// Finding returns the path in the shared vocabulary. Rule is E and the number
// of its last primitive, the step that reaches the target.
func (p *Path) Finding() boltseal.Finding {
	f := boltseal.Finding{
		Kind: boltseal.KindMisconfiguration, Rule: "path", Severity: p.severity(), Asset: p.From.Asset().ID(),
		Title:       fmt.Sprintf("%s reaches %s in %d steps", p.From, p.To, len(p.Steps)),
		Description: p.String(),
		Fingerprint: boltseal.Fingerprint(string(boltseal.KindMisconfiguration), "path", string(p.From), string(p.To), p.signature()),
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.ID != "" {
			f.Rule = s.ID
		}
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: s.String()})
		for _, u := range s.Uses {
			for _, g := range u.Grants {
				for _, l := range []boltseal.Location{g.Binding.Location, g.Role.Location} {
					if l.Path != "" {
						f.Locations = append(f.Locations, l)
					}
				}
			}
		}
		if f.Fix == "" && len(s.Remove) > 0 {
			f.Fix = s.Remove[0]
		}
	}
	return f
}

// signature names the steps, so that two paths between the same positions have
// fingerprints of their own.
func (p *Path) signature() string {
	var b strings.Builder
	for i := range p.Steps {
		fmt.Fprintf(&b, "%s>%s;", p.Steps[i].ID, p.Steps[i].To)
	}
	return b.String()
}

// severity is that of the target, one less for a path that is conditional.
func (p *Path) severity() boltseal.Severity {
	kind, _, _ := strings.Cut(string(p.To), ":")
	s := boltseal.SeverityHigh
	if kind == string(ClusterAdmin) || kind == "node" {
		s = boltseal.SeverityCritical
	}
	if !p.Confirmed() {
		s--
	}
	return s
}
