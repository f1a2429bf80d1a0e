package orchestrator

// admissionPrimitives are E53 to E69: rights over admission, namespaces, the
// API itself and the network.
func admissionPrimitives() []Primitive {
	const (
		webhooks = "kubernetes.io: RBAC good practices, control of admission webhooks"
		netpol   = "kubernetes.io: network policies"
	)
	return []Primitive{{
		ID: "E53", Title: "install a mutating webhook", Ways: []Way{{needMutatingWebhooks}},
		Gain: "reads and rewrites every object that is written, pods and secrets among them",
		Trap: "webhook configurations themselves are exempt; the API server must reach the webhook", Fix: "take the write away from all but the installer", Source: webhooks,
	}, {
		ID: "E54", Title: "install a validating webhook", Effect: true, Ways: anyOf(right(writeVerbs, admissionGroup, "validatingwebhookconfigurations")),
		Gain: "reads every object that is written, secrets among them, and can refuse it", Trap: "the API server must reach the webhook",
		Fix: "take the write away from all but the installer", Source: webhooks,
	}, {
		ID: "E55", Title: "install a mutating policy", Ways: []Way{{needMutatingPolicies, needMutatingBindings}},
		Gain: "rewrites every object that is written, such as the subjects of an administrator's binding",
		Trap: "policy and binding are both needed", Fix: "take the write away from all but the installer", Source: "KEP-3962",
	}, {
		ID: "E56", Title: "remove admission", Ways: []Way{{needDropValidating}, {needDropMutating}, {needDropPolicies}, {needDropPolicyBindings}},
		Gain: "what the webhook or policy refused: privileged pods, if it alone stood in the way",
		Trap: "policies given to the API server as files cannot be removed", Fix: "take the write away from all but the installer", Source: webhooks,
	}, {
		ID: "E57", Title: "relabel a namespace", Ways: []Way{{needNamespace}},
		Gain: "Pod Security, and whatever selects namespaces by label, switched off",
		Trap: "a Role in the namespace is enough for the namespace itself", Fix: "take write on namespaces away", Source: "kubernetes.io: RBAC good practices, namespace modification",
	}, {
		ID: "E58", Title: "create a namespace without Pod Security", Ways: []Way{{needNewNamespace, needPods}},
		Gain: "privileged pods in a new namespace, where the server's default is privileged", Trap: "creating a namespace alone gives nothing: rights inside must come with it",
		Fix: "let the server's default be baseline, or label namespaces by admission", Source: "kubernetes.io: Pod Security admission",
	}, {
		ID: "E59", Title: "serve an API", Effect: true, Ways: anyOf(right(writeVerbs, "apiregistration.k8s.io", "apiservices"), right(writeVerbs, "apiextensions.k8s.io", "customresourcedefinitions")),
		Gain: "reads and alters the objects of that API", Trap: "groups that are served by the API server itself keep precedence only while they are registered",
		Fix: "take the write away from all but the installer", Source: "kubernetes.io: API aggregation layer",
	}, {
		ID: "E60", Title: "give an object another owner", Effect: true, Ways: []Way{{need(Right{Verbs: []string{"update", "patch"}, Group: "*", Resource: "*", Any: true})}},
		Gain: "the garbage collector deletes the object, without the right to delete", Trap: "removes only; OwnerReferencesPermissionEnforcement stops it, and is off by default",
		Fix: "enable the admission plugin", Source: "kubernetes.io: admission controllers, OwnerReferencesPermissionEnforcement",
	}, {
		ID: "E61", Title: "rewrite stored objects", Effect: true, Ways: []Way{{needMigration, needMutatingWebhooks}, {needMigration, needMutatingPolicies, needMutatingBindings}},
		Gain: "existing objects pass through mutating admission again", Trap: "beta and off by default; needs E53 or E55 beside it", Fix: "take create away", Source: "KEP-4192",
	}, {
		ID: "E62", Title: "claim devices with admin access", Effect: true, Ways: []Way{{needDeviceClaim}, {needDeviceTemplate}, {needDeviceClaim, needNamespace}, {needDeviceTemplate, needNamespace}},
		Gain: "devices that others use", Trap: "refused unless the namespace is labelled resource.kubernetes.io/admin-access", Fix: "label no namespace of a tenant", Source: "KEP-5018",
	}, {
		ID: "E63", Title: "rewrite a device claim's status", Effect: true, Ways: anyOf(right(changeVerbs, resourceGroup, "resourceclaims/status"), right(changeVerbs, resourceGroup, "resourceclaims/binding"), right(changeVerbs, resourceGroup, "resourceclaims/driver")),
		Gain: "other devices for a pod", Trap: "since 1.36 verbs with associated-node: and arbitrary-node: are asked for too", Fix: "leave the status to the driver", Source: "kubernetes.io: dynamic resource allocation",
	}, {
		ID: "E64", Title: "publish devices", Effect: true, Ways: anyOf(right(writeVerbs, resourceGroup, "resourceslices"), right(writeVerbs, resourceGroup, "deviceclasses")),
		Gain: "configuration that a device driver trusts", Trap: "depends on the driver", Fix: "leave it to the driver", Source: "kubernetes.io: dynamic resource allocation",
	}, {
		ID: "E65", Title: "take over an address by a Service", Effect: true, Ways: anyOf(right(writeVerbs, "", "services"), right(changeVerbs, "", "services/status")),
		Gain: "traffic to addresses outside (CVE-2020-8554)", Trap: "DenyServiceExternalIPs stops spec.externalIPs, not the status", Fix: "enable DenyServiceExternalIPs", Source: "CVE-2020-8554; KEP-5707",
	}, {
		ID: "E66", Title: "write endpoints", Effect: true, Ways: anyOf(right(writeVerbs, "discovery.k8s.io", "endpointslices"), right(writeVerbs, "", "endpoints")),
		Gain: "a Service, load balancer or Ingress that leads to pods of other namespaces (CVE-2021-25740)", Trap: "loopback and link-local addresses are refused; the default role edit does not hold it",
		Fix: "take the write away", Source: "CVE-2021-25740",
	}, {
		ID: "E67", Title: "rewrite a pod's labels or address", Effect: true, Ways: anyOf(right(changeVerbs, "", "pods/status"), right(changeVerbs, "", "pods")),
		Gain: "joins a Service, leaves a NetworkPolicy", Trap: "the kubelet writes the address again", Fix: "take the write away", Source: netpol,
	}, {
		ID: "E68", Title: "write network policies", Effect: true, Ways: anyOf(
			right("create|update|patch|delete", networkGroup, "networkpolicies"), right("create|update|patch|delete", "policy.networking.k8s.io", "clusternetworkpolicies"),
		),
		Gain: "opens what was closed", Trap: "the default role edit holds it", Fix: "take the write away from tenants", Source: netpol,
	}, {
		ID: "E69", Title: "write routes", Effect: true, Ways: anyOf(
			right(writeVerbs, networkGroup, "ingresses"), right(writeVerbs, "gateway.networking.k8s.io", "httproutes"), right(writeVerbs, "gateway.networking.k8s.io", "grpcroutes"),
			right(writeVerbs, "gateway.networking.k8s.io", "tlsroutes"), right(writeVerbs, "gateway.networking.k8s.io", "tcproutes"), right(writeVerbs, "gateway.networking.k8s.io", "referencegrants"),
		),
		Gain: "another tenant's host name, secret or backend", Trap: "depends on the controller", Fix: "let admission own host names", Source: "kubernetes.io: Ingress; Gateway API security model",
	}}
}

var (
	needMutatingWebhooks   = need(right(writeVerbs, admissionGroup, "mutatingwebhookconfigurations"))
	needMutatingPolicies   = need(right(writeVerbs, admissionGroup, "mutatingadmissionpolicies"))
	needMutatingBindings   = need(right(writeVerbs, admissionGroup, "mutatingadmissionpolicybindings"))
	needDropValidating     = need(right("delete|deletecollection|update|patch", admissionGroup, "validatingwebhookconfigurations"))
	needDropMutating       = need(right("delete|deletecollection|update|patch", admissionGroup, "mutatingwebhookconfigurations"))
	needDropPolicies       = need(right("delete|deletecollection|update|patch", admissionGroup, "validatingadmissionpolicies"))
	needDropPolicyBindings = need(right("delete|deletecollection|update|patch", admissionGroup, "validatingadmissionpolicybindings"))

	needMigration      = need(right("create", "storagemigration.k8s.io", "storageversionmigrations"))
	needDeviceClaim    = need(right("create", resourceGroup, "resourceclaims"))
	needDeviceTemplate = need(right("create", resourceGroup, "resourceclaimtemplates"))

	needNamespace    = need(right(changeVerbs, "", "namespaces"))
	needNewNamespace = need(right("create", "", "namespaces"))
)
