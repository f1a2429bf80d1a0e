package orchestrator

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// PostureOptions says what to check and what the checks may know beyond the
// snapshot. Nil and the zero value run every check.
type PostureOptions struct {
	// Checks to run; nil is [Checks]. [SelectChecks] picks from them.
	Checks []*Check
	// Waivers take failures out of the count, for a reason and until a day.
	Waivers []Waiver
	// Now is the time against which waivers expire; zero is the present.
	Now time.Time
	// Registries lists where images may come from, as "registry.example.com" or
	// "docker.io/library"; without it I03 is unknown.
	Registries []string
	// Secrets finds credentials in text, for K01 to K04; without it they are
	// unknown.
	Secrets SecretFinder
	// Verifier decides about signatures, for I07; without it that is unknown.
	Verifier Verifier
	// ImageUser returns the user that an image's configuration names ("1000",
	// "nobody:nogroup", "" for root), for W05; without it, what a pod leaves to
	// the image is unknown.
	ImageUser func(image string) (user string, ok bool)
	// TargetMinor is the minor version of Kubernetes 1 that D01 and D02 look
	// ahead to; zero is the snapshot's own.
	TargetMinor int
}

// Posture runs checks over a snapshot. It yields one result for each check and
// object, in the order of checks, and results without object where a check
// could not see its kinds, lacks an option that it needs, or had nothing to
// look at. The last results are those of waivers that have expired.
//
// An error ends the run: ctx was done. What was yielded before holds.
func Posture(ctx context.Context, s *Snapshot, o *PostureOptions) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		r := newPostureRun(ctx, s, o)
		subjects := snapshotSubjects(s, r.all())
		for _, c := range r.checks {
			if !r.check(ctx, c, subjects, yield) {
				return
			}
		}
		for result := range r.expired() {
			if !yield(result, nil) {
				return
			}
		}
	}
}

// postureRun is what the checks of one run share.
type postureRun struct {
	snap     *Snapshot
	options  *PostureOptions
	checks   []*Check
	now      time.Time
	incoming bool // the objects are on their way into the cluster

	access       func() *Access
	verify       func(image string) (boltseal.Verdict, string)
	findSecrets  func(name, text string) ([]boltseal.Finding, error)
	defaultRoles func() []*Role
	all          func() []*Workload
	components   func() map[string][]subject
	byNamespace  func() map[string][]*Workload
	boundOnce    sync.Once
	boundTo      map[Subject]bool

	namespacedOnce  sync.Once
	namespacedKinds map[string]bool
}

func newPostureRun(ctx context.Context, s *Snapshot, o *PostureOptions) *postureRun {
	if o == nil {
		o = &PostureOptions{}
	}
	r := &postureRun{snap: s, options: o, checks: o.Checks, now: o.Now}
	if r.checks == nil {
		r.checks = Checks()
	}
	if r.now.IsZero() {
		r.now = time.Now()
	}
	r.access = sync.OnceValue(func() *Access { return NewAccess(s) })
	r.defaultRoles = sync.OnceValue(func() []*Role {
		roles, _ := bootstrap(s.Minor)
		return roles
	})
	r.all = sync.OnceValue(func() (all []*Workload) {
		for w := range s.Workloads() {
			all = append(all, &w)
		}
		return all
	})
	r.components = sync.OnceValue(func() map[string][]subject { return components(s, r.all()) })
	r.byNamespace = sync.OnceValue(func() map[string][]*Workload {
		out := map[string][]*Workload{}
		for _, w := range r.all() {
			out[w.Namespace] = append(out[w.Namespace], w)
		}
		return out
	})
	verified := map[string]struct {
		verdict boltseal.Verdict
		reason  string
	}{}
	r.verify = func(image string) (boltseal.Verdict, string) {
		v, ok := verified[image]
		if !ok {
			v.verdict, v.reason = o.Verifier.VerifyImage(ctx, image)
			verified[image] = v
		}
		return v.verdict, v.reason
	}
	r.findSecrets = func(name, text string) ([]boltseal.Finding, error) {
		return o.Secrets.FindSecrets(ctx, name, []byte(text))
	}
	return r
}

// lacks says which option the check needs and does not have, or "".
func (r *postureRun) lacks(c *Check) string {
	absent := false
	switch c.Needs {
	case "":
	case "Registries":
		absent = len(r.options.Registries) == 0
	case "Secrets":
		absent = r.options.Secrets == nil
	case "Verifier":
		absent = r.options.Verifier == nil
	default:
		absent = true
	}
	if absent {
		return "PostureOptions." + c.Needs + " is not set, so there is nothing to judge by"
	}
	return ""
}

// check runs one check over all its objects; it reports whether to go on.
func (r *postureRun) check(ctx context.Context, c *Check, subjects map[schema.GroupResource][]subject, yield func(Result, error) bool) bool {
	if why := r.lacks(c); why != "" {
		return yield(Result{Check: c, Verdict: boltseal.VerdictUnknown, Reason: why}, nil)
	}
	judged := 0
	for _, list := range r.subjectsOf(c, subjects) {
		for i := range list {
			if judged++; judged%256 == 0 && ctx.Err() != nil {
				yield(Result{}, fmt.Errorf("posture: %w", context.Cause(ctx)))
				return false
			}
			if !yield(r.judge(c, &list[i]), nil) {
				return false
			}
		}
	}
	if ctx.Err() != nil {
		yield(Result{}, fmt.Errorf("posture: %w", context.Cause(ctx)))
		return false
	}
	var unseen []schema.GroupResource
	for _, kind := range c.Judges {
		// Manifests hold what they hold: those that are there were all judged.
		if state := r.snap.Coverage(kind, "").State; !r.snap.Coverage(kind, "").Known() && (r.snap.Live() || state != NotAsked) {
			unseen = append(unseen, kind)
		}
	}
	switch {
	case len(unseen) > 0:
		return yield(Result{Check: c, Verdict: boltseal.VerdictUnknown, Reason: r.snap.Missing("", unseen...)}, nil)
	case judged == 0 && c.of != "":
		return yield(Result{Check: c, Verdict: boltseal.VerdictNotApplicable, Reason: "no " + c.of + " in the snapshot: a managed control plane shows none"}, nil)
	case judged == 0:
		return yield(Result{Check: c, Verdict: boltseal.VerdictNotApplicable, Reason: "none of " + kindNames(c.Judges)}, nil)
	}
	return true
}

// subjectsOf lists what a check judges.
func (r *postureRun) subjectsOf(c *Check, subjects map[schema.GroupResource][]subject) [][]subject {
	switch c.of {
	case "":
	case "cluster":
		return [][]subject{{{ref: ObjectRef{Kind: "Cluster", Name: "cluster"}, meta: &Meta{}}}}
	case "manifest":
		return r.manifests(subjects)
	default:
		return [][]subject{r.components()[c.of]}
	}
	lists := make([][]subject, 0, len(c.Judges))
	for _, kind := range c.Judges {
		lists = append(lists, subjects[kind])
	}
	return lists
}

// workloads yields the workloads of a namespace.
func (r *postureRun) workloads(namespace string) iter.Seq[*Workload] {
	return slices.Values(r.byNamespace()[namespace])
}

// onCloud reports whether a node says that a cloud made it; known is false if
// that cannot be told.
func (r *postureRun) onCloud() (cloud, known bool) {
	for _, it := range r.snap.Nodes {
		id := it.Object.Spec.ProviderID
		for _, provider := range []string{"aws:", "gce:", "azure:", "openstack:", "oci:", "digitalocean:", "alicloud:", "ibm:", "hcloud:"} {
			if strings.HasPrefix(id, provider) {
				return true, true
			}
		}
	}
	return false, r.snap.Coverage(schema.GroupResource{Resource: "nodes"}, "").Known()
}

// judge runs one check on one object.
func (r *postureRun) judge(c *Check, s *subject) Result {
	p := Pass{
		Snapshot: r.snap, Options: r.options, Ref: s.ref, Object: s.object,
		Workload: s.workload, Path: s.path, meta: s.meta, run: r, check: c,
	}
	if s.workload != nil {
		p.Spec = s.workload.Spec
	}
	c.Judge(&p)
	result := p.result()
	if result.Verdict == boltseal.VerdictFail {
		result.Waiver = r.waiver(&result)
	}
	return result
}

func kindNames(kinds []schema.GroupResource) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.String()
	}
	slices.Sort(names)
	return strings.Join(names, ", ") + " in the snapshot"
}
