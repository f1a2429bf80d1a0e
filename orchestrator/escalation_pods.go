package orchestrator

// podPrimitives are E30 to E52: rights over what runs, and over what pods read.
func podPrimitives() []Primitive {
	const (
		practice = "kubernetes.io: RBAC good practices, workload creation"
		pss      = "kubernetes.io: Pod Security Standards"
	)
	return []Primitive{{
		ID: "E30", Title: "run a pod", Ways: []Way{{needPods}},
		Gain: "every service account, Secret, ConfigMap and volume claim of the namespace: a pod may name any of them",
		Trap: "Pod Security does not look at them, not even restricted", Fix: "give strong accounts a namespace of their own", Source: practice,
	}, {
		ID: "E31", Title: "run a privileged pod", Ways: []Way{{needPods}},
		Gain: "root on a node of choice", Trap: "refused where the namespace enforces baseline or restricted",
		Fix: "label the namespace pod-security.kubernetes.io/enforce: baseline, or restricted", Source: pss,
	}, {
		ID: "E32", Title: "run pods by a controller",
		Ways: anyOf(
			right("create", appsGroup, "deployments"), right("create", appsGroup, "daemonsets"), right("create", appsGroup, "statefulsets"),
			right("create", appsGroup, "replicasets"), right("create", "", "replicationcontrollers"), right("create", batchGroup, "cronjobs"), right("create", batchGroup, "jobs"),
			right(changeVerbs, appsGroup, "deployments"), right(changeVerbs, appsGroup, "daemonsets"), right(changeVerbs, appsGroup, "statefulsets"),
			right(changeVerbs, appsGroup, "replicasets"), right(changeVerbs, "", "replicationcontrollers"), right(changeVerbs, batchGroup, "cronjobs"),
		),
		Gain: "as running a pod", Trap: "the template of a Job cannot be changed; podtemplates do nothing",
		Fix: "give strong accounts a namespace of their own", Source: practice,
	}, {
		ID: "E33", Title: "change the image of a running pod", Ways: []Way{{needPodImage}},
		Gain: "code in the pod, with its account and volumes", Trap: "little beside the image can be changed; Pod Security judges the pod again",
		Fix: "take update and patch on pods away", Source: "k8s.io/kubernetes pkg/apis/core/validation, ValidatePodUpdate",
	}, {
		ID: "E34", Title: "scale a workload", Effect: true, Ways: anyOf(
			right(changeVerbs, appsGroup, "deployments/scale"), right(changeVerbs, appsGroup, "replicasets/scale"), right(changeVerbs, appsGroup, "statefulsets/scale"),
			right(changeVerbs, "", "replicationcontrollers/scale"), right(writeVerbs, "autoscaling", "horizontalpodautoscalers"),
		),
		Gain: "wakes a dormant workload, or stops one", Trap: "gives no new identity", Fix: "delete dormant workloads that are strong",
		Source: "kubernetes.io: horizontal pod autoscaling",
	}, {
		ID: "E35", Title: "exec into pods", Ways: []Way{{needExec}, {needAttach}, {needExecGet}, {needAttachGet}},
		Gain: "code in the pod, with its account and volumes",
		Trap: "get alone was enough before Kubernetes 1.35 and is not since (AuthorizePodWebsocketUpgradeCreatePermission)",
		Fix:  "take create on pods/exec and pods/attach away", Source: "k8s.io/kubernetes pkg/features",
	}, {
		ID: "E36", Title: "add a container to a running pod", Ways: []Way{{needEphemeral}},
		Gain: "code in the pod, with its volumes and processes; root on its node if a privileged container is admitted",
		Trap: "Pod Security judges ephemeral containers as others", Fix: "take write on pods/ephemeralcontainers away", Source: "kubernetes.io: ephemeral containers",
	}, {
		ID: "E37", Title: "reach pods through the API server", Effect: true, Ways: anyOf(
			right("create|get", "", "pods/portforward"), right("create|get|update|patch|delete", "", "pods/proxy"), right("create|get|update|patch|delete", "", "services/proxy"),
		),
		Gain: "connections to pods that no NetworkPolicy sees", Trap: "", Fix: "take the subresource away", Source: "kubernetes.io: proxies",
	}, {
		ID: "E38", Title: "read logs", Effect: true, Ways: anyOf(right("get", "", "pods/log")),
		Gain: "what applications write into their logs", Fix: "keep secrets out of logs", Source: "kubernetes.io: logging architecture",
	}, {
		ID: "E39", Title: "place a pending pod", Effect: true, Ways: anyOf(right("create", "", "pods/binding")),
		Gain: "moves a pending pod to a chosen node", Trap: "useful to whoever holds that node", Fix: "leave it to the scheduler", Source: "k8s.io/kubernetes pkg/registry/core/pod/storage, BindingREST",
	}, {
		ID: "E40", Title: "drive pods onto a held node", Ways: []Way{{needEvict, needNodes}, {needEvictCreate, needNodes}},
		Gain: "the pods of others, started again on a node that one holds, and their accounts",
		Trap: "both halves and a node are needed", Fix: "take write on nodes away", Source: "kubernetes.io: RBAC good practices",
	}, {
		ID: "E41", Title: "label and taint nodes", Effect: true, Ways: anyOf(right(changeVerbs, "", "nodes")),
		Gain: "steers where pods run", Trap: "NodeRestriction limits kubelets only, and is off unless enabled", Fix: "take write on nodes away", Source: "kubernetes.io: admission controllers, NodeRestriction",
	}, {
		ID: "E42", Title: "send the API server elsewhere", Effect: true, Ways: anyOf(right(changeVerbs, "", "nodes/status")),
		Gain: "the API server connects to an address and port of choice for exec, logs and proxy",
		Trap: "without --kubelet-certificate-authority it does not notice", Fix: "leave nodes/status to kubelets", Source: "kubernetes.io: communication between nodes and the control plane",
	}, {
		ID: "E43", Title: "talk to the kubelet", Ways: []Way{{needNodeProxy}},
		Gain: "commands in every container of the node, without admission and, at the kubelet's port, without audit",
		Trap: "get is enough: a WebSocket upgrade is a GET", Fix: "take nodes/proxy away; use nodes/metrics, nodes/log, nodes/configz, nodes/healthz",
		Source: "kubernetes.io: RBAC good practices, access to the proxy subresource of nodes",
	}, {
		ID: "E44", Title: "write the control plane's configmaps", Ways: []Way{{needConfigMaps}},
		Gain: "aws-auth maps a cloud identity to system:masters; coredns answers names; extension-apiserver-authentication decides who may speak for others",
		Trap: "only these names in kube-system", Fix: "take write on configmaps in kube-system away", Source: "Amazon EKS user guide, aws-auth",
	}, {
		ID: "E45", Title: "read from the kubelet", Effect: true, Ways: anyOf(
			right("get", "", "nodes/log"), right("get", "", "nodes/pods"), right("get", "", "nodes/configz"), right("get", "", "nodes/metrics"), right("get", "", "nodes/stats"),
		),
		Gain: "what runs, literal environment values, logs of the host", Trap: "no commands; the API server's proxy asks for nodes/proxy",
		Fix: "give each reader its subresource", Source: "KEP-2862",
	}, {
		ID: "E46", Title: "checkpoint a container", Effect: true, Ways: anyOf(right("create", "", "nodes/checkpoint")),
		Gain: "the container's memory in a file on the node", Trap: "the node is needed to read it", Fix: "take nodes/checkpoint away", Source: "kubernetes.io: kubelet checkpoint API",
	}, {
		ID: "E47", Title: "write what a pod reads", Ways: []Way{{needWriteSecrets}, {needConfigMaps}},
		Gain: "the configuration, and often the code, of workloads that mount it or read it as environment",
		Trap: "depends on what the workload does with it", Fix: "make the object immutable, or take the write away", Source: "kubernetes.io: ConfigMaps",
	}, {
		ID: "E48", Title: "mount a node's files by a volume", Ways: []Way{{needVolume, needClaim, needPods}, {needVolume, needStatefulSet}},
		Gain: "files of a node of choice", Trap: "admitted even where restricted is enforced; the pod's uid still counts",
		Fix: "take create on persistentvolumes away", Source: "kubernetes.io: RBAC good practices, persistent volume creation",
	}, {
		ID: "E49", Title: "name somebody else's volume", Effect: true, Ways: []Way{
			{need(right("create", "", "persistentvolumes"))}, {need(right(writeVerbs, "storage.k8s.io", "storageclasses"))}, {need(right(writeVerbs, "storage.k8s.io", "csidrivers"))},
		},
		Gain: "data, secrets or tokens that the storage driver hands out", Trap: "depends on the driver", Fix: "leave volumes to the provisioner", Source: "kubernetes.io: CSI drivers",
	}, {
		ID: "E50", Title: "use an exempt runtime class", Effect: true, Ways: []Way{{needPods}},
		Gain: "pods that Pod Security does not judge", Trap: "exemptions are in a file of the API server", Fix: "exempt no runtime class", Source: "kubernetes.io: Pod Security admission, exemptions",
	}, {
		ID: "E51", Title: "take on a cloud role", Gain: "the cloud role that the service account is annotated with",
		Trap: "EKS Pod Identity leaves no annotation", Fix: "narrow the role's trust and rights", Source: "vendors: EKS IRSA, GKE and Azure Workload Identity",
	}, {
		ID: "E52", Title: "get around mountable secrets", Effect: true, Ways: []Way{{needPods}},
		Gain: "the annotation kubernetes.io/enforce-mountable-secrets does not stop projected secrets",
		Trap: "it is no barrier", Fix: "use a namespace as the barrier", Source: "kubernetes.io: service accounts, enforce-mountable-secrets",
	}}
}

var (
	needPods        = need(right("create", "", "pods"))
	needPodImage    = need(right(changeVerbs, "", "pods"))
	needExec        = need(right("create", "", "pods/exec"))
	needAttach      = need(right("create", "", "pods/attach"))
	needExecGet     = need(right("get", "", "pods/exec"))
	needAttachGet   = need(right("get", "", "pods/attach"))
	needEphemeral   = need(right(changeVerbs, "", "pods/ephemeralcontainers"))
	needEvict       = need(right("delete", "", "pods"))
	needEvictCreate = need(right("create", "", "pods/eviction"))
	needNodes       = need(right("update|patch|delete", "", "nodes"))
	needNodeProxy   = need(right("get|create", "", "nodes/proxy"))
	needConfigMaps  = need(right(changeVerbs, "", "configmaps"))

	needWriteSecrets = need(right(changeVerbs, "", "secrets"))
	needVolume       = need(right("create", "", "persistentvolumes"))
	needClaim        = need(right("create", "", "persistentvolumeclaims"))
	needStatefulSet  = need(right("create", appsGroup, "statefulsets"))
)
