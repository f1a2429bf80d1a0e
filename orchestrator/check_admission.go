package orchestrator

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/boltseal/boltseal"
)

const webhookPractices = "Kubernetes admission webhook good practices"

// admissionChecks is the family A: what stands between a request and the
// cluster's state.
func admissionChecks() []*Check {
	hooks := resources(admissionv1.GroupName, "mutatingwebhookconfigurations", "validatingwebhookconfigurations")
	validating := resources(admissionv1.GroupName, "validatingwebhookconfigurations")
	namespaces := resources("", "namespaces")
	return []*Check{{
		ID: "A01", Title: "webhook that lets pass when it fails", Severity: boltseal.SeverityMedium, Source: webhookPractices, Judges: validating,
		Doc:   "With failurePolicy Ignore, whoever can make the webhook slow or unreachable is past it.",
		Fix:   "Set failurePolicy: Fail, and exclude kube-system and the webhook's own namespace.",
		Judge: eachWebhook(judgeFailurePolicy),
	}, {
		ID: "A02", Title: "webhook with a long timeout", Severity: boltseal.SeverityLow, Source: webhookPractices, Judges: hooks,
		Doc: "Every request waits that long when the webhook hangs; API clients give up before.",
		Fix: "Set timeoutSeconds to 10 or less.",
		Judge: eachWebhook(func(p *Pass, h webhook) {
			if h.timeout != nil && *h.timeout > 10 {
				p.Fail(Evidence{Path: h.path + ".timeoutSeconds", Value: fmt.Sprint(*h.timeout), Detail: h.name})
			}
		}),
	}, {
		ID: "A03", Title: "webhook without a certificate authority", Severity: boltseal.SeverityMedium, Source: webhookPractices, Judges: hooks,
		Doc: "Without caBundle the API server trusts its system's authorities, which do not sign for Services: calls fail, or trust more than they should.",
		Fix: "Set clientConfig.caBundle, or let cert-manager's CA injector do so.",
		Judge: eachWebhook(func(p *Pass, h webhook) {
			if len(h.client.CABundle) > 0 || injectsCA(p.Object) {
				return
			}
			if h.client.Service != nil {
				p.Fail(Evidence{Path: h.path + ".clientConfig.caBundle", Value: "the system's authorities", Default: true, Detail: h.name})
			}
		}),
	}, {
		ID: "A04", Title: "webhook that can lock itself out", Severity: boltseal.SeverityMedium, Source: webhookPractices, Judges: hooks,
		Doc:   "With failurePolicy Fail over pods of kube-system or of its own namespace, a webhook that is down keeps its own pods, or the control plane's, from starting.",
		Fix:   "Exclude both namespaces by namespaceSelector on kubernetes.io/metadata.name.",
		Judge: eachWebhook(judgeLockout),
	}, {
		ID: "A05", Title: "webhook for everything", Severity: boltseal.SeverityMedium, Source: webhookPractices, Judges: hooks,
		Doc:   "Every write of the control plane itself, leases several times a second among them, waits for the webhook.",
		Fix:   "List the groups and resources that are meant.",
		Judge: eachWebhook(judgeBreadth),
	}, {
		ID: "A06", Title: "webhook with nobody behind it", Severity: boltseal.SeverityHigh, Source: webhookPractices, Judges: hooks,
		Reads: append(resources("", "services"), resources("discovery.k8s.io", "endpointslices")...),
		Doc:   "A call that nobody answers fails: with Ignore the rule is not enforced, with Fail nothing gets through.",
		Fix:   "Restore the Service and its pods, or remove the webhook.",
		Judge: eachWebhook(judgeBackend),
	}, {
		ID: "A07", Title: "webhook with side effects", Severity: boltseal.SeverityLow, Source: webhookPractices, Judges: hooks,
		Doc: "A dry run that reaches the webhook would have effects; the API server refuses such requests.",
		Fix: "Set sideEffects: None, or NoneOnDryRun where the webhook heeds dryRun.",
		Judge: eachWebhook(func(p *Pass, h webhook) {
			if h.sideEffects != nil && (*h.sideEffects == admissionv1.SideEffectClassSome || *h.sideEffects == admissionv1.SideEffectClassUnknown) {
				p.Fail(Evidence{Path: h.path + ".sideEffects", Value: string(*h.sideEffects), Detail: h.name})
			}
		}),
	}, {
		ID: "A08", Title: "webhook that a label switches off", Severity: boltseal.SeverityHigh, Source: webhookPractices, Judges: hooks, Reads: rbacResources(),
		Doc:   "Whoever may write the label of the object, or of the namespace, is past the rule.",
		Fix:   "Exclude by kubernetes.io/metadata.name, which the API server keeps, and keep tenants from writing namespaces.",
		Judge: eachWebhook(judgeOptOut),
	}, {
		ID: "A09", Title: "webhook for pods with a way around it", Severity: boltseal.SeverityHigh, Source: webhookPractices, Judges: hooks,
		Doc:   "A rule about containers that looks at CREATE alone misses a changed image; one that leaves out pods/ephemeralcontainers misses kubectl debug.",
		Fix:   "Match operations CREATE and UPDATE on pods and pods/ephemeralcontainers.",
		Judge: eachWebhook(judgeCoverage),
	}, {
		ID: "A10", Title: "admission policy without effect", Severity: boltseal.SeverityHigh, Source: "Kubernetes ValidatingAdmissionPolicy",
		Judges: resources(admissionv1.GroupName, "validatingadmissionpolicies"), Reads: resources(admissionv1.GroupName, "validatingadmissionpolicybindings"),
		Doc:   "A policy does nothing until a binding names it with the action Deny; without its parameters it is skipped or refuses everything.",
		Fix:   "Bind it with validationActions: [Deny], and name its parameters.",
		Judge: judgePolicyBinding,
	}, {
		ID: "A11", Title: "namespace without a Pod Security level", Severity: boltseal.SeverityHigh, Source: "CIS 5.2.1", Judges: namespaces,
		Doc:   "Without the label pod-security.kubernetes.io/enforce the server's default holds, which is privileged as shipped.",
		Fix:   "Label the namespace with enforce: baseline or restricted.",
		Judge: onNamespace(judgeEnforceLabel),
	}, {
		ID: "A12", Title: "Pod Security version that is not the cluster's", Severity: boltseal.SeverityLow, Source: podStandards, Judges: namespaces,
		Doc:   "An old version lacks rules made since; one of the future is read as the latest that the server knows.",
		Fix:   "Set enforce-version to latest, or to the version of the cluster.",
		Judge: onNamespace(judgeEnforceVersion),
	}, {
		ID: "A13", Title: "Pod Security enforces less than it warns of", Severity: boltseal.SeverityLow, Source: podStandards, Judges: namespaces,
		Doc:   "The stricter level is announced and not enforced.",
		Fix:   "Raise enforce to the level of warn once nothing warns any more.",
		Judge: onNamespace(judgeEnforceGap),
	}, {
		ID: "A14", Title: "custom resources converted by an outside URL", Severity: boltseal.SeverityHigh, Source: webhookPractices,
		Judges: resources("apiextensions.k8s.io", "customresourcedefinitions"),
		Doc:    "Every read and write of these objects goes through the URL, which sees and alters them.",
		Fix:    "Convert by a Service in the cluster.",
		Judge: func(p *Pass) {
			d, ok := p.Object.(*CustomResourceDefinition)
			if !ok {
				return
			}
			c := d.Spec.Conversion
			if c == nil || c.Strategy != "Webhook" {
				p.NotApplicable("no conversion webhook")
				return
			}
			if c.Webhook != nil && c.Webhook.ClientConfig != nil && c.Webhook.ClientConfig.URL != nil {
				p.Fail(Evidence{Path: "spec.conversion.webhook.clientConfig.url", Value: redactURL(*c.Webhook.ClientConfig.URL)})
			}
		},
	}, {
		ID: "A15", Title: "API served without checking the certificate", Severity: boltseal.SeverityHigh, Source: appChecklist,
		Judges: resources("apiregistration.k8s.io", "apiservices"),
		Doc:    "Whoever gets between the API server and the extension answers in its place, and sees the user's identity.",
		Fix:    "Set caBundle and remove insecureSkipTLSVerify.",
		Judge: func(p *Pass) {
			if s, ok := p.Object.(*APIService); ok && s.Spec.InsecureSkipTLSVerify {
				p.Fail(Evidence{Path: "spec.insecureSkipTLSVerify", Value: "true"})
			}
		},
	}, {
		ID: "A16", Title: "policy that rewrites pods or rights", Severity: boltseal.SeverityNone, Source: "KEP-3962",
		Judges: resources(admissionv1.GroupName, "mutatingadmissionpolicies"),
		Doc:    "It changes what others write: a subject added to a binding, a container to a pod. Know who may edit it and its parameters.",
		Fix:    "Nothing, if it is meant.",
		Judge:  judgeMutatingPolicy,
	}}
}

// webhook is what mutating and validating webhooks have in common.
type webhook struct {
	name        string
	path        string
	client      *admissionv1.WebhookClientConfig
	rules       []admissionv1.RuleWithOperations
	failure     *admissionv1.FailurePolicyType
	timeout     *int32
	sideEffects *admissionv1.SideEffectClass
	namespaces  *metav1.LabelSelector
	objects     *metav1.LabelSelector
	conditions  int
}

func webhooks(o any) iter.Seq[webhook] {
	return func(yield func(webhook) bool) {
		switch c := o.(type) {
		case *admissionv1.ValidatingWebhookConfiguration:
			for i := range c.Webhooks {
				w := &c.Webhooks[i]
				if !yield(webhook{w.Name, element("webhooks", i, ""), &w.ClientConfig, w.Rules, w.FailurePolicy, w.TimeoutSeconds, w.SideEffects, w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions)}) {
					return
				}
			}
		case *admissionv1.MutatingWebhookConfiguration:
			for i := range c.Webhooks {
				w := &c.Webhooks[i]
				if !yield(webhook{w.Name, element("webhooks", i, ""), &w.ClientConfig, w.Rules, w.FailurePolicy, w.TimeoutSeconds, w.SideEffects, w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions)}) {
					return
				}
			}
		}
	}
}

func eachWebhook(f func(*Pass, webhook)) func(*Pass) {
	return func(p *Pass) {
		none := true
		for h := range webhooks(p.Object) {
			none = false
			f(p, h)
		}
		if none {
			p.NotApplicable("no webhooks in the configuration")
		}
	}
}

func onNamespace(f func(*Pass, *corev1.Namespace)) func(*Pass) {
	return func(p *Pass) {
		if ns, ok := p.Object.(*corev1.Namespace); ok {
			f(p, ns)
		}
	}
}

// fails reports whether a request is refused when the call fails; that is the
// default.
func (h webhook) fails() bool { return h.failure == nil || *h.failure == admissionv1.Fail }

// matches reports whether the webhook's rules name a resource, as "pods" or
// "pods/ephemeralcontainers", for an operation.
func (h webhook) matches(group, resource string, op admissionv1.OperationType) bool {
	return rulesMatch(h.rules, group, resource, op)
}

func rulesMatch(rules []admissionv1.RuleWithOperations, group, resource string, op admissionv1.OperationType) bool {
	name, sub, _ := strings.Cut(resource, "/")
	return slices.ContainsFunc(rules, func(r admissionv1.RuleWithOperations) bool {
		if !slices.Contains(r.APIGroups, group) && !slices.Contains(r.APIGroups, "*") {
			return false
		}
		if !slices.Contains(r.Operations, op) && !slices.Contains(r.Operations, admissionv1.OperationAll) {
			return false
		}
		return slices.ContainsFunc(r.Resources, func(s string) bool {
			n, subpattern, slash := strings.Cut(s, "/")
			switch {
			case n != "*" && n != name:
				return false
			case !slash:
				return sub == ""
			}
			return subpattern == "*" || subpattern == sub
		})
	})
}

// selects reports whether the webhook looks at objects of a namespace. A
// selector that does not parse matches nothing, as in the API server.
func (h webhook) selects(s *Snapshot, namespace string) bool {
	if h.namespaces == nil {
		return true
	}
	sel, err := metav1.LabelSelectorAsSelector(h.namespaces)
	if err != nil {
		return false
	}
	set, _ := s.NamespaceLabels(namespace)
	return sel.Matches(labels.Set(set))
}

func judgeFailurePolicy(p *Pass, h webhook) {
	if !h.fails() {
		p.Fail(Evidence{Path: h.path + ".failurePolicy", Value: string(*h.failure), Detail: h.name})
	}
}

// injectsCA reports whether somebody is asked to fill in the caBundle.
func injectsCA(o any) bool {
	m, ok := o.(metav1.Object)
	if !ok {
		return false
	}
	for key := range m.GetAnnotations() {
		if strings.HasPrefix(key, "cert-manager.io/inject-ca-from") || key == "service.beta.openshift.io/inject-cabundle" || key == "cert-manager.io/inject-apiserver-ca" {
			return true
		}
	}
	return false
}

func judgeLockout(p *Pass, h webhook) {
	if !h.fails() || h.client.Service == nil {
		return
	}
	if !h.matches("", "pods", admissionv1.Create) {
		return
	}
	for _, ns := range slices.Compact([]string{metav1.NamespaceSystem, h.client.Service.Namespace}) {
		if !h.selects(p.Snapshot, ns) {
			continue
		}
		switch {
		case h.conditions > 0 || h.objects != nil && (len(h.objects.MatchLabels) > 0 || len(h.objects.MatchExpressions) > 0):
			p.Unknown("%s: objectSelector or matchConditions decide whether it sees its own pods", h.name)
		default:
			p.Fail(Evidence{Path: h.path + ".namespaceSelector", Value: "selects " + ns, Default: h.namespaces == nil, Detail: h.name})
		}
	}
}

func judgeBreadth(p *Pass, h webhook) {
	for i, r := range h.rules {
		at := element(h.path+".rules", i, "")
		everyGroup, everyResource := slices.Contains(r.APIGroups, "*"), slices.Contains(r.Resources, "*") || slices.Contains(r.Resources, "*/*")
		one := []admissionv1.RuleWithOperations{r}
		switch {
		case h.conditions > 0:
		case everyGroup && everyResource:
			p.Fail(Evidence{Path: at, Value: "*/*", Detail: h.name})
		case rulesMatch(one, "coordination.k8s.io", "leases", admissionv1.Update):
			p.Fail(Evidence{Path: at, Value: "leases", Detail: h.name})
		}
	}
}

func judgeBackend(p *Pass, h webhook) {
	s := h.client.Service
	if s == nil {
		p.NotApplicable("called by URL, outside the cluster")
		return
	}
	if p.Snapshot.Services.Get(s.Namespace, s.Name) == nil {
		if !p.missingIn(s.Namespace, resources("", "services")...) {
			p.Fail(Evidence{Path: h.path + ".clientConfig.service", Value: s.Namespace + "/" + s.Name, Detail: "no such Service"})
		}
		return
	}
	if !p.Snapshot.Live() {
		p.Unknown("%s: manifests do not tell whether %s/%s has endpoints", h.name, s.Namespace, s.Name)
		return
	}
	for _, e := range p.Snapshot.EndpointSlices.In(s.Namespace) {
		if e.Object.Labels["kubernetes.io/service-name"] != s.Name {
			continue
		}
		for _, ep := range e.Object.Endpoints {
			if ep.Conditions.Ready == nil || *ep.Conditions.Ready {
				return
			}
		}
	}
	if !p.missingIn(s.Namespace, resources("discovery.k8s.io", "endpointslices")...) {
		p.Fail(Evidence{Path: h.path + ".clientConfig.service", Value: s.Namespace + "/" + s.Name, Detail: "no endpoint is ready"})
	}
}

// judgeOptOut looks for selectors that leave out what carries a label of the
// tenant's choice. The API server itself keeps kubernetes.io/metadata.name.
func judgeOptOut(p *Pass, h webhook) {
	for _, sel := range []struct {
		field    string
		selector *metav1.LabelSelector
	}{{"objectSelector", h.objects}, {"namespaceSelector", h.namespaces}} {
		if sel.selector == nil {
			continue
		}
		for i, e := range sel.selector.MatchExpressions {
			if e.Key == corev1.LabelMetadataName || e.Operator != metav1.LabelSelectorOpNotIn && e.Operator != metav1.LabelSelectorOpDoesNotExist {
				continue
			}
			at := element(h.path+"."+sel.field+".matchExpressions", i, "")
			if sel.field == "objectSelector" {
				p.Fail(Evidence{Path: at, Value: e.Key, Detail: h.name + ": whoever writes the object writes the label"})
				continue
			}
			who, known := p.run.writesNamespaces()
			switch {
			case who != "":
				p.Fail(Evidence{Path: at, Value: e.Key, Detail: h.name + ": " + who + " may label namespaces"})
			case !known:
				p.Unknown("%s: %s leaves out namespaces by label, and who may label them was not seen: %s", h.name, at, p.Snapshot.Missing("", rbacResources()...))
			}
		}
	}
}

// judgeCoverage holds a webhook that looks at pods to looking at every way in
// which their containers change.
func judgeCoverage(p *Pass, h webhook) {
	if _, ok := p.Object.(*admissionv1.ValidatingWebhookConfiguration); !ok {
		p.NotApplicable("a mutating webhook sets what is missing at creation")
		return
	}
	if !h.matches("", "pods", admissionv1.Create) {
		return
	}
	if !h.matches("", "pods", admissionv1.Update) {
		p.Fail(Evidence{Path: h.path + ".rules", Value: "CREATE without UPDATE", Detail: h.name})
	}
	if !h.matches("", "pods/ephemeralcontainers", admissionv1.Update) {
		p.Fail(Evidence{Path: h.path + ".rules", Value: "pods without pods/ephemeralcontainers", Detail: h.name})
	}
}

func judgePolicyBinding(p *Pass) {
	policy, ok := p.Object.(*admissionv1.ValidatingAdmissionPolicy)
	if !ok {
		return
	}
	bound, denies := false, false
	for _, it := range p.Snapshot.ValidatingPolicyBindings {
		b := it.Object
		if b.Spec.PolicyName != policy.Name {
			continue
		}
		bound = true
		denies = denies || slices.Contains(b.Spec.ValidationActions, admissionv1.Deny)
		switch {
		case policy.Spec.ParamKind != nil && b.Spec.ParamRef == nil:
			p.Fail(Evidence{Path: "spec.paramKind", Value: policy.Spec.ParamKind.Kind, Detail: "binding " + b.Name + " names no parameters"})
		case policy.Spec.ParamKind == nil && b.Spec.ParamRef != nil:
			p.Fail(Evidence{Path: "spec.paramKind", Default: true, Detail: "binding " + b.Name + " names parameters that the policy does not take"})
		}
	}
	switch {
	case !bound:
		if !p.missingIn("", resources(admissionv1.GroupName, "validatingadmissionpolicybindings")...) {
			p.Fail(Evidence{Path: "metadata.name", Value: policy.Name, Detail: "no binding names it"})
		}
	case !denies:
		p.Fail(Evidence{Path: "metadata.name", Value: policy.Name, Detail: "no binding has the action Deny"})
	}
}

func judgeMutatingPolicy(p *Pass) {
	m, ok := p.Object.(*admissionv1.MutatingAdmissionPolicy)
	if !ok || m.Spec.MatchConstraints == nil {
		return
	}
	for i, r := range m.Spec.MatchConstraints.ResourceRules {
		one := []admissionv1.RuleWithOperations{r.RuleWithOperations}
		for _, t := range []struct{ group, resource string }{{"", "pods"}, {rbacGroup, "rolebindings"}, {rbacGroup, "clusterrolebindings"}, {rbacGroup, "roles"}, {rbacGroup, "clusterroles"}} {
			if rulesMatch(one, t.group, t.resource, admissionv1.Create) || rulesMatch(one, t.group, t.resource, admissionv1.Update) {
				p.Fail(Evidence{Path: element("spec.matchConstraints.resourceRules", i, ""), Value: t.resource})
			}
		}
	}
}
