package orchestrator

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// VAPOptions adjust a generated policy. Nil and the zero value are ready to use.
type VAPOptions struct {
	// Prefix of the objects' names; default "boltseal-".
	Prefix string
	// Actions of the binding; default Deny.
	Actions []admissionv1.ValidationAction
	// ExceptNamespaces are left alone. kube-system is not among them unless
	// named: a policy that its DaemonSets break keeps nodes from joining.
	ExceptNamespaces []string
	// Registries is the list for I03.
	Registries []string
}

// VAP writes a check as a ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1,
// Kubernetes 1.30) and the binding that puts it into force. The API server then
// enforces it by itself, with no webhook to run.
//
// The policy looks at pods, at pods/ephemeralcontainers and at every kind with
// a pod template, on CREATE and UPDATE, or at Services. It refuses what the
// check fails; what the check leaves unknown it lets pass. An update is refused
// for what it adds only: what the old object shows as well may stay. Checks that
// need more than the object's own fields are [errors.ErrUnsupported].
func VAP(c *Check, o *VAPOptions) (*admissionv1.ValidatingAdmissionPolicy, *admissionv1.ValidatingAdmissionPolicyBinding, error) {
	if o == nil {
		o = &VAPOptions{}
	}
	if c.CEL == "" {
		return nil, nil, fmt.Errorf("policy for %s: %w: the check looks beyond the object's fields", c.ID, errors.ErrUnsupported)
	}
	if c.Needs == "Registries" && len(o.Registries) == 0 {
		return nil, nil, fmt.Errorf("policy for %s: set VAPOptions.Registries", c.ID)
	}
	prefix, actions := o.Prefix, o.Actions
	if prefix == "" {
		prefix = "boltseal-"
	}
	if len(actions) == 0 {
		actions = []admissionv1.ValidationAction{admissionv1.Deny}
	}
	name := prefix + strings.ToLower(c.ID)
	fail := admissionv1.Fail
	policy := &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "ValidatingAdmissionPolicy"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"boltseal.dev/check": c.String(), "boltseal.dev/source": c.Source}},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy:    &fail,
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: vapRules(c)},
			Variables:        vapVariables(c, o),
			Validations: []admissionv1.Validation{{
				Expression: `variables.offences.all(l, l.all(x, variables.before.exists(b, x in b)))`,
				Message:    c.String(),
				MessageExpression: strconv.Quote(c.String()+": ") +
					` + variables.offences.map(l, l.filter(x, !variables.before.exists(b, x in b)).join(', ')).filter(s, s != '').join(', ')`,
			}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "ValidatingAdmissionPolicyBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: name, ValidationActions: actions},
	}
	if len(o.ExceptNamespaces) > 0 {
		binding.Spec.MatchResources = &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: slices.Sorted(slices.Values(o.ExceptNamespaces)),
		}}}}
	}
	return policy, binding, nil
}

// vapRules lists what a policy looks at: the kinds that the check judges.
func vapRules(c *Check) []admissionv1.NamedRuleWithOperations {
	byGroup := map[string][]string{}
	for _, r := range c.Judges {
		byGroup[r.Group] = append(byGroup[r.Group], r.Resource)
		if r == (schema.GroupResource{Resource: "pods"}) {
			byGroup[r.Group] = append(byGroup[r.Group], "pods/ephemeralcontainers")
		}
	}
	var rules []admissionv1.NamedRuleWithOperations
	for _, group := range []string{"", "apps", "batch"} {
		if len(byGroup[group]) == 0 {
			continue
		}
		rules = append(rules, admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
			Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: slices.Sorted(slices.Values(byGroup[group]))},
		}})
	}
	return rules
}

// vapVariables are what the check's expression speaks of, once for the object
// and once for the old one. The objects are taken as dynamic values: one
// expression serves kinds of different shape.
func vapVariables(c *Check, o *VAPOptions) []admissionv1.Variable {
	quoted := make([]string, len(o.Registries))
	for i, r := range o.Registries {
		quoted[i] = strconv.Quote(r)
	}
	registries := "[" + strings.Join(quoted, ", ") + "]"
	var vars []admissionv1.Variable
	for _, side := range []struct{ prefix, result, source string }{
		{"now", "offences", "dyn(object)"},
		{"old", "before", "oldObject == null ? dyn({}) : dyn(oldObject)"},
	} {
		name := func(s string) string { return side.prefix + s }
		add := func(n, expression string) {
			vars = append(vars, admissionv1.Variable{Name: n, Expression: expression})
		}
		obj := "variables." + name("Object")
		add(name("Object"), side.source)
		if strings.Contains(c.CEL, "$spec") || strings.Contains(c.CEL, "$containers") {
			add(name("Spec"), podPart(obj, "spec"))
		}
		if strings.Contains(c.CEL, "$meta") {
			add(name("Meta"), podPart(obj, "metadata"))
		}
		if strings.Contains(c.CEL, "$containers") {
			spec := "variables." + name("Spec")
			add(name("Containers"), spec+`.?containers.orValue([]) + `+spec+`.?initContainers.orValue([]) + `+spec+`.?ephemeralContainers.orValue([])`)
		}
		offences := strings.NewReplacer(
			"$spec", "variables."+name("Spec"), "$meta", "variables."+name("Meta"),
			"$containers", "variables."+name("Containers"), "$object", obj, "$registries", registries,
		).Replace(c.CEL)
		if side.result == "before" { // an object that is not there has no offence, whatever its defaults
			offences = "oldObject == null ? [] : (" + offences + ")"
		}
		add(side.result, offences)
	}
	return vars
}

// podPart returns the spec or the metadata of the pod in an object.
func podPart(object, part string) string {
	return object + `.?kind.orValue('') == 'Pod' ? ` + object + `.?` + part + `.orValue({}) : ` +
		object + `.?kind.orValue('') == 'CronJob' ? ` + object + `.?spec.?jobTemplate.?spec.?template.?` + part + `.orValue({}) : ` +
		object + `.?spec.?template.?` + part + `.orValue({})`
}
