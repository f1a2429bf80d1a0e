package orchestrator

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// configUse calls visit for every Secret or ConfigMap that a pod reads, with
// the one key that it reads; an empty key is all of them.
func configUse(spec *corev1.PodSpec, visit func(secret bool, name, key string)) {
	items := func(secret bool, name string, list []corev1.KeyToPath) {
		if len(list) == 0 {
			visit(secret, name, "")
		}
		for _, it := range list {
			visit(secret, name, it.Key)
		}
	}
	for i := range spec.Volumes {
		v := &spec.Volumes[i]
		if v.Secret != nil {
			items(true, v.Secret.SecretName, v.Secret.Items)
		}
		if v.ConfigMap != nil {
			items(false, v.ConfigMap.Name, v.ConfigMap.Items)
		}
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				items(true, s.Secret.Name, s.Secret.Items)
			}
			if s.ConfigMap != nil {
				items(false, s.ConfigMap.Name, s.ConfigMap.Items)
			}
		}
	}
	for _, c := range Containers(spec) {
		for _, e := range c.EnvFrom {
			if e.SecretRef != nil {
				visit(true, e.SecretRef.Name, "")
			}
			if e.ConfigMapRef != nil {
				visit(false, e.ConfigMapRef.Name, "")
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				visit(true, e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Key)
			}
			if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
				visit(false, e.ValueFrom.ConfigMapKeyRef.Name, e.ValueFrom.ConfigMapKeyRef.Key)
			}
		}
	}
}

// configRefs returns the names of the Secrets and ConfigMaps that a pod reads.
func configRefs(spec *corev1.PodSpec) (secrets, configMaps []string) {
	sets := map[bool]map[string]bool{true: {}, false: {}}
	configUse(spec, func(secret bool, name, _ string) { sets[secret][name] = true })
	return slices.Sorted(maps.Keys(sets[true])), slices.Sorted(maps.Keys(sets[false]))
}

// secretsRead returns the secrets that a pod reads: whole, or with the key of a
// service account's token, and those of which it reads other keys alone.
func secretsRead(spec *corev1.PodSpec) (whole, some []string) {
	set := map[string]bool{}
	configUse(spec, func(secret bool, name, key string) {
		if secret {
			set[name] = set[name] || key == "" || key == corev1.ServiceAccountTokenKey
		}
	})
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			whole = append(whole, name)
		} else {
			some = append(some, name)
		}
	}
	return whole, some
}
