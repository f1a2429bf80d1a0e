package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/boltseal/boltseal"
)

// OnError says what becomes of a request that could not be judged.
type OnError uint8

// There is no default: whether a webhook that fails stops the cluster or lets
// everything pass is a decision that somebody must make.
const (
	_     OnError = iota
	Allow         // let it pass, with a warning
	Deny          // refuse it
)

// AdmissionOptions say what a webhook judges and what happens when it cannot.
type AdmissionOptions struct {
	// Snapshot returns the cluster as it is known, for checks that look beyond
	// the object. Nil is an empty one: what depends on it is unknown. It is
	// called once for each request and must be fast.
	Snapshot func() *Snapshot
	// Checks that refuse a request when they fail; nil is those that the object
	// alone decides ([Check.CEL] is not empty) with severity medium and above.
	Checks []*Check
	// Warn are checks whose failures are told to the user and refuse nothing.
	Warn []*Check
	// Posture carries Waivers, Registries, Secrets, Verifier and so on; its
	// Checks are not used. A Verifier is called within the deadline.
	Posture *PostureOptions
	// OnError is required. It covers what could not be decoded, what did not end
	// in time, a panic, and a check that ends unknown.
	OnError OnError
	// Timeout bounds one request, beside what the API server allows in the
	// query; default 10 s.
	Timeout time.Duration
	// Margin is what is left of the API server's timeout for the answer to
	// travel; default a tenth of it.
	Margin time.Duration
}

// MaxAdmissionBytes bounds the body of an AdmissionReview: twice the largest
// object that the API server takes, and the request's own fields.
const MaxAdmissionBytes = 7 << 20

// Admission is a validating webhook: an [http.Handler] for AdmissionReview of
// admission.k8s.io/v1. TLS is the server's. It is safe for concurrent use,
// keeps nothing between requests and opens no connection of its own.
//
// An update is judged by what it adds: a failure that the old object shows as
// well, at the same place, is let pass, so that what exists can still be
// changed. A DELETE or CONNECT carries no object and is allowed.
type Admission struct {
	opt    AdmissionOptions
	checks []admissionCheck
}

type admissionCheck struct {
	*Check
	warn bool
}

// NewAdmission returns a webhook. It fails if OnError is not chosen, or a check
// needs an option that is not set.
func NewAdmission(o AdmissionOptions) (*Admission, error) {
	if o.OnError != Allow && o.OnError != Deny {
		return nil, errors.New("new admission: choose OnError: Allow or Deny")
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Posture == nil {
		o.Posture = &PostureOptions{}
	}
	if o.Checks == nil {
		for _, c := range Checks() {
			if c.CEL != "" && c.Severity >= boltseal.SeverityMedium && c.Needs == "" {
				o.Checks = append(o.Checks, c)
			}
		}
	}
	a := &Admission{opt: o}
	for _, c := range o.Checks {
		a.checks = append(a.checks, admissionCheck{c, false})
	}
	for _, c := range o.Warn {
		a.checks = append(a.checks, admissionCheck{c, true})
	}
	r := newPostureRun(context.Background(), NewBuilder(nil).Snapshot(), o.Posture)
	for _, c := range a.checks {
		if why := r.lacks(c.Check); why != "" {
			return nil, fmt.Errorf("new admission: check %s: %s", c.ID, why)
		}
	}
	return a, nil
}

// ServeHTTP answers one AdmissionReview. Only a request that is none (another
// method or media type, a body that is too large or does not decode to a
// review with a uid) is answered with an HTTP error, which the API server
// treats by the webhook's failurePolicy; with OnError it has the same answer
// in the body where a uid is known.
func (a *Admission) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST an AdmissionReview", http.StatusMethodNotAllowed)
		return
	}
	if media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || media != "application/json" {
		http.Error(w, "want application/json", http.StatusUnsupportedMediaType)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), a.budget(req))
	defer cancel()
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MaxAdmissionBytes))
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			http.Error(w, fmt.Sprintf("the body is larger than %d bytes", MaxAdmissionBytes), http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil || review.Request == nil || review.Request.UID == "" {
		http.Error(w, "the body is no AdmissionReview with a request and a uid", http.StatusBadRequest)
		return
	}
	if review.APIVersion != admissionv1.SchemeGroupVersion.String() || review.Kind != "AdmissionReview" {
		http.Error(w, "want an AdmissionReview of "+admissionv1.SchemeGroupVersion.String(), http.StatusBadRequest)
		return
	}
	answer := admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: a.Review(ctx, review.Request)}
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(&answer); err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out.Bytes()) // nobody is left to tell
}

// budget is how long a request may take: the lesser of the option and what the
// API server says that it waits, less the margin.
func (a *Admission) budget(req *http.Request) time.Duration {
	budget := a.opt.Timeout
	// The API server writes a Go duration: ?timeout=10s.
	if d, err := time.ParseDuration(req.URL.Query().Get("timeout")); err == nil && d > 0 {
		margin := a.opt.Margin
		if margin <= 0 || margin >= d {
			margin = d / 10
		}
		budget = min(budget, d-margin)
	}
	return budget
}

// Review judges one request. It returns by the deadline of ctx, a panic of a
// check or a Verifier that does not end included.
func (a *Admission) Review(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	done := make(chan *admissionv1.AdmissionResponse, 1) // not waited for after the deadline
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- a.undecided(req.UID, "a check failed") // what it says may hold the object's values
			}
		}()
		done <- a.review(ctx, req)
	}()
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
		return a.undecided(req.UID, "not judged in time")
	}
}

func (a *Admission) review(ctx context.Context, req *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	if req.Operation == admissionv1.Delete || req.Operation == admissionv1.Connect {
		return &admissionv1.AdmissionResponse{UID: req.UID, Allowed: true}
	}
	var snap *Snapshot
	if a.opt.Snapshot != nil {
		snap = a.opt.Snapshot()
	}
	if snap == nil {
		snap = NewBuilder(nil).Snapshot()
	}
	objects, err := admitted(snap.Minor, req)
	if err != nil {
		return a.undecided(req.UID, err.Error())
	}
	run := newPostureRun(ctx, snap, a.opt.Posture)
	run.incoming = true
	verdict := admissionVerdict{uid: req.UID}
	for _, c := range a.checks {
		for i := range objects.now {
			s := &objects.now[i]
			if !c.judges(s) {
				continue
			}
			if ctx.Err() != nil {
				return a.undecided(req.UID, "not judged in time")
			}
			result := run.judge(c.Check, s)
			if result.Verdict == boltseal.VerdictFail && req.Operation == admissionv1.Update {
				for j := range objects.before {
					old := run.judge(c.Check, &objects.before[j])
					result = added(result, old)
				}
			}
			verdict.add(c, &result)
		}
	}
	return verdict.answer(a)
}

// judges reports whether a check is about an object.
func (c *admissionCheck) judges(s *subject) bool {
	if c.of != "" || s.resource == nil {
		return false
	}
	for _, r := range c.Judges {
		if r == *s.resource {
			return true
		}
	}
	return false
}

// added leaves of a failure what the old object does not show.
func added(now, old Result) Result {
	if old.Verdict != boltseal.VerdictFail {
		return now
	}
	was := map[evidenceKey]bool{}
	for _, e := range old.Evidence {
		was[keyOf(e)] = true
	}
	var left []Evidence
	for _, e := range now.Evidence {
		if !was[keyOf(e)] {
			left = append(left, e)
		}
	}
	now.Evidence = left
	if len(left) == 0 {
		now.Verdict, now.Reason = boltseal.VerdictPass, ""
	}
	return now
}

// evidenceKey tells whether a failure is the same: another place in a list does
// not make it new.
type evidenceKey struct{ container, field, value, detail string }

func keyOf(e Evidence) evidenceKey {
	var b strings.Builder
	skip := false
	for _, r := range e.Path {
		switch {
		case r == '[':
			skip = true
		case r == ']':
			skip = false
		case !skip || r < '0' || r > '9':
			b.WriteRune(r)
		}
	}
	return evidenceKey{e.Container, b.String(), e.Value, e.Detail}
}

// admissionVerdict collects what checks said.
type admissionVerdict struct {
	uid      types.UID
	refused  []string
	unknown  []string
	warnings []string
}

// maxWarning is the length that the API server keeps of a warning.
const maxWarning = 256

func (v *admissionVerdict) add(c admissionCheck, r *Result) {
	text := c.ID + " " + c.Title
	switch {
	case r.Verdict == boltseal.VerdictFail && r.Waiver != nil:
		v.warnings = append(v.warnings, clip(text+": waived until "+r.Waiver.Expires, maxWarning))
	case r.Verdict == boltseal.VerdictFail:
		where := make([]string, 0, 3)
		for i, e := range r.Evidence {
			if i == 3 {
				where = append(where, fmt.Sprintf("and %d more", len(r.Evidence)-i))
				break
			}
			where = append(where, e.String())
		}
		text += ": " + strings.Join(where, "; ")
		if c.warn {
			v.warnings = append(v.warnings, clip(text, maxWarning))
		} else {
			v.refused = append(v.refused, text)
		}
	case r.Verdict == boltseal.VerdictUnknown && !c.warn:
		v.unknown = append(v.unknown, text+": "+r.Reason)
	}
}

// maxMessage bounds what a refusal says: it travels to every client.
const maxMessage = 4096

func (v *admissionVerdict) answer(a *Admission) *admissionv1.AdmissionResponse {
	r := &admissionv1.AdmissionResponse{UID: v.uid, Allowed: true, Warnings: v.warnings}
	switch {
	case len(v.refused) > 0:
		r.Allowed = false
		r.Result = &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden, Message: clip(strings.Join(v.refused, "\n"), maxMessage)}
	case len(v.unknown) > 0:
		u := a.undecided(v.uid, strings.Join(v.unknown, "\n"))
		u.Warnings = append(u.Warnings, v.warnings...)
		return u
	}
	return r
}

// undecided is the answer to a request that could not be judged.
func (a *Admission) undecided(uid types.UID, why string) *admissionv1.AdmissionResponse {
	r := &admissionv1.AdmissionResponse{UID: uid, Allowed: a.opt.OnError == Allow}
	if r.Allowed {
		r.Warnings = []string{clip("not judged: "+why, maxWarning)}
		return r
	}
	r.Result = &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden, Message: clip("not judged, and so refused: "+why, maxMessage)}
	return r
}

// clip shortens a text to a number of bytes, at a character's edge, and keeps
// it on lines of printable text.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "..."
}
