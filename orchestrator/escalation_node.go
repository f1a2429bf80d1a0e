package orchestrator

// nodePrimitives are E70 to E77: what a node, a pod's settings and a stronger
// controller give.
func nodePrimitives() []Primitive {
	return []Primitive{{
		ID: "E70", Title: "hold a node", Gain: "tokens of the service accounts of its pods, and the secrets that they use",
		Trap: "of its own pods only, if the Node authorizer and NodeRestriction are on; mirror pods have neither", Fix: "keep strong accounts off nodes that run what is not trusted",
		Source: "kubernetes.io: Node authorization",
	}, {
		ID: "E71", Title: "hold a control-plane node", Gain: "everything: the keys of the control plane and its database are there",
		Fix: "let nothing else run on control-plane nodes", Source: "kubernetes.io: PKI certificates and requirements",
	}, {
		ID: "E72", Title: "leave the container", Gain: "root on the node",
		Trap: "capabilities count little in a user namespace of the pod's own (hostUsers: false)",
		Fix:  "take the setting away", Source: "kubernetes.io: Pod Security Standards, baseline",
	}, {
		ID: "E73", Title: "ask the cloud's metadata service", Gain: "the cloud role of the node",
		Trap: "a hop limit of 1 or a NetworkPolicy stops it, unless the pod is in the host's network", Fix: "block 169.254.169.254, or set the hop limit to 1", Source: "kubernetes.io: securing a cluster, cloud metadata",
	}, {
		ID: "E74", Title: "run in the host's network", Effect: true, Gain: "the kubelet, ports of the node that are open to itself only, the cloud's metadata service",
		Fix: "take hostNetwork away", Source: "kubernetes.io: Pod Security Standards, baseline",
	}, {
		ID: "E75", Title: "run an image that is already there", Effect: true, Ways: []Way{{needPods}},
		Gain: "a private image that somebody else pulled to the node", Trap: "not with AlwaysPullImages, nor since 1.35", Fix: "enable AlwaysPullImages", Source: "KEP-2535",
	}, {
		ID: "E76", Title: "give orders to a stronger controller", Ways: deputyWays(),
		Gain: "what the controller's service account may do, as far as it obeys the object", Trap: "depends on the controller and its settings",
		Fix: "let admission check such objects, or take the write away", Source: "each controller's documentation",
	}, {
		ID: "E77", Title: "exhaust or stop", Effect: true, Ways: anyOf(
			right(writeVerbs, "coordination.k8s.io", "leases"), right(writeVerbs, "flowcontrol.apiserver.k8s.io", "flowschemas"), right(writeVerbs, "flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
			right("update|patch|delete", "", "resourcequotas"), right("update|patch|delete", "", "limitranges"), right(writeVerbs, "scheduling.k8s.io", "priorityclasses"),
			right(changeVerbs, "", "pods/resize"), right(writeVerbs, resourceGroup, "devicetaintrules"),
		),
		Gain: "denial of service", Trap: "never an escalation", Fix: "take the write away", Source: "kubernetes.io: RBAC good practices, denial of service risks",
	}}
}

// deputy is a controller that acts, with its own rights, on objects of others.
type deputy struct {
	controller      string
	group, resource string
	// accounts are names that its service account has when installed as its
	// documentation says.
	accounts []string
}

// deputies is data of E76.
func deputies() []deputy {
	return []deputy{
		{"Argo CD", "argoproj.io", "applications", []string{"argocd-application-controller"}},
		{"Argo CD", "argoproj.io", "applicationsets", []string{"argocd-applicationset-controller", "argocd-application-controller"}},
		{"Argo Workflows", "argoproj.io", "workflows", []string{"argo", "argo-workflows-workflow-controller", "workflow-controller"}},
		{"Flux", "kustomize.toolkit.fluxcd.io", "kustomizations", []string{"kustomize-controller"}},
		{"Flux", "helm.toolkit.fluxcd.io", "helmreleases", []string{"helm-controller"}},
		{"Tekton", "tekton.dev", "pipelineruns", []string{"tekton-pipelines-controller"}},
		{"Tekton", "tekton.dev", "taskruns", []string{"tekton-pipelines-controller"}},
		{"cert-manager", "cert-manager.io", "certificates", []string{"cert-manager"}},
		{"cert-manager", "cert-manager.io", "certificaterequests", []string{"cert-manager"}},
		{"External Secrets", "external-secrets.io", "externalsecrets", []string{"external-secrets"}},
		{"Kyverno", "kyverno.io", "clusterpolicies", []string{"kyverno-background-controller", "kyverno-admission-controller"}},
		{"Gatekeeper", "mutations.gatekeeper.sh", "assign", []string{"gatekeeper-admin"}},
		{"Crossplane", "kubernetes.crossplane.io", "objects", []string{"provider-kubernetes"}},
		{"Crossplane", "apiextensions.crossplane.io", "compositions", []string{"crossplane"}},
		{"OLM", "operators.coreos.com", "clusterserviceversions", []string{"olm-operator-serviceaccount"}},
		{"OLM", "operators.coreos.com", "subscriptions", []string{"olm-operator-serviceaccount"}},
		{"Velero", "velero.io", "restores", []string{"velero", "velero-server"}},
		{"KubeVirt", "kubevirt.io", "virtualmachines", []string{"kubevirt-controller"}},
		{"Cluster API", "cluster.x-k8s.io", "machines", []string{"capi-manager"}},
		{"Karpenter", "karpenter.sh", "nodepools", []string{"karpenter"}},
		{"Prometheus Operator", "monitoring.coreos.com", "prometheuses", []string{"prometheus-operator", "kube-prometheus-stack-operator"}},
		{"Istio", "networking.istio.io", "envoyfilters", []string{"istiod"}},
	}
}

func (d deputy) need() Need { return need(right(writeVerbs, d.group, d.resource)) }

func deputyWays() []Way {
	var ways []Way
	for _, d := range deputies() {
		ways = append(ways, Way{d.need()})
	}
	return ways
}
