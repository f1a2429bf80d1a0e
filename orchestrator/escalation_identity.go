package orchestrator

// identityPrimitives are E10 to E25: rights that make one identity another.
func identityPrimitives() []Primitive {
	const (
		impersonation = "kubernetes.io: user impersonation; k8s.io/apiserver pkg/endpoints/filters/impersonation"
		csr           = "kubernetes.io: certificate signing requests"
	)
	return []Primitive{{
		ID: "E10", Title: "impersonate users", Ways: []Way{{needUsers}},
		Gain: "any user's rights; system:kube-controller-manager may read all secrets and mint any token",
		Trap: "the names of service accounts are asked for as serviceaccounts; no groups come with the user",
		Fix:  "take impersonate away, or name the users in resourceNames", Source: impersonation,
	}, {
		ID: "E11", Title: "impersonate groups", Ways: []Way{{needGroupsAsUser}, {needGroupsAsAccount}},
		Gain: "a group's rights; system:masters is everything",
		Trap: "groups alone give nothing: a request that names a group must name a user too",
		Fix:  "take impersonate away, or name the groups in resourceNames", Source: impersonation,
	}, {
		ID: "E12", Title: "impersonate service accounts", Ways: []Way{{needAccounts}},
		Gain: "the rights of every service account of the namespace, existing or not",
		Trap: "the default role edit holds it", Fix: "take impersonate away, or name the accounts in resourceNames", Source: impersonation,
	}, {
		ID: "E13", Title: "impersonate extra fields", Effect: true, Ways: []Way{{needExtras, needUsers}, {needExtras, needAccounts}},
		Gain: "forged claims, such as the node of a token, in requests made by E10 or E12",
		Trap: "alone it gives nothing; the right is on userextras/KEY, and userextras without a key is no request's", Fix: "take impersonate on userextras away", Source: impersonation,
	}, {
		ID: "E14", Title: "impersonate for some requests", Ways: []Way{{needConstrainedAccount}, {needConstrainedUser}},
		Gain: "the target's rights, for the verbs and resources of impersonate-on",
		Trap: "one half alone gives nothing; the feature gate ConstrainedImpersonation must be on",
		Fix:  "take the impersonate: or the impersonate-on: verb away", Source: "KEP-5284",
	}, {
		ID: "E15", Title: "mint tokens", Ways: []Way{{needToken}},
		Gain: "a token of every service account of the namespace, as long-lived as the server allows",
		Trap: "the account must exist; the default role edit holds it", Fix: "take create on serviceaccounts/token away, or name the accounts in resourceNames",
		Source: "kubernetes.io: RBAC good practices, token request",
	}, {
		ID: "E16", Title: "mint tokens that claim a node", Effect: true, Ways: []Way{{needToken}},
		Gain: "a token with the claim of any node: it passes rules that trust the node's name",
		Trap: "needs no right on nodes", Fix: "do not decide by the node claim of a token alone", Source: "KEP-4193",
	}, {
		ID: "E17", Title: "read secrets", Ways: []Way{{needSecrets}},
		Gain: "the credentials stored there, tokens of service accounts among them",
		Trap: "list and watch give the content too, and resourceNames work with a field selector; the default role view does not hold it",
		Fix:  "take list and watch away, and name the secrets in resourceNames", Source: "kubernetes.io: RBAC good practices, listing secrets",
	}, {
		ID: "E18", Title: "become a controller", Ways: []Way{{needAccounts}, {needToken}, {needPods}},
		Gain: "the service account of a controller in kube-system; clusterrole-aggregation-controller may escalate",
		Trap: "the accounts exist with --use-service-account-credentials, as kubeadm sets it",
		Fix:  "keep everybody out of kube-system", Source: "k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go",
	}, {
		ID: "E19", Title: "have a token written into a secret", Ways: []Way{{needCreateSecret, needSecrets}},
		Gain: "a token without end of every service account of the namespace: the controller fills a Secret of type kubernetes.io/service-account-token",
		Trap: "creating alone gives nothing, the token must be read", Fix: "take one of the two rights away",
		Source: "kubernetes.io: service accounts, long-lived tokens",
	}, {
		ID: "E20", Title: "make a bootstrap token", Ways: []Way{{needCreateSecret}, {needSecrets}},
		Gain: "membership in system:bootstrappers and groups below it, which may ask for node certificates",
		Trap: "only in kube-system, and only with --enable-bootstrap-token-auth; other groups are refused",
		Fix:  "keep everybody out of kube-system's secrets", Source: "kubernetes.io: bootstrap tokens",
	}, {
		ID: "E21", Title: "approve a certificate for anybody", Ways: []Way{{needCreateCSR, needApprove}},
		Gain: "a client certificate with any user name and groups but system:masters",
		Trap: "without the verb approve on the signer the approval is refused; without update of /approval approve gives nothing",
		Fix:  "take approve on kubernetes.io/kube-apiserver-client away", Source: csr,
	}, {
		ID: "E22", Title: "ask for a node's certificate", Ways: []Way{{needNodeClient, needReadCSR}},
		Gain: "the certificate of any node, and what the node may do",
		Trap: "selfnodeclient is for the own node's name only", Fix: "take create on certificatesigningrequests/nodeclient away", Source: csr,
	}, {
		ID: "E23", Title: "sign certificates", Effect: true, Ways: []Way{{need(right(changeVerbs, certsGroup, "certificatesigningrequests/status"), right("sign", certsGroup, "signers"))}},
		Gain: "certificates that carry the signer's name", Trap: "without the key of a trusted authority it gives nothing",
		Fix: "take sign away from all but the signer", Source: csr,
	}, {
		ID: "E24", Title: "attest trust bundles", Effect: true, Ways: []Way{
			{need(right(writeVerbs, certsGroup, "clustertrustbundles"), right("attest", certsGroup, "signers"))},
			{need(right(writeVerbs, certsGroup, "clustertrustbundles"))},
		},
		Gain: "a false trust anchor in pods that mount the bundle", Trap: "beta and off by default; a bundle with an empty signerName needs no attest",
		Fix: "take the write away from all but the signer", Source: "KEP-3257",
	}, {
		ID: "E25", Title: "issue pod certificates", Effect: true, Ways: []Way{{need(right(changeVerbs, certsGroup, "podcertificaterequests/status"), right("sign", certsGroup, "signers"))}},
		Gain: "certificates that workloads take for their own", Trap: "beta and off by default",
		Fix: "take sign away from all but the signer", Source: "KEP-4317",
	}}
}

var (
	needUsers           = need(right("impersonate", "", "users"))
	needGroupsAsUser    = need(right("impersonate", "", "users"), right("impersonate", "", "groups"))
	needGroupsAsAccount = need(anywhere(right("impersonate", "", "serviceaccounts")), right("impersonate", "", "groups"))
	needAccounts        = need(right("impersonate", "", "serviceaccounts"))
	needExtras          = need(right("impersonate", authnGroup, "userextras/*"))

	// The second half is asked for on what the request is about: any rule with
	// such a verb is a beginning.
	needConstrainedAccount = need(anywhere(right("impersonate-on:serviceaccount:", "*", "*")), right("impersonate:serviceaccount", authnGroup, "serviceaccounts"))
	needConstrainedUser    = need(anywhere(right("impersonate-on:user-info:", "*", "*")), right("impersonate:user-info", authnGroup, "users"))

	needToken        = need(right("create", "", "serviceaccounts/token"))
	needSecrets      = need(right(readVerbs, "", "secrets"))
	needCreateSecret = need(right("create", "", "secrets"))

	needCreateCSR  = need(right("create", certsGroup, "certificatesigningrequests"))
	needReadCSR    = need(right(readVerbs, certsGroup, "certificatesigningrequests"))
	needApprove    = need(right(changeVerbs, certsGroup, "certificatesigningrequests/approval"), right("approve", certsGroup, "signers"))
	needNodeClient = need(right("create", certsGroup, "certificatesigningrequests"), right("create", certsGroup, "certificatesigningrequests/nodeclient"))
)

func anywhere(r Right) Right {
	r.Anywhere = true
	return r
}
