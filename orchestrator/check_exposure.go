package orchestrator

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/boltseal/boltseal"
)

const gatewayGroup = "gateway.networking.k8s.io"

// exposureChecks is the family X: what can be reached from outside.
func exposureChecks() []*Check {
	services, ingresses := resources("", "services"), resources("networking.k8s.io", "ingresses")
	return append([]*Check{{
		ID: "X01", Title: "Service opens a port on every node", Severity: boltseal.SeverityMedium, Source: appChecklist, Judges: services,
		Doc: "A NodePort is open on all addresses of all nodes, whether or not a load balancer stands before them.",
		Fix: "Use ClusterIP behind an Ingress or Gateway; for LoadBalancer set allocateLoadBalancerNodePorts: false.",
		Judge: onService(func(p *Pass, s *corev1.Service) {
			if s.Spec.Type == corev1.ServiceTypeNodePort {
				p.Fail(Evidence{Path: "spec.type", Value: string(s.Spec.Type)})
			}
		}),
		CEL: flat(`$object.?spec.?type.orValue('') == 'NodePort' ? ['NodePort'] : []`),
	}, {
		ID: "X02", Title: "load balancer open to every address", Severity: boltseal.SeverityMedium, Source: appChecklist, Judges: services,
		Doc: "Without source ranges the whole internet, or whatever the balancer stands in, reaches the pods.",
		Fix: "List spec.loadBalancerSourceRanges, or use an internal load balancer.",
		Judge: onService(func(p *Pass, s *corev1.Service) {
			if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
				p.NotApplicable("not of type LoadBalancer")
				return
			}
			ranges := s.Spec.LoadBalancerSourceRanges
			if a := s.Annotations[corev1.AnnotationLoadBalancerSourceRangesKey]; len(ranges) == 0 && strings.TrimSpace(a) != "" {
				ranges = strings.Split(a, ",")
			}
			if len(ranges) == 0 {
				p.Fail(Evidence{Path: "spec.loadBalancerSourceRanges", Value: "everywhere", Default: true})
			}
			for _, r := range ranges {
				if strings.HasSuffix(strings.TrimSpace(r), "/0") {
					p.Fail(Evidence{Path: "spec.loadBalancerSourceRanges", Value: r})
				}
			}
		}),
		CEL: `$object.?spec.?type.orValue('') != 'LoadBalancer' ? [] : ` +
			flat(`(size($object.?spec.?loadBalancerSourceRanges.orValue([])) > 0 ? $object.?spec.?loadBalancerSourceRanges.orValue([]) : `+
				`$object.?metadata.?annotations[?'service.beta.kubernetes.io/load-balancer-source-ranges'].orValue('').trim() != '' ? `+
				`$object.?metadata.?annotations[?'service.beta.kubernetes.io/load-balancer-source-ranges'].orValue('').split(',') : ['/0'])`+
				`.filter(r, r.trim().endsWith('/0')).map(r, 'source ' + r)`),
	}, {
		ID: "X03", Title: "Service with external addresses", Severity: boltseal.SeverityHigh, Source: "CIS 1.2.3", Judges: services,
		Doc: "Whoever may write it takes traffic of any address away from the cluster's pods (CVE-2020-8554).",
		Fix: "Remove externalIPs; refuse them with the DenyServiceExternalIPs plugin.",
		Judge: onService(func(p *Pass, s *corev1.Service) {
			for i, ip := range s.Spec.ExternalIPs {
				p.Fail(Evidence{Path: element("spec.externalIPs", i, ""), Value: ip})
			}
		}),
		CEL: flat(`$object.?spec.?externalIPs.orValue([]).map(a, string(a))`),
	}, {
		ID: "X04", Title: "Ingress without TLS", Severity: boltseal.SeverityMedium, Source: appChecklist, Judges: ingresses,
		Doc: "What clients send for these hosts crosses the network in the clear.",
		Fix: "List every host in spec.tls with a Secret that holds its certificate.",
		Judge: onIngress(func(p *Pass, in *networkingv1.Ingress) {
			if len(in.Spec.TLS) == 0 {
				p.Fail(Evidence{Path: "spec.tls", Value: "none", Default: true})
				return
			}
			for i, r := range in.Spec.Rules {
				if r.Host != "" && !tlsCovers(in.Spec.TLS, r.Host) {
					p.Fail(Evidence{Path: element("spec.rules", i, "host"), Value: r.Host, Detail: "not in spec.tls"})
				}
			}
		}),
	}, {
		ID: "X05", Title: "Ingress for every host", Severity: boltseal.SeverityLow, Source: appChecklist, Judges: ingresses,
		Doc: "An empty or wildcard host answers for names that belong to others.",
		Fix: "Name the hosts.",
		Judge: onIngress(func(p *Pass, in *networkingv1.Ingress) {
			for i, r := range in.Spec.Rules {
				if r.Host == "" || strings.HasPrefix(r.Host, "*") {
					p.Fail(Evidence{Path: element("spec.rules", i, "host"), Value: cmp.Or(r.Host, "every host"), Default: r.Host == ""})
				}
			}
		}),
	}, {
		ID: "X06", Title: "TLS certificate missing", Severity: boltseal.SeverityMedium, Source: appChecklist, Judges: ingresses,
		Reads: resources("", "secrets"),
		Doc:   "Controllers then serve a certificate of their own making, which teaches users to click warnings away.",
		Fix:   "Create the Secret, or correct its name.",
		Judge: onIngress(judgeTLSSecret),
	}, {
		ID: "X07", Title: "Ingress catches every request", Severity: boltseal.SeverityLow, Source: appChecklist, Judges: ingresses,
		Doc: "spec.defaultBackend gets what no rule matches, of all hosts that the controller serves.",
		Fix: "Remove it, or send it to an error page.",
		Judge: onIngress(func(p *Pass, in *networkingv1.Ingress) {
			if b := in.Spec.DefaultBackend; b != nil {
				p.Fail(Evidence{Path: "spec.defaultBackend", Value: backendString(b)})
			}
		}),
	}, {
		ID: "X08", Title: "configuration of nginx in an annotation", Severity: boltseal.SeverityHigh, Source: "CVE-2021-25742", Judges: ingresses,
		Doc: "A snippet is nginx configuration: it reads the controller's token and the TLS keys of all Ingresses.",
		Fix: "Remove the snippet; set allow-snippet-annotations to false on the controller.",
		Judge: onIngress(func(p *Pass, in *networkingv1.Ingress) {
			for _, key := range slices.Sorted(maps.Keys(in.Annotations)) {
				if _, name, ok := strings.Cut(key, "/"); ok && strings.HasSuffix(name, "-snippet") && strings.Contains(key, "ingress") {
					p.Fail(Evidence{Path: "metadata.annotations[" + key + "]"})
				}
			}
		}),
	}}, append(gatewayChecks(), reachChecks()...)...)
}

// reachChecks are X11 to X18.
func reachChecks() []*Check {
	namespaces := resources("", "namespaces")
	return []*Check{{
		ID: "X11", Title: "control plane or dashboard published", Severity: boltseal.SeverityCritical, Source: appChecklist,
		Judges: append(resources("", "services"), resources("networking.k8s.io", "ingresses")...),
		Doc:    "The kubelet, etcd and dashboards give away the cluster to whoever passes their login, if there is one.",
		Fix:    "Keep it inside the cluster; reach it with kubectl port-forward.",
		Judge:  judgePublished,
	}, {
		ID: "X12", Title: "name that leads inward", Severity: boltseal.SeverityMedium, Source: appChecklist, Judges: resources("", "services"),
		Doc: "An ExternalName that points into the cluster, to a private address or to localhost takes an Ingress past namespaces and policies.",
		Fix: "Point it to a public name, or use a Service with a selector.",
		Judge: onService(func(p *Pass, s *corev1.Service) {
			if s.Spec.Type != corev1.ServiceTypeExternalName {
				p.NotApplicable("not of type ExternalName")
				return
			}
			if why := inward(s.Spec.ExternalName); why != "" {
				p.Fail(Evidence{Path: "spec.externalName", Value: s.Spec.ExternalName, Detail: why})
			}
		}),
	}, {
		ID: "X13", Title: "endpoints made by hand", Severity: boltseal.SeverityLow, Source: "CVE-2021-25740",
		Judges: resources("", "services"), Reads: append(resources("", "endpoints"), resources("discovery.k8s.io", "endpointslices")...),
		Doc:   "Traffic of a Service without a selector goes wherever the writer of its endpoints says, into other namespaces too.",
		Fix:   "Use a selector.",
		Judge: onService(judgeEndpoints),
	}, {
		ID: "X14", Title: "pods open to everybody", Severity: boltseal.SeverityMedium, Source: "CIS 5.3.2",
		Judges: namespaces, Reads: isolationReads(),
		Doc:   "Without a NetworkPolicy for incoming traffic every pod of the cluster reaches these.",
		Fix:   "Add a NetworkPolicy with podSelector {} and policyTypes [Ingress], and allow what is needed.",
		Judge: func(p *Pass) { judgeIsolation(p, networkingv1.PolicyTypeIngress) },
	}, {
		ID: "X15", Title: "pods reach everything", Severity: boltseal.SeverityMedium, Source: "CIS 5.3.2",
		Judges: namespaces, Reads: isolationReads(),
		Doc:   "Without a NetworkPolicy for outgoing traffic an intruder reaches the whole cluster and the internet.",
		Fix:   "Add a NetworkPolicy with podSelector {} and policyTypes [Egress], and allow what is needed, DNS first.",
		Judge: func(p *Pass) { judgeIsolation(p, networkingv1.PolicyTypeEgress) },
	}, {
		ID: "X16", Title: "NetworkPolicy that selects nobody", Severity: boltseal.SeverityLow, Source: appChecklist,
		Judges: resources("networking.k8s.io", "networkpolicies"), Reads: workloadResources(),
		Doc:   "A policy whose labels fit no pod protects nothing; most often a label was renamed.",
		Fix:   "Correct spec.podSelector.",
		Judge: judgeIdlePolicy,
	}, {
		ID: "X17", Title: "cloud metadata in reach", Severity: boltseal.SeverityHigh, Source: appChecklist,
		Judges: namespaces, Reads: isolationReads(),
		Doc:   "169.254.169.254 hands the node's cloud credentials to whoever asks, unless the node's hop limit stops it.",
		Fix:   "Keep 169.254.169.254/32 out of what egress policies allow; require IMDSv2 with hop limit 1.",
		Judge: judgeMetadataService,
	}, {
		ID: "X18", Title: "nothing seen that enforces network policies", Severity: boltseal.SeverityHigh, Source: "CIS 5.3.1",
		of: "cluster", Judges: resources("networking.k8s.io", "networkpolicies"), Reads: resources("apps", "daemonsets"),
		Doc:   "NetworkPolicies are text until a network plugin enforces them; flannel alone does not.",
		Fix:   "Install a network plugin that enforces policies.",
		Judge: judgeEnforcement,
	}}
}

func onService(f func(*Pass, *corev1.Service)) func(*Pass) {
	return func(p *Pass) {
		if s, ok := p.Object.(*corev1.Service); ok {
			f(p, s)
		}
	}
}

func onIngress(f func(*Pass, *networkingv1.Ingress)) func(*Pass) {
	return func(p *Pass) {
		if in, ok := p.Object.(*networkingv1.Ingress); ok {
			f(p, in)
		}
	}
}

// tlsCovers reports whether a host is listed, itself or by a wildcard for its
// first label. An entry without hosts is the default certificate for all.
func tlsCovers(tls []networkingv1.IngressTLS, host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(tls, func(t networkingv1.IngressTLS) bool {
		return len(t.Hosts) == 0 || slices.Contains(t.Hosts, host) || slices.Contains(t.Hosts, "*."+domain)
	})
}

func judgeTLSSecret(p *Pass, in *networkingv1.Ingress) {
	if len(in.Spec.TLS) == 0 {
		p.NotApplicable("no TLS")
		return
	}
	for i, t := range in.Spec.TLS {
		at := element("spec.tls", i, "secretName")
		if t.SecretName == "" {
			continue // the controller's default certificate, by choice
		}
		s := p.Snapshot.Secrets.Get(in.Namespace, t.SecretName)
		switch {
		case s == nil && !p.Missing(resources("", "secrets")...):
			p.Fail(Evidence{Path: at, Value: t.SecretName, Detail: "no such Secret"})
		case s != nil && s.Object.Type != corev1.SecretTypeTLS && len(s.Object.Keys) > 0 && !hasKeys(s.Object, corev1.TLSCertKey, corev1.TLSPrivateKeyKey):
			p.Fail(Evidence{Path: at, Value: t.SecretName, Detail: "the Secret holds no tls.crt and tls.key"})
		}
	}
}

func hasKeys(s *Secret, names ...string) bool {
	for _, n := range names {
		if !slices.ContainsFunc(s.Keys, func(k SecretKey) bool { return k.Name == n }) {
			return false
		}
	}
	return true
}

func backendString(b *networkingv1.IngressBackend) string {
	switch {
	case b.Service != nil:
		return b.Service.Name + ":" + cmp.Or(b.Service.Port.Name, strconv.Itoa(int(b.Service.Port.Number)))
	case b.Resource != nil:
		return b.Resource.Kind + " " + b.Resource.Name
	}
	return ""
}

// judgePublished looks for the ports of kubelet and etcd, and for the names and
// labels of well-known dashboards, behind whatever is open to the outside.
func judgePublished(p *Pass) {
	switch o := p.Object.(type) {
	case *corev1.Service:
		open := o.Spec.Type == corev1.ServiceTypeNodePort || o.Spec.Type == corev1.ServiceTypeLoadBalancer || len(o.Spec.ExternalIPs) > 0
		if !open {
			p.NotApplicable("reachable inside the cluster only")
			return
		}
		for i, port := range o.Spec.Ports {
			for _, n := range []int{int(port.Port), port.TargetPort.IntValue()} {
				if what := controlPort(n); what != "" {
					p.Fail(Evidence{Path: element("spec.ports", i, ""), Value: strconv.Itoa(n), Detail: what})
					break
				}
			}
		}
		if what := dashboard(o.Name, o.Labels, o.Spec.Selector); what != "" {
			p.Fail(Evidence{Path: "metadata.name", Value: o.Name, Detail: what})
		}
	case *networkingv1.Ingress:
		for b := range ingressBackends(o) {
			if b.backend.Service == nil {
				continue
			}
			name := b.backend.Service.Name
			var labels, selector map[string]string
			if s := p.Snapshot.Services.Get(o.Namespace, name); s != nil {
				labels, selector = s.Object.Labels, s.Object.Spec.Selector
			}
			if what := dashboard(name, labels, selector); what != "" {
				p.Fail(Evidence{Path: b.path, Value: name, Detail: what})
			}
		}
	}
}

func controlPort(n int) string {
	switch n {
	case 10250, 10255:
		return "the kubelet"
	case 2379, 2380:
		return "etcd"
	case 10257:
		return "the controller manager"
	case 10259:
		return "the scheduler"
	}
	return ""
}

// dashboard recognises the web consoles that administer the cluster.
func dashboard(name string, labelSets ...map[string]string) string {
	known := []string{"kubernetes-dashboard", "argocd-server", "rancher", "octant", "weave-scope-app", "lens", "headlamp", "portainer", "kubeapps"}
	names := []string{name}
	for _, labels := range labelSets {
		for _, key := range []string{"k8s-app", "app", "app.kubernetes.io/name"} {
			if v := labels[key]; v != "" {
				names = append(names, v)
			}
		}
	}
	for _, n := range names {
		if slices.Contains(known, n) || strings.HasPrefix(n, "kubernetes-dashboard") {
			return n + " administers the cluster"
		}
	}
	return ""
}

// inward says why an external name leads into the cluster or the machine, or
// "" for names of the outside.
func inward(name string) string {
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() {
			return "an inner address"
		}
		return ""
	}
	switch {
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		return "the machine itself"
	case strings.HasSuffix(host, ".svc") || strings.Contains(host, ".svc.") || strings.HasSuffix(host, ".cluster.local"):
		return "a Service of the cluster"
	case strings.HasPrefix(host, "metadata.") || strings.HasSuffix(host, ".internal"):
		return "a name of the cloud's inside"
	}
	return ""
}

func judgeEndpoints(p *Pass, s *corev1.Service) {
	if len(s.Spec.Selector) > 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
		p.NotApplicable("endpoints are made by the controller")
		return
	}
	if s.Namespace == "default" && s.Name == "kubernetes" {
		p.NotApplicable("the API server keeps its own endpoints")
		return
	}
	found := false
	if e := p.Snapshot.Endpoints.Get(s.Namespace, s.Name); e != nil {
		for i, sub := range e.Object.Subsets {
			for _, a := range sub.Addresses {
				found = true
				p.Fail(Evidence{Path: element("Endpoints "+s.Name+" subsets", i, "addresses"), Value: a.IP})
			}
		}
	}
	for _, e := range p.Snapshot.EndpointSlices.In(s.Namespace) {
		if e.Object.Labels["kubernetes.io/service-name"] != s.Name || strings.HasPrefix(e.Object.Labels["endpointslice.kubernetes.io/managed-by"], "endpointslicemirroring") {
			continue
		}
		for i, ep := range e.Object.Endpoints {
			found = true
			p.Fail(Evidence{Path: element("EndpointSlice "+e.Name+" endpoints", i, "addresses"), Value: strings.Join(ep.Addresses, ", ")})
		}
	}
	if !found {
		p.Missing(append(resources("", "endpoints"), resources("discovery.k8s.io", "endpointslices")...)...)
	}
}

type ingressBackend struct {
	path    string
	backend *networkingv1.IngressBackend
}

func ingressBackends(in *networkingv1.Ingress) func(yield func(ingressBackend) bool) {
	return func(yield func(ingressBackend) bool) {
		if b := in.Spec.DefaultBackend; b != nil && !yield(ingressBackend{"spec.defaultBackend", b}) {
			return
		}
		for i, r := range in.Spec.Rules {
			if r.HTTP == nil {
				continue
			}
			for j := range r.HTTP.Paths {
				if !yield(ingressBackend{fmt.Sprintf("spec.rules[%d].http.paths[%d].backend", i, j), &r.HTTP.Paths[j].Backend}) {
					return
				}
			}
		}
	}
}
