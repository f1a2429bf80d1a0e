package registry

import (
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
)

// Message is an event as it is told to others: its JSON form is what sinks
// write. New keys may appear at any time; those that are here stay.
type Message struct {
	// ID is the same whenever the event is delivered again.
	ID string `json:"id"`
	// Sequence orders the events of one store.
	Sequence   uint64            `json:"sequence"`
	Type       EventType         `json:"type"`
	Time       time.Time         `json:"time"`
	Reference  string            `json:"reference,omitempty"`
	Digest     digest.Digest     `json:"digest,omitempty"`
	Was        digest.Digest     `json:"was,omitempty"`
	Rule       string            `json:"rule,omitempty"`
	Title      string            `json:"title,omitempty"`
	Severity   boltseal.Severity `json:"severity"` // "unknown" where nobody rated, or nothing is to rate
	Fixed      string            `json:"fixed,omitempty"`
	Package    string            `json:"package,omitempty"`
	Versions   []string          `json:"versions,omitempty"`
	From       string            `json:"from,omitempty"`
	To         string            `json:"to,omitempty"`
	Why        string            `json:"why,omitempty"`
	Generation string            `json:"generation,omitempty"`
	// Count is how many images the event concerns; Images are some of them,
	// each with some of its references. Truncated is set if there are more.
	Count     uint64     `json:"count"`
	Images    []Affected `json:"images,omitempty"`
	Truncated bool       `json:"truncated,omitempty"`
}

// messageReferences bounds the references of one image in a [Message], and its packages.
const messageReferences = 20

// Message expands an event with at most so many of the images that it concerns;
// 0 means 100. Which images lead where is what holds now.
func (s *Store) Message(e *Event, images int) (*Message, error) {
	if images <= 0 {
		images = 100
	}
	m := &Message{
		ID: e.ID, Sequence: e.Sequence, Type: e.Type, Time: e.Time, Reference: e.Reference, Digest: e.Digest, Was: e.Was,
		Rule: e.Rule, Title: e.Title, Severity: e.Severity, Fixed: e.Fixed, Package: e.Package, Versions: e.Versions,
		From: e.From, To: e.To, Why: e.Why, Generation: e.Generation, Count: e.Count(),
	}
	for a, err := range s.Images(e) {
		if err != nil {
			return nil, err
		}
		if len(m.Images) == images {
			m.Truncated = true
			break
		}
		if len(a.References) > messageReferences {
			a.References, m.Truncated = a.References[:messageReferences], true
		}
		if len(a.Packages) > messageReferences {
			a.Packages, m.Truncated = a.Packages[:messageReferences], true
		}
		m.Images = append(m.Images, a)
	}
	return m, nil
}
