package orchestrator

import (
	"github.com/boltseal/boltseal"
)

// gatewayChecks are X09 and X10. The Gateway API's objects are read as they
// are, without its types.
func gatewayChecks() []*Check {
	return []*Check{{
		ID: "X09", Title: "Gateway open in the clear or to every namespace", Severity: boltseal.SeverityMedium, Source: "Gateway API security model",
		Judges: resources(gatewayGroup, "gateways"),
		Doc:    "Over HTTP everything is in the clear; routes from All let any namespace answer for the Gateway's hosts.",
		Fix:    "Use HTTPS or TLS listeners, and allowedRoutes.namespaces.from: Same or Selector.",
		Judge:  judgeGateway,
	}, {
		ID: "X10", Title: "ReferenceGrant for everything of a kind", Severity: boltseal.SeverityMedium, Source: "Gateway API security model",
		Judges: resources(gatewayGroup, "referencegrants"),
		Doc:    "A grant without a name opens every object of the kind in its namespace, every Secret for example, to the other.",
		Fix:    "Name the object in spec.to.",
		Judge:  judgeReferenceGrant,
	}}
}

func judgeGateway(p *Pass) {
	o, ok := p.Object.(*Other)
	if !ok || !p.seen(o) {
		return
	}
	for i, l := range objects(o.Content, "spec", "listeners") {
		if protocol := text(l, "protocol"); protocol == "HTTP" {
			p.Fail(Evidence{Path: element("spec.listeners", i, "protocol"), Value: protocol, Detail: "listener " + text(l, "name")})
		}
		if from := text(l, "allowedRoutes", "namespaces", "from"); from == "All" {
			p.Fail(Evidence{Path: element("spec.listeners", i, "allowedRoutes.namespaces.from"), Value: from, Detail: "listener " + text(l, "name")})
		}
	}
}

func judgeReferenceGrant(p *Pass) {
	o, ok := p.Object.(*Other)
	if !ok || !p.seen(o) {
		return
	}
	for i, to := range objects(o.Content, "spec", "to") {
		if text(to, "name") == "" {
			p.Fail(Evidence{Path: element("spec.to", i, "name"), Value: "every " + text(to, "kind"), Default: true})
		}
	}
}

// seen says that the check is unknown for an object that was read without its
// content.
func (p *Pass) seen(o *Other) bool {
	if o.Content == nil {
		p.Unknown("read without its content; see LoadOptions.Keep")
		return false
	}
	return true
}

// field follows names into a decoded document; it returns nil where there is
// nothing.
func field(v any, names ...string) any {
	for _, n := range names {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[n]
	}
	return v
}

func text(v any, names ...string) string {
	s, _ := field(v, names...).(string)
	return s
}

func objects(v any, names ...string) []any {
	list, _ := field(v, names...).([]any)
	return list
}
