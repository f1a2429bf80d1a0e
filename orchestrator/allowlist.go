package orchestrator

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/boltseal/boltseal"
)

// AllowList declares who may do what. It is a YAML or JSON document:
//
//	version: 1
//	allow:
//	- subject: ServiceAccount:shop/web    # or User:…, Group:…; * within a name is a wildcard
//	  namespaces: [shop]                  # none: across the cluster
//	  verbs: [get, list]
//	  groups: [""]
//	  resources: [configmaps]
//	  names: [settings]                   # none: all
//	  why: reads its settings
//	  owner: team-shop
//	waive:
//	- subject: ServiceAccount:shop/old
//	  verbs: ["*"]
//	  groups: ["*"]
//	  resources: ["*"]
//	  why: to be replaced, ticket 123
//	  expires: 2027-03-31
type AllowList struct {
	Version int          `json:"version"`
	Allow   []AllowEntry `json:"allow"`
	// Waive lists what is granted against the rules and known: it needs a reason
	// and a last day.
	Waive []AllowEntry `json:"waive,omitempty"`
}

// AllowEntry is one line of an [AllowList]. It allows every combination of its
// lists.
type AllowEntry struct {
	Subject    string   `json:"subject"`
	Namespaces []string `json:"namespaces,omitempty"`
	Verbs      []string `json:"verbs"`
	Groups     []string `json:"groups,omitempty"`
	Resources  []string `json:"resources,omitempty"`
	Names      []string `json:"names,omitempty"`
	Paths      []string `json:"paths,omitempty"` // URLs that are no resources
	Why        string   `json:"why,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	// Expires is the last day on which the entry holds, YYYY-MM-DD in UTC.
	Expires string `json:"expires,omitempty"`
}

// String writes the entry on one line.
func (e *AllowEntry) String() string {
	rule := e.rule()
	s := e.Subject + ": " + ruleString(&rule)
	if len(e.Namespaces) > 0 {
		s += " in " + strings.Join(e.Namespaces, ",")
	}
	return s
}

func (e *AllowEntry) rule() rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: e.Verbs, APIGroups: e.Groups, Resources: e.Resources, ResourceNames: e.Names, NonResourceURLs: e.Paths}
}

// maxAllowListBytes bounds a file.
const maxAllowListBytes = 16 << 20

// ReadAllowList reads a list. Unknown keys are errors, and so is an entry that
// allows nothing, or a waiver without a reason or a date: all of them are
// reported, with their place.
func ReadAllowList(r io.Reader) (*AllowList, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxAllowListBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read allow list: %w", err)
	}
	if len(data) > maxAllowListBytes {
		return nil, fmt.Errorf("read allow list: %w: more than %d bytes", boltseal.ErrLimit, maxAllowListBytes)
	}
	l := &AllowList{}
	if err := yaml.UnmarshalStrict(data, l); err != nil {
		return nil, fmt.Errorf("read allow list: %w: %w", boltseal.ErrMalformed, err)
	}
	var errs []error
	if l.Version != 1 {
		errs = append(errs, fmt.Errorf("read allow list: %w: version %d: want 1", boltseal.ErrMalformed, l.Version))
	}
	for i := range l.Allow {
		if err := l.Allow[i].check(false); err != nil {
			errs = append(errs, fmt.Errorf("read allow list: allow[%d]: %w: %w", i, boltseal.ErrMalformed, err))
		}
	}
	for i := range l.Waive {
		if err := l.Waive[i].check(true); err != nil {
			errs = append(errs, fmt.Errorf("read allow list: waive[%d]: %w: %w", i, boltseal.ErrMalformed, err))
		}
	}
	return l, errors.Join(errs...)
}

func (e *AllowEntry) check(waiver bool) error {
	kind, name, ok := strings.Cut(e.Subject, ":")
	_, badPattern := path.Match(name, "")
	_, badDate := time.Parse(time.DateOnly, e.Expires)
	switch {
	case !ok || name == "" || kind != rbacv1.ServiceAccountKind && kind != rbacv1.UserKind && kind != rbacv1.GroupKind:
		return fmt.Errorf("subject %q: want ServiceAccount:namespace/name, User:name or Group:name", e.Subject)
	case kind == rbacv1.ServiceAccountKind && strings.Count(name, "/") != 1:
		return fmt.Errorf("subject %q: want ServiceAccount:namespace/name", e.Subject)
	case badPattern != nil:
		return fmt.Errorf("subject %q: a pattern that does not parse", e.Subject)
	case len(e.Verbs) == 0:
		return errors.New("no verbs: the entry allows nothing")
	case len(e.Paths) == 0 && (len(e.Groups) == 0 || len(e.Resources) == 0):
		return errors.New(`no groups or no resources: the entry allows nothing (the core group is "")`)
	case len(e.Paths) > 0 && (len(e.Groups) > 0 || len(e.Resources) > 0 || len(e.Namespaces) > 0):
		return errors.New("paths stand alone, without groups, resources and namespaces")
	case (waiver || e.Expires != "") && badDate != nil:
		return fmt.Errorf("expires %q: want a day as YYYY-MM-DD", e.Expires)
	case waiver && strings.TrimSpace(e.Why) == "":
		return errors.New("why: say the reason")
	}
	return nil
}

// Write writes the list as YAML that [ReadAllowList] reads.
func (l *AllowList) Write(w io.Writer) error {
	data, err := yaml.Marshal(l)
	if err != nil {
		return fmt.Errorf("write allow list: %w", err)
	}
	_, err = io.Copy(w, bytes.NewReader(data))
	return err
}

// Generate makes a list of what is granted now: a start, to be read, cut and
// given reasons. What every cluster grants to its own components is left out,
// as [AllowList.Check] leaves it out.
func Generate(a *Access) *AllowList {
	l := &AllowList{Version: 1}
	seen := map[string]int{}
	for g := range grantsOfInterest(a) {
		rule := g.Rule()
		e := AllowEntry{
			Subject: g.Subject.String(), Verbs: rule.Verbs, Groups: rule.APIGroups, Resources: rule.Resources, Names: rule.ResourceNames, Paths: rule.NonResourceURLs,
			Why: fmt.Sprintf("granted by %s", g.Binding),
		}
		if ns := g.Namespace(); ns != "" {
			e.Namespaces, e.Paths = []string{ns}, nil
		}
		for _, part := range e.split() {
			if part.check(false) != nil {
				continue // a rule that grants nothing
			}
			same := part
			same.Namespaces, same.Why = nil, ""
			key := same.String()
			if len(part.Namespaces) == 0 {
				key += " everywhere"
			}
			if i, ok := seen[key]; ok {
				have := &l.Allow[i]
				if len(part.Namespaces) > 0 && !slices.Contains(have.Namespaces, part.Namespaces[0]) {
					have.Namespaces = append(have.Namespaces, part.Namespaces[0])
					slices.Sort(have.Namespaces)
				}
				continue
			}
			seen[key] = len(l.Allow)
			l.Allow = append(l.Allow, part)
		}
	}
	slices.SortStableFunc(l.Allow, func(a, b AllowEntry) int { return cmp.Compare(a.String(), b.String()) })
	return l
}

// split takes resources and paths apart: a rule may have both, an entry not.
func (e AllowEntry) split() (out []AllowEntry) {
	if len(e.Resources) > 0 || len(e.Groups) > 0 {
		r := e
		r.Paths = nil
		out = append(out, r)
	}
	if len(e.Paths) > 0 {
		p := e
		p.Groups, p.Resources, p.Names, p.Namespaces = nil, nil, nil, nil
		out = append(out, p)
	}
	return out
}

// grantsOfInterest yields every grant, but for those that Kubernetes itself
// needs: to subjects that are its own, and the discovery of the API that
// everybody has.
func grantsOfInterest(a *Access) func(func(Grant) bool) {
	return func(yield func(Grant) bool) {
		for b := range a.Bindings() {
			if b.Role == nil || b.Namespace == "" && defaultForEverybody(b.RoleRef.Name) {
				continue
			}
			for i := range b.Subjects {
				s, ok := BoundSubject(b.Subjects[i], b.Namespace)
				if !ok || s.Position().System() {
					continue
				}
				for rule := range b.Role.Rules {
					if !yield(Grant{Subject: s, Binding: b, SubjectIndex: i, Role: b.Role, RuleIndex: rule}) {
						return
					}
				}
			}
		}
	}
}

// defaultForEverybody reports whether a ClusterRole is one that Kubernetes
// binds to everybody.
func defaultForEverybody(role string) bool {
	switch role {
	case "system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery":
		return true
	}
	return false
}

// covers reports whether the entry is about a subject.
func (e *AllowEntry) covers(s Subject) bool {
	if e.Subject == s.String() {
		return true
	}
	kind, pattern, _ := strings.Cut(e.Subject, ":")
	name := s.Name
	if s.Kind == rbacv1.ServiceAccountKind {
		name = s.Namespace + "/" + s.Name
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok && kind == s.Kind
}

// expired reports whether the last day is over.
func (e *AllowEntry) expired(now time.Time) bool {
	if e.Expires == "" {
		return false
	}
	day, err := time.Parse(time.DateOnly, e.Expires)
	return err != nil || !now.UTC().Before(day.AddDate(0, 0, 1))
}
