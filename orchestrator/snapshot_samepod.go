package orchestrator

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// samePod reports whether a pod is as its template says, in everything that
// says what runs with which rights. What the API server itself adds to a pod
// (the token's volume, the host port of a host network) is no difference.
func samePod(template, pod *corev1.PodSpec) bool {
	a, b := essence(template), essence(pod)
	return equality.Semantic.DeepEqual(&a, &b)
}

func essence(s *corev1.PodSpec) corev1.PodSpec {
	account := s.ServiceAccountName
	if account == "" {
		account = "default"
	}
	sc := s.SecurityContext
	if sc == nil {
		sc = &corev1.PodSecurityContext{}
	}
	return corev1.PodSpec{
		InitContainers:               essentials(s.InitContainers, s.HostNetwork),
		Containers:                   essentials(s.Containers, s.HostNetwork),
		EphemeralContainers:          s.EphemeralContainers,
		Volumes:                      slices.DeleteFunc(slices.Clone(s.Volumes), func(v corev1.Volume) bool { return tokenVolume(v.Name) }),
		ServiceAccountName:           account,
		AutomountServiceAccountToken: s.AutomountServiceAccountToken,
		HostNetwork:                  s.HostNetwork,
		HostPID:                      s.HostPID,
		HostIPC:                      s.HostIPC,
		HostUsers:                    s.HostUsers,
		ShareProcessNamespace:        s.ShareProcessNamespace,
		SecurityContext:              sc,
		RuntimeClassName:             s.RuntimeClassName,
		ResourceClaims:               s.ResourceClaims,
	}
}

func essentials(list []corev1.Container, hostNetwork bool) []corev1.Container {
	list = slices.Clone(list)
	for i := range list {
		c := &list[i]
		c.VolumeMounts = slices.DeleteFunc(slices.Clone(c.VolumeMounts), func(m corev1.VolumeMount) bool { return tokenVolume(m.Name) })
		if hostNetwork {
			c.Ports = slices.Clone(c.Ports)
			for j := range c.Ports {
				c.Ports[j].HostPort = c.Ports[j].ContainerPort
			}
		}
	}
	return list
}

// tokenVolume reports whether a volume's name is one that the API server makes
// up for the token it mounts.
func tokenVolume(name string) bool { return strings.HasPrefix(name, "kube-api-access-") }
