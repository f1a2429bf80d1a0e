package sample

import (
	"cmp"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Back returns the packages that a reader must get out of a document of
// [Report]: in order, without what no document carries, and with the names that
// edges lead to instead of the virtual ones.
func Back() []boltseal.ReportPackage {
	out := Report().Packages
	for i := range out {
		p := &out[i]
		p.Provides, p.Files = nil, nil
		for j, name := range p.DependsOn {
			if name == "awk" {
				p.DependsOn[j] = "mawk"
			}
		}
		slices.Sort(p.DependsOn)
		for j := range p.Evidence {
			p.Evidence[j].Technique = cmp.Or(p.Evidence[j].Technique, boltseal.TechniqueOther)
		}
	}
	slices.SortStableFunc(out, func(a, b boltseal.ReportPackage) int { return strings.Compare(a.PURL, b.PURL) })
	return out
}
