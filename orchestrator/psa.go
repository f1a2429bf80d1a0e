package orchestrator

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/boltseal/boltseal"
)

// PodSecurity judges pods by the Pod Security Standards. The rules are those of
// the evaluator that the API server runs (k8s.io/pod-security-admission); this
// package adds none. It is safe for concurrent use.
type PodSecurity struct{ evaluator policy.Evaluator }

// NewPodSecurity returns the evaluator with all checks of its release.
func NewPodSecurity() (*PodSecurity, error) {
	e, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, fmt.Errorf("pod security: %w", err)
	}
	return &PodSecurity{e}, nil
}

// Evaluate returns what a level forbids in a pod: nothing for a pod that it
// admits. Meta may be nil.
func (e *PodSecurity) Evaluate(level psa.LevelVersion, meta *metav1.ObjectMeta, spec *corev1.PodSpec) []PodViolation {
	if meta == nil {
		meta = &metav1.ObjectMeta{}
	}
	var out []PodViolation
	for _, r := range e.evaluator.EvaluatePod(level, meta, withVolumeDefaults(spec)) {
		if !r.Allowed {
			out = append(out, PodViolation{Reason: r.ForbiddenReason, Detail: r.ForbiddenDetail})
		}
	}
	return out
}

// PodViolation is one thing that a level forbids.
type PodViolation struct {
	Reason string `json:"reason"` // "privileged", "host namespaces"
	Detail string `json:"detail,omitempty"`
}

// String writes the reason and the detail.
func (v PodViolation) String() string {
	if v.Detail == "" {
		return v.Reason
	}
	return v.Reason + " (" + v.Detail + ")"
}

// PodSecurityResult is where one workload stands.
type PodSecurityResult struct {
	Workload *Workload
	// Enforce is the level that the namespace's labels enforce. Default reports
	// that no label does, so that the server's default holds.
	Enforce psa.LevelVersion
	Default bool
	// Verdict says whether the level admits the pods: of a template, whether the
	// pods made from it. It is unknown where the level or an exemption may not be
	// visible; Reason then says what.
	Verdict   boltseal.Verdict
	Reason    string
	Forbidden []PodViolation // by Enforce
	// Baseline and Restricted are what lies between the workload and these
	// levels, in the enforced version.
	Baseline, Restricted []PodViolation
}

// PodSecurityOptions tell what labels do not.
type PodSecurityOptions struct {
	// Default is the level that the API server's configuration enforces where a
	// namespace has no label; empty is unknown. As shipped it is privileged.
	Default psa.Level
}

// PodSecurityOf judges every workload of a snapshot. An error ends the run.
//
// The API server enforces levels on pods alone: a Deployment is admitted and
// its pods are refused. It looks at updates only where an image changes or an
// ephemeral container comes. Exempt users, namespaces and runtime classes are
// in its configuration, which is not visible in the cluster's objects.
func PodSecurityOf(ctx context.Context, s *Snapshot, o *PodSecurityOptions) iter.Seq2[PodSecurityResult, error] {
	return func(yield func(PodSecurityResult, error) bool) {
		e, err := NewPodSecurity()
		if err != nil {
			yield(PodSecurityResult{}, err)
			return
		}
		n := 0
		for w := range s.Workloads() {
			if n++; n%256 == 0 && ctx.Err() != nil {
				yield(PodSecurityResult{}, fmt.Errorf("pod security: %w", context.Cause(ctx)))
				return
			}
			if !yield(e.judge(s, &w, o), nil) {
				return
			}
		}
	}
}

func (e *PodSecurity) judge(s *Snapshot, w *Workload, o *PodSecurityOptions) PodSecurityResult {
	r := PodSecurityResult{Workload: w}
	labels, seen := s.NamespaceLabels(w.Namespace)
	fallback := psa.LevelPrivileged
	if o != nil && o.Default != "" {
		fallback = o.Default
	}
	latest := psa.LevelVersion{Level: fallback, Version: psa.LatestVersion()}
	p, errs := psa.PolicyToEvaluate(labels, psa.Policy{Enforce: latest, Audit: latest, Warn: latest})
	r.Enforce = p.Enforce
	_, labelled := labels[psa.EnforceLevelLabel]
	r.Default = !labelled

	meta := &metav1.ObjectMeta{Annotations: w.Annotations}
	r.Forbidden = e.Evaluate(r.Enforce, meta, w.Spec)
	r.Baseline = e.Evaluate(psa.LevelVersion{Level: psa.LevelBaseline, Version: r.Enforce.Version}, meta, w.Spec)
	r.Restricted = e.Evaluate(psa.LevelVersion{Level: psa.LevelRestricted, Version: r.Enforce.Version}, meta, w.Spec)
	switch {
	case len(r.Restricted) == 0 && len(r.Baseline) == 0 && len(r.Forbidden) == 0:
		r.Verdict = boltseal.VerdictPass // whatever the level is
	case len(errs) > 0:
		r.Reason = "a Pod Security label of the namespace does not parse: " + errs.ToAggregate().Error()
	case !seen:
		r.Reason = "the namespace was not seen: " + s.Missing("", resources("", "namespaces")...)
	case !labelled && (o == nil || o.Default == ""):
		r.Reason = "the namespace has no label, and the server's default is not visible; set PodSecurityOptions.Default"
	case len(r.Forbidden) > 0:
		r.Verdict = boltseal.VerdictFail
		parts := make([]string, len(r.Forbidden))
		for i, v := range r.Forbidden {
			parts[i] = v.String()
		}
		r.Reason = r.Enforce.String() + " forbids " + strings.Join(parts, ", ")
	default:
		r.Verdict = boltseal.VerdictPass
	}
	return r
}

// podSecurityNews names the checks that got new rules after one minor version
// of Kubernetes 1 and up to another; "" if there are none.
func podSecurityNews(after, upTo int) string {
	var ids []string
	for _, c := range policy.DefaultChecks() {
		for _, v := range c.Versions {
			if n := v.MinimumVersion.Minor(); n > after && n <= upTo {
				ids = append(ids, string(c.ID))
				break
			}
		}
	}
	return strings.Join(ids, ", ")
}

// withVolumeDefaults makes an emptyDir of each volume without a source, as the
// API server does before it judges.
func withVolumeDefaults(spec *corev1.PodSpec) *corev1.PodSpec {
	bare := func(v corev1.Volume) bool { return v.VolumeSource == corev1.VolumeSource{} }
	if !slices.ContainsFunc(spec.Volumes, bare) {
		return spec
	}
	out := *spec
	out.Volumes = slices.Clone(spec.Volumes)
	for i := range out.Volumes {
		if bare(out.Volumes[i]) {
			out.Volumes[i].EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	return &out
}

// Finding returns a refusal in the shared vocabulary.
func (r *PodSecurityResult) Finding() boltseal.Finding {
	ref := workloadSubject(r.Workload).ref
	f := boltseal.Finding{
		Kind: boltseal.KindMisconfiguration, Rule: "pod-security", Title: "refused by Pod Security " + r.Enforce.String(), Severity: boltseal.SeverityHigh,
		Description: "The API server refuses the pods of the workload.", Asset: ref.Asset().ID(),
		Fix:         "Change what the evidence names, or the namespace's level.",
		Fingerprint: boltseal.Fingerprint("misconfiguration", "pod-security", ref.Group, ref.Kind, ref.Namespace, ref.Name),
	}
	if ref.Location.Path != "" {
		f.Locations = []boltseal.Location{ref.Location}
	}
	for _, v := range r.Forbidden {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: v.String()})
	}
	return f
}
