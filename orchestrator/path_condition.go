package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Condition is something that a step depends on and the snapshot does not tell.
type Condition struct {
	// ID is stable, and settles the condition in [PathOptions.Settled]. What
	// depends on an object has it after a colon: "credentials:shop".
	ID string `json:"id"`
	// Text says what must hold, in words.
	Text string `json:"text"`
}

// verdictWhy is the answer to a precondition: it cannot hold, or it does if the
// conditions do.
type verdictWhy struct {
	never bool
	conds []Condition
}

// settle turns an unknown precondition into conditions: none if the caller said
// that it holds, and ok false if the caller said that it does not.
func (g *Graph) settle(id, format string, args ...any) (ok bool, conds []Condition) {
	value, known := g.opts.Settled[id]
	if !known {
		kind, _, _ := strings.Cut(id, ":")
		value, known = g.opts.Settled[kind]
	}
	if known {
		return value, nil
	}
	return true, []Condition{{ID: id, Text: fmt.Sprintf(format, args...)}}
}

// anonymous is whether requests without credentials get past authentication.
func (g *Graph) anonymous() (bool, []Condition) {
	if v, ok := g.apiServerFlag("--anonymous-auth"); ok && v == "false" {
		return false, nil
	} else if ok && v == "true" {
		return true, nil
	}
	return g.settle("anonymous-auth", "the API server accepts anonymous requests (--anonymous-auth, the default) at all paths")
}

func (g *Graph) bootstrapTokens() (bool, []Condition) {
	if v, ok := g.apiServerFlag("--enable-bootstrap-token-auth"); ok {
		return v != "false", nil
	}
	return g.settle("bootstrap-token-auth", "the API server runs with --enable-bootstrap-token-auth")
}

func (g *Graph) signer() (bool, []Condition) {
	if v, ok := g.flag("kube-controller-manager", "--cluster-signing-cert-file"); ok && v != "" {
		return true, nil
	}
	return g.settle("csr-signer", "the controller manager signs client certificates (--cluster-signing-cert-file)")
}

// flag reads a flag of a control-plane component from its static pod.
func (g *Graph) flag(component, name string) (value string, ok bool) {
	for _, args := range g.commandLines(component) {
		for _, a := range args[1:] {
			if a == name {
				return "true", true
			}
			if v, found := strings.CutPrefix(a, name+"="); found {
				return v, true
			}
		}
	}
	return "", false
}

// commandLines are those of a control-plane component's static pods, each from
// the program's name on.
func (g *Graph) commandLines(component string) (all [][]string) {
	for _, it := range g.snap.Pods.In("kube-system") {
		for _, c := range it.Object.Spec.Containers {
			if args := slices.Concat(c.Command, c.Args); len(args) > 0 && strings.HasSuffix(args[0], component) {
				all = append(all, args)
			}
		}
	}
	return all
}

func (g *Graph) apiServerFlag(name string) (string, bool) { return g.flag("kube-apiserver", name) }

// apiServerSeen reports whether the snapshot holds the API server's own pod, so
// that a flag that is not there is not set.
func (g *Graph) apiServerSeen() bool { return len(g.commandLines("kube-apiserver")) > 0 }

// podSecurity is whether Pod Security lets a privileged pod into a namespace.
// restricted asks about a pod that restricted refuses and baseline does not.
func (g *Graph) podSecurity(namespace string, restricted bool) (bool, []Condition) {
	it := g.snap.Namespaces.Get("", namespace)
	level := ""
	if it != nil {
		level = it.Object.Labels["pod-security.kubernetes.io/enforce"]
	}
	switch {
	case level == "privileged" || level == "baseline" && restricted:
		return true, nil
	case level != "":
		return false, nil
	case it == nil && !g.snap.Coverage(Resource("", "namespaces"), "").Known():
		return g.settle("pod-security:"+namespace, "namespace %s, which was not seen, enforces no Pod Security level against it", namespace)
	}
	return g.settle("pod-security-default", "the API server's default Pod Security level is privileged, as it is unless configured")
}

// admission is whether webhooks and policies may refuse a pod in a namespace.
func (g *Graph) admission(namespace string) (bool, []Condition) {
	if v, ok := g.asked["admission:"+namespace]; ok {
		return !v.never, v.conds
	}
	ok, conds := true, []Condition(nil)
	if names := g.podAdmission(namespace); len(names) > 0 {
		ok, conds = g.settle("admission:"+namespace, "%s let the pod into namespace %s", strings.Join(names, ", "), namespace)
	} else if missing := g.snap.Missing("", Resource(admissionGroup, "validatingwebhookconfigurations"), Resource(admissionGroup, "mutatingwebhookconfigurations"),
		Resource(admissionGroup, "validatingadmissionpolicies"), Resource(admissionGroup, "validatingadmissionpolicybindings")); missing != "" {
		ok, conds = g.settle("admission", "no admission webhook or policy refuses the pod (not seen: %s)", missing)
	}
	g.asked["admission:"+namespace] = verdictWhy{!ok, conds}
	return ok, conds
}

// podAdmission names what judges new pods of a namespace.
func (g *Graph) podAdmission(namespace string) (names []string) {
	set, _ := g.snap.NamespaceLabels(namespace)
	for _, it := range g.snap.ValidatingWebhooks {
		for i := range it.Object.Webhooks {
			w := &it.Object.Webhooks[i]
			if judgesPods(w.Rules) && selects(w.NamespaceSelector, set) {
				names = append(names, "webhook "+w.Name)
			}
		}
	}
	for _, it := range g.snap.MutatingWebhooks {
		for i := range it.Object.Webhooks {
			w := &it.Object.Webhooks[i]
			if judgesPods(w.Rules) && selects(w.NamespaceSelector, set) {
				names = append(names, "webhook "+w.Name)
			}
		}
	}
	for _, it := range g.snap.ValidatingPolicies {
		m := it.Object.Spec.MatchConstraints
		if m == nil || !selects(m.NamespaceSelector, set) || !slices.ContainsFunc(m.ResourceRules, func(r admissionv1.NamedRuleWithOperations) bool {
			return judgesPods([]admissionv1.RuleWithOperations{r.RuleWithOperations})
		}) {
			continue
		}
		for _, b := range g.snap.ValidatingPolicyBindings {
			if b.Object.Spec.PolicyName == it.Name && slices.Contains(b.Object.Spec.ValidationActions, admissionv1.Deny) {
				names = append(names, "policy "+it.Name)
				break
			}
		}
	}
	return names
}

func judgesPods(rules []admissionv1.RuleWithOperations) bool {
	return slices.ContainsFunc(rules, func(r admissionv1.RuleWithOperations) bool {
		return matches(r.APIGroups, "") && (matches(r.Resources, "pods") || slices.Contains(r.Resources, "*/*")) &&
			(slices.Contains(r.Operations, admissionv1.Create) || slices.Contains(r.Operations, admissionv1.OperationAll))
	})
}

// selects reports whether a selector may select the labels; one that cannot be
// read may.
func selects(s *metav1.LabelSelector, set map[string]string) bool {
	if s == nil {
		return true
	}
	sel, err := metav1.LabelSelectorAsSelector(s)
	return err != nil || sel.Matches(labels.Set(set))
}

// namespaceExists is whether something can be created in a namespace.
func (g *Graph) namespaceExists(name string) (bool, []Condition) {
	if g.snap.Namespaces.Get("", name) != nil || name == "kube-system" || name == "default" || len(g.snap.ServiceAccounts.In(name)) > 0 {
		return true, nil
	}
	if g.snap.Coverage(Resource("", "namespaces"), "").Known() {
		return false, nil
	}
	return g.settle("namespace:"+name, "namespace %s exists", name)
}

// accountExists is whether a service account exists. missing is whether it may
// yet be created.
func (g *Graph) accountExists(s Subject) (exists bool, conds []Condition, missing bool) {
	if g.snap.ServiceAccounts.Get(s.Namespace, s.Name) != nil || g.used[s] {
		return true, nil, false
	}
	if s.Name == "default" {
		if ok, conds := g.namespaceExists(s.Namespace); ok {
			return true, conds, false // the controller manager makes it
		}
	}
	assumed := s.System() && !g.snap.live // as the bindings are that name it
	if !assumed && g.snap.Coverage(Resource("", "serviceaccounts"), s.Namespace).Known() {
		return false, nil, true
	}
	text := "service account %s exists, which the snapshot does not show"
	if s.System() {
		text = "service account %s exists (the controller manager runs with --use-service-account-credentials)"
	}
	if s.System() {
		exists, conds = g.settle("controller-accounts", text, s.Namespace+"/"+s.Name)
		return exists, conds, true
	}
	exists, conds = g.settle("account:"+s.Namespace+"/"+s.Name, text, s.Namespace+"/"+s.Name)
	return exists, conds, true
}

// tokenSecret returns the service account that a token Secret is for.
func tokenSecret(it *Item[Secret]) (Subject, bool) {
	if it.Object.Type != corev1.SecretTypeServiceAccountToken {
		return Subject{}, false
	}
	name := it.Object.Annotations[corev1.ServiceAccountNameKey]
	return ServiceAccount(it.Namespace, name), name != ""
}
