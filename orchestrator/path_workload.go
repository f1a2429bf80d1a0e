package orchestrator

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// workloadPlace is a workload and where it runs.
type workloadPlace struct {
	Workload
	fact  int32
	nodes []string // by its pods; none if the snapshot has no pods of it
	pods  []string
	// secrets are those that its pods read, in the order of their names.
	secrets []secretPlace
}

// secretPlace is a secret and the fact of having as much of it as a pod reads.
type secretPlace struct {
	name string
	fact int32
}

// readWorkloads lists what runs, and on which nodes.
func (g *Graph) readWorkloads() {
	index := map[Position]*workloadPlace{}
	g.used = map[Subject]bool{}
	g.placesIn = map[string][]*workloadPlace{}
	for w := range g.snap.Workloads() {
		p := w.Position()
		if _, ok := index[p]; ok {
			continue
		}
		place := &workloadPlace{Workload: w, fact: g.at(p)}
		index[p] = place
		g.places = append(g.places, place)
		g.placesIn[w.Namespace] = append(g.placesIn[w.Namespace], place)
		g.starts = append(g.starts, place.fact)
		g.used[w.ServiceAccount()] = true
	}
	for _, it := range g.snap.Pods {
		own := Workload{Meta: it.Meta, Kind: "Pod"}
		for _, p := range []Position{own.Position(), g.ownerOf(it.Namespace, it.Object)} {
			w := index[p]
			if w == nil {
				continue
			}
			w.pods = append(w.pods, it.Name)
			if n := it.Object.Spec.NodeName; n != "" && !slices.Contains(w.nodes, n) {
				w.nodes = append(w.nodes, n)
			}
		}
	}
}

// ownerOf returns the position of a pod's outermost controller.
func (g *Graph) ownerOf(namespace string, pod metav1.Object) Position {
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		return ""
	}
	kind, name := ref.Kind, ref.Name
	var above *metav1.OwnerReference
	switch kind {
	case "ReplicaSet":
		if it := g.snap.ReplicaSets.Get(namespace, name); it != nil {
			above = metav1.GetControllerOfNoCopy(it.Object)
		}
	case "Job":
		if it := g.snap.Jobs.Get(namespace, name); it != nil {
			above = metav1.GetControllerOfNoCopy(it.Object)
		}
	}
	if above != nil {
		kind, name = above.Kind, above.Name
	}
	w := Workload{Meta: Meta{Namespace: namespace, Name: name}, Kind: kind}
	return w.Position()
}

// mirror reports whether the pod is a static pod's image in the API: it has no
// service account, and its files come from the node.
func (w *workloadPlace) mirror() bool {
	return w.Annotations[corev1.MirrorPodAnnotationKey] != ""
}

// controlPlane reports whether the workload is a component that holds the keys
// of the control plane.
func (w *workloadPlace) controlPlane() bool {
	if w.Namespace != "kube-system" {
		return false
	}
	switch w.Labels["component"] {
	case "kube-apiserver", "kube-controller-manager", "etcd":
		return w.Labels["tier"] == "control-plane"
	}
	return false
}

// mountsToken reports whether a token for the API server is in the containers,
// and by which field.
func (g *Graph) mountsToken(w *workloadPlace) (ok bool, conds []Condition, why string) {
	if w.mirror() {
		return false, nil, ""
	}
	for i := range w.Spec.Volumes {
		v := &w.Spec.Volumes[i]
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.ServiceAccountToken != nil && (s.ServiceAccountToken.Audience == "" || strings.HasPrefix(s.ServiceAccountToken.Audience, "https://kubernetes.default")) {
				return true, nil, "volume " + v.Name + " projects a token of the service account"
			}
		}
	}
	account := w.ServiceAccount()
	sa := g.snap.ServiceAccounts.Get(account.Namespace, account.Name)
	switch {
	case w.Spec.AutomountServiceAccountToken != nil:
		return *w.Spec.AutomountServiceAccountToken, nil, "automountServiceAccountToken: true"
	case sa != nil && sa.Object.AutomountServiceAccountToken != nil:
		return *sa.Object.AutomountServiceAccountToken, nil, "automountServiceAccountToken: true on the service account"
	case sa == nil && !g.snap.Coverage(Resource("", "serviceaccounts"), w.Namespace).Known():
		ok, conds = g.settle("automount:"+account.Namespace+"/"+account.Name, "service account %s/%s, which was not seen, does not say automountServiceAccountToken: false", account.Namespace, account.Name)
		return ok, conds, "automountServiceAccountToken is true where nothing is said"
	}
	return true, nil, "automountServiceAccountToken is true where nothing is said"
}

// escapes says by which settings whoever runs code in a pod has its node: E72.
func escapes(spec *corev1.PodSpec) (why []string) {
	own := ownUsers(spec)
	for field, c := range Containers(spec) {
		sc := c.SecurityContext
		if sc == nil {
			sc = &corev1.SecurityContext{}
		}
		if sc.Privileged != nil && *sc.Privileged && !own {
			why = append(why, field+".securityContext.privileged: true")
		}
		if sc.Capabilities != nil && !own {
			for _, name := range sc.Capabilities.Add {
				switch strings.TrimPrefix(strings.ToUpper(string(name)), "CAP_") {
				case "ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF":
					why = append(why, fmt.Sprintf("%s.securityContext.capabilities.add: %s", field, name))
				case "SYS_PTRACE":
					if spec.HostPID {
						why = append(why, field+".securityContext.capabilities.add: SYS_PTRACE with hostPID: true")
					}
				}
			}
		}
		for i, m := range c.VolumeMounts {
			for v := range spec.Volumes {
				if spec.Volumes[v].Name != m.Name || spec.Volumes[v].HostPath == nil {
					continue
				}
				dir := path.Join("/", spec.Volumes[v].HostPath.Path, m.SubPath)
				for _, how := range []string{sensitiveWrite(dir, !m.ReadOnly), runtimeSocket(dir, !m.ReadOnly)} {
					if how != "" {
						why = append(why, fmt.Sprintf("%s.volumeMounts[%d]: hostPath %s, %s", field, i, dir, how))
						break
					}
				}
			}
		}
	}
	return why
}
