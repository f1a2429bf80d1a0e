package orchestrator

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal"
)

// SecretFinder finds credentials in text. The checks K01 to K04 ask it; which
// shapes it knows is its own affair.
type SecretFinder interface {
	// FindSecrets returns what in the text is a credential. Name is what the
	// manifest calls the text: an environment variable, a key of a ConfigMap, an
	// annotation. Findings hold redacted forms only. It must end when ctx does;
	// an error makes the verdict unknown.
	FindSecrets(ctx context.Context, name string, text []byte) ([]boltseal.Finding, error)
}

// credentialChecks is the family K: credentials where they do not belong.
func credentialChecks() []*Check {
	pods := workloadResources()
	return []*Check{{
		ID: "K01", Title: "credential in an environment variable", Severity: boltseal.SeverityHigh, Source: "CIS 5.4.1",
		Judges: pods, Needs: "Secrets",
		Doc: "Whoever may read the workload, its manifest or its history has the credential.",
		Fix: "Put it into a Secret, mount it as a file, and replace the credential.",
		Judge: func(p *Pass) {
			for c := range p.Containers() {
				for i, e := range c.Env {
					if e.Value != "" {
						p.credential(c.Name, element(c.Path("env"), i, "value"), e.Name, e.Value)
					}
				}
			}
		},
	}, {
		ID: "K02", Title: "credential in a ConfigMap", Severity: boltseal.SeverityHigh, Source: appChecklist,
		Judges: resources("", "configmaps"), Needs: "Secrets",
		Doc: "ConfigMaps are read by many roles, view among them, and are not encrypted at rest.",
		Fix: "Put it into a Secret, and replace the credential.",
		Judge: func(p *Pass) {
			m, ok := p.Object.(*corev1.ConfigMap)
			if !ok {
				return
			}
			for _, k := range slices.Sorted(maps.Keys(m.Data)) {
				p.credential("", "data["+k+"]", k, m.Data[k])
			}
			for _, k := range slices.Sorted(maps.Keys(m.BinaryData)) {
				p.credential("", "binaryData["+k+"]", k, string(m.BinaryData[k]))
			}
		},
	}, {
		ID: "K03", Title: "credential on a command line", Severity: boltseal.SeverityHigh, Source: appChecklist,
		Judges: pods, Needs: "Secrets",
		Doc: "Command lines are in the manifest, and every process of the node's user can list them.",
		Fix: "Hand it over as a file.",
		Judge: func(p *Pass) {
			for c := range p.Containers() {
				p.credentialList(c.Name, c.Path("command"), c.Command)
				p.credentialList(c.Name, c.Path("args"), c.Args)
			}
		},
	}, {
		ID: "K04", Title: "credential in an annotation", Severity: boltseal.SeverityHigh, Source: appChecklist,
		Judges: slices.Concat(pods, annotatedResources()), Needs: "Secrets",
		Doc: "Annotations are copied everywhere. kubectl apply keeps the whole object in one, a Secret's values included.",
		Fix: "Remove the annotation, use server-side apply, and replace the credential.",
		Judge: func(p *Pass) {
			if o, ok := p.Object.(metav1.Object); ok {
				p.credentialMap("metadata.annotations", o.GetAnnotations())
			}
			if p.Workload != nil && p.Path != "spec" {
				p.credentialMap(p.metaPath()+".annotations", p.Workload.Annotations)
			}
		},
	}, {
		ID: "K05", Title: "Secret handed over as an environment variable", Severity: boltseal.SeverityLow, Source: "CIS 5.4.1",
		Judges: pods,
		Doc:    "The environment is inherited by every child process, and printed by crash reports and debug pages.",
		Fix:    "Mount the Secret as a file.",
		Judge: func(p *Pass) {
			for c := range p.Containers() {
				for i, e := range c.Env {
					if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
						ref := e.ValueFrom.SecretKeyRef
						p.Fail(Evidence{Container: c.Name, Path: element(c.Path("env"), i, "valueFrom.secretKeyRef"), Value: ref.Name + "/" + ref.Key})
					}
				}
			}
		},
	}, {
		ID: "K06", Title: "Secret with its values in a file", Severity: boltseal.SeverityMedium, Source: appChecklist,
		Judges: resources("", "secrets"),
		Doc:    "base64 hides nothing: whoever reads the file, or the repository's history, has the values.",
		Fix:    "Keep it in a vault or sealed; replace the values.",
		Judge: func(p *Pass) {
			s, ok := p.Object.(*Secret)
			if !ok {
				return
			}
			if p.Snapshot.Live() {
				p.NotApplicable("read from a cluster, not from a file")
				return
			}
			for _, k := range s.Keys {
				if k.Bytes > 0 {
					p.Fail(Evidence{Path: "data[" + k.Name + "]"})
				}
			}
		},
	}, {
		ID: "K07", Title: "whole Secret as environment variables", Severity: boltseal.SeverityMedium, Source: "CIS 5.4.1",
		Judges: pods,
		Doc:    "Every key of the Secret is handed over, those added later too, under names that whoever writes the Secret chooses.",
		Fix:    "Name the keys that are needed, and mount them as files.",
		Judge: func(p *Pass) {
			for c := range p.Containers() {
				for i, e := range c.EnvFrom {
					if e.SecretRef != nil {
						p.Fail(Evidence{Container: c.Name, Path: element(c.Path("envFrom"), i, "secretRef"), Value: e.SecretRef.Name})
					}
				}
			}
		},
	}}
}

// annotatedResources are the kinds beside workloads whose annotations K04
// reads.
func annotatedResources() []schema.GroupResource {
	return slices.Concat(
		resources("", "configmaps", "secrets", "services", "serviceaccounts", "namespaces", "persistentvolumeclaims"),
		resources("networking.k8s.io", "ingresses"),
	)
}

// credential fails where the text holds a credential. The evidence is the
// finder's redacted form.
func (p *Pass) credential(container, path, name, text string) {
	findings, err := p.run.findSecrets(name, text)
	if err != nil {
		p.Unknown("%s: %v", path, err)
	}
	for _, f := range findings {
		e := Evidence{Container: container, Path: path, Value: "(redacted)", Detail: f.Title}
		if len(f.Evidence) > 0 {
			e.Value = f.Evidence[0].Detail
		}
		p.Fail(e)
	}
}

func (p *Pass) credentialList(container, path string, words []string) {
	if len(words) == 0 {
		return
	}
	// As one text: a flag and its value are often two words.
	p.credential(container, path, "", strings.Join(words, " "))
}

func (p *Pass) credentialMap(path string, m map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		p.credential("", path+"["+k+"]", k, m[k])
	}
}

// redactURL takes user and password out of an address.
func redactURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(not a URL)"
	}
	if u.User != nil {
		u.User = url.User("REDACTED")
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}
