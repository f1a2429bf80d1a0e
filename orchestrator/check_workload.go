package orchestrator

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/boltseal/boltseal"
)

const (
	appChecklist = "Kubernetes application security checklist"
	podStandards = "Kubernetes Pod Security Standards"
)

// workloadChecks is the family W: what a pod, or the template of one, asks for.
func workloadChecks() []*Check {
	checks := append(resourceChecks(), identityChecks()...)
	checks = append(checks, kernelChecks()...)
	checks = append(checks, placementChecks()...)
	for _, c := range checks {
		c.Judges = workloadResources()
	}
	return checks
}

// resourceChecks are W01 to W03.
func resourceChecks() []*Check {
	return []*Check{{
		ID: "W01", Title: "no memory limit", Severity: boltseal.SeverityMedium, Source: appChecklist,
		Doc: "A container without a memory limit can take all memory of its node and push others off it.",
		Fix: "Set resources.limits.memory for the container, or spec.resources.limits.memory for the pod.",
		Judge: func(p *Pass) {
			if r := p.Spec.Resources; r != nil && has(r.Limits, corev1.ResourceMemory) {
				return
			}
			for c := range p.Containers() {
				if !c.Ephemeral && !has(c.Resources.Limits, corev1.ResourceMemory) {
					p.Fail(Evidence{Container: c.Name, Path: c.Path("resources.limits.memory"), Value: "no limit", Default: true})
				}
			}
		},
		CEL: flat(`has($spec.resources) && has($spec.resources.limits) && 'memory' in $spec.resources.limits ? [] : ` +
			`($spec.?containers.orValue([]) + $spec.?initContainers.orValue([])).filter(c, !('memory' in c.?resources.?limits.orValue({}))).map(c, c.name)`),
	}, {
		ID: "W02", Title: "no CPU or memory request", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "Without requests the scheduler places a pod blindly, and the kubelet evicts it first. A limit counts as a request.",
		Fix: "Set resources.requests.cpu and resources.requests.memory.",
		Judge: func(p *Pass) {
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				if r := p.Spec.Resources; r != nil && (has(r.Requests, name) || has(r.Limits, name)) {
					continue
				}
				for c := range p.Containers() {
					if !c.Ephemeral && !has(c.Resources.Requests, name) && !has(c.Resources.Limits, name) {
						p.Fail(Evidence{Container: c.Name, Path: c.Path("resources.requests." + string(name)), Value: "0", Default: true})
					}
				}
			}
		},
		CEL: `['cpu', 'memory'].filter(r, !(r in $spec.?resources.?requests.orValue({})) && !(r in $spec.?resources.?limits.orValue({})))` +
			`.map(r, ($spec.?containers.orValue([]) + $spec.?initContainers.orValue([]))` +
			`.filter(c, !(r in c.?resources.?requests.orValue({})) && !(r in c.?resources.?limits.orValue({}))).map(c, c.name + ': ' + r))`,
	}, {
		ID: "W03", Title: "no limit on ephemeral storage", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "Logs, the writable layer and emptyDir volumes fill the node's disk, and every pod on it suffers.",
		Fix: "Set resources.limits.ephemeral-storage.",
		Judge: func(p *Pass) {
			for c := range p.Containers() {
				if !c.Ephemeral && !has(c.Resources.Limits, corev1.ResourceEphemeralStorage) {
					p.Fail(Evidence{Container: c.Name, Path: c.Path("resources.limits.ephemeral-storage"), Value: "no limit", Default: true})
				}
			}
		},
		CEL: flat(`($spec.?containers.orValue([]) + $spec.?initContainers.orValue([]))` +
			`.filter(c, !('ephemeral-storage' in c.?resources.?limits.orValue({}))).map(c, c.name)`),
	}}
}

// identityChecks are W04 to W07 and W14 to W16: what a process is and holds.
func identityChecks() []*Check {
	return []*Check{{
		ID: "W04", Title: "writable root file system", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "Whoever gets into the container can leave tools in it and change the program it runs.",
		Fix: "Set securityContext.readOnlyRootFilesystem: true and mount an emptyDir where the program writes.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			for c := range p.Containers() {
				if v := c.security().ReadOnlyRootFilesystem; !isTrue(v) {
					p.Fail(flag(c, "readOnlyRootFilesystem", v, "false"))
				}
			}
		},
		CEL: linux(`$containers.filter(c, !c.?securityContext.?readOnlyRootFilesystem.orValue(false)).map(c, c.name)`),
	}, {
		ID: "W05", Title: "runs as root", Severity: boltseal.SeverityHigh, Source: "CIS 5.2.7",
		Doc: "uid 0 in the container is uid 0 on the node as soon as anything between them fails.",
		Fix: "Set securityContext.runAsNonRoot: true and a runAsUser other than 0, or hostUsers: false.",
		Judge: func(p *Pass) {
			if p.linuxOnly() || p.sharedUsersOnly() {
				return
			}
			pod := podSecurity(p.Spec)
			for c := range p.Containers() {
				user, at := inherit(c, c.security().RunAsUser, pod.RunAsUser, "runAsUser")
				nonRoot, _ := inherit(c, c.security().RunAsNonRoot, pod.RunAsNonRoot, "runAsNonRoot")
				switch {
				case user != nil && *user == 0:
					p.Fail(Evidence{Container: c.Name, Path: at, Value: "0"})
				case user != nil || isTrue(nonRoot):
				default:
					p.imageUser(c, at)
				}
			}
		},
		CEL: linux(`$spec.?hostUsers.orValue(true) == false ? [] : $containers.filter(c, ` +
			`c.?securityContext.?runAsUser.orValue($spec.?securityContext.?runAsUser.orValue(-1)) == 0).map(c, c.name)`),
	}, {
		ID: "W06", Title: "runs with group root", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "Files of group 0 are open to the process; many images make theirs writable for it.",
		Fix: "Set securityContext.runAsGroup other than 0, and leave 0 out of supplementalGroups and fsGroup.",
		Judge: func(p *Pass) {
			if p.linuxOnly() || p.sharedUsersOnly() {
				return
			}
			pod := podSecurity(p.Spec)
			if pod.FSGroup != nil && *pod.FSGroup == 0 {
				p.Fail(Evidence{Path: p.Path + ".securityContext.fsGroup", Value: "0"})
			}
			for i, g := range pod.SupplementalGroups {
				if g == 0 {
					p.Fail(Evidence{Path: element(p.Path+".securityContext.supplementalGroups", i, ""), Value: "0"})
				}
			}
			for c := range p.Containers() {
				group, at := inherit(c, c.security().RunAsGroup, pod.RunAsGroup, "runAsGroup")
				switch {
				case group == nil:
					p.Unknown("container %s: %s is not set, so the image decides the group", c.Name, at)
				case *group == 0:
					p.Fail(Evidence{Container: c.Name, Path: at, Value: "0"})
				}
			}
		},
		CEL: linux(`$spec.?hostUsers.orValue(true) == false ? [] : ` +
			`($spec.?securityContext.?fsGroup.orValue(-1) == 0 ? ['fsGroup'] : []) + ` +
			`(0 in $spec.?securityContext.?supplementalGroups.orValue([]) ? ['supplementalGroups'] : []) + ` +
			`$containers.filter(c, c.?securityContext.?runAsGroup.orValue($spec.?securityContext.?runAsGroup.orValue(-1)) == 0).map(c, 'container ' + c.name)`),
	}, {
		ID: "W07", Title: "may gain privileges", Severity: boltseal.SeverityMedium, Source: "CIS 5.2.6",
		Doc: "A setuid program or file capability in the image makes its caller root. The flag is true unless set.",
		Fix: "Set securityContext.allowPrivilegeEscalation: false.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			for c := range p.Containers() {
				if v := c.security().AllowPrivilegeEscalation; !isFalse(v) {
					p.Fail(flag(c, "allowPrivilegeEscalation", v, "true"))
				}
			}
		},
		CEL: linux(`$containers.filter(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true)).map(c, c.name)`),
	}, {
		ID: "W14", Title: "containers share one process namespace", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "Every container sees the processes, environment and, through /proc, files of the others.",
		Fix: "Remove shareProcessNamespace.",
		Judge: func(p *Pass) {
			if isTrue(p.Spec.ShareProcessNamespace) {
				p.Fail(Evidence{Path: p.Path + ".shareProcessNamespace", Value: "true"})
			}
		},
		CEL: flat(`$spec.?shareProcessNamespace.orValue(false) ? ['shareProcessNamespace'] : []`),
	}, {
		ID: "W15", Title: "token without a use", Severity: boltseal.SeverityMedium, Source: "CIS 5.1.6",
		Reads: append(resources("", "serviceaccounts"), rbacResources()...),
		Doc:   "The pod's token proves an account that is granted nothing: no use to the program, and a start for whoever gets in.",
		Fix:   "Set automountServiceAccountToken: false on the pod or its service account.",
		Judge: judgeToken,
	}, {
		ID: "W16", Title: "uses the namespace's default service account", Severity: boltseal.SeverityLow, Source: "CIS 5.1.5",
		Doc: "Whatever is granted to the default account is granted to every pod that names none.",
		Fix: "Give the workload a service account of its own, or set automountServiceAccountToken: false.",
		Judge: func(p *Pass) {
			if p.mirrorPod() {
				return
			}
			if p.Workload.ServiceAccount().Name == "default" && p.tokenMounted() {
				p.Fail(Evidence{Path: p.Path + ".serviceAccountName", Value: "default", Default: p.Spec.ServiceAccountName == ""})
			}
		},
	}}
}

// kernelChecks are W08 to W13 and W23: what lies between process and kernel.
func kernelChecks() []*Check {
	return []*Check{{
		ID: "W08", Title: "no seccomp profile", Severity: boltseal.SeverityMedium, Source: "CIS 5.6.2",
		Doc: "Without a profile all system calls are open, unless the kubelet's seccompDefault says otherwise. The annotations have had no effect since 1.27.",
		Fix: "Set securityContext.seccompProfile.type: RuntimeDefault.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			pod := podSecurity(p.Spec)
			for c := range p.Containers() {
				profile, at := inherit(c, c.security().SeccompProfile, pod.SeccompProfile, "seccompProfile")
				switch {
				case profile == nil:
					p.Fail(Evidence{Container: c.Name, Path: at + ".type", Value: string(corev1.SeccompProfileTypeUnconfined), Default: true})
				case profile.Type == corev1.SeccompProfileTypeUnconfined:
					p.Fail(Evidence{Container: c.Name, Path: at + ".type", Value: string(profile.Type)})
				}
			}
		},
		CEL: linux(`$containers.filter(c, c.?securityContext.?seccompProfile.?type.orValue(` +
			`$spec.?securityContext.?seccompProfile.?type.orValue('Unconfined')) == 'Unconfined').map(c, c.name)`),
	}, {
		ID: "W09", Title: "AppArmor switched off", Severity: boltseal.SeverityMedium, Source: podStandards,
		Doc: "The runtime's own AppArmor profile applies unless it is switched off, as here. A field wins over the annotation.",
		Fix: "Remove the Unconfined profile.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			pod := podSecurity(p.Spec)
			for c := range p.Containers() {
				profile, at := inherit(c, c.security().AppArmorProfile, pod.AppArmorProfile, "appArmorProfile")
				key := corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix + c.Name
				switch {
				case profile != nil && profile.Type == corev1.AppArmorProfileTypeUnconfined:
					p.Fail(Evidence{Container: c.Name, Path: at + ".type", Value: string(profile.Type)})
				case profile == nil && p.Workload.Annotations[key] == corev1.DeprecatedAppArmorBetaProfileNameUnconfined:
					p.Fail(Evidence{Container: c.Name, Path: p.metaPath() + ".annotations[" + key + "]", Value: "unconfined"})
				}
			}
		},
		CEL: linux(`$containers.filter(c, c.?securityContext.?appArmorProfile.?type.orValue(` +
			`$spec.?securityContext.?appArmorProfile.?type.orValue(` +
			`$meta.?annotations[?('container.apparmor.security.beta.kubernetes.io/' + c.name)].orValue('') == 'unconfined' ? 'Unconfined' : '')) == 'Unconfined').map(c, c.name)`),
	}, {
		ID: "W10", Title: "capability added", Severity: boltseal.SeverityHigh, Source: "CIS 5.2.9",
		Doc: "A capability beyond those that runtimes give by default. SYS_ADMIN, SYS_MODULE, SYS_RAWIO, SYS_PTRACE, DAC_READ_SEARCH and BPF are ways to the node.",
		Fix: "Remove the capability from securityContext.capabilities.add.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			for c := range p.Containers() {
				caps := c.security().Capabilities
				if caps == nil {
					continue
				}
				for i, add := range caps.Add {
					if !defaultCapability(capability(add)) {
						p.Fail(Evidence{Container: c.Name, Path: element(c.Path("securityContext.capabilities.add"), i, ""), Value: string(add)})
					}
				}
			}
		},
		CEL: linuxEach(`$containers.map(c, c.?securityContext.?capabilities.?add.orValue([])` +
			`.filter(a, !(a.upperAscii().replace('CAP_', '', 1) in ` + celList(defaultCapabilities()...) + `)).map(a, c.name + ': ' + a))`),
	}, {
		ID: "W11", Title: "NET_RAW kept", Severity: boltseal.SeverityMedium, Source: "CIS 5.2.8",
		Doc: "Raw sockets let a container forge packets of its neighbours; runtimes give the capability by default.",
		Fix: "Set securityContext.capabilities.drop: [ALL].",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			for c := range p.Containers() {
				var caps corev1.Capabilities
				if own := c.security().Capabilities; own != nil {
					caps = *own
				}
				switch {
				case hasCapability(caps.Add, "NET_RAW", "ALL"):
					p.Fail(Evidence{Container: c.Name, Path: c.Path("securityContext.capabilities.add"), Value: capabilityList(caps.Add)})
				case !hasCapability(caps.Drop, "NET_RAW", "ALL"):
					p.Fail(Evidence{Container: c.Name, Path: c.Path("securityContext.capabilities.drop"), Value: capabilityList(caps.Drop), Default: len(caps.Drop) == 0})
				}
			}
		},
		CEL: linux(`$containers.filter(c, ` +
			`c.?securityContext.?capabilities.?add.orValue([]).exists(a, a.upperAscii().replace('CAP_', '', 1) in ['NET_RAW', 'ALL']) || ` +
			`!c.?securityContext.?capabilities.?drop.orValue([]).exists(a, a.upperAscii().replace('CAP_', '', 1) in ['NET_RAW', 'ALL'])).map(c, c.name)`),
	}, {
		ID: "W12", Title: "shares the node's user IDs", Severity: boltseal.SeverityNone, Source: appChecklist,
		Doc: "With a user namespace of its own, root in the container is nobody on the node.",
		Fix: "Set hostUsers: false where the node's kernel and runtime support it.",
		Judge: func(p *Pass) {
			if !p.linuxOnly() && !ownUsers(p.Spec) {
				p.Fail(Evidence{Path: p.Path + ".hostUsers", Value: "true", Default: p.Spec.HostUsers == nil})
			}
		},
		CEL: linux(`$spec.?hostUsers.orValue(true) ? ['hostUsers'] : []`),
	}, {
		ID: "W13", Title: "/proc unmasked", Severity: boltseal.SeverityHigh, Source: podStandards,
		Doc: "Runtimes hide parts of /proc that tell of the node or change it. The API server refuses Unmasked unless hostUsers is false.",
		Fix: "Remove securityContext.procMount.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			for c := range p.Containers() {
				if m := c.security().ProcMount; m != nil && *m == corev1.UnmaskedProcMount {
					p.Fail(Evidence{Container: c.Name, Path: c.Path("securityContext.procMount"), Value: string(*m)})
				}
			}
		},
		CEL: linux(`$containers.filter(c, c.?securityContext.?procMount.orValue('Default') == 'Unmasked').map(c, c.name)`),
	}, {
		ID: "W23", Title: "unsafe sysctl", Severity: boltseal.SeverityMedium, Source: podStandards,
		Doc: "A kernel setting outside the list that is known to stay within the pod.",
		Fix: "Remove it from securityContext.sysctls.",
		Judge: func(p *Pass) {
			if p.linuxOnly() {
				return
			}
			for i, s := range podSecurity(p.Spec).Sysctls {
				if !safeSysctl(s.Name) {
					p.Fail(Evidence{Path: element(p.Path+".securityContext.sysctls", i, "name"), Value: s.Name})
				}
			}
		},
		CEL: linux(`$spec.?securityContext.?sysctls.orValue([]).filter(s, !(s.name in ` + celList(safeSysctls()...) + `)).map(s, s.name)`),
	}}
}

// placementChecks are W17 to W22: where and how a pod runs.
func placementChecks() []*Check {
	return []*Check{{
		ID: "W17", Title: "pod without a controller", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "Nothing starts it again, and nothing rolls out its next version.",
		Fix: "Use a Deployment, StatefulSet, DaemonSet or Job.",
		Judge: func(p *Pass) {
			switch {
			case p.Kind() != "Pod":
				p.NotApplicable("a template is run by its controller")
			case p.mirrorPod():
			case p.Workload.Owner == nil:
				p.Fail(Evidence{Path: "metadata.ownerReferences", Value: "none", Default: true})
			}
		},
		CEL: flat(`$object.?kind.orValue('') == 'Pod' && !('kubernetes.io/config.mirror' in $meta.?annotations.orValue({})) && ` +
			`!$meta.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false)) ? ['no controller'] : []`),
	}, {
		ID: "W18", Title: "runs in namespace default", Severity: boltseal.SeverityLow, Source: "CIS 5.6.4",
		Doc: "Rights, policies and quotas are given by namespace; in default they meet everything that names none.",
		Fix: "Move the workload to a namespace of its own.",
		Judge: func(p *Pass) {
			if p.Namespace() == "default" {
				p.Fail(Evidence{Path: "metadata.namespace", Value: "default", Default: p.meta.AssumedNamespace})
			}
		},
		CEL: flat(`$object.?metadata.?namespace.orValue('') == 'default' ? ['namespace default'] : []`),
	}, {
		ID: "W19", Title: "tolerates the control plane's nodes", Severity: boltseal.SeverityMedium, Source: appChecklist,
		Doc: "The pod may run beside the API server and etcd; who leaves its container there owns the cluster.",
		Fix: "Remove the toleration, or name the taints that are meant.",
		Judge: func(p *Pass) {
			if p.systemDaemon() {
				p.NotApplicable("a DaemonSet of kube-system runs on every node")
				return
			}
			for i, t := range p.Spec.Tolerations {
				if toleratesControlPlane(&t) {
					p.Fail(Evidence{Path: element(p.Path+".tolerations", i, ""), Value: tolerationString(&t)})
				}
			}
		},
		CEL: flat(`$object.?kind.orValue('') == 'DaemonSet' && $object.?metadata.?namespace.orValue('') == 'kube-system' || ` +
			`$object.?metadata.?namespace.orValue('') == 'kube-system' && $meta.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false) && o.kind == 'DaemonSet') ? [] : ` +
			`$spec.?tolerations.orValue([]).filter(t, t.?effect.orValue('') in ['', 'NoSchedule'] && ` +
			`(t.?key.orValue('') == '' ? t.?operator.orValue('') == 'Exists' : ` +
			`t.?key.orValue('') in ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'] && ` +
			`(t.?operator.orValue('') == 'Exists' || t.?value.orValue('') == '')))` +
			`.map(t, 'toleration ' + (t.?key.orValue('') == '' ? 'of everything' : t.?key.orValue('')))`),
	}, {
		ID: "W20", Title: "bound to a node by name", Severity: boltseal.SeverityLow, Source: appChecklist,
		Doc: "nodeName goes past the scheduler, and with it past taints and resource checks.",
		Fix: "Use nodeSelector or affinity.",
		Judge: func(p *Pass) {
			switch {
			case p.Spec.NodeName == "":
			case p.Kind() == "Pod" && p.running():
				p.NotApplicable("the scheduler sets the node of a running pod")
			default:
				p.Fail(Evidence{Path: p.Path + ".nodeName", Value: p.Spec.NodeName})
			}
		},
		CEL: flat(`$spec.?nodeName.orValue('') != '' ? ['nodeName ' + $spec.?nodeName.orValue('')] : []`),
	}, {
		ID: "W21", Title: "priority of the system's own pods", Severity: boltseal.SeverityMedium, Source: appChecklist,
		Doc: "system-cluster-critical and system-node-critical push every other pod off a full node.",
		Fix: "Use a PriorityClass of your own.",
		Judge: func(p *Pass) {
			if p.Namespace() == "kube-system" {
				p.NotApplicable("kube-system holds the system's own pods")
				return
			}
			if strings.HasPrefix(p.Spec.PriorityClassName, "system-") {
				p.Fail(Evidence{Path: p.Path + ".priorityClassName", Value: p.Spec.PriorityClassName})
			}
		},
		CEL: flat(`$object.?metadata.?namespace.orValue('') != 'kube-system' && $spec.?priorityClassName.orValue('').startsWith('system-') ? ` +
			`['priorityClassName ' + $spec.?priorityClassName.orValue('')] : []`),
	}, {
		ID: "W22", Title: "debugging container left", Severity: boltseal.SeverityMedium, Source: appChecklist,
		Doc: "An ephemeral container cannot be removed; it stays, with its tools, as long as the pod.",
		Fix: "Replace the pod.",
		Judge: func(p *Pass) {
			if p.Kind() != "Pod" {
				p.NotApplicable("only pods have ephemeral containers")
				return
			}
			for i, c := range p.Spec.EphemeralContainers {
				p.Fail(Evidence{Container: c.Name, Path: element(p.Path+".ephemeralContainers", i, "image"), Value: c.Image})
			}
		},
		CEL: flat(`$spec.?ephemeralContainers.orValue([]).map(c, c.name)`),
	}}
}

func has(list corev1.ResourceList, name corev1.ResourceName) bool {
	_, ok := list[name]
	return ok
}

// flag is the evidence of a container's boolean in its security context.
func flag(c Container, field string, v *bool, unset string) Evidence {
	e := Evidence{Container: c.Name, Path: c.Path("securityContext." + field), Value: unset, Default: v == nil}
	if v != nil {
		e.Value = strconv.FormatBool(*v)
	}
	return e
}

func hasCapability(list []corev1.Capability, names ...string) bool {
	for _, c := range list {
		for _, n := range names {
			if capability(c) == n {
				return true
			}
		}
	}
	return false
}

func capabilityList(caps []corev1.Capability) string {
	names := make([]string, len(caps))
	for i, c := range caps {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// defaultCapabilities are what containerd and CRI-O give a container that asks
// for nothing; to add one of them adds nothing. The list is also the one that
// the Pod Security Standards' baseline level allows to add.
func defaultCapabilities() []string {
	return []string{
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
		"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
	}
}

func defaultCapability(name string) bool {
	switch name {
	case "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
		"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT":
		return true
	}
	return false
}
