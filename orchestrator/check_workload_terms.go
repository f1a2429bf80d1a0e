package orchestrator

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// flat makes the list of lists that [Check.CEL] wants of one list.
func flat(cel string) string { return "[" + cel + "]" }

// linux makes a rule hold only where the pod does not say that it runs on
// Windows; linuxEach does so for a rule that lists lists already.
func linux(cel string) string { return linuxEach(flat(cel)) }

func linuxEach(cel string) string {
	return `$spec.?os.?name.orValue('linux') == 'windows' ? [] : ` + cel
}

// celList writes a list of strings.
func celList(items ...string) string { return "['" + strings.Join(items, "', '") + "']" }

// safeSysctls are those that stay within a pod, as the Pod Security Standards
// list them since 1.32.
func safeSysctls() []string {
	return []string{
		"kernel.shm_rmid_forced",
		"net.ipv4.ip_local_port_range",
		"net.ipv4.tcp_syncookies",
		"net.ipv4.ping_group_range",
		"net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.ip_local_reserved_ports",
		"net.ipv4.tcp_keepalive_time",
		"net.ipv4.tcp_fin_timeout",
		"net.ipv4.tcp_keepalive_intvl",
		"net.ipv4.tcp_keepalive_probes",
		"net.ipv4.tcp_rmem",
		"net.ipv4.tcp_wmem",
	}
}

func safeSysctl(name string) bool { return slices.Contains(safeSysctls(), name) }

// toleratesControlPlane reports whether a pod may be placed on a node that
// holds the control plane: its taint has the effect NoSchedule and no value. An
// empty key tolerates everything, with the operator Exists only.
func toleratesControlPlane(t *corev1.Toleration) bool {
	if t.Effect != "" && t.Effect != corev1.TaintEffectNoSchedule {
		return false
	}
	switch t.Key {
	case "":
		return t.Operator == corev1.TolerationOpExists
	case "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master":
		return t.Operator == corev1.TolerationOpExists || t.Value == ""
	}
	return false
}

func tolerationString(t *corev1.Toleration) string {
	switch {
	case t.Key == "":
		return "every taint"
	case t.Effect == "":
		return t.Key
	}
	return t.Key + ":" + string(t.Effect)
}
