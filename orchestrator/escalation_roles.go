package orchestrator

// rolePrimitives are E01 to E09: rights over roles and bindings themselves.
// The API server lets nobody write a role or binding that gives more than its
// author has, unless by the verbs escalate and bind.
func rolePrimitives() []Primitive {
	const source = "kubernetes.io: RBAC, privilege escalation prevention; k8s.io/kubernetes pkg/registry/rbac"
	return []Primitive{{
		ID: "E01", Title: "everything on everything", Ways: []Way{{needAll}},
		Gain: "all rights on all resources: in the namespace of a RoleBinding, in the cluster by a ClusterRoleBinding",
		Trap: "a RoleBinding to cluster-admin gives its namespace only",
		Fix:  "bind a role that lists what is used", Source: "kubernetes.io: RBAC good practices, wildcards",
	}, {
		ID: "E02", Title: "all verbs on all core resources", Ways: []Way{{needCore}},
		Gain: "impersonation of any user in any group, system:masters among them: users and groups are core resources",
		Trap: "no right in the group rbac.authorization.k8s.io is needed", Fix: "list resources and verbs",
		Source: "k8s.io/apiserver pkg/endpoints/filters/impersonation",
	}, {
		ID: "E03", Title: "member of system:masters",
		Gain: "everything, before any authorizer is asked; no binding can take it back",
		Trap: "which certificates and tokens carry the group is not in the cluster's objects",
		Fix:  "use another group for people; a certificate is valid until it expires", Source: "kubernetes.io: RBAC good practices, least privilege",
	}, {
		ID: "E04", Title: "member of a group",
		Gain: "the rights that bindings give the group: system:authenticated holds everybody who logs in, system:unauthenticated everybody else",
		Trap: "system:discovery, system:basic-user and system:public-info-viewer are bound so by default and give nothing",
		Fix:  "bind named accounts instead of the group", Source: "kubernetes.io: RBAC, default roles; KEP-4633",
	}, {
		ID: "E05", Title: "bind a role to oneself", Ways: []Way{{needBindCluster}, {needBindRole}, {needBindClusterHere}},
		Gain: "the rights of the role",
		Trap: "creating bindings without bind spreads own rights only; bind without creating bindings gives nothing",
		Fix:  "take bind away, or name the roles it is for in resourceNames", Source: source,
	}, {
		ID: "E06", Title: "join an existing binding", Ways: []Way{{needJoinCluster}, {needJoinRole}, {needJoinClusterHere}},
		Gain: "the rights of the role that the binding refers to",
		Trap: "a roleRef cannot be changed; without bind only roles within own rights can be joined",
		Fix:  "take bind away, or name the roles it is for in resourceNames", Source: source,
	}, {
		ID: "E07", Title: "rewrite a role", Ways: []Way{{needEscalateCluster}, {needEscalate}, {needEscalateNewCluster}, {needEscalateNew}},
		Gain: "any right, for whom the role is bound to",
		Trap: "escalate without writing roles gives nothing, nor does writing roles without escalate; the role must be bound to somebody one is",
		Fix:  "take escalate away", Source: source,
	}, {
		ID: "E08", Title: "create a service account that a binding waits for", Ways: []Way{{needCreateAccount, needToken}, {needCreateAccount, needPods}},
		Gain: "the rights that a binding already gives to the missing account",
		Trap: "the namespace must exist, and the account alone gives no token",
		Fix:  "delete the binding, or its dead subject", Source: "kubernetes.io: service accounts",
	}, {
		ID: "E09", Title: "create the role that a binding waits for", Effect: true,
		Ways: []Way{
			{need(right("create", rbacGroup, "roles"))}, {need(right("create", rbacGroup, "clusterroles"))},
		},
		Gain: "spreads own rights to the subjects of bindings with a dangling roleRef, or by aggregation labels to whoever has the aggregate role",
		Trap: "gives nothing to its author: a role beyond own rights is refused",
		Fix:  "delete dangling bindings", Source: source,
	}}
}

// The needs that edges are built from.
var (
	needAll  = need(right("*", "*", "*"))
	needCore = need(right("*", "", "*"))

	needBindCluster     = need(right("create", rbacGroup, "clusterrolebindings"), right("bind", rbacGroup, "clusterroles"))
	needBindClusterHere = need(right("create", rbacGroup, "rolebindings"), right("bind", rbacGroup, "clusterroles"))
	needBindRole        = need(right("create", rbacGroup, "rolebindings"), right("bind", rbacGroup, "roles"))
	needJoinCluster     = need(right(changeVerbs, rbacGroup, "clusterrolebindings"), right("bind", rbacGroup, "clusterroles"))
	needJoinClusterHere = need(right(changeVerbs, rbacGroup, "rolebindings"), right("bind", rbacGroup, "clusterroles"))
	needJoinRole        = need(right(changeVerbs, rbacGroup, "rolebindings"), right("bind", rbacGroup, "roles"))

	needEscalateCluster    = Need{Same: true, Rights: []Right{right(changeVerbs, rbacGroup, "clusterroles"), right("escalate", rbacGroup, "clusterroles")}}
	needEscalate           = Need{Same: true, Rights: []Right{right(changeVerbs, rbacGroup, "roles"), right("escalate", rbacGroup, "roles")}}
	needEscalateNewCluster = Need{Same: true, Rights: []Right{right("create", rbacGroup, "clusterroles"), right("escalate", rbacGroup, "clusterroles")}}
	needEscalateNew        = Need{Same: true, Rights: []Right{right("create", rbacGroup, "roles"), right("escalate", rbacGroup, "roles")}}

	needCreateAccount = need(right("create", "", "serviceaccounts"))
)
