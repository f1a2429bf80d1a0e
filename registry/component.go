package registry

import (
	"crypto/sha256"

	"github.com/boltseal/boltseal"
)

// A component is a package as far as advisories are concerned: two packages with
// the same fields here have the same findings, in whatever image they lie. A
// fleet of a million images has a few hundred thousand of them; each is matched
// once per change of the advisories that speak of it.

// encodeComponent is the component's identity and its stored form.
func encodeComponent(p *boltseal.Package) []byte {
	var e encoder
	e.uint(1) // form
	for _, s := range []string{p.Type, p.Namespace, p.Name, p.Version, p.Arch, p.Source.Name, p.Source.Version, p.Module, p.Vendor} {
		e.string(s)
	}
	e.uint(uint64(p.State))
	e.string(p.OwnedBy)
	if d := p.Distro; d != nil {
		e.uint(1)
		for _, s := range []string{d.ID, d.VersionID, d.Codename, d.Variant, d.CPE} {
			e.string(s)
		}
		e.strings(d.IDLike)
		e.strings(d.Repositories)
	}
	return e
}

func decodeComponent(b []byte) (*boltseal.Package, error) {
	d := decoder{rest: b}
	if d.uint() != 1 {
		d.bad = true
	}
	p := &boltseal.Package{}
	for _, f := range []*string{&p.Type, &p.Namespace, &p.Name, &p.Version, &p.Arch, &p.Source.Name, &p.Source.Version, &p.Module, &p.Vendor} {
		*f = d.string()
	}
	p.State = boltseal.State(d.uint())
	p.OwnedBy = d.string()
	if d.uint() == 1 {
		p.Distro = &boltseal.Distro{}
		for _, f := range []*string{&p.Distro.ID, &p.Distro.VersionID, &p.Distro.Codename, &p.Distro.Variant, &p.Distro.CPE} {
			*f = d.string()
		}
		p.Distro.IDLike = d.strings()
		p.Distro.Repositories = d.strings()
	}
	return p, d.err("component")
}

// componentKey is what a component is looked up by.
func componentKey(encoded []byte) []byte {
	sum := sha256.Sum256(encoded)
	return sum[:16]
}

// state is what is known of one issue of one component: what the monitor
// compares between two generations of advisories.
type state struct {
	rule       string
	severity   boltseal.Severity
	score      float64
	fixed      string
	exploited  string
	suppressed string
	title      string
	aliases    []string
}

func stateOf(f *boltseal.Finding) state {
	return state{f.Rule, f.Severity, f.Score, f.Fixed, f.Exploited, f.Suppressed, f.Title, f.Aliases}
}

// encodeRow is a component and what is known of it.
func encodeRow(component []byte, list []state) []byte {
	var e encoder
	e.string(string(component))
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s.rule)
		e.uint(uint64(s.severity))
		e.float(s.score)
		e.string(s.fixed)
		e.string(s.exploited)
		e.string(s.suppressed)
		e.string(s.title)
		e.strings(s.aliases)
	}
	return e
}

func decodeRow(b []byte) (*boltseal.Package, []state, error) {
	d := decoder{rest: b}
	component := d.bytes()
	list := make([]state, 0, d.count())
	for range cap(list) {
		list = append(list, state{
			rule: d.string(), severity: boltseal.Severity(d.uint()), score: d.float(), fixed: d.string(),
			exploited: d.string(), suppressed: d.string(), title: d.string(), aliases: d.strings(),
		})
	}
	if err := d.err("findings of a component"); err != nil {
		return nil, nil, err
	}
	p, err := decodeComponent(component)
	return p, list, err
}
