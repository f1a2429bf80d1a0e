package orchestrator

import (
	"github.com/boltseal/boltseal"
)

// Finding returns a failure in the shared vocabulary. Results of other verdicts
// are no findings: see [Result.Outcome].
func (r *Result) Finding() boltseal.Finding {
	f := boltseal.Finding{
		Kind: boltseal.KindMisconfiguration, Rule: r.Check.ID, Title: r.Check.Title, Description: r.Check.Doc, Severity: r.Check.Severity,
		Asset: r.Object.Asset().ID(), Fix: r.Check.Fix,
		Fingerprint: boltseal.Fingerprint("misconfiguration", r.Check.ID, r.Object.Group, r.Object.Kind, r.Object.Namespace, r.Object.Name),
	}
	if r.Object.Location.Path != "" {
		f.Locations = []boltseal.Location{r.Object.Location}
	}
	for _, e := range r.Evidence {
		f.Evidence = append(f.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: e.String()})
	}
	if r.Check.Source != "" {
		f.References = []string{r.Check.Source}
	}
	if r.Waiver != nil {
		f.Suppressed = "waived until " + r.Waiver.Expires + ": " + r.Waiver.Reason
	}
	return f
}

// Outcome returns a result that is no failure in the shared vocabulary.
func (r *Result) Outcome() boltseal.Check {
	c := boltseal.Check{Rule: r.Check.ID, Title: r.Check.Title, Verdict: r.Verdict, Reason: r.Reason}
	if r.Object.Kind != "" {
		c.Title += ": " + r.Object.String()
	}
	return c
}

// Asset returns the object as something that can be attacked.
func (o ObjectRef) Asset() boltseal.Asset {
	kind, name := boltseal.AssetWorkload, o.Kind+"/"+o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	switch o.Kind {
	case "ServiceAccount":
		kind, name = boltseal.AssetAccount, o.Namespace+"/"+o.Name
	case "Node":
		kind, name = boltseal.AssetNode, o.Name
	}
	return boltseal.Asset{Kind: kind, Name: name, Label: o.String()}
}
