package image

import (
	"archive/tar"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const goodTOC = `{"version":1,"entries":[
 {"name":"d/","type":"dir","mode":493},
 {"name":"d/a","type":"reg","mode":420,"size":4,"digest":"SUM"},
 {"name":"d/a","type":"chunk","chunkOffset":2,"chunkSize":2},
 {"name":"d/big","type":"reg","mode":420,"size":600000,"digest":"BIG"},
 {"name":"d/empty","type":"reg","mode":420},
 {"name":"l","type":"symlink","linkName":"d/a","mode":511},
 {"name":"h","type":"hardlink","linkName":"d/a","mode":420},
 {"name":".wh.gone","type":"reg","mode":420}]}`

// tocLayers returns the same files as eStargz and as zstd:chunked, with the
// table, whose annotations are right.
func tocLayers(t *testing.T, table string) map[string]Layer {
	headers := []*tar.Header{
		{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755}, fileNamed("d/a"), {Name: "d/big", Typeflag: tar.TypeReg, Mode: 0o644, Size: 600_000},
		{Name: "d/empty", Typeflag: tar.TypeReg, Mode: 0o644}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "d/a", Mode: 0o777},
		{Name: "h", Typeflag: tar.TypeLink, Linkname: "./d/a", Mode: 0o644}, {Name: ".wh.gone", Typeflag: tar.TypeReg, Mode: 0o644},
	}
	table = strings.NewReplacer("SUM", digest.FromString("xxxx").String(), "BIG", digest.FromString(strings.Repeat("x", 600_000)).String()).Replace(table)
	plain := layerTar(t, headers...)
	end := slices.Clone(plain[:len(plain)-1024])
	index := tarOf(t, file{name: estargzTOC, data: table})
	star := append(end, index...)
	eStargz := blobLayer(gz(t, star), star)
	eStargz.Annotations = map[string]string{annotationEstargz: digest.FromString(table).String()}

	packed := zst(t, []byte(table))
	blob := zst(t, plain)
	at := len(blob) + 8
	blob = binary.LittleEndian.AppendUint32(append(blob, 0x50, 0x2a, 0x4d, 0x18), uint32(len(packed)))
	blob = append(blob, packed...)
	chunked := blobLayer(blob, plain)
	chunked.Annotations = map[string]string{
		annotationChunkedSum: digest.FromBytes(packed).String(),
		annotationChunkedPos: fmt.Sprintf("%d:%d:%d:1", at, len(packed), len(table)),
	}
	return map[string]Layer{"eStargz": eStargz, "zstd:chunked": chunked}
}

func TestTableOfContents(t *testing.T) {
	replace := func(old, new string) string {
		require.Equal(t, 1, strings.Count(goodTOC, old), old)
		return strings.Replace(goodTOC, old, new, 1)
	}
	for name, c := range map[string]struct{ table, path, says string }{
		"equal":     {goodTOC, "", ""},
		"implied":   {replace(`{"name":"l"`, `{"name":"x","type":"dir","mode":493},{"name":"l"`), "", ""},
		"content":   {replace(`"SUM"`, `"BIG"`), "d/a", "content"},
		"no digest": {replace(`,"digest":"SUM"`, ``), "d/a", "content"},
		"size":      {replace(`"size":4`, `"size":5`), "d/a", "5 bytes"},
		"mode":      {replace(`"mode":420,"size":4`, `"mode":2541,"size":4`), "d/a", "mode 4755"},
		"link":      {replace(`symlink","linkName":"d/a"`, `symlink","linkName":"/etc"`), "l", "links to"},
		"type":      {replace(`"type":"symlink"`, `"type":"reg"`), "l", `"reg"`},
		"more":      {replace(`{"name":"l"`, `{"name":"../evil","type":"reg"},{"name":"l"`), "evil", "the tar does not"},
		"less": {replace(`,
 {"name":".wh.gone","type":"reg","mode":420}`, ``), ".wh.gone", "the table does not"},
	} {
		t.Run(name, func(t *testing.T) {
			for form, l := range tocLayers(t, c.table) {
				o := &AnalyzeOptions{Cache: NewMemoryCache(1 << 20)}
				for _, round := range []string{"read", "image known", "layer known"} {
					if round == "layer known" {
						o.Cache = &spyCache{Cache: o.Cache, hits: map[string]int{}, bad: "image"}
					}
					inv, err := Analyze(t.Context(), &Image{Layers: []Layer{l}}, o, finder{})
					require.NoError(t, err)
					require.True(t, inv.Complete, "%s %v", form, inv.Skipped)
					require.NotEmpty(t, inv.Packages)
					if c.path == "" {
						require.Empty(t, inv.Findings, form)
						continue
					}
					require.Len(t, inv.Findings, 1, "%s %s", form, round)
					f := inv.Findings[0]
					require.Equal(t, "image/toc-mismatch", f.Rule)
					require.Equal(t, boltseal.KindIntegrity, f.Kind)
					require.Len(t, f.Locations, 1, "%+v", f.Evidence)
					require.Equal(t, boltseal.Location{Layer: string(l.DiffID), Path: c.path}, f.Locations[0])
					require.Contains(t, f.Evidence[0].Detail, c.says)
				}
			}
		})
	}
}

// A table that is not the announced one, or cannot be had, is no silence.
func TestTableOfContentsAbsent(t *testing.T) {
	analyze := func(l Layer, o *AnalyzeOptions) *Inventory {
		inv, err := Analyze(t.Context(), &Image{Layers: []Layer{l}}, o, finder{})
		require.NoError(t, err)
		return inv
	}
	for form, l := range tocLayers(t, goodTOC) {
		for key := range l.Annotations {
			evil := l
			evil.Annotations = map[string]string{annotationChunkedSum: "x", annotationChunkedPos: "1:2:3:1"}
			if key == annotationEstargz {
				evil.Annotations = map[string]string{key: digest.FromString("other").String()}
			}
			inv := analyze(evil, nil)
			require.Len(t, inv.Findings, 1, form)
			require.Contains(t, inv.Findings[0].Evidence[0].Detail, "announced")
		}
		inv := analyze(l, &AnalyzeOptions{Limits: boltseal.Limits{FileBytes: 100}})
		require.False(t, inv.Complete)
		require.Contains(t, fmt.Sprint(inv.Skipped), "was not compared with its tar", form)
	}
	l := tocLayers(t, goodTOC)["zstd:chunked"]
	l.Annotations = map[string]string{annotationChunkedSum: "x", annotationChunkedPos: "9223372036854775807:1"}
	require.False(t, analyze(l, nil).Complete)
	for _, table := range []string{"", "{", "[]", "{}", `{"entries":1}`, `{"entries":[`, `{"entries":[{"name":1}]}`, goodTOC[:len(goodTOC)-1] + `,"Entries":[]}`} {
		for form, l := range tocLayers(t, table) {
			require.False(t, analyze(l, nil).Complete, "%s %q", form, table)
		}
	}
}

func FuzzTOC(f *testing.F) {
	small := (&boltseal.Limits{FileBytes: 1000}).WithDefaults()
	f.Add([]byte(goodTOC), "1:2:3:1")
	f.Add([]byte(`{"version":1,"x":[{}],"ENTRIES":[{},{"name":"a","type":"reg","size":-1}]}`), "9223372036854775807:1")
	f.Fuzz(func(t *testing.T, table []byte, pos string) {
		if from, length, err := position(pos); err == nil && (from < 0 || length < 0 || from+length < 0) {
			t.Fatal(from, length)
		}
		l := &Layer{Annotations: map[string]string{annotationEstargz: digest.FromBytes(table).String()}}
		toc := &toc{layer: l, limits: (*boltseal.Limits)(nil).WithDefaults(), want: l.Annotations[annotationEstargz], raw: table, entries: map[string]tocItem{}}
		found, skip := toc.compare(nil)
		if found != nil && (len(found.Locations) == 0 || len(found.Locations) != len(found.Evidence)) {
			t.Fatalf("%+v", found)
		}
		listed := map[string]tocItem{}
		if err := readTOC(table, listed); (err == nil) != (skip == "") && table != nil {
			t.Fatal(err, skip)
		}
		if out, err := inflateTOC(table, small); len(out) > 1000 && err == nil {
			t.Fatal(len(out))
		}
	})
}
