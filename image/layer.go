package image

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"

	digest "github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/scan"
	"github.com/boltseal/boltseal/internal/tarball"
	"github.com/boltseal/boltseal/internal/tree"
)

// layerReader reads layers one after the other, each once, with the same
// buffers. One goroutine owns it.
type layerReader struct {
	runner   *scan.Runner
	limits   boltseal.Limits
	observer *boltseal.Observer
	budget   *budget // of the image
	inflate  inflater
	tar      *tarball.Reader
	set      []int
}

// layerResult is what reading one layer gave.
type layerResult struct {
	rec        *tree.Record
	compressed int64
	encoding   string
	// verified is set if all bytes were read and every known digest fits;
	// only then may the record be cached.
	verified  bool
	transient bool // another run may give something else
	cached    bool
	findings  []boltseal.Finding
}

// read reads a layer. With an error the result holds what may still be used: a
// layer whose digests do not fit gives nothing, one that hits a limit or whose
// tar is damaged behind that place what came before.
func (r *layerReader) read(ctx context.Context, l *Layer) (layerResult, error) {
	if l.FS != nil {
		return r.readFS(ctx, l)
	}
	res := layerResult{rec: &tree.Record{DiffID: string(l.DiffID)}}
	fail := func(err error) error {
		return &boltseal.Error{Op: "read layer", Location: boltseal.Location{Layer: layerName(l)}, Err: err}
	}
	blob, err := l.Open(ctx)
	if err != nil {
		return layerResult{rec: &tree.Record{DiffID: string(l.DiffID)}}, err
	}
	defer blob.Close()
	raw := &meter{ctx: ctx, r: blob, max: l.Size, observer: r.observer, item: layerName(l)}
	if raw.hash, err = hasher(l.Digest); err != nil {
		return res, fail(err)
	}
	table := newTOC(l, &r.limits, raw) // before anything is read
	if err := r.inflate.reset(raw, r.limits, func() int64 { return raw.n }); err != nil {
		return res, fail(damaged(err))
	}
	res.encoding = r.inflate.encoding
	res.rec.Encoding = res.encoding
	plain := &meter{ctx: ctx, r: &r.inflate, max: -1}
	if res.encoding == encodingPlain && l.DiffID == l.Digest {
		// One digest of the same bytes is enough.
	} else if plain.hash, err = hasher(l.DiffID); err != nil {
		return res, fail(err)
	}
	if r.tar == nil {
		r.tar = tarball.NewReader(plain)
	} else {
		r.tar.Reset(plain)
	}
	var seek io.ReaderAt
	if res.encoding == encodingPlain {
		seek, _ = blob.(SizedReaderAt)
	}
	b := &layerBuilder{layerReader: r, rec: res.rec, tar: r.tar, seek: seek, plain: plain, toc: table}
	tarErr := b.entries(ctx)
	res.transient = b.transient
	if ctx.Err() != nil {
		return res, fail(context.Cause(ctx))
	}
	// The digests are those of all bytes, whatever the archive made of them.
	trailing, err := r.tar.Drain()
	if err == nil {
		_, err = io.Copy(io.Discard, r.inflate.in)
	}
	if err != nil && (tarErr == nil || !errors.Is(tarErr, boltseal.ErrLimit)) {
		tarErr = err
	}
	res.compressed = raw.n
	res.rec.Size = plain.n
	if err == nil {
		if err := verifyLayer(l, raw, plain); err != nil {
			f := mismatch(l, err)
			return layerResult{rec: &tree.Record{DiffID: string(l.DiffID)}, findings: []boltseal.Finding{f}, compressed: raw.n, encoding: res.encoding}, fail(err)
		}
		res.verified = true
		if l.Digest != "" {
			res.rec.Blobs = []string{string(l.Digest)}
		}
	} else if !errors.Is(err, boltseal.ErrLimit) {
		return layerResult{rec: &tree.Record{DiffID: string(l.DiffID)}, compressed: raw.n, encoding: res.encoding}, fail(err)
	}
	if b.toc != nil && tarErr == nil && res.verified {
		f, skip := b.toc.compare(raw)
		if f != nil {
			res.rec.Findings = append(res.rec.Findings, *f)
		}
		if skip != "" {
			b.skip("", skip)
		}
		res.findings = res.rec.Findings
	}
	if r.inflate.garbage {
		b.note("", "bytes follow the compressed stream that are no part of it")
	}
	if trailing && tarErr == nil {
		b.note("", "bytes follow the end of the archive; no container sees them")
	}
	b.flush()
	if tarErr != nil {
		res.rec.Notes = append(res.rec.Notes, boltseal.Skip{Reason: "the rest of the layer was not read: " + tarErr.Error()})
		return res, fail(tarErr)
	}
	return res, nil
}

// verifyLayer compares what was read with the size and digests that l states.
func verifyLayer(l *Layer, raw, plain *meter) error {
	if l.Size >= 0 && raw.n != l.Size {
		return fmt.Errorf("%w: the blob has %d bytes, its descriptor says %d", boltseal.ErrMalformed, raw.n, l.Size)
	}
	if raw.hash != nil {
		if got := digest.NewDigest(l.Digest.Algorithm(), raw.hash); got != l.Digest {
			return fmt.Errorf("%w: the blob's digest is %s, want %s", boltseal.ErrMalformed, got, l.Digest)
		}
	}
	if plain.hash != nil {
		if got := digest.NewDigest(l.DiffID.Algorithm(), plain.hash); got != l.DiffID {
			return fmt.Errorf("%w: the diffID is %s, the config says %s", boltseal.ErrMalformed, got, l.DiffID)
		}
	}
	return nil
}

func mismatch(l *Layer, err error) boltseal.Finding {
	return boltseal.Finding{
		Kind: boltseal.KindIntegrity, Rule: RuleDigestMismatch, Severity: boltseal.SeverityHigh,
		Title:       "A layer is not the one that the image names",
		Description: err.Error(),
		Locations:   []boltseal.Location{{Layer: layerName(l)}},
		Fix:         "Do not run the image. Pull it again from a source that you trust; if the digests still differ, rebuild it.",
		Fingerprint: boltseal.Fingerprint("integrity", RuleDigestMismatch, fmt.Sprint(l.Index)),
	}
}

func layerName(l *Layer) string {
	if l.DiffID != "" {
		return string(l.DiffID)
	}
	return string(l.Digest)
}

// hasher returns the hash that a digest needs, nil for none.
func hasher(d digest.Digest) (hash.Hash, error) {
	if d == "" {
		return nil, nil
	}
	if err := d.Validate(); err != nil {
		if errors.Is(err, digest.ErrDigestUnsupported) {
			return nil, fmt.Errorf("digest %.80q: %w: sha256 and sha512 are", d, errors.ErrUnsupported)
		}
		return nil, fmt.Errorf("digest %.80q: %w: %w", d, boltseal.ErrMalformed, err)
	}
	return d.Algorithm().Hash(), nil
}
