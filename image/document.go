package image

import (
	"bytes"
	"context"
	_ "crypto/sha256" // digests are of these two algorithms
	_ "crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

// Media types of Docker's image manifest version 2, schema 1 and 2, which
// correspond to those of the OCI image specification.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar"
	dockerSchema1  = "application/vnd.docker.distribution.manifest.v1+"
	inTotoType     = "application/vnd.in-toto+json"
)

// document is a manifest or an index; which one, its media type and keys say.
type document struct {
	SchemaVersion int                 `json:"schemaVersion"`
	MediaType     string              `json:"mediaType"`
	ArtifactType  string              `json:"artifactType"`
	Config        *v1.Descriptor      `json:"config"`
	Layers        list[v1.Descriptor] `json:"layers"`
	Manifests     list[v1.Descriptor] `json:"manifests"`
	Annotations   map[string]string   `json:"annotations"`

	index bool
	raw   json.RawMessage
}

func isIndexType(t string) bool    { return t == v1.MediaTypeImageIndex || t == dockerList }
func isManifestType(t string) bool { return t == v1.MediaTypeImageManifest || t == dockerManifest }
func isConfigType(t string) bool   { return t == v1.MediaTypeImageConfig || t == dockerConfig }

// parseDocument reads a manifest or an index. MediaType is what led to the
// document says; it may be empty.
//
// A document that one client could take for a manifest and another for an index
// is refused (CVE-2021-41190), and so is one whose keys are repeated or differ
// from the specification's in case alone: parsers disagree about those.
func parseDocument(raw []byte, mediaType string) (*document, error) {
	keys, err := topKeys(raw, "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "annotations", "fsLayers", "signatures")
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, malformed(err)
	}
	if keys["fsLayers"] || d.SchemaVersion == 1 || strings.HasPrefix(d.MediaType, dockerSchema1) || strings.HasPrefix(mediaType, dockerSchema1) {
		return nil, fmt.Errorf("manifest of schema version 1: %w: push the image again with a current tool", errors.ErrUnsupported)
	}
	if d.SchemaVersion != 2 {
		return nil, fmt.Errorf("schemaVersion %d: %w: want 2", d.SchemaVersion, boltseal.ErrMalformed)
	}
	asIndex := keys["manifests"] || isIndexType(mediaType) || isIndexType(d.MediaType)
	asManifest := keys["config"] || keys["layers"] || isManifestType(mediaType) || isManifestType(d.MediaType)
	switch {
	case asIndex && asManifest:
		return nil, fmt.Errorf("%w: it is a manifest and an index at once, and shows different images to different clients", boltseal.ErrMalformed)
	case !asIndex && !asManifest:
		return nil, fmt.Errorf("%w: neither a manifest nor an index", boltseal.ErrMalformed)
	}
	d.index, d.raw = asIndex, raw
	if d.MediaType == "" {
		d.MediaType = mediaType
	}
	if d.MediaType == "" {
		d.MediaType = v1.MediaTypeImageManifest
		if asIndex {
			d.MediaType = v1.MediaTypeImageIndex
		}
	}
	return &d, nil
}

// topKeys returns the keys of a JSON object, refusing repeated ones and those
// that encoding/json, but not every parser, takes for one of the known.
func topKeys(raw []byte, known ...string) (map[string]bool, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: not a JSON object", boltseal.ErrMalformed)
	}
	keys := make(map[string]bool)
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, malformed(err)
		}
		key, _ := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, malformed(err)
		}
		if keys[key] {
			return nil, fmt.Errorf("%w: key %q twice", boltseal.ErrMalformed, key)
		}
		if i := slices.IndexFunc(known, func(k string) bool { return k != key && strings.EqualFold(k, key) }); i >= 0 {
			return nil, fmt.Errorf("%w: key %q instead of %q", boltseal.ErrMalformed, key, known[i])
		}
		keys[key] = true
	}
	return keys, nil
}

// parseConfig reads an image configuration, OCI's or Docker's.
func parseConfig(raw []byte) (Config, error) {
	if _, err := topKeys(raw, "architecture", "os", "variant", "config", "rootfs", "history"); err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	c := Config{Raw: raw}
	var extras struct {
		Config  ContainerExtras `json:"config"`
		Comment string          `json:"comment"`
		History list[struct{}]  `json:"history"` // to count before anything is kept
	}
	if err := json.Unmarshal(raw, &extras); err != nil {
		return Config{}, fmt.Errorf("config: %w", malformed(err))
	}
	if err := json.Unmarshal(raw, &c.Image); err != nil {
		return Config{}, fmt.Errorf("config: %w", malformed(err))
	}
	c.Container, c.Comment = extras.Config, extras.Comment
	if t := c.RootFS.Type; t != "" && t != "layers" {
		return Config{}, fmt.Errorf("config: rootfs.type %q: %w: want layers", t, errors.ErrUnsupported)
	}
	for i, d := range c.RootFS.DiffIDs {
		if err := checkDigest(d); err != nil {
			return Config{}, fmt.Errorf("config: diffID %d: %w", i, err)
		}
	}
	return c, nil
}

// checkDigest tells whether a digest is well formed and of an algorithm that
// can be verified here: sha256 or sha512.
func checkDigest(d digest.Digest) error {
	alg, hex, ok := strings.Cut(string(d), ":")
	switch {
	case !ok || alg == "" || hex == "":
		return fmt.Errorf("digest %q: %w: want algorithm:hex", clip(string(d)), boltseal.ErrMalformed)
	case alg != "sha256" && alg != "sha512":
		return fmt.Errorf("digest %q: %w: want sha256 or sha512", clip(string(d)), errors.ErrUnsupported)
	}
	if err := d.Validate(); err != nil {
		return fmt.Errorf("digest %q: %w", clip(string(d)), malformed(err))
	}
	return nil
}

// verify compares bytes with the digest they are known by.
func verify(raw []byte, want digest.Digest) error {
	if err := checkDigest(want); err != nil {
		return err
	}
	if got := want.Algorithm().FromBytes(raw); got != want {
		return fmt.Errorf("%w: the content's digest is %s, not %s", boltseal.ErrMalformed, got, want)
	}
	return nil
}

// list is a JSON array of at most listMost elements: four bytes of JSON must
// not become hundreds in memory without end.
type list[T any] []T

const listMost = 10_000

// UnmarshalJSON reads element by element.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t == nil {
		return err
	} else if t != json.Delim('[') {
		return errors.New("not a JSON array")
	}
	for dec.More() {
		if len(*l) == listMost {
			return fmt.Errorf("%w: a list of more than %d elements", boltseal.ErrLimit, listMost)
		}
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*l = append(*l, v)
	}
	return nil
}

// malformed marks an error of parsing, unless it says something else already.
func malformed(err error) error {
	for _, other := range [...]error{boltseal.ErrLimit, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, other) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
}

// clip makes what a hostile document says fit for messages: short, and without
// anything that a terminal obeys.
func clip(s string) string {
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return printable(s)
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
