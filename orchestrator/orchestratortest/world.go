package orchestratortest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/boltseal/boltseal/orchestrator"
)

// Size is how much of each there is, beside what the planted chains need. Zero
// is none.
type Size struct {
	Namespaces      int // default: one for each 20 service accounts, at least 4
	ServiceAccounts int
	Roles           int // Roles and ClusterRoles, half each
	Bindings        int // RoleBindings and ClusterRoleBindings, nine to one
	Workloads       int // Deployments, DaemonSets, StatefulSets, CronJobs
	Services        int
	ConfigMaps      int
	NetworkPolicies int
	Chains          int // default 12; negative: neither chains nor near misses
}

// Objects returns a size of about n objects, mixed as in a common cluster.
func Objects(n int) Size {
	return Size{Namespaces: max(4, n/200), ServiceAccounts: n / 10, Roles: n / 20, Bindings: n / 10, Workloads: n / 4, Services: n / 6, ConfigMaps: n / 5, NetworkPolicies: n / 10}
}

// Chain is a way that was planted: Start becomes cluster administrator.
type Chain struct {
	Start orchestrator.Subject
	// Steps are the service accounts that Start takes on, itself left out. The
	// last becomes cluster administrator by a right of its own.
	Steps []orchestrator.Subject
	// Means names, for each step, the right that leads to it, and then the one
	// that makes an administrator of the last.
	Means []string
}

// World is a cluster made up, with its truth. Nobody else than Chains' starts
// and steps, and the controllers of Kubernetes itself, becomes cluster
// administrator.
type World struct {
	Objects []runtime.Object
	Chains  []Chain
	// Misses are subjects that hold a part of what a chain needs, and stay what
	// they are.
	Misses []orchestrator.Subject

	rnd        *rand.Rand
	namespaces []string
	accounts   []orchestrator.Subject
}

// New makes a world; the same seed and size give the same.
func New(seed uint64, size Size) *World {
	w := &World{rnd: rand.New(rand.NewPCG(seed, 0x6b38))}
	if size.Namespaces == 0 {
		size.Namespaces = max(4, size.ServiceAccounts/20)
	}
	for i := range size.Namespaces {
		w.namespace(fmt.Sprintf("team-%d", i), "baseline")
	}
	for i := range size.ServiceAccounts {
		w.account(w.namespaces[i%len(w.namespaces)], fmt.Sprintf("app-%d", i))
	}
	w.noise(size)
	if size.Chains >= 0 {
		w.plant(size.Chains)
	}
	return w
}

// Snapshot takes the world as complete manifests.
func (w *World) Snapshot() (*orchestrator.Snapshot, error) {
	return orchestrator.FromObjects(func(yield func(runtime.Object) bool) {
		for _, o := range w.Objects {
			if !yield(o.DeepCopyObject()) {
				return
			}
		}
	}, &orchestrator.LoadOptions{Complete: true})
}

func (w *World) add(o runtime.Object) { w.Objects = append(w.Objects, o) }

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "made-up"}}
}

func (w *World) namespace(name, level string) {
	m := meta("", name)
	m.Labels["kubernetes.io/metadata.name"] = name
	m.Labels["pod-security.kubernetes.io/enforce"] = level
	w.namespaces = append(w.namespaces, name)
	w.add(&corev1.Namespace{TypeMeta: typeMeta("v1", "Namespace"), ObjectMeta: m})
}

func (w *World) account(namespace, name string) orchestrator.Subject {
	s := orchestrator.ServiceAccount(namespace, name)
	w.accounts = append(w.accounts, s)
	w.add(&corev1.ServiceAccount{TypeMeta: typeMeta("v1", "ServiceAccount"), ObjectMeta: meta(namespace, name)})
	return s
}

// role adds a Role, or a ClusterRole where the namespace is empty.
func (w *World) role(namespace, name string, rules ...rbacv1.PolicyRule) rbacv1.RoleRef {
	if namespace == "" {
		w.add(&rbacv1.ClusterRole{TypeMeta: typeMeta("rbac.authorization.k8s.io/v1", "ClusterRole"), ObjectMeta: meta("", name), Rules: rules})
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}
	}
	w.add(&rbacv1.Role{TypeMeta: typeMeta("rbac.authorization.k8s.io/v1", "Role"), ObjectMeta: meta(namespace, name), Rules: rules})
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}
}

// bind adds a RoleBinding, or a ClusterRoleBinding where the namespace is empty.
func (w *World) bind(namespace, name string, ref rbacv1.RoleRef, who ...orchestrator.Subject) {
	var subjects []rbacv1.Subject
	for _, s := range who {
		r := rbacv1.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}
		if s.Kind != rbacv1.ServiceAccountKind {
			r.APIGroup = rbacv1.GroupName
		}
		subjects = append(subjects, r)
	}
	if namespace == "" {
		w.add(&rbacv1.ClusterRoleBinding{TypeMeta: typeMeta("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), ObjectMeta: meta("", name), RoleRef: ref, Subjects: subjects})
		return
	}
	w.add(&rbacv1.RoleBinding{TypeMeta: typeMeta("rbac.authorization.k8s.io/v1", "RoleBinding"), ObjectMeta: meta(namespace, name), RoleRef: ref, Subjects: subjects})
}

func (w *World) pick(list []string) string { return list[w.rnd.IntN(len(list))] }

func (w *World) some(list []string, most int) []string {
	var out []string
	for range 1 + w.rnd.IntN(most) {
		if s := w.pick(list); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// harmless is a rule that leads nowhere: it reads what holds no credentials.
func (w *World) harmless() rbacv1.PolicyRule {
	verbs := [][]string{{"get"}, {"get", "list"}, {"get", "list", "watch"}, {"list"}}
	r := rbacv1.PolicyRule{Verbs: verbs[w.rnd.IntN(len(verbs))]}
	switch w.rnd.IntN(4) {
	case 0:
		r.APIGroups, r.Resources = []string{"apps"}, w.some([]string{"deployments", "statefulsets", "replicasets", "daemonsets", "deployments/status"}, 3)
	case 1:
		r.APIGroups, r.Resources = []string{"example.com"}, w.some([]string{"widgets", "gadgets", "widgets/status"}, 3)
	default:
		r.APIGroups, r.Resources = []string{""}, w.some([]string{"pods", "services", "configmaps", "events", "endpoints", "namespaces", "resourcequotas"}, 4)
		if w.rnd.IntN(6) == 0 {
			r.ResourceNames = []string{fmt.Sprintf("config-%d", w.rnd.IntN(100))}
		}
	}
	return r
}

// noise adds what has nothing to do with the chains.
func (w *World) noise(size Size) {
	cluster := []rbacv1.RoleRef{}
	local := map[string][]rbacv1.RoleRef{}
	for i := range size.Roles {
		var rules []rbacv1.PolicyRule
		for range 1 + w.rnd.IntN(6) {
			rules = append(rules, w.harmless())
		}
		if i%2 == 0 {
			cluster = append(cluster, w.role("", fmt.Sprintf("reader-%d", i), rules...))
			continue
		}
		ns := w.pick(w.namespaces)
		local[ns] = append(local[ns], w.role(ns, fmt.Sprintf("reader-%d", i), rules...))
	}
	for i := range size.Bindings {
		if len(cluster) == 0 || len(w.accounts) == 0 {
			break
		}
		who := []orchestrator.Subject{w.accounts[w.rnd.IntN(len(w.accounts))]}
		if w.rnd.IntN(5) == 0 {
			who = append(who, orchestrator.Group(fmt.Sprintf("devs-%d", w.rnd.IntN(40))), orchestrator.User(fmt.Sprintf("person-%d", w.rnd.IntN(200))))
		}
		ref, ns := cluster[w.rnd.IntN(len(cluster))], who[0].Namespace
		switch {
		case i%10 == 0:
			ns = ""
		case len(local[ns]) > 0 && w.rnd.IntN(2) == 0:
			ref = local[ns][w.rnd.IntN(len(local[ns]))]
		}
		w.bind(ns, fmt.Sprintf("reads-%d", i), ref, who...)
	}
	for i := range size.Workloads {
		w.workload(i)
	}
	for i := range size.Services {
		ns := w.pick(w.namespaces)
		w.add(&corev1.Service{TypeMeta: typeMeta("v1", "Service"), ObjectMeta: meta(ns, fmt.Sprintf("service-%d", i)), Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": fmt.Sprintf("work-%d", i)}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}},
		}})
	}
	for i := range size.ConfigMaps {
		w.add(&corev1.ConfigMap{TypeMeta: typeMeta("v1", "ConfigMap"), ObjectMeta: meta(w.pick(w.namespaces), fmt.Sprintf("config-%d", i)), Data: map[string]string{
			"app.properties": fmt.Sprintf("level=info\nworkers=%d\n# what follows is as long as such files are\nretry.delay=250ms\nendpoint=http://service-%d\n", i%16, i),
		}})
	}
	for i := range size.NetworkPolicies {
		p := &networkingv1.NetworkPolicy{TypeMeta: typeMeta("networking.k8s.io/v1", "NetworkPolicy"), ObjectMeta: meta(w.pick(w.namespaces), fmt.Sprintf("policy-%d", i))}
		p.Spec.PodSelector.MatchLabels = map[string]string{"app": fmt.Sprintf("work-%d", i)}
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.pick(w.namespaces)}}}}}}
		w.add(p)
	}
}

// workload adds a controller that runs as one of the accounts.
func (w *World) workload(i int) {
	ns, account := w.pick(w.namespaces), "default"
	if len(w.accounts) > 0 {
		s := w.accounts[w.rnd.IntN(len(w.accounts))]
		ns, account = s.Namespace, s.Name
	}
	name := fmt.Sprintf("work-%d", i)
	yes, no := true, false
	labels := map[string]string{"app": name, "tier": w.pick([]string{"web", "api", "data"})}
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
		ServiceAccountName: account,
		Containers: []corev1.Container{{
			Name: "main", Image: fmt.Sprintf("registry.example.com/%s:1.%d", name, i%30),
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
			Env:   []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}, {Name: "CONFIG", Value: fmt.Sprintf("/etc/config-%d", i)}},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, ReadOnlyRootFilesystem: &yes,
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
		}},
	}}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	switch i % 5 {
	case 0:
		w.add(&appsv1.DaemonSet{TypeMeta: typeMeta("apps/v1", "DaemonSet"), ObjectMeta: meta(ns, name), Spec: appsv1.DaemonSetSpec{Selector: selector, Template: t}})
	case 1:
		w.add(&appsv1.StatefulSet{TypeMeta: typeMeta("apps/v1", "StatefulSet"), ObjectMeta: meta(ns, name), Spec: appsv1.StatefulSetSpec{Selector: selector, Template: t}})
	default:
		w.add(&appsv1.Deployment{TypeMeta: typeMeta("apps/v1", "Deployment"), ObjectMeta: meta(ns, name), Spec: appsv1.DeploymentSpec{Selector: selector, Template: t}})
	}
}
