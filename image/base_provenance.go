package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	digest "github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
)

// statement is the part of an in-toto statement with SLSA provenance that names
// what went into a build: v0.2 calls it materials, v1 resolvedDependencies.
type statement struct {
	Subject list[struct {
		Digest map[string]string `json:"digest"`
	}] `json:"subject"`
	Predicate struct {
		Materials       list[material] `json:"materials"`
		BuildDefinition struct {
			ResolvedDependencies list[material] `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
	} `json:"predicate"`
}

type material struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// baseFromProvenance takes the one image that went into the build. With several
// (stages of a build) nothing tells which of them is the base.
func baseFromProvenance(ctx context.Context, img *Image, limit int64) (*Base, error) {
	var errs []error
	for _, a := range img.Attestations {
		if !strings.HasPrefix(a.PredicateType, "https://slsa.dev/provenance/") {
			continue
		}
		raw, err := a.read(ctx, limit)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		b, err := parseProvenance(raw, img.Digest)
		if err != nil {
			errs = append(errs, fmt.Errorf("provenance %s: %w", a.Digest, err))
		}
		if b != nil {
			return b, errors.Join(errs...)
		}
	}
	return nil, errors.Join(errs...)
}

// read returns the statement, verified against its digest.
func (a *Attestation) read(ctx context.Context, limit int64) ([]byte, error) {
	if a.Size > limit || a.Size < 0 {
		return nil, fmt.Errorf("attestation %s: %w: %d bytes, Limits.ManifestBytes is %d", a.Digest, boltseal.ErrLimit, a.Size, limit)
	}
	rc, err := a.Blob(ctx)
	if err != nil {
		return nil, fmt.Errorf("attestation %s: %w", a.Digest, err)
	}
	defer rc.Close()
	raw, err := io.ReadAll(io.LimitReader(rc, a.Size+1))
	if err == nil {
		err = verify(raw, a.Digest)
	}
	if err != nil {
		return nil, fmt.Errorf("attestation %s: %w", a.Digest, err)
	}
	return raw, nil
}

// parseProvenance ignores statements about other images.
func parseProvenance(raw []byte, subject digest.Digest) (*Base, error) {
	var s statement
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, malformed(err)
	}
	about := false
	for _, sub := range s.Subject {
		about = about || subject != "" && sub.Digest[string(subject.Algorithm())] == subject.Encoded()
	}
	if !about {
		return nil, fmt.Errorf("%w: the statement is not about %s", boltseal.ErrMalformed, subject)
	}
	var found *Base
	for _, m := range append(s.Predicate.Materials, s.Predicate.BuildDefinition.ResolvedDependencies...) {
		name, ok := dockerPURL(m.URI)
		if !ok {
			continue
		}
		b := &Base{Name: name, Confidence: .9, Evidence: evidence(boltseal.TechniqueAttestation, .9, "SLSA provenance, unsigned: the build used %s", clip(m.URI))}
		if d := digest.Digest("sha256:" + m.Digest["sha256"]); checkDigest(d) == nil {
			b.Digest = d
		}
		if found != nil && (found.Name != b.Name || found.Digest != b.Digest) {
			return nil, nil
		}
		found = b
	}
	return found, nil
}

// dockerPURL reads pkg:docker/debian@12?platform=…, as BuildKit writes it.
// Images of BuildKit's own, which interpret the Dockerfile, are left out.
func dockerPURL(uri string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(uri, "pkg:docker/")
	if !ok {
		return "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	path, version, _ := strings.Cut(rest, "@")
	path, err1 := url.PathUnescape(path)
	version, err2 := url.PathUnescape(version)
	switch {
	case err1 != nil || err2 != nil || path == "":
		return "", false
	case strings.HasPrefix(path, "docker/dockerfile"), strings.HasPrefix(path, "docker/buildkit"), strings.HasPrefix(path, "moby/buildkit"), strings.HasPrefix(path, "docker/buildx-bin"):
		return "", false
	case version == "":
		return path, true
	case strings.HasPrefix(version, "sha256:"):
		return path + "@" + version, true
	}
	return path + ":" + version, true
}
