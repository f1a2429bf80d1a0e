package vex

import (
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// questions are what findings ask of a document, each once however many
// findings ask it: a vulnerability by one of its names, in one package.
type questions struct {
	names  map[string]*question    // what is said of a vulnerability in the whole
	index  map[subject][]*question // what may be said of packages, by a key of the package
	asked  [][]*question           // by each finding
	latest []*question             // answered by the document at hand
}

type subject struct{ name, key string }

type question struct {
	pkg    identifier
	answer *Statement // the latest of the document at hand
	at     int        // its place in the document
	named  bool       // by the statement at hand
}

func newQuestions(findings []boltseal.Finding) *questions {
	q := &questions{
		names: map[string]*question{}, index: map[subject][]*question{}, asked: make([][]*question, len(findings)),
	}
	once := map[subject]*question{}
	for i := range findings {
		f := &findings[i]
		if f.Kind != boltseal.KindVulnerability {
			continue
		}
		for _, name := range append([]string{f.Rule}, f.Aliases...) {
			if name == "" {
				continue
			}
			if q.names[name] == nil {
				q.names[name] = &question{}
			}
			x := once[subject{name, f.Package}]
			if x == nil {
				x = &question{pkg: parseID(f.Package)}
				once[subject{name, f.Package}] = x
				for _, key := range x.pkg.keys() {
					q.index[subject{name, key}] = append(q.index[subject{name, key}], x)
				}
			}
			q.asked[i] = append(q.asked[i], q.names[name], x)
		}
	}
	return q
}

// answer returns what the document that was asked last says about a finding, or
// nil.
func (q *questions) answer(finding int) *Statement {
	var best question
	for _, x := range q.asked[finding] {
		if x.answer != nil {
			best.tell(x.answer, x.at)
		}
	}
	return best.answer
}

// tell keeps the later of two statements of a document, and of equally late ones
// the one that stands behind.
func (x *question) tell(s *Statement, at int) {
	if x.answer == nil || s.Time.After(x.answer.Time) || s.Time.Equal(x.answer.Time) && at > x.at {
		x.answer, x.at = s, at
	}
}

// ask forgets what was answered and asks another document.
func (q *questions) ask(d *Document, whole []identifier) {
	for _, x := range q.latest {
		x.answer = nil
	}
	q.latest = q.latest[:0]
	var names []string
	for i := range d.Statements {
		s := &d.Statements[i]
		names = names[:0]
		for _, name := range s.Vulnerability {
			if x := q.names[name]; x != nil && !x.named {
				x.named = true
				names = append(names, name)
			}
		}
		for _, name := range names {
			q.names[name].named = false
		}
		if len(names) == 0 {
			continue
		}
		for j := range s.Products {
			p := &s.Products[j]
			inside := anyMatch(p.IDs, whole)
			switch {
			case len(p.Parts) == 0 && inside:
				for _, name := range names {
					q.tell(q.names[name], s, i)
				}
			case len(p.Parts) == 0:
				q.tellPackages(names, p.IDs, s, i)
			case inside:
				for _, part := range p.Parts {
					q.tellPackages(names, part, s, i)
				}
			}
		}
	}
}

func (q *questions) tell(x *question, s *Statement, at int) {
	if x.answer == nil {
		q.latest = append(q.latest, x)
	}
	x.tell(s, at)
}

// tellPackages answers all questions on packages that one of ids names.
func (q *questions) tellPackages(names, ids []string, s *Statement, at int) {
	for _, raw := range ids {
		id, exact, key := parseID(raw), exactly(raw), ""
		if id.purl != nil {
			key = packageKey(id.purl, id.purl.Version)
		}
		for _, name := range names {
			for _, x := range q.index[subject{name, exact}] {
				q.tell(x, s, at)
			}
			if id.purl == nil {
				continue
			}
			for _, x := range q.index[subject{name, key}] {
				if covers(id.purl, x.pkg.purl) {
					q.tell(x, s, at)
				}
			}
		}
	}
}

// keys are what a statement that speaks of a package may be found by.
func (id identifier) keys() []string {
	var keys []string
	if id.raw != "" {
		keys = append(keys, exactly(id.raw))
	}
	if id.purl != nil {
		keys = append(keys, packageKey(id.purl, ""))
		if id.purl.Version != "" {
			keys = append(keys, packageKey(id.purl, id.purl.Version))
		}
	}
	return keys
}

func exactly(raw string) string { return "=" + raw }

func packageKey(p *purl.PURL, version string) string {
	return strings.Join([]string{p.Type, p.Namespace, p.Name, version}, "\x00")
}
