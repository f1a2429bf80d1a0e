package orchestrator

import (
	"slices"
	"strconv"

	"github.com/boltseal/boltseal"
)

// controlPlaneChecks is the family C: flags of the control plane's static pods,
// and kubelet configurations. A managed control plane shows neither; file modes
// on nodes are not visible here.
func controlPlaneChecks() []*Check {
	const high, medium, low = boltseal.SeverityHigh, boltseal.SeverityMedium, boltseal.SeverityLow
	checks := apiServerChecks()
	checks = append(checks,
		settings("C14", "controller manager", "kube-controller-manager", medium, "CIS 1.3",
			"The controller manager holds the keys that sign service account tokens.",
			setting{flag: "terminated-pod-gc-threshold", unset: "12500", number: "1.3.1", good: positive},
			setting{flag: "profiling", unset: "true", number: "1.3.2", good: is("false")},
			setting{flag: "use-service-account-credentials", unset: "false", number: "1.3.3", good: is("true"), detail: "all controllers act with one account's rights"},
			setting{flag: "service-account-private-key-file", number: "1.3.4", good: isSet},
			setting{flag: "root-ca-file", number: "1.3.5", good: isSet},
			setting{flag: "feature-gates", number: "1.3.6", good: gateNotOff("RotateKubeletServerCertificate")},
			setting{flag: "bind-address", unset: "0.0.0.0", number: "1.3.7", good: loopback},
		),
		settings("C15", "scheduler", "kube-scheduler", low, "CIS 1.4",
			"The scheduler's debugging pages show what runs where.",
			setting{flag: "profiling", unset: "true", number: "1.4.1", good: is("false"), file: "config"},
			setting{flag: "bind-address", unset: "0.0.0.0", number: "1.4.2", good: loopback},
		),
		component16(),
	)
	return append(checks, kubeletChecks()...)
}

// settings is a check that holds a component to a list of settings.
func settings(id, what, of string, severity boltseal.Severity, source, doc string, list ...setting) *Check {
	return &Check{
		ID: id, Title: what + " set unsafely", Severity: severity, Source: source, of: of, Judges: resources("", "pods"), Doc: doc,
		Fix: "Set the flags that the evidence names in the static pod's manifest.",
		Judge: func(p *Pass) {
			if k, ok := p.Object.(*component); ok {
				for _, s := range list {
					p.hold(k, s)
				}
			}
		},
	}
}

func apiServerChecks() []*Check {
	const critical, high, medium, low = boltseal.SeverityCritical, boltseal.SeverityHigh, boltseal.SeverityMedium, boltseal.SeverityLow
	server := func(id, title string, severity boltseal.Severity, source, doc string, list ...setting) *Check {
		c := settings(id, "", "kube-apiserver", severity, source, doc, list...)
		c.Title = title
		return c
	}
	return []*Check{
		server("C01", "API server answers without credentials", medium, "CIS 1.2.1",
			"Anonymous requests reach discovery and health by default, and whatever else is bound to system:unauthenticated.",
			setting{flag: "anonymous-auth", unset: "true", number: "1.2.1", good: is("false"), file: "authentication-config"}),
		server("C02", "passwords in a token file", high, "CIS 1.2.2",
			"The file holds tokens in the clear that never expire and cannot be revoked without a restart.",
			setting{flag: "token-auth-file", number: "1.2.2", good: is("")}),
		server("C03", "connection to kubelets not secured", high, "CIS 1.2.4, 1.2.5",
			"Without a certificate the API server cannot prove itself to kubelets; without an authority it does not check theirs.",
			setting{flag: "kubelet-client-certificate", number: "1.2.4", good: isSet},
			setting{flag: "kubelet-client-key", number: "1.2.4", good: isSet},
			setting{flag: "kubelet-certificate-authority", number: "1.2.5", good: isSet}),
		{
			ID: "C04", Title: "authorization incomplete", Severity: critical, Source: "CIS 1.2.6, 1.2.7, 1.2.8", of: "kube-apiserver", Judges: resources("", "pods"),
			Doc:   "AlwaysAllow gives everything to everybody; without Node kubelets are not held to their own node; without RBAC nobody's rights are what its objects say.",
			Fix:   "Set --authorization-mode=Node,RBAC.",
			Judge: judgeAuthorization,
		},
		{
			ID: "C05", Title: "admission plugins", Severity: medium, Source: "CIS 1.2.9 to 1.2.14", of: "kube-apiserver", Judges: resources("", "pods"),
			Doc:   "NodeRestriction, AlwaysPullImages and EventRateLimit are off as shipped; ServiceAccount and NamespaceLifecycle are on and must stay so.",
			Fix:   "Set --enable-admission-plugins as the evidence says.",
			Judge: judgePlugins,
		},
		server("C06", "profiling of the API server", low, "CIS 1.2.15", "Profiles show memory and control flow of the server.",
			setting{flag: "profiling", unset: "true", number: "1.2.15", good: is("false")}),
		{
			ID: "C07", Title: "audit log incomplete", Severity: high, Source: "CIS 1.2.16 to 1.2.19", of: "kube-apiserver", Judges: resources("", "pods"),
			Doc:   "Without a policy and a place to write, nobody can tell afterwards who did what.",
			Fix:   "Set --audit-policy-file, --audit-log-path, and keep at least 30 days, 10 files of 100 MB.",
			Judge: judgeAudit,
		},
		server("C08", "service account tokens not checked fully", medium, "CIS 1.2.21, 1.2.22",
			"Without look-up, tokens of deleted accounts stay good; without a key of their own they are tied to the server's TLS key.",
			setting{flag: "service-account-lookup", unset: "true", number: "1.2.21", good: is("true")},
			setting{flag: "service-account-key-file", number: "1.2.22", good: isSet}),
		server("C09", "connection to etcd not secured", critical, "CIS 1.2.23, 1.2.26",
			"Whoever speaks to etcd reads and writes everything, past all authorization.",
			setting{flag: "etcd-certfile", number: "1.2.23", good: isSet},
			setting{flag: "etcd-keyfile", number: "1.2.23", good: isSet},
			setting{flag: "etcd-cafile", number: "1.2.26", good: isSet}),
		server("C10", "API server without certificates", high, "CIS 1.2.24, 1.2.25",
			"Without a certificate it makes one that nobody can check; without an authority clients cannot use theirs.",
			setting{flag: "tls-cert-file", number: "1.2.24", good: isSet},
			setting{flag: "tls-private-key-file", number: "1.2.24", good: isSet},
			setting{flag: "client-ca-file", number: "1.2.25", good: isSet}),
		{
			ID: "C11", Title: "Secrets in the clear in etcd", Severity: high, Source: "CIS 1.2.27, 1.2.28", of: "kube-apiserver", Judges: resources("", "pods"),
			Doc: "Every backup of etcd holds every Secret.",
			Fix: "Set --encryption-provider-config with aescbc, secretbox or kms as the first provider.",
			Judge: func(p *Pass) {
				k, ok := p.Object.(*component)
				if !ok {
					return
				}
				if file, set := k.flag("encryption-provider-config"); set {
					p.Unknown("which provider encrypts is in %s, which was not seen", file)
					return
				}
				p.Fail(Evidence{Path: k.at + " --encryption-provider-config", Value: "no encryption", Default: true, Detail: "CIS 1.2.27"})
			},
		},
		{
			ID: "C12", Title: "weak TLS cipher suites", Severity: low, Source: "CIS 1.2.29", of: "kube-apiserver", Judges: resources("", "pods"),
			Doc:   "Suites without authenticated encryption or forward secrecy. As shipped the list holds some with CBC.",
			Fix:   "Set --tls-cipher-suites to suites with GCM or CHACHA20 and ECDHE, or --tls-min-version=VersionTLS13.",
			Judge: judgeCiphers,
		},
		server("C13", "tokens of pods live a year", medium, "CIS 1.2.30",
			"Tokens that pods mount say one hour, and stay good for a year unless the extension is off.",
			setting{flag: "service-account-extend-token-expiration", unset: "true", number: "1.2.30", good: is("false")}),
	}
}

func judgeAuthorization(p *Pass) {
	k, ok := p.Object.(*component)
	if !ok {
		return
	}
	modes := k.list("authorization-mode")
	if file, given := k.flag("authorization-config"); given && len(modes) == 0 {
		p.Unknown("the authorizers are in %s (--authorization-config), which was not seen", file)
		return
	}
	at, unset := k.at+" --authorization-mode", len(modes) == 0
	if unset {
		modes = []string{"AlwaysAllow"}
	}
	if slices.Contains(modes, "AlwaysAllow") {
		p.Fail(Evidence{Path: at, Value: "AlwaysAllow", Default: unset, Detail: "CIS 1.2.6"})
	}
	for _, m := range []struct{ mode, number string }{{"Node", "1.2.7"}, {"RBAC", "1.2.8"}} {
		if !slices.Contains(modes, m.mode) {
			p.Fail(Evidence{Path: at, Value: "without " + m.mode, Detail: "CIS " + m.number})
		}
	}
}

func judgePlugins(p *Pass) {
	k, ok := p.Object.(*component)
	if !ok {
		return
	}
	on, off := k.list("enable-admission-plugins"), k.list("disable-admission-plugins")
	at := k.at + " --enable-admission-plugins"
	for _, w := range []struct{ plugin, number string }{{"EventRateLimit", "1.2.9"}, {"AlwaysPullImages", "1.2.11"}, {"NodeRestriction", "1.2.14"}} {
		if !slices.Contains(on, w.plugin) || slices.Contains(off, w.plugin) {
			p.Fail(Evidence{Path: at, Value: "without " + w.plugin, Detail: "CIS " + w.number})
		}
	}
	if slices.Contains(on, "AlwaysAdmit") {
		p.Fail(Evidence{Path: at, Value: "AlwaysAdmit", Detail: "CIS 1.2.10"})
	}
	for _, w := range []struct{ plugin, number string }{{"ServiceAccount", "1.2.12"}, {"NamespaceLifecycle", "1.2.13"}} {
		if slices.Contains(off, w.plugin) {
			p.Fail(Evidence{Path: k.at + " --disable-admission-plugins", Value: w.plugin, Detail: "CIS " + w.number})
		}
	}
}

func judgeAudit(p *Pass) {
	k, ok := p.Object.(*component)
	if !ok {
		return
	}
	p.hold(k, setting{flag: "audit-policy-file", number: "3.2.1", good: isSet, detail: "nothing is recorded without a policy"})
	if _, webhook := k.flag("audit-webhook-config-file"); webhook {
		if _, log := k.flag("audit-log-path"); !log {
			return // sent elsewhere instead
		}
	}
	p.hold(k, setting{flag: "audit-log-path", number: "1.2.16", good: isSet})
	p.hold(k, setting{flag: "audit-log-maxage", unset: "0", number: "1.2.17", good: atLeast(30), detail: "days"})
	p.hold(k, setting{flag: "audit-log-maxbackup", unset: "0", number: "1.2.18", good: atLeast(10), detail: "files"})
	p.hold(k, setting{flag: "audit-log-maxsize", unset: "0", number: "1.2.19", good: atLeast(100), detail: "megabytes"})
}

func judgeCiphers(p *Pass) {
	k, ok := p.Object.(*component)
	if !ok {
		return
	}
	if v, _ := k.flag("tls-min-version"); v == "VersionTLS13" {
		return
	}
	suites := k.list("tls-cipher-suites")
	if len(suites) == 0 {
		p.Fail(Evidence{Path: k.at + " --tls-cipher-suites", Value: "Go's list, with CBC suites", Default: true, Detail: "CIS 1.2.29"})
	}
	for _, s := range suites {
		if !strongCipher(s) {
			p.Fail(Evidence{Path: k.at + " --tls-cipher-suites", Value: s, Detail: "CIS 1.2.29"})
		}
	}
}

// strongCipher reports whether a suite has forward secrecy and authenticated
// encryption; those of TLS 1.3 all do.
func strongCipher(s string) bool {
	switch s {
	case "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256":
		return true
	}
	return false
}

// component16 is C16, etcd.
func component16() *Check {
	c := settings("C16", "etcd", "etcd", boltseal.SeverityCritical, "CIS 2.1 to 2.7",
		"etcd holds everything and knows no rights of its own: its certificates are all that protects it.",
		setting{flag: "cert-file", number: "2.1", good: isSet, file: "config-file"},
		setting{flag: "key-file", number: "2.1", good: isSet, file: "config-file"},
		setting{flag: "client-cert-auth", unset: "false", number: "2.2", good: is("true"), file: "config-file"},
		setting{flag: "auto-tls", unset: "false", number: "2.3", good: isNot("true"), file: "config-file"},
		setting{flag: "peer-cert-file", number: "2.4", good: isSet, file: "config-file"},
		setting{flag: "peer-key-file", number: "2.4", good: isSet, file: "config-file"},
		setting{flag: "peer-client-cert-auth", unset: "false", number: "2.5", good: is("true"), file: "config-file"},
		setting{flag: "peer-auto-tls", unset: "false", number: "2.6", good: isNot("true"), file: "config-file"},
	)
	hold := c.Judge
	c.Judge = func(p *Pass) {
		hold(p)
		k, ok := p.Object.(*component)
		if !ok {
			return
		}
		own, _ := k.flag("trusted-ca-file")
		for _, sub := range p.run.components()["kube-apiserver"] {
			if server, ok := sub.object.(*component); ok && own != "" {
				if ca, _ := server.flag("client-ca-file"); ca == own {
					p.Fail(Evidence{Path: k.at + " --trusted-ca-file", Value: own, Detail: "CIS 2.7: every client certificate of the cluster opens etcd"})
				}
			}
		}
	}
	return c
}

func kubeletChecks() []*Check {
	const critical, high, medium, low = boltseal.SeverityCritical, boltseal.SeverityHigh, boltseal.SeverityMedium, boltseal.SeverityLow
	kubelet := func(id, title string, severity boltseal.Severity, source, doc, fix string, judge func(*Pass, *component)) *Check {
		return &Check{
			ID: id, Title: title, Severity: severity, Source: source, of: "kubelet", Judges: resources("", "configmaps"), Doc: doc, Fix: fix,
			Judge: func(p *Pass) {
				k, ok := p.Object.(*component)
				if !ok {
					return
				}
				if k.config == nil {
					p.Unknown("the kubelet's configuration was not read")
					return
				}
				judge(p, k)
			},
		}
	}
	return []*Check{
		kubelet("C17", "kubelet answers without credentials", critical, "CIS 4.2.1",
			"Anonymous requests run commands in pods, if authorization lets them.", "Set authentication.anonymous.enabled: false.",
			func(p *Pass, k *component) { p.holdBool(k, false, false, "authentication", "anonymous", "enabled") }),
		kubelet("C18", "kubelet allows everything", critical, "CIS 4.2.2",
			"Whoever passes its authentication runs commands in every pod of the node.", "Set authorization.mode: Webhook.",
			func(p *Pass, k *component) {
				if v, ok := k.kubeletField("authorization", "mode"); ok && v != "Webhook" {
					p.Fail(Evidence{Path: k.at + "authorization.mode", Value: word(v)})
				}
			}),
		kubelet("C19", "kubelet without a client authority", high, "CIS 4.2.3",
			"It cannot tell the API server from others by certificate.", "Set authentication.x509.clientCAFile.",
			func(p *Pass, k *component) {
				if v, _ := k.kubeletField("authentication", "x509", "clientCAFile"); v == nil || v == "" {
					p.Fail(Evidence{Path: k.at + "authentication.x509.clientCAFile", Value: "none", Default: true})
				}
			}),
		kubelet("C20", "kubelet's read-only port open", high, "CIS 4.2.4",
			"Without any login it shows all pods of the node, environment included.", "Set readOnlyPort: 0.",
			func(p *Pass, k *component) {
				if v, ok := k.kubeletField("readOnlyPort"); ok && word(v) != "0" {
					p.Fail(Evidence{Path: k.at + "readOnlyPort", Value: word(v)})
				}
			}),
		kubelet("C21", "kubelet certificates not renewed", medium, "CIS 4.2.10, 4.2.11",
			"A certificate that is not renewed is long-lived, or expires and takes the node along.", "Set rotateCertificates: true and serverTLSBootstrap: true.",
			judgeRotation),
		kubelet("C22", "no limit on processes of a pod", medium, "CIS 4.2.13",
			"One pod can use up all process IDs of its node.", "Set podPidsLimit.",
			func(p *Pass, k *component) {
				v, ok := k.kubeletField("podPidsLimit")
				if n, err := strconv.Atoi(word(v)); !ok || err != nil || n <= 0 {
					p.Fail(Evidence{Path: k.at + "podPidsLimit", Value: orDefault(ok, word(v), "-1"), Default: !ok})
				}
			}),
		kubelet("C23", "no seccomp profile by default", low, "CIS 4.2.14",
			"Pods that name no profile run without one.", "Set seccompDefault: true.",
			func(p *Pass, k *component) { p.holdBool(k, true, false, "seccompDefault") }),
	}
}

func judgeRotation(p *Pass, k *component) {
	p.holdBool(k, true, false, "rotateCertificates")
	if v, _ := k.kubeletField("tlsCertFile"); v == nil || v == "" {
		p.holdBool(k, true, false, "serverTLSBootstrap")
	}
	if v, ok := k.kubeletField("featureGates", "RotateKubeletServerCertificate"); ok && v == false {
		p.Fail(Evidence{Path: k.at + "featureGates.RotateKubeletServerCertificate", Value: "false"})
	}
}

// holdBool judges a boolean of the kubelet's configuration.
func (p *Pass) holdBool(k *component, want, unset bool, names ...string) {
	v, ok := k.kubeletField(names...)
	value := unset
	if b, isBool := v.(bool); isBool {
		value = b
	}
	if value != want {
		at := k.at
		for i, n := range names {
			if i > 0 {
				at += "."
			}
			at += n
		}
		p.Fail(Evidence{Path: at, Value: strconv.FormatBool(value), Default: !ok})
	}
}
