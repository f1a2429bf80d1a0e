package orchestrator

import (
	"strings"

	"github.com/boltseal/boltseal"
)

// Result is how one check ended for one object, or, with a zero Object, for
// the snapshot as a whole: a kind that was not listed, a check that had
// nothing to look at.
type Result struct {
	Check   *Check
	Verdict boltseal.Verdict
	Object  ObjectRef
	// Reason is in words; empty only for a pass.
	Reason string
	// Evidence lists what decided, each place of a failure once.
	Evidence []Evidence
	// Waiver is the waiver that covers a failure, or nil.
	Waiver *Waiver
}

// Evidence is one place in an object that decided a verdict.
type Evidence struct {
	Container string // name, where one container is concerned
	Path      string // of the field, from the root of the object: "spec.containers[0].image"
	// Value is what stands there; text that may hold a credential is redacted.
	Value string
	// Default reports that the field is not set and Value is what Kubernetes
	// puts in its place.
	Default bool
	Detail  string // in words, beyond what the check's title says
}

// String writes path = value and what follows from it.
func (e Evidence) String() string {
	var b strings.Builder
	if e.Container != "" {
		b.WriteString("container " + e.Container + ": ")
	}
	b.WriteString(e.Path)
	switch {
	case e.Default && e.Value != "":
		b.WriteString(" unset (" + e.Value + ")")
	case e.Default:
		b.WriteString(" unset")
	case e.Value != "":
		b.WriteString(" = " + e.Value)
	}
	if e.Detail != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Detail)
	}
	return b.String()
}
