package orchestrator

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"

	"github.com/boltseal/boltseal"
)

// hostChecks is the family H: what a pod shares with its node.
func hostChecks() []*Check {
	checks := []*Check{
		{
			ID: "H01", Title: "mounts a path of the node", Severity: boltseal.SeverityMedium, Source: "CIS 5.2.11",
			Doc:   "Files of the node are in reach of the pod, and outlive it.",
			Fix:   "Use a PersistentVolumeClaim, an emptyDir or a ConfigMap.",
			Judge: func(p *Pass) { p.eachHostPath(func(string, bool) string { return "hostPath" }) },
			CEL:   celHostPaths(`true`),
		},
		{
			ID: "H02", Title: "can write to a sensitive path of the node", Severity: boltseal.SeverityCritical, Source: appChecklist,
			Doc:   "Who writes there runs programs as root on the node: cron jobs, unit files, static pods, the kubelet's own files.",
			Fix:   "Mount it with readOnly: true, or not at all.",
			Judge: func(p *Pass) { p.eachHostPath(sensitiveWrite) },
			CEL:   celHostPaths(celUnder(sensitivePaths()...) + ` && ` + celWritable),
		},
		{
			ID: "H03", Title: "reaches the container runtime's socket", Severity: boltseal.SeverityCritical, Source: appChecklist,
			Doc:   "Whoever speaks to the runtime starts a privileged container of its own; a read-only mount does not hinder that.",
			Fix:   "Remove the mount.",
			Judge: func(p *Pass) { p.eachHostPath(runtimeSocket) },
			CEL:   celHostPaths(celAbove(runtimeSockets()...)),
		},
		hostFlag("H04", "shares the node's processes", "hostPID", boltseal.SeverityHigh, "CIS 5.2.3",
			"All processes of the node are visible, their environment included; with SYS_PTRACE they can be entered.",
			func(s *corev1.PodSpec) bool { return s.HostPID }),
		hostFlag("H05", "shares the node's memory segments", "hostIPC", boltseal.SeverityHigh, "CIS 5.2.4",
			"Shared memory and semaphores of the node's processes are open to the pod.",
			func(s *corev1.PodSpec) bool { return s.HostIPC }),
		hostFlag("H06", "uses the node's network", "hostNetwork", boltseal.SeverityHigh, "CIS 5.2.5",
			"The pod reaches what listens on localhost of the node, sees its traffic, and stands outside network policies.",
			func(s *corev1.PodSpec) bool { return s.HostNetwork }),
		{
			ID: "H07", Title: "opens a port of the node", Severity: boltseal.SeverityMedium, Source: "CIS 5.2.12",
			Doc:   "The port is open on every address of the node, past Services and often past network policies.",
			Fix:   "Use a Service.",
			Judge: judgeHostPort,
			CEL: `$containers.map(c, c.?ports.orValue([]).filter(p, ($spec.?hostNetwork.orValue(false) ? p.?containerPort.orValue(0) : p.?hostPort.orValue(0)) != 0)` +
				`.map(p, c.name + ': port ' + string($spec.?hostNetwork.orValue(false) ? p.?containerPort.orValue(0) : p.?hostPort.orValue(0))))`,
		},
		{
			ID: "H08", Title: "privileged", Severity: boltseal.SeverityCritical, Source: "CIS 5.2.2",
			Doc: "All devices, all capabilities, no seccomp, no AppArmor: root in the container is root on the node.",
			Fix: "Remove securityContext.privileged; add the one capability or device that is needed.",
			Judge: func(p *Pass) {
				if p.linuxOnly() {
					return
				}
				for c := range p.Containers() {
					if isTrue(c.security().Privileged) {
						p.Fail(Evidence{Container: c.Name, Path: c.Path("securityContext.privileged"), Value: "true"})
					}
				}
			},
			CEL: linux(`$containers.filter(c, c.?securityContext.?privileged.orValue(false)).map(c, c.name)`),
		},
		{
			ID: "H09", Title: "mounts spread to the node", Severity: boltseal.SeverityHigh, Source: appChecklist,
			Doc: "What the container mounts appears on the node and in every other pod that shares the volume.",
			Fix: "Remove mountPropagation, or use HostToContainer.",
			Judge: func(p *Pass) {
				for c := range p.Containers() {
					for i, m := range c.VolumeMounts {
						if m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationBidirectional {
							p.Fail(Evidence{Container: c.Name, Path: element(c.Path("volumeMounts"), i, "mountPropagation"), Value: string(*m.MountPropagation)})
						}
					}
				}
			},
			CEL: `$containers.map(c, c.?volumeMounts.orValue([]).filter(m, m.?mountPropagation.orValue('') == 'Bidirectional').map(m, c.name + ': ' + m.name))`,
		},
		{
			ID: "H10", Title: "can write to the node's logs", Severity: boltseal.SeverityHigh, Source: appChecklist,
			Doc:   "A symbolic link left in /var/log lets the kubelet's log endpoint, which runs as root, read any file; traces can be removed.",
			Fix:   "Mount it with readOnly: true.",
			Judge: func(p *Pass) { p.eachHostPath(logWrite) },
			CEL:   celHostPaths(celUnder("/var/log") + ` && ` + celWritable),
		},
		{
			ID: "H11", Title: "claim backed by a path of the node", Severity: boltseal.SeverityMedium, Source: appChecklist,
			Reads: resources("", "persistentvolumeclaims", "persistentvolumes"),
			Doc:   "A claim is harmless by itself and passes every Pod Security level; the volume behind it is a path of the node.",
			Fix:   "Use a storage class that provisions volumes elsewhere.",
			Judge: judgeClaims,
		},
		{
			ID: "H12", Title: "raw block device", Severity: boltseal.SeverityMedium, Source: appChecklist,
			Doc: "The container writes to the device beneath any file system: what is on it is read and changed past all permissions.",
			Fix: "Use a volume with volumeMode: Filesystem.",
			Judge: func(p *Pass) {
				for c := range p.Containers() {
					for i, d := range c.VolumeDevices {
						p.Fail(Evidence{Container: c.Name, Path: element(c.Path("volumeDevices"), i, "devicePath"), Value: d.DevicePath})
					}
				}
			},
			CEL: `$containers.map(c, c.?volumeDevices.orValue([]).map(d, c.name + ': ' + d.name))`,
		},
		{
			ID: "H13", Title: "gitRepo volume", Severity: boltseal.SeverityHigh, Source: appChecklist,
			Doc: "The kubelet clones as root on the node, and a repository can run hooks there.",
			Fix: "Clone in an init container into an emptyDir.",
			Judge: func(p *Pass) {
				if p.Snapshot.Minor >= 36 {
					p.NotApplicable("the volume type does nothing since Kubernetes 1.36")
					return
				}
				for i, v := range p.Spec.Volumes {
					if v.GitRepo != nil {
						p.Fail(Evidence{Path: element(p.Path+".volumes", i, "gitRepo.repository"), Value: redactURL(v.GitRepo.Repository)})
					}
				}
			},
			CEL: flat(`$spec.?volumes.orValue([]).filter(v, has(v.gitRepo)).map(v, v.name)`),
		},
	}
	for _, c := range checks {
		c.Judges = workloadResources()
	}
	return append(checks, &Check{
		ID: "H14", Title: "claims devices with administrator's access", Severity: boltseal.SeverityHigh, Source: "KEP-5018",
		Judges: resources("resource.k8s.io", "resourceclaims", "resourceclaimtemplates"),
		Doc:    "adminAccess opens devices that other pods are using, without sharing rules.",
		Fix:    "Remove adminAccess from the request.",
		Judge:  judgeAdminAccess,
	})
}

func hostFlag(id, title, field string, severity boltseal.Severity, source, doc string, value func(*corev1.PodSpec) bool) *Check {
	return &Check{
		ID: id, Title: title, Severity: severity, Source: source, Doc: doc,
		Fix: "Remove " + field + ".",
		Judge: func(p *Pass) {
			if value(p.Spec) {
				p.Fail(Evidence{Path: p.Path + "." + field, Value: "true"})
			}
		},
		CEL: flat(`$spec.?` + field + `.orValue(false) ? ['` + field + `'] : []`),
	}
}

// eachHostPath applies a rule to every hostPath volume; the rule gets the
// cleaned path and whether some container can write to it, and returns what is
// wrong or "".
func (p *Pass) eachHostPath(rule func(dir string, writable bool) string) {
	for i, v := range p.Spec.Volumes {
		if v.HostPath == nil {
			continue
		}
		if why := rule(cleanHostPath(v.HostPath.Path), p.writable(v.Name)); why != "" {
			p.Fail(Evidence{Path: element(p.Path+".volumes", i, "hostPath.path"), Value: v.HostPath.Path, Detail: why})
		}
	}
}

// writable reports whether a container mounts the volume without readOnly.
func (p *Pass) writable(volume string) bool {
	for c := range p.Containers() {
		for _, m := range c.VolumeMounts {
			if m.Name == volume && !m.ReadOnly {
				return true
			}
		}
	}
	return false
}

func cleanHostPath(dir string) string { return path.Clean("/" + dir) }

// sensitivePaths are those whose writer becomes root of the node.
func sensitivePaths() []string {
	return []string{"/etc", "/root", "/proc", "/sys", "/var/lib/kubelet", "/etc/kubernetes"}
}

// runtimeSockets are where container runtimes listen.
func runtimeSockets() []string {
	return []string{
		"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock",
		"/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock", "/var/snap/microk8s/common/run/containerd.sock",
		"/run/crio/crio.sock", "/var/run/crio/crio.sock",
		"/run/docker.sock", "/var/run/docker.sock", "/run/cri-dockerd.sock", "/var/run/cri-dockerd.sock",
		"/run/podman/podman.sock", "/var/run/podman/podman.sock",
	}
}

// under reports whether dir is one of the paths, lies in one, or holds one.
func under(dir string, paths ...string) string {
	for _, s := range paths {
		if inDir(dir, s) || inDir(s, dir) {
			return s
		}
	}
	return ""
}

// inDir reports whether file is dir or lies in it. Both are clean.
func inDir(file, dir string) bool {
	return file == dir || dir == "/" || strings.HasPrefix(file, dir+"/")
}

func sensitiveWrite(dir string, writable bool) string {
	if s := under(dir, sensitivePaths()...); writable && s != "" {
		return "writable, and leads to " + s
	}
	return ""
}

func logWrite(dir string, writable bool) string {
	if writable && under(dir, "/var/log") != "" {
		return "writable"
	}
	return ""
}

func runtimeSocket(dir string, _ bool) string {
	for _, s := range runtimeSockets() {
		if inDir(s, dir) {
			return "holds " + s
		}
	}
	return ""
}

// judgeHostPort counts the ports of a pod in the node's network as the node's:
// the API server writes them into hostPort for pods, and not for templates.
func judgeHostPort(p *Pass) {
	for c := range p.Containers() {
		for i, port := range c.Ports {
			host, implied := port.HostPort, false
			if p.Spec.HostNetwork {
				host, implied = port.ContainerPort, port.HostPort == 0
			}
			if host != 0 {
				p.Fail(Evidence{Container: c.Name, Path: element(c.Path("ports"), i, "hostPort"), Value: strconv.Itoa(int(host)), Default: implied})
			}
		}
	}
}

func judgeClaims(p *Pass) {
	claims := 0
	for i, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		claims++
		at, name := element(p.Path+".volumes", i, "persistentVolumeClaim.claimName"), v.PersistentVolumeClaim.ClaimName
		pvc := p.Snapshot.PersistentVolumeClaims.Get(p.Namespace(), name)
		if pvc == nil {
			if !p.Missing(resources("", "persistentvolumeclaims")...) {
				p.Unknown("claim %s does not exist, so nothing is bound to it", name)
			}
			continue
		}
		volume := pvc.Object.Spec.VolumeName
		if volume == "" {
			p.Unknown("claim %s names no volume yet", name)
			continue
		}
		pv := p.Snapshot.PersistentVolumes.Get("", volume)
		if pv == nil {
			if !p.missingIn("", resources("", "persistentvolumes")...) {
				p.Unknown("volume %s of claim %s does not exist", volume, name)
			}
			continue
		}
		switch spec := pv.Object.Spec; {
		case spec.HostPath != nil:
			p.Fail(Evidence{Path: at, Value: name, Detail: fmt.Sprintf("PersistentVolume %s is hostPath %s", volume, spec.HostPath.Path)})
		case spec.Local != nil:
			p.Fail(Evidence{Path: at, Value: name, Detail: fmt.Sprintf("PersistentVolume %s is the local path %s", volume, spec.Local.Path)})
		}
	}
	if claims == 0 {
		p.NotApplicable("no claims")
	}
}

func judgeAdminAccess(p *Pass) {
	var spec *resourcev1.ResourceClaimSpec
	at := "spec"
	switch o := p.Object.(type) {
	case *resourcev1.ResourceClaim:
		spec = &o.Spec
	case *resourcev1.ResourceClaimTemplate:
		spec, at = &o.Spec.Spec, "spec.spec"
	default:
		return
	}
	for i, r := range spec.Devices.Requests {
		if r.Exactly != nil && isTrue(r.Exactly.AdminAccess) {
			p.Fail(Evidence{Path: element(at+".devices.requests", i, "exactly.adminAccess"), Value: "true"})
		}
	}
}

// celHostPaths lists the hostPath volumes v for which a rule holds; in the rule
// d is the path, cleaned.
func celHostPaths(rule string) string {
	return flat(`$spec.?volumes.orValue([]).filter(v, has(v.hostPath)).filter(v, [` + celClean + `].exists(d, ` + rule + `))` +
		`.map(v, v.name + ': ' + v.hostPath.?path.orValue(''))`)
}

// celClean is the path of the hostPath volume v without empty and dot elements,
// as path.Clean leaves it; ".." never gets past the API server.
const celClean = `'/' + v.hostPath.?path.orValue('').split('/').filter(e, e != '' && e != '.').join('/')`

// celWritable holds if a container mounts the volume v without readOnly.
const celWritable = `$containers.exists(c, c.?volumeMounts.orValue([]).exists(m, m.name == v.name && !m.?readOnly.orValue(false)))`

// celUnder holds if d is one of the paths, lies in one, or holds one.
func celUnder(paths ...string) string {
	return celList(paths...) + `.exists(s, d == s || d == '/' || d.startsWith(s + '/') || s.startsWith(d + '/'))`
}

// celAbove holds if d is one of the paths or holds one.
func celAbove(paths ...string) string {
	return celList(paths...) + `.exists(s, d == s || d == '/' || s.startsWith(d + '/'))`
}
