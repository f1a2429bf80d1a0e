package image

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// Base is the image that another one was built on.
type Base struct {
	Name       string        // as the source of the statement writes it; may be empty
	Digest     digest.Digest // of its manifest or index; may be empty
	Confidence float64       // in name and digest; 0 to 1
	Evidence   boltseal.Evidence
	// Layers is how many of the lowest layers are the base's own; 0 is unknown.
	Layers          int
	SplitConfidence float64 // in Layers
	SplitEvidence   boltseal.Evidence
}

// KnownImages holds names of images by the chain ID of their highest layer (OCI
// image configuration, "Layer ChainID"): the identity of a whole stack of layers.
type KnownImages map[digest.Digest]string

// ReadKnownImages reads lines of a chain ID and a name, separated by blanks:
//
//	sha256:5c1e… docker.io/library/debian:12
//
// Empty lines and those that start with # are skipped. Lines are at most 64 KiB.
func ReadKnownImages(r io.Reader) (KnownImages, error) {
	known := make(KnownImages)
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		id, name, _ := strings.Cut(line, " ")
		if err := checkDigest(digest.Digest(id)); err != nil {
			return nil, fmt.Errorf("known images: line %d: %w", n, err)
		}
		known[digest.Digest(id)] = strings.TrimSpace(name)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("known images: %w", malformed(err))
	}
	return known, nil
}

// ChainID returns the identity of an image's whole stack of layers, the key of
// [KnownImages]; empty for an image without layers.
func ChainID(img *Image) digest.Digest { return identity.ChainID(img.Config.RootFS.DiffIDs) }

// emptyTar is the diffID of a layer without entries: it begins too many images
// to tell anything.
const emptyTar = digest.Digest("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")

// findBase asks, in order of strength: provenance, known images, buildpacks'
// label, annotations, Source-to-Image's label, history. The name comes from the
// first that has one, and so does the number of layers.
func findBase(ctx context.Context, img *Image, o *ClassifyOptions) (*Base, error) {
	named, err := baseFromProvenance(ctx, img, o.Limits.WithDefaults().ManifestBytes)
	var out *Base
	for _, b := range []*Base{named, baseFromKnown(img, o.Known), baseFromBuildpacks(img), baseFromAnnotations(img), baseFromS2I(img), baseFromHistory(img)} {
		switch {
		case b == nil:
		case out == nil:
			out = b
		default:
			if out.Name == "" && out.Digest == "" && (b.Name != "" || b.Digest != "") {
				out.Name, out.Digest, out.Confidence, out.Evidence = b.Name, b.Digest, b.Confidence, b.Evidence
			}
			if out.Layers == 0 {
				out.Layers, out.SplitConfidence, out.SplitEvidence = b.Layers, b.SplitConfidence, b.SplitEvidence
			}
		}
	}
	return out, err
}

func evidence(t boltseal.Technique, confidence float64, format string, args ...any) boltseal.Evidence {
	return boltseal.Evidence{Technique: t, Confidence: confidence, Detail: fmt.Sprintf(format, args...)}
}

// baseFromKnown finds the highest stack of layers that the caller knows.
func baseFromKnown(img *Image, known KnownImages) *Base {
	if len(known) == 0 {
		return nil
	}
	diffIDs := img.Config.RootFS.DiffIDs
	chain := identity.ChainIDs(append([]digest.Digest(nil), diffIDs...)) // it works in place
	real := 0                                                            // the lowest layer that holds something
	for real < len(diffIDs) && diffIDs[real] == emptyTar {
		real++
	}
	for n := len(chain); n > real; n-- {
		if name, ok := known[chain[n-1]]; ok {
			e := evidence(boltseal.TechniqueHash, .95, "the image begins with %s known as %s (chain ID %s)", plural(n, "layer"), name, chain[n-1])
			b := &Base{Name: name, Confidence: .95, Evidence: e, Layers: n, SplitConfidence: .95, SplitEvidence: e}
			if at := strings.LastIndex(name, "@"); at >= 0 && checkDigest(digest.Digest(name[at+1:])) == nil {
				b.Digest = digest.Digest(name[at+1:])
			}
			return b
		}
	}
	return nil
}

// baseFromAnnotations believes org.opencontainers.image.base.*: buildah and ko
// write them. They are inherited unless a builder replaces them, and may then be
// the base's base.
func baseFromAnnotations(img *Image) *Base {
	for _, from := range []map[string]string{img.Annotations, img.Config.Config.Labels} {
		name, d := from[v1.AnnotationBaseImageName], digest.Digest(from[v1.AnnotationBaseImageDigest])
		if checkDigest(d) != nil {
			d = ""
		}
		if name != "" || d != "" {
			return &Base{Name: oneLine(name), Digest: d, Confidence: .8, Evidence: evidence(boltseal.TechniqueManifest, .8, "annotation %s", v1.AnnotationBaseImageName)}
		}
	}
	return nil
}

// labelS2I is where Source-to-Image names the builder image
// (openshift/source-to-image, pkg/api/constants).
const labelS2I = "io.openshift.s2i.build.image"

// baseFromS2I believes Source-to-Image's label. An image built on top of the
// result inherits it.
func baseFromS2I(img *Image) *Base {
	name := img.Config.Config.Labels[labelS2I]
	if name == "" {
		return nil
	}
	return &Base{Name: oneLine(name), Confidence: .7, Evidence: evidence(boltseal.TechniqueManifest, .7, "label %s", labelS2I)}
}

// baseFromDistro names a base that nothing else names after the distribution, if
// the lowest of several layers brings it.
func baseFromDistro(inv *Inventory, b *Base) *Base {
	d := inv.Distro
	if b != nil && (b.Name != "" || b.Digest != "") || d.String() == "" || len(inv.Layers) < 2 ||
		len(d.Locations) == 0 || d.Locations[0].Layer != string(inv.Image.Layers[0].DiffID) {
		return b
	}
	if b == nil {
		b = &Base{}
	}
	b.Name, b.Confidence = oneLine(d.String()), .3
	b.Evidence = evidence(boltseal.TechniqueManifest, .3, "the lowest layer brings %s", d.Locations[0].Path)
	return b
}

// baseFromHistory looks for the command that a base image ends with, below the
// layers that were built on it; and for buildah's word FROM.
func baseFromHistory(img *Image) *Base {
	if steps(img) == nil {
		return nil
	}
	layers := len(img.Layers) // below the entry at hand
	own := false              // a layer above was seen
	for i := len(img.Config.History) - 1; i >= 0; i-- {
		h := img.Config.History[i]
		if !h.EmptyLayer {
			layers--
		}
		st := parseStep(h)
		switch {
		case st.From != "" && layers > 0:
			e := evidence(boltseal.TechniqueOther, .6, "the history says: FROM %s", st.From)
			return &Base{Name: st.From, Confidence: .6, Evidence: e, Layers: layers, SplitConfidence: .6, SplitEvidence: e}
		case !h.EmptyLayer:
			own = true
		case own && layers > 0 && st.Verb == "CMD":
			e := evidence(boltseal.TechniqueOther, .5, "the history has a CMD below the image's own layers, where a base image ends")
			return &Base{Layers: layers, Confidence: .5, Evidence: e, SplitConfidence: .5, SplitEvidence: e}
		}
	}
	return nil
}

// labelLifecycle is where Cloud Native Buildpacks tell which layer is what
// (platform specification, lifecycle metadata).
const labelLifecycle = "io.buildpacks.lifecycle.metadata"

type lifecycleLayer struct {
	SHA digest.Digest `json:"sha"`
}

type lifecycle struct {
	App        list[lifecycleLayer] `json:"app"`
	Buildpacks list[struct {
		Layers map[string]lifecycleLayer `json:"layers"`
	}] `json:"buildpacks"`
	Config       lifecycleLayer `json:"config"`
	Launcher     lifecycleLayer `json:"launcher"`
	ProcessTypes lifecycleLayer `json:"process-types"`
	SBOM         lifecycleLayer `json:"sbom"`
	RunImage     struct {
		TopLayer  digest.Digest `json:"topLayer"`
		Reference string        `json:"reference"`
		Image     string        `json:"image"`
	} `json:"runImage"`
}

func parseLifecycle(img *Image) (l lifecycle, ok bool) {
	label := img.Config.Config.Labels[labelLifecycle]
	return l, label != "" && json.Unmarshal([]byte(label), &l) == nil
}

func baseFromBuildpacks(img *Image) *Base {
	l, ok := parseLifecycle(img)
	if !ok || l.RunImage.TopLayer == "" {
		return nil
	}
	for i, d := range img.Config.RootFS.DiffIDs {
		if d != l.RunImage.TopLayer {
			continue
		}
		e := evidence(boltseal.TechniqueManifest, .95, "label %s: runImage", labelLifecycle)
		b := &Base{Name: l.RunImage.Image, Confidence: .95, Evidence: e, Layers: i + 1, SplitConfidence: .95, SplitEvidence: e}
		if b.Name == "" {
			b.Name = l.RunImage.Reference
		}
		if _, d, ok := strings.Cut(l.RunImage.Reference, "@"); ok && checkDigest(digest.Digest(d)) == nil {
			b.Digest = digest.Digest(d)
		}
		return b
	}
	return nil
}

// buildpacksKinds maps diffIDs to what the label says they are.
func buildpacksKinds(img *Image) map[digest.Digest]Kind {
	l, ok := parseLifecycle(img)
	if !ok {
		return nil
	}
	kinds := make(map[digest.Digest]Kind)
	for _, b := range l.Buildpacks {
		for _, layer := range b.Layers {
			kinds[layer.SHA] = KindDependencies
		}
	}
	for _, a := range l.App {
		kinds[a.SHA] = KindApplication
	}
	for _, t := range []lifecycleLayer{l.Config, l.Launcher, l.ProcessTypes, l.SBOM} {
		kinds[t.SHA] = KindTool
	}
	delete(kinds, "")
	return kinds
}
