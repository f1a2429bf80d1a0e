package image

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Kind is what a layer is for.
type Kind string

const (
	KindUnknown      Kind = "unknown"
	KindBase         Kind = "base"         // part of the image that this one was built on
	KindOSPackages   Kind = "os-packages"  // installed by the distribution's package manager
	KindRuntime      Kind = "runtime"      // an interpreter or tool that no package manager knows
	KindDependencies Kind = "dependencies" // libraries of a language
	KindApplication  Kind = "application"
	KindConfig       Kind = "config"
	KindMetadata     Kind = "metadata" // no files
	KindTool         Kind = "tool"     // the builder's own: a launcher, an SBOM
	KindMixed        Kind = "mixed"
)

// Class is what a layer is for and how that is known.
type Class struct {
	Kind       Kind
	Confidence float64             // 0 to 1
	Evidence   []boltseal.Evidence // the strongest first
	Step       Step                // of the history; zero where history and layers do not fit
}

// Classification is [Classify]'s result.
type Classification struct {
	Base   *Base   // nil: not known
	Layers []Class // one per layer, lowest first
}

// ClassifyOptions are the settings of [Classify]. Nil and the zero value are
// ready to use.
type ClassifyOptions struct {
	Known  KnownImages // chains of layers of images known to the caller
	Limits boltseal.Limits
}

// Classify says what each layer of an analysed image is for, and which image it
// was built on. It reads the image's provenance, if it has any, and nothing else.
//
// A layer below the base image's top is of kind base, with the confidence of that
// split. Of other signs the strongest counts: labels of the builder, packages that
// the layer brings, its history. What the history says alone is the author's
// word, with a confidence of at most 0.6 unless a builder wrote it for itself.
// An error concerns the provenance; the classification is complete without it.
func Classify(ctx context.Context, inv *Inventory, o *ClassifyOptions) (*Classification, error) {
	if o == nil {
		o = &ClassifyOptions{}
	}
	base, err := findBase(ctx, inv.Image, o)
	base = baseFromDistro(inv, base)
	return &Classification{Base: base, Layers: classify(inv.Image, inv.Layers, base)}, err
}

// Apply writes the classification into the report of the same image.
func (c *Classification) Apply(r *boltseal.Report) {
	for i := range min(len(c.Layers), len(r.Layers)) {
		l, class := &r.Layers[i], &c.Layers[i]
		l.Kind, l.Confidence = string(class.Kind), class.Confidence
		l.CreatedBy = strings.TrimSpace(class.Step.Verb + " " + class.Step.Text)
		l.FromBase = c.Base != nil && i < c.Base.Layers || class.Kind == KindBase
		var why []string
		for _, e := range class.Evidence {
			why = append(why, e.Detail)
		}
		l.Evidence = strings.Join(why, "; ")
	}
	if c.Base != nil && r.Image != nil {
		r.Image.Base = &boltseal.ReportBase{
			Name: c.Base.Name, Digest: string(c.Base.Digest), Layers: c.Base.Layers,
			Confidence: c.Base.Confidence, Evidence: c.Base.Evidence.Detail,
		}
	}
}

// classify is a function of its arguments alone.
func classify(img *Image, infos []LayerInfo, base *Base) []Class {
	out := make([]Class, len(img.Layers))
	told := steps(img)
	labels := buildpacksKinds(img)
	for i := range out {
		var signs []sign
		if k, ok := labels[img.Layers[i].DiffID]; ok {
			signs = append(signs, sign{k, .95, boltseal.TechniqueManifest, "label " + labelLifecycle, false})
		}
		if base != nil && i < base.Layers {
			signs = append(signs, sign{KindBase, base.SplitConfidence, base.SplitEvidence.Technique, base.SplitEvidence.Detail, true})
		}
		if i < len(infos) && infos[i].Verified {
			signs = append(signs, statSign(i, &infos[i].Stats))
		}
		if told != nil {
			out[i].Step = told[i]
			signs = append(signs, stepSign(told[i]))
		}
		out[i].decide(signs)
	}
	return out
}

// sign is one reason to take a layer for something. A sign of kind "" says nothing.
type sign struct {
	kind       Kind
	confidence float64
	technique  boltseal.Technique
	detail     string
	decides    bool // whatever else the layer is for: it belongs to the base
}

// decide takes the strongest sign. Weaker ones that agree strengthen it a
// little; all are kept as evidence.
func (c *Class) decide(signs []sign) {
	signs = slices.DeleteFunc(signs, func(s sign) bool { return s.kind == "" })
	slices.SortStableFunc(signs, func(a, b sign) int {
		if a.decides != b.decides {
			return map[bool]int{true: -1, false: 1}[a.decides]
		}
		return cmp.Compare(b.confidence, a.confidence)
	})
	c.Kind = KindUnknown
	for i, s := range signs {
		detail := s.detail
		if i == 0 {
			c.Kind, c.Confidence = s.kind, s.confidence
		} else if s.kind == c.Kind {
			c.Confidence = math.Round(100*min(.99, max(c.Confidence, s.confidence)+.05)) / 100
		} else {
			detail += " (speaks for " + string(s.kind) + ")"
		}
		c.Evidence = append(c.Evidence, boltseal.Evidence{Technique: s.technique, Detail: detail, Confidence: s.confidence})
	}
}

// statSign judges by what a layer holds.
func statSign(i int, s *LayerStats) sign {
	if s.Entries == 0 && s.Whiteouts == 0 {
		return sign{kind: KindMetadata, confidence: .95, technique: boltseal.TechniqueOther, detail: "the layer holds no entries"}
	}
	system, language := 0, 0
	for typ, n := range s.Brought {
		if purl.IsOS(typ) {
			system += n
		} else {
			language += n
		}
	}
	detail := "the layer brings " + counts(s.Brought)
	switch {
	case system > 0 && i == 0:
		return sign{kind: KindBase, confidence: .7, technique: boltseal.TechniqueManifest, detail: "the lowest layer brings " + counts(s.Brought)}
	case system > 0 && language > system:
		return sign{kind: KindMixed, confidence: .7, technique: boltseal.TechniqueManifest, detail: detail}
	case system > 0:
		return sign{kind: KindOSPackages, confidence: .9, technique: boltseal.TechniqueManifest, detail: detail}
	case language > 0 && s.Files <= 3 && s.Brought["golang"]+s.Brought["cargo"] == language:
		return sign{kind: KindApplication, confidence: .75, technique: boltseal.TechniqueBinary, detail: detail + " within " + plural(s.Files, "file")}
	case language > 0:
		return sign{kind: KindDependencies, confidence: .8, technique: boltseal.TechniqueManifest, detail: detail}
	case s.Entries == 0:
		return sign{kind: KindMetadata, confidence: .5, technique: boltseal.TechniqueOther, detail: "the layer only deletes"}
	}
	return sign{}
}

// counts writes what a layer brings: 3 deb, 1 npm packages.
func counts(m map[string]int) string {
	var parts []string
	total := 0
	for _, t := range slices.Sorted(maps.Keys(m)) {
		if m[t] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", m[t], t))
			total += m[t]
		}
	}
	if total == 1 {
		return parts[0] + " package"
	}
	return strings.Join(parts, ", ") + " packages"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
