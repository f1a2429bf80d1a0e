package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

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
	b := &layerBuilder{layerReader: r, rec: res.rec, tar: r.tar, seek: seek, plain: plain}
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
		if err := r.verify(l, raw, plain); err != nil {
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
	if want := claimed(l.MediaType); want != "" && want != res.encoding && raw.n > 0 {
		b.note("", fmt.Sprintf("the media type %s announces %s, the bytes are %s", l.MediaType, want, res.encoding))
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

// verify compares size and digests.
func (r *layerReader) verify(l *Layer, raw, plain *meter) error {
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
		Kind: boltseal.KindIntegrity, Rule: "image/digest-mismatch", Severity: boltseal.SeverityHigh,
		Title:       "A layer is not the one that the image names",
		Description: err.Error(),
		Locations:   []boltseal.Location{{Layer: layerName(l)}},
		Fix:         "Do not run the image. Pull it again from a source that you trust; if the digests still differ, rebuild it.",
		Fingerprint: boltseal.Fingerprint("integrity", "image/digest-mismatch", fmt.Sprint(l.Index)),
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

// meter counts and hashes what is read through it, and ends with the context.
type meter struct {
	ctx      context.Context
	r        io.Reader
	n        int64
	max      int64 // what there should be; -1 is unknown
	hash     hash.Hash
	observer *boltseal.Observer
	item     string
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	if m.max >= 0 && int64(len(p)) > m.max+1-m.n { // one byte more shows that it is too long
		if m.n > m.max {
			return 0, io.EOF
		}
		p = p[:m.max+1-m.n]
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.hash != nil {
		m.hash.Write(p[:n])
	}
	m.observer.Step(m.item, int64(n))
	return n, err
}

// layerBuilder makes the record of one layer.
type layerBuilder struct {
	*layerReader
	rec       *tree.Record
	tar       *tarball.Reader
	seek      io.ReaderAt
	plain     *meter
	transient bool
	counts    map[string]int
	order     []string
	links     int // remarks of checkHardlink
}

// entries reads all entries of the archive.
func (b *layerBuilder) entries(ctx context.Context) error {
	for n := 0; ; n++ {
		h, err := b.tar.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= b.limits.LayerEntries {
			return fmt.Errorf("entries: %w of %d (Limits.LayerEntries)", boltseal.ErrLimit, b.limits.LayerEntries)
		}
		if n&1023 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if err := b.names(); err != nil {
			return err
		}
		if err := b.entry(ctx, h); err != nil {
			return err
		}
	}
}

// maxNames bounds the bytes of a layer's paths and links, which are held in
// memory. A layer of five million entries, the most by default, has some 200 MB.
const maxNames = 512 << 20

func (b *layerBuilder) names() error {
	if len(b.rec.Entries.Data)+len(b.rec.Marks.Data) > maxNames {
		return fmt.Errorf("names of entries and links: %w of %d bytes", boltseal.ErrLimit, maxNames)
	}
	return nil
}

const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
	metaPrefix     = ".wh..wh."
)

func (b *layerBuilder) entry(ctx context.Context, h *tarball.Header) error {
	p, escaped := tree.Clean(h.Name)
	if escaped {
		b.note(string(p), "the entry's path is absolute or leaves the root; it was taken from the root")
	}
	if why := b.tooLong(p); why != "" {
		b.skip(fmt.Sprintf("%.200s…", p), why)
		return nil
	}
	e := tree.Entry{Path: p, Mode: h.FileMode()}
	dir, base := p[:max(0, bytes.LastIndexByte(p, '/'))], p[bytes.LastIndexByte(p, '/')+1:]
	if bytes.HasPrefix(base, []byte(whiteoutPrefix)) {
		b.whiteout(dir, base)
		return nil
	}
	if bytes.HasPrefix(p, []byte(metaPrefix)) { // what lies in AUFS's own folders
		b.note(string(p), "AUFS's own bookkeeping; no container sees it")
		return nil
	}
	if h.Overlay {
		b.note(string(p), "the entry carries an attribute trusted.overlay.*, which is ignored; some engines obey it")
	}
	switch h.Type {
	case tarball.TypeCont, tarball.TypeSparse:
		b.note(string(p), "an entry of an old type (contiguous or GNU sparse): read as a file; container engines refuse the layer")
		fallthrough
	case tarball.TypeRegular:
		if b.tar.Sparse() && h.Size > b.limits.LayerBytes-b.rec.Bytes { // holes are free to write and not to read
			b.skip(string(p), fmt.Sprintf("contents, holes of sparse files counted: %v of %d bytes (Limits.LayerBytes)", boltseal.ErrLimit, b.limits.LayerBytes))
			return nil
		}
		e.Kind, e.Size = tree.File, h.Size
		b.rec.Files++
		b.rec.Bytes += h.Size
	case tarball.TypeDir:
		e.Kind = tree.Dir
	case tarball.TypeSymlink, tarball.TypeHardLink:
		if len(h.Link) > b.limits.PathBytes {
			b.skip(string(p), fmt.Sprintf("its link's target: %v of %d bytes (Limits.PathBytes)", boltseal.ErrLimit, b.limits.PathBytes))
			return nil
		}
		e.Kind, e.Link = tree.Symlink, h.Link
		if h.Type == tarball.TypeHardLink {
			e.Kind = tree.Hardlink
			b.rec.Files++
			b.checkHardlink(p, h)
		}
	case tarball.TypeChar, tarball.TypeBlock, tarball.TypeFIFO:
		e.Kind = tree.Special
		if h.Type == tarball.TypeChar && h.Major == 0 && h.Minor == 0 {
			b.note(string(p), "a character device 0:0: overlay engines take it for a whiteout")
		}
	default:
		b.skip(string(p), fmt.Sprintf("an entry of unknown type %q", h.Type))
		return nil
	}
	number := uint32(b.rec.Entries.N)
	b.rec.Entries.Add(&e)
	if e.Kind != tree.File || len(p) == 0 {
		return nil
	}
	return b.analyze(ctx, number, string(p), h)
}

func (b *layerBuilder) tooLong(p []byte) string {
	if len(p) > b.limits.PathBytes {
		return fmt.Sprintf("path: %v of %d bytes (Limits.PathBytes)", boltseal.ErrLimit, b.limits.PathBytes)
	}
	if len(p) <= b.limits.NameBytes {
		return ""
	}
	for part := range bytes.SplitSeq(p, []byte{'/'}) {
		if len(part) > b.limits.NameBytes {
			return fmt.Sprintf("name: %v of %d bytes (Limits.NameBytes)", boltseal.ErrLimit, b.limits.NameBytes)
		}
	}
	return ""
}

func (b *layerBuilder) whiteout(dir, base []byte) {
	m := tree.Entry{Kind: tree.Whiteout, Size: int64(b.rec.Entries.N)}
	name := base[len(whiteoutPrefix):]
	switch {
	case string(base) == opaqueName:
		m.Kind, m.Path = tree.Opaque, dir
	case bytes.HasPrefix(base, []byte(metaPrefix)):
		b.note(string(dir)+"/"+string(base), "AUFS's own bookkeeping; no container sees it")
		return
	case len(name) == 0 || string(name) == "." || string(name) == "..":
		b.skip(path.Join(string(dir), string(base)), fmt.Sprintf("%v: a whiteout that names nothing", boltseal.ErrMalformed))
		return
	default:
		m.Path = name
		if len(dir) > 0 {
			m.Path = append(append(append(make([]byte, 0, len(dir)+1+len(name)), dir...), '/'), name...)
		}
	}
	b.rec.Marks.Add(&m)
}

// checkHardlink notes a file that goes by a name which an analyzer wants, and
// is stored under another that it does not.
func (b *layerBuilder) checkHardlink(p []byte, h *tarball.Header) {
	target, _ := tree.Clean(h.Link)
	info := &entryInfo{name: string(p), mode: h.FileMode()}
	b.set = b.runner.Wants(b.set[:0], info.name, info)
	if len(b.set) == 0 {
		return
	}
	wanted := slices.Clone(b.set)
	other := &entryInfo{name: string(target), mode: h.FileMode()}
	b.set = b.runner.Wants(b.set[:0], other.name, other)
	for _, i := range wanted {
		if !slices.Contains(b.set, i) {
			if b.links++; b.links > maxLinkNotes {
				b.skip(info.name, "a hard link to what is not a name that is looked into")
				continue
			}
			b.rec.Notes = append(b.rec.Notes, boltseal.Skip{
				Path: info.name, Rule: b.runner.ID(i),
				Reason: fmt.Sprintf("a hard link to %s, which is not a name that is looked into", other.name),
			})
		}
	}
}

// analyze has the analyzers look at a file.
func (b *layerBuilder) analyze(ctx context.Context, number uint32, name string, h *tarball.Header) error {
	info := &entryInfo{name: name, mode: h.FileMode(), size: h.Size}
	b.set = b.runner.Wants(b.set[:0], name, info)
	if len(b.set) == 0 {
		return nil
	}
	out, err := b.runner.Run(ctx, name, info, &tarBody{b.tar, b.seek, b.plain, h.Size}, b.set)
	b.transient = b.transient || out.Transient
	if len(out.Packages)+len(out.Findings)+len(out.Facts)+len(out.Distros)+len(out.Skipped) > 0 {
		b.rec.Results = append(b.rec.Results, tree.FileResults{Entry: number, Path: name, Results: out.Results})
	}
	return err
}

// tarBody is the content of the current entry.
type tarBody struct {
	*tarball.Reader
	seek  io.ReaderAt
	plain *meter
	size  int64
}

// ReaderAt gives access in place if the layer is stored uncompressed.
func (t *tarBody) ReaderAt() io.ReaderAt {
	if t.seek == nil || t.Sparse() {
		return nil
	}
	return io.NewSectionReader(t.seek, t.plain.n-int64(t.Buffered()), t.size)
}

// maxNotes bounds the remarks of one kind that name a path.
const maxNotes = 8

// maxLinkNotes bounds those on hard links that say where they lead.
const maxLinkNotes = 100

// note adds a remark that leaves nothing unread.
func (b *layerBuilder) note(p, reason string) { b.remark(p, reason, true) }

// skip adds something that was not read.
func (b *layerBuilder) skip(p, reason string) { b.remark(p, reason, false) }

func (b *layerBuilder) remark(p, reason string, note bool) {
	if b.counts == nil {
		b.counts = map[string]int{}
	}
	if b.counts[reason] == 0 {
		b.order = append(b.order, reason)
	}
	if b.counts[reason]++; b.counts[reason] <= maxNotes || !note && len(b.counts) < 1000 && b.counts[reason] <= 1000 {
		b.rec.Notes = append(b.rec.Notes, boltseal.Skip{Path: p, Reason: reason, Note: note})
	}
}

// flush says how many remarks were left out.
func (b *layerBuilder) flush() {
	said := make(map[string]int)
	note := make(map[string]bool)
	for _, s := range b.rec.Notes {
		said[s.Reason]++
		note[s.Reason] = s.Note
	}
	for _, reason := range b.order {
		if n := b.counts[reason] - said[reason]; n > 0 {
			b.rec.Notes = append(b.rec.Notes, boltseal.Skip{Reason: fmt.Sprintf("%s (and %d more)", reason, n), Note: note[reason]})
		}
	}
}

// entryInfo describes an entry to analyzers.
type entryInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i *entryInfo) Name() string               { return path.Base(i.name) }
func (i *entryInfo) Size() int64                { return i.size }
func (i *entryInfo) Mode() fs.FileMode          { return i.mode }
func (i *entryInfo) Type() fs.FileMode          { return i.mode.Type() }
func (i *entryInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i *entryInfo) ModTime() time.Time         { return time.Time{} }
func (i *entryInfo) IsDir() bool                { return i.mode.IsDir() }
func (i *entryInfo) Sys() any                   { return nil }
