package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

type htmlLayer struct {
	Index                                                        int
	Kind, Class, Sure, Evidence, CreatedBy, Digest, DiffID, Size string
	Changes                                                      string
	FromBase                                                     bool
	Files, Packages, Findings                                    int
	// In thousandths of the image: where the layer starts, its share, and where
	// and how much of it higher layers delete or replace.
	X, W, LostX, LostW string
	// In thousandths of the largest layer: all, what is seen, what is lost.
	Own, OwnSeen, OwnLost string
}

// kinds of layers that have a colour of their own, in the order of the legend.
var kinds = []string{"base", "os-packages", "runtime", "dependencies", "application", "config", "metadata", "tool", "mixed", "unknown"}

func kindClass(kind string) string {
	if slices.Contains(kinds, kind) {
		return kind
	}
	return "unknown"
}

func (v *htmlView) layers(r *boltseal.Report, sum Summary, findings map[string]int) {
	var largest int64
	for _, l := range r.Layers {
		largest = max(largest, l.Bytes)
	}
	share := func(n, of int64) string {
		if n <= 0 || of <= 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", float64(n)/float64(of)*1000)
	}
	used := map[string]bool{}
	var at int64
	for _, l := range r.Layers {
		lost := min(max(l.Wasted, 0), max(l.Bytes, 0))
		h := htmlLayer{
			Index: l.Index, Kind: Clean(l.Kind), Class: kindClass(l.Kind), Evidence: Clean(l.Evidence), CreatedBy: Clean(l.CreatedBy),
			Digest: Clean(l.Digest), DiffID: Clean(l.DiffID), Size: size(l.Bytes),
			Files: l.Files, Packages: l.Packages, Findings: findings[l.DiffID],
			Changes: fmt.Sprintf("%d added, %d modified, %d removed, %s lost to higher layers", l.Added, l.Modified, l.Removed, size(l.Wasted)),
			X:       share(at, sum.Bytes), W: share(l.Bytes, sum.Bytes), LostX: share(at+l.Bytes-lost, sum.Bytes), LostW: share(lost, sum.Bytes),
			Own: share(l.Bytes, largest), OwnSeen: share(l.Bytes-lost, largest), OwnLost: share(lost, largest),
		}
		if h.Kind == "" {
			h.Kind = "unknown"
		}
		for _, zero := range []*string{&h.X, &h.LostX, &h.Own, &h.OwnSeen} {
			if *zero == "" {
				*zero = "0"
			}
		}
		var remarks []string
		if l.FromBase {
			remarks = append(remarks, "from the base image")
		}
		if l.Confidence > 0 && l.Confidence < 1 {
			remarks = append(remarks, fmt.Sprintf("%.0f%% sure", l.Confidence*100))
		}
		h.Sure = strings.Join(remarks, ", ")
		used[h.Class] = true
		at += max(l.Bytes, 0)
		v.Layers = append(v.Layers, h)
	}
	for _, k := range kinds {
		if used[k] {
			v.Legend = append(v.Legend, htmlKind{k, k})
		}
	}
}
