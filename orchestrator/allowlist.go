package orchestrator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
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
