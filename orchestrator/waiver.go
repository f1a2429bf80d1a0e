package orchestrator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/boltseal/boltseal"
)

// Waiver takes failures of a check out of the count for a while. What it
// covers is still reported, with the waiver.
type Waiver struct {
	Check     string `json:"check"`               // ID: "H01"
	Kind      string `json:"kind,omitempty"`      // of the object; empty is any
	Namespace string `json:"namespace,omitempty"` // pattern of [path.Match]; empty is any
	Name      string `json:"name,omitempty"`      // pattern of [path.Match]; empty is any
	// Container is a container's name: the waiver covers failures that concern no
	// other. Empty covers all.
	Container string `json:"container,omitempty"`
	Reason    string `json:"reason"` // required
	Owner     string `json:"owner,omitempty"`
	// Expires is the last day on which the waiver holds, YYYY-MM-DD in UTC;
	// required. From the next day on, it is a finding itself.
	Expires string `json:"expires"`
}

// maxWaiverBytes bounds a file of waivers.
const maxWaiverBytes = 4 << 20

// ReadWaivers reads a YAML or JSON list of waivers, or an object whose key
// waivers holds one. Unknown keys, a missing reason and a missing or impossible
// date are errors: all of them are reported, with the index of the waiver.
func ReadWaivers(r io.Reader) ([]Waiver, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxWaiverBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	if len(data) > maxWaiverBytes {
		return nil, fmt.Errorf("read waivers: %w: more than %d bytes", boltseal.ErrLimit, maxWaiverBytes)
	}
	var list []Waiver
	var doc struct {
		Waivers []Waiver `json:"waivers"`
	}
	trimmed := bytes.TrimSpace(data)
	if bytes.HasPrefix(trimmed, []byte("-")) && !bytes.HasPrefix(trimmed, []byte("---")) || bytes.HasPrefix(trimmed, []byte("[")) {
		err = yaml.UnmarshalStrict(data, &list)
	} else if err = yaml.UnmarshalStrict(data, &doc); err == nil {
		list = doc.Waivers
	}
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w: %w", boltseal.ErrMalformed, err)
	}
	var errs []error
	for i := range list {
		if err := list[i].validate(); err != nil {
			errs = append(errs, fmt.Errorf("read waivers: waiver %d: %w", i, err))
		}
	}
	return list, errors.Join(errs...)
}

func (w *Waiver) validate() error {
	known := false
	for _, c := range Checks() {
		known = known || c.ID == w.Check
	}
	_, badDate := time.Parse(time.DateOnly, w.Expires)
	_, badName := path.Match(w.Name, "")
	_, badNamespace := path.Match(w.Namespace, "")
	switch {
	case !known:
		return fmt.Errorf("%w: check %q: no such check", boltseal.ErrMalformed, w.Check)
	case strings.TrimSpace(w.Reason) == "":
		return fmt.Errorf("%w: check %s: say the reason", boltseal.ErrMalformed, w.Check)
	case badDate != nil:
		return fmt.Errorf("%w: check %s: expires %q: want a day as YYYY-MM-DD", boltseal.ErrMalformed, w.Check, w.Expires)
	case badName != nil || badNamespace != nil:
		return fmt.Errorf("%w: check %s: a pattern that does not parse", boltseal.ErrMalformed, w.Check)
	}
	return nil
}

// String writes what is waived, until when and why.
func (w *Waiver) String() string {
	var b strings.Builder
	b.WriteString(w.Check)
	for _, part := range []struct{ name, value string }{{"kind", w.Kind}, {"namespace", w.Namespace}, {"name", w.Name}, {"container", w.Container}} {
		if part.value != "" {
			b.WriteString(" " + part.name + " " + part.value)
		}
	}
	return b.String() + " until " + w.Expires + ": " + w.Reason
}

// expired reports whether the waiver's last day is over. One without a proper
// date never holds.
func (w *Waiver) expired(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, w.Expires)
	return err != nil || !now.UTC().Before(day.AddDate(0, 0, 1))
}

// covers reports whether the waiver is about a failure.
func (w *Waiver) covers(r *Result) bool {
	if w.Check != r.Check.ID || w.Kind != "" && w.Kind != r.Object.Kind || strings.TrimSpace(w.Reason) == "" {
		return false
	}
	if !glob(w.Namespace, r.Object.Namespace) || !glob(w.Name, r.Object.Name) {
		return false
	}
	if w.Container != "" {
		for _, e := range r.Evidence {
			if e.Container != w.Container {
				return false
			}
		}
	}
	return true
}

func glob(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// waiver returns the waiver that covers a failure, or nil. An expired one
// covers nothing, and is remembered for [postureRun.expired].
func (r *postureRun) waiver(result *Result) *Waiver {
	for i := range r.options.Waivers {
		w := &r.options.Waivers[i]
		if w.covers(result) && !w.expired(r.now) {
			return w
		}
	}
	return nil
}

// WaiverExpired is the check behind results about waivers that no longer hold.
func WaiverExpired() *Check {
	return &Check{
		ID: "waiver-expired", Title: "waiver has expired", Severity: boltseal.SeverityMedium, Source: "boltseal",
		Doc: "What it excused counts again.",
		Fix: "Mend what it excused, or renew it with a reason.",
	}
}

// expired yields a failure for each waiver whose time is over.
func (r *postureRun) expired() iter.Seq[Result] {
	return func(yield func(Result) bool) {
		check := WaiverExpired()
		for i := range r.options.Waivers {
			w := &r.options.Waivers[i]
			if w.expired(r.now) && !yield(Result{
				Check: check, Verdict: boltseal.VerdictFail, Reason: w.String(),
				Object:   ObjectRef{Kind: "Waiver", Name: w.Check},
				Evidence: []Evidence{{Path: "expires", Value: w.Expires, Detail: w.String()}},
			}) {
				return
			}
		}
	}
}
