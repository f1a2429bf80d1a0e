package orchestrator

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// CoverageState is how much of one kind of object a snapshot saw. The zero
// value is that nobody asked.
type CoverageState uint8

const (
	NotAsked  CoverageState = iota // not read
	Listed                         // read to the end: what is absent does not exist
	NotServed                      // the cluster has no such kind
	Forbidden                      // the reader may not list it
	Failed                         // the list broke off with an error
	Truncated                      // a limit of the reader cut the list
)

var coverageNames = [...]string{"not asked", "listed", "not served", "forbidden", "failed", "truncated"}

// String returns the state in words.
func (c CoverageState) String() string {
	if int(c) < len(coverageNames) {
		return coverageNames[c]
	}
	return fmt.Sprintf("coverage(%d)", uint8(c))
}

// Coverage is what a snapshot knows of one kind in one namespace.
type Coverage struct {
	State           CoverageState
	ResourceVersion string // of the list, from a live cluster
	// Reason is the error behind Forbidden, Failed and Truncated.
	Reason string
}

// Known reports whether what the snapshot does not hold does not exist.
func (c Coverage) Known() bool { return c.State == Listed || c.State == NotServed }

type coverageKey struct {
	schema.GroupResource
	namespace string
}

// Coverage returns what is known of a resource in a namespace; an empty
// namespace asks for all of them together. A kind that was listed across the
// cluster is known in each namespace.
func (s *Snapshot) Coverage(r schema.GroupResource, namespace string) Coverage {
	all, ok := s.coverage[coverageKey{r, ""}]
	switch {
	case ok || !s.complete:
	case s.unread != "":
		all = Coverage{State: Truncated, Reason: s.unread}
	default:
		all = Coverage{State: Listed}
	}
	if namespace == "" || all.Known() {
		return all
	}
	if one, ok := s.coverage[coverageKey{r, namespace}]; ok {
		return one
	}
	return all
}

// Missing says which of the resources are not known in a namespace (empty: in
// the whole cluster), and what to do about it, in words fit for the reason of
// an unknown verdict. It returns "" if all of them are known.
func (s *Snapshot) Missing(namespace string, resources ...schema.GroupResource) string {
	names := map[string][]string{} // by reason
	var reasons []string
	for _, r := range resources {
		c := s.Coverage(r, namespace)
		if c.Known() {
			continue
		}
		why := c.State.String()
		switch {
		case c.State == NotAsked && !s.live:
			why = "manifests show only what they hold; LoadOptions.Complete says that there is no more"
		case c.State == Forbidden:
			why = "forbidden; allow the reader to list them"
		case c.Reason != "":
			why += " (" + c.Reason + ")"
		}
		if names[why] == nil {
			reasons = append(reasons, why)
		}
		names[why] = append(names[why], r.String())
	}
	var parts []string
	for _, why := range reasons {
		part := strings.Join(names[why], ", ")
		if namespace != "" {
			part += " in namespace " + namespace
		}
		parts = append(parts, part+": "+why)
	}
	return strings.Join(parts, "; ")
}

// Resource names a resource of a group for [Snapshot.Coverage] and
// [Snapshot.Missing].
func Resource(group, resource string) schema.GroupResource {
	return schema.GroupResource{Group: group, Resource: resource}
}
