package image

import (
	"context"

	digest "github.com/opencontainers/go-digest"
)

// BuildKit attaches statements to an image as further manifests of the same
// index (buildkit docs/attestations/attestation-storage.md).
const (
	annotationRefType   = "vnd.docker.reference.type"
	annotationRefDigest = "vnd.docker.reference.digest"
	refTypeAttestation  = "attestation-manifest"
	annotationPredicate = "in-toto.io/predicate-type"
)

// attest lists the statements about one manifest. What cannot be read is noted:
// it takes nothing away from the image.
func (r *resolver) attest(ctx context.Context, subject digest.Digest) []Attestation {
	var out []Attestation
	for _, d := range r.attestations {
		if d.Annotations[annotationRefDigest] != string(subject) {
			continue
		}
		if h, ok := r.fetch.(hasser); ok && !h.Has(d) {
			r.note("attestation %s is listed but absent", clip(string(d.Digest)))
			continue
		}
		doc, err := r.document(ctx, d)
		if err != nil {
			r.note("attestation: %v", err)
			continue
		}
		for _, l := range doc.Layers {
			if l.MediaType != inTotoType || checkDigest(l.Digest) != nil {
				continue
			}
			out = append(out, Attestation{
				Subject: subject, Manifest: d.Digest,
				MediaType: l.MediaType, PredicateType: l.Annotations[annotationPredicate],
				Digest: l.Digest, Size: l.Size, Blob: r.blob(l),
			})
		}
	}
	return out
}
