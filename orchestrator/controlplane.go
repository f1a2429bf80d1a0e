package orchestrator

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// component is a part of the control plane as its static pod starts it, or a
// kubelet as its configuration describes it.
type component struct {
	name   string
	at     string              // path of the command in the object
	flags  map[string][]string // in order of appearance; --flag alone is "true"
	config map[string]any      // of a kubelet
}

// componentNames are the programs that are looked for in pods.
func componentNames() []string {
	return []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"}
}

// components lists the control plane's parts: pods of kube-system that run one
// of its programs, as kubeadm's static pods do, and kubelet configurations,
// which are documents of their own or kubeadm's ConfigMap.
func components(s *Snapshot, workloads []*Workload) map[string][]subject {
	out := map[string][]subject{}
	for _, w := range workloads {
		if w.Namespace != "kube-system" && !strings.HasPrefix(w.Name, "kube-") && !strings.HasPrefix(w.Name, "etcd") {
			continue
		}
		base := workloadSubject(w)
		for c := range containers(w.Spec, base.path) {
			if k := componentOf(c); k != nil {
				sub := base
				sub.object = k
				out[k.name] = append(out[k.name], sub)
			}
		}
	}
	for _, o := range s.Others {
		if o.Group == "kubelet.config.k8s.io" && o.Kind == "KubeletConfiguration" {
			out["kubelet"] = append(out["kubelet"], subject{
				ref: refOf(o.Group, o.Kind, &o.Meta), meta: &o.Meta, object: &component{name: "kubelet", config: o.Content},
			})
		}
	}
	for _, it := range s.ConfigMaps {
		if it.Namespace != "kube-system" || it.Name != "kubelet-config" && !strings.HasPrefix(it.Name, "kubelet-config-1.") {
			continue
		}
		k := &component{name: "kubelet", at: "data[kubelet]."}
		if yaml.Unmarshal([]byte(it.Object.Data["kubelet"]), &k.config) != nil {
			k.config = nil
		}
		out["kubelet"] = append(out["kubelet"], subject{ref: refOf("", "ConfigMap", &it.Meta), meta: &it.Meta, object: k})
	}
	return out
}

// componentOf reads the command line of a container, or returns nil if it runs
// none of the control plane's programs. A shell that starts the program is
// looked into.
func componentOf(c Container) *component {
	words := slices.Concat(c.Command, c.Args)
	if len(words) >= 3 && slices.Contains([]string{"sh", "bash", "dash", "ash"}, path.Base(words[0])) && strings.HasPrefix(words[1], "-") {
		words = strings.Fields(strings.Join(words[2:], " "))
	}
	for i, w := range words {
		name := path.Base(w)
		if strings.HasPrefix(w, "-") {
			break
		}
		if slices.Contains(componentNames(), name) {
			return &component{name: name, at: c.Path("command"), flags: parseFlags(words[i+1:], c.Env)}
		}
	}
	return nil
}

// parseFlags reads --flag=value, --flag value and --flag. etcd takes flags from
// its environment as well, where the command line does not set them.
func parseFlags(words []string, env []corev1.EnvVar) map[string][]string {
	flags := map[string][]string{}
	for i := 0; i < len(words); i++ {
		name, ok := strings.CutPrefix(words[i], "--")
		if !ok {
			if name, ok = strings.CutPrefix(words[i], "-"); !ok {
				continue
			}
		}
		value := "true"
		if n, v, ok := strings.Cut(name, "="); ok {
			name, value = n, v
		} else if i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			i++
			value = words[i]
		}
		flags[name] = append(flags[name], strings.Trim(value, `"'`))
	}
	for _, e := range env {
		if name, ok := strings.CutPrefix(e.Name, "ETCD_"); ok {
			name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
			if _, set := flags[name]; !set {
				flags[name] = []string{e.Value}
			}
		}
	}
	return flags
}

// flag returns the last value of a flag; ok is false if it is not given.
func (k *component) flag(name string) (value string, ok bool) {
	v := k.flags[name]
	if len(v) == 0 {
		return "", false
	}
	return v[len(v)-1], true
}

// list returns the words of a comma-separated flag. Repeating it adds to it.
func (k *component) list(name string) (words []string) {
	for _, v := range k.flags[name] {
		for w := range strings.SplitSeq(v, ",") {
			if w = strings.TrimSpace(w); w != "" {
				words = append(words, w)
			}
		}
	}
	return words
}

// setting is one value that a component should have.
type setting struct {
	flag   string
	unset  string            // the default, as the component has it
	good   func(string) bool // of the value that holds
	number string            // of the recommendation in the CIS Kubernetes Benchmark 1.12
	detail string
	// file is a flag that names a file which may set the same; if it is given and
	// the flag is not, the value is unknown.
	file string
}

// hold judges a setting.
func (p *Pass) hold(k *component, s setting) {
	value, set := k.flag(s.flag)
	if !set {
		if file, given := k.flag(s.file); s.file != "" && given {
			p.Unknown("--%s may be set in %s (--%s), which was not seen", s.flag, file, s.file)
			return
		}
		value = s.unset
	}
	if !s.good(value) {
		detail := "CIS " + s.number
		if s.detail != "" {
			detail += ": " + s.detail
		}
		p.Fail(Evidence{Path: k.at + " --" + s.flag, Value: value, Default: !set, Detail: detail})
	}
}

func is(want string) func(string) bool { return func(v string) bool { return v == want } }

func isNot(bad string) func(string) bool { return func(v string) bool { return v != bad } }

func isSet(v string) bool { return v != "" }

// kubeletField returns a field of the kubelet's configuration; ok is false if
// it is not there.
func (k *component) kubeletField(names ...string) (any, bool) {
	v := field(k.config, names...)
	return v, v != nil
}
