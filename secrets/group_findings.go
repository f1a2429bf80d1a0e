package secrets

import (
	"cmp"
	"slices"

	"github.com/boltseal/boltseal"
)

// GroupFindings joins the findings of one secret, which an image has in several
// files and layers: one finding per rule and fingerprint with all its locations,
// at most 100, the severity of its worst place, and what is suppressed only if every
// place is. Other findings stay as they are. The result is in order of
// severity, kind, rule and fingerprint.
func GroupFindings(findings []boltseal.Finding) []boltseal.Finding {
	type key struct{ rule, fingerprint string }
	at := map[key]int{}
	var out []boltseal.Finding
	for _, f := range findings {
		k := key{f.Rule, f.Fingerprint}
		i, ok := at[k]
		if f.Kind != boltseal.KindSecret || !ok {
			if f.Kind == boltseal.KindSecret {
				at[k] = len(out)
			}
			f.Locations = slices.Clip(f.Locations)
			out = append(out, f)
			continue
		}
		first := &out[i]
		first.Severity = max(first.Severity, f.Severity)
		if f.Suppressed == "" {
			first.Suppressed = ""
		}
		room := max(0, mostLocations-len(first.Locations))
		first.Locations = append(first.Locations, f.Locations[:min(room, len(f.Locations))]...)
	}
	slices.SortStableFunc(out, func(a, b boltseal.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out
}
