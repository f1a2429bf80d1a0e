package image

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	digest "github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tarball"
	"github.com/boltseal/boltseal/internal/tree"
)

// Engines that pull lazily make the file system not from a layer's tar but from
// a table of contents beside it: that of eStargz is the tar's file
// stargz.index.json (stargz-snapshotter, docs/estargz.md), that of zstd:chunked
// lies in a skippable frame (containers/storage, docs/containers-storage-zstd-chunked.md).
// An annotation of the layer names its digest, and switches this on. If it tells
// of other files than the tar, two engines run two images.
const (
	annotationEstargz     = "containerd.io/snapshot/stargz/toc.digest"
	annotationChunkedSum  = "io.github.containers.zstd-chunked.manifest-checksum"
	annotationChunkedPos  = "io.github.containers.zstd-chunked.manifest-position"
	estargzTOC            = "stargz.index.json"
	maxTOCEntries         = 1_000_000
	maxTOCDifferencesTold = 16
	sparseDigest          = "sparse" // of a file whose digest is not computed
)

// tocKey is what a layer's record depends on beside its tar.
func tocKey(l *Layer) string {
	sum := l.Annotations[annotationEstargz] + " " + l.Annotations[annotationChunkedSum] + " " + l.Annotations[annotationChunkedPos]
	if sum == "  " {
		return ""
	}
	return sum
}

// toc compares a table of contents with the tar, entry by entry.
type toc struct {
	layer   *Layer
	limits  boltseal.Limits // FileBytes bounds the table, compressed or not
	want    string
	raw     []byte             // the table, as JSON
	entries map[string]tocItem // of the tar
	last    string             // the file whose content is being hashed
	full    bool
	failed  string // why the table cannot be had
	// consumed is set if add has read the content of the entry: the table itself.
	consumed bool
}

// tocItem is what both forms say of a file. Kind is that of the table.
type tocItem struct {
	kind   string
	mode   int64
	size   int64
	link   string
	digest string
}

// newTOC returns nil for a layer that announces no table.
func newTOC(l *Layer, limits *boltseal.Limits, raw *meter) *toc {
	t := &toc{layer: l, limits: *limits, entries: map[string]tocItem{}}
	switch {
	case l.Annotations[annotationEstargz] != "":
		t.want = l.Annotations[annotationEstargz]
	case l.Annotations[annotationChunkedSum] != "":
		t.want = l.Annotations[annotationChunkedSum]
		from, length, err := position(l.Annotations[annotationChunkedPos])
		switch {
		case err != nil:
			t.failed = err.Error()
		case length > t.limits.FileBytes:
			t.failed = fmt.Sprintf("%v: %d bytes, Limits.FileBytes is %d", boltseal.ErrLimit, length, t.limits.FileBytes)
		default:
			raw.keepFrom, raw.keepTo = from, from+length
		}
	default:
		return nil
	}
	return t
}

// position reads offset:length:…, in bytes of the blob.
func position(s string) (from, length int64, err error) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 {
		return 0, 0, fmt.Errorf("annotation %s: %w: %.40q", annotationChunkedPos, boltseal.ErrMalformed, s)
	}
	from, err1 := strconv.ParseInt(parts[0], 10, 64)
	length, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil || from < 0 || length < 0 || from+length < from {
		return 0, 0, fmt.Errorf("annotation %s: %w: %.40q", annotationChunkedPos, boltseal.ErrMalformed, s)
	}
	return from, length, nil
}

// add takes an entry of the tar. The digest follows: see [toc.settle].
func (t *toc) add(p []byte, h *tarball.Header, r *tarball.Reader) error {
	t.consumed = false
	if string(p) == estargzTOC && t.layer.Annotations[annotationEstargz] != "" {
		if h.Size > t.limits.FileBytes {
			t.failed = fmt.Sprintf("%v: %d bytes, Limits.FileBytes is %d", boltseal.ErrLimit, h.Size, t.limits.FileBytes)
			return nil
		}
		raw, err := io.ReadAll(io.LimitReader(r, h.Size))
		t.raw, t.consumed = raw, true
		return err
	}
	kind := map[byte]string{
		tarball.TypeRegular: "reg", tarball.TypeCont: "reg", tarball.TypeSparse: "reg", tarball.TypeDir: "dir", tarball.TypeSymlink: "symlink",
		tarball.TypeHardLink: "hardlink", tarball.TypeChar: "char", tarball.TypeBlock: "block", tarball.TypeFIFO: "fifo",
	}[h.Type]
	if len(p) == 0 || kind == "" {
		return nil
	}
	if len(t.entries) >= maxTOCEntries {
		t.full = true
		return nil
	}
	item := tocItem{kind: kind, mode: h.Mode & 0o7777, link: linkName(kind, string(h.Link))}
	if kind == "reg" {
		item.size = h.Size
		if r.Sparse() {
			item.digest = sparseDigest
		} else {
			t.last = string(p)
			r.HashContent()
		}
	}
	t.entries[string(p)] = item
	return nil
}

// settle takes the digest of the last file, whose content has gone by.
func (t *toc) settle(r *tarball.Reader) {
	if sum := r.ContentSum(); t.last != "" && sum != nil {
		item := t.entries[t.last]
		item.digest = digest.NewDigestFromBytes(digest.SHA256, sum).String()
		t.entries[t.last] = item
	}
	t.last = ""
}

func linkName(kind, link string) string {
	switch kind {
	case "hardlink":
		p, _ := tree.Clean([]byte(link))
		return string(p)
	case "symlink":
		return link
	}
	return ""
}

// compare makes a finding of what differs, or a remark where it cannot tell.
func (t *toc) compare(raw *meter) (f *boltseal.Finding, skip string) {
	if t.layer.Annotations[annotationEstargz] == "" && t.failed == "" {
		if got := digest.FromBytes(raw.kept).String(); got != t.want {
			return t.finding([]string{""}, []string{fmt.Sprintf("no table of the announced digest %s lies at the announced place", t.want)}), ""
		}
		var err error
		if t.raw, err = inflateTOC(raw.kept, t.limits); err != nil {
			t.failed = err.Error()
		}
	} else if t.failed == "" {
		if got := digest.FromBytes(t.raw).String(); t.raw == nil || got != t.want {
			return t.finding([]string{estargzTOC}, []string{fmt.Sprintf("no table of the announced digest %s is in the layer", t.want)}), ""
		}
	}
	listed := map[string]tocItem{}
	switch {
	case t.failed != "":
	case t.full:
		t.failed = fmt.Sprintf("%v of %d entries", boltseal.ErrLimit, maxTOCEntries)
	default:
		if err := readTOC(t.raw, listed); err != nil {
			t.failed = err.Error()
		}
	}
	if t.failed != "" {
		return nil, "the layer's table of contents, from which lazy engines make the file system, was not compared with its tar: " + t.failed
	}
	differ := map[string]string{}
	for p, item := range listed {
		have, ok := t.entries[p]
		switch {
		case !ok && item.kind != "dir": // the table names folders that the tar implies
			differ[p] = "the table has it, the tar does not"
		case ok:
			if why := item.against(have); why != "" {
				differ[p] = why
			}
		}
	}
	for p := range t.entries {
		if _, ok := listed[p]; !ok {
			differ[p] = "the tar has it, the table does not"
		}
	}
	if len(differ) == 0 {
		return nil, ""
	}
	paths := slices.Sorted(maps.Keys(differ))
	var why []string
	for _, p := range paths {
		why = append(why, differ[p])
	}
	return t.finding(paths, why), ""
}

// readTOC reads a table's entries one by one, so that a table of empty entries
// takes no more memory than it has bytes.
func readTOC(raw []byte, listed map[string]tocItem) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return malformed(cmp.Or(err, errors.New("not an object")))
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return malformed(err)
		}
		// Engines written in Go take any case, and of two lists the second.
		if name, _ := key.(string); !strings.EqualFold(name, "entries") {
			err = d.Decode(new(json.RawMessage))
		} else if found {
			err = errors.New("two lists of entries")
		} else {
			found = true
			err = readTOCEntries(d, listed)
		}
		if err != nil {
			return malformed(err)
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed(err)
	}
	if !found {
		return malformed(errors.New("no entries"))
	}
	return nil
}

func readTOCEntries(d *json.Decoder, listed map[string]tocItem) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return cmp.Or(err, errors.New("entries are no list"))
	}
	for d.More() {
		var e struct {
			Type     string `json:"type"`
			Name     string `json:"name"`
			LinkName string `json:"linkName"`
			Mode     int64  `json:"mode"`
			Size     int64  `json:"size"`
			Digest   string `json:"digest"`
		}
		if err := d.Decode(&e); err != nil {
			return err
		}
		p, _ := tree.Clean([]byte(e.Name))
		if e.Type == "chunk" || len(p) == 0 {
			continue
		}
		if len(listed) >= maxTOCEntries {
			return fmt.Errorf("%w of %d entries", boltseal.ErrLimit, maxTOCEntries)
		}
		item := tocItem{kind: e.Type, mode: e.Mode & 0o7777, link: linkName(e.Type, e.LinkName)}
		if e.Type == "reg" {
			item.size, item.digest = e.Size, e.Digest
		}
		listed[string(p)] = item
	}
	_, err := d.Token()
	return err
}

// against says how the table's item differs from the tar's.
func (i tocItem) against(tar tocItem) string {
	switch {
	case i.kind != tar.kind:
		return fmt.Sprintf("the table says %.20q, the tar %q", i.kind, tar.kind)
	case i.link != tar.link:
		return fmt.Sprintf("the table links to %.200q, the tar to %.200q", i.link, tar.link)
	case i.kind != "symlink" && i.kind != "hardlink" && i.mode != tar.mode:
		return fmt.Sprintf("the table says mode %o, the tar %o", i.mode, tar.mode)
	case i.size != tar.size:
		return fmt.Sprintf("the table says %d bytes, the tar %d", i.size, tar.size)
	case tar.size > 0 && i.digest != tar.digest && tar.digest != sparseDigest:
		return fmt.Sprintf("the table says content %.80q, the tar %q", i.digest, tar.digest)
	}
	return ""
}

func (t *toc) finding(paths, why []string) *boltseal.Finding {
	f := &boltseal.Finding{
		Kind: boltseal.KindIntegrity, Rule: RuleTOCMismatch, Severity: boltseal.SeverityHigh,
		Title:       "A layer's table of contents does not tell of the files in its tar",
		Description: fmt.Sprintf("Engines that pull lazily run what the table says, others what the tar says. This report follows the tar. %d paths differ.", len(paths)),
		Fix:         "Do not run the image. Build the layer again with a tool that you trust.",
		Fingerprint: boltseal.Fingerprint("integrity", RuleTOCMismatch, paths[0]),
	}
	for i, p := range paths[:min(len(paths), maxTOCDifferencesTold)] {
		f.Locations = append(f.Locations, boltseal.Location{Layer: layerName(t.layer), Path: p})
		f.Evidence = append(f.Evidence, boltseal.Evidence{Detail: why[i]})
	}
	return f
}

func inflateTOC(b []byte, limits boltseal.Limits) ([]byte, error) {
	limit := limits.FileBytes
	d, err := newZstd(bytes.NewReader(b), limits)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	out, err := io.ReadAll(io.LimitReader(d, limit+1))
	switch {
	case int64(len(out)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes (Limits.FileBytes)", boltseal.ErrLimit, limit)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	return out, nil
}
