package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tree"
)

// A hole costs nothing to write. Reading holes counts against Limits.LayerBytes,
// and what is not read for it is said.
func TestHolesCountAsContent(t *testing.T) {
	head := func(name string, size int64) *tar.Header {
		return &tar.Header{Name: name, Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{
			"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "", "GNU.sparse.size": fmt.Sprint(size),
		}}
	}
	headers := []*tar.Header{head("small", 100), head("hole", 1<<62), head("hole2", 1<<62), head("hole3", 1<<62)}
	var raw []byte
	for _, h := range headers {
		raw = append(raw, sparseEntry(t, h)...)
	}
	raw = append(raw, make([]byte, 1024)...)
	l := blobLayer(raw, raw)
	inv, err := Analyze(t.Context(), &Image{Layers: []Layer{l}}, nil, finder{})
	require.NoError(t, err)
	require.False(t, inv.Complete)
	require.Len(t, inv.Packages, 1)
	require.EqualValues(t, 100, inv.Layers[0].Stats.Bytes)
	require.Contains(t, fmt.Sprintf("%+v", inv.Skipped), "LayerBytes")
}

// sparseEntry writes a header whose GNU.sparse records archive/tar would refuse
// to write: an extended header, then the file's.
func sparseEntry(t *testing.T, h *tar.Header) []byte {
	var records string
	for _, k := range []string{"GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.map", "GNU.sparse.size"} {
		body := " " + k + "=" + h.PAXRecords[k] + "\n"
		n := len(body) + 1
		for len(fmt.Sprint(n))+len(body) != n {
			n++
		}
		records += fmt.Sprint(n) + body
	}
	x := layerTar(t, &tar.Header{Name: "x", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(records))})[:1024]
	copy(x[512:], records+strings.Repeat("\x00", 512-len(records)))
	x[156] = 'x'
	copy(x[148:156], "        ")
	sum := 0
	for _, c := range x[:512] {
		sum += int(c)
	}
	copy(x[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return append(x, layerTar(t, &tar.Header{Name: h.Name, Typeflag: tar.TypeReg, Mode: 0o644})[:512]...)
}

// The names of a layer are held in memory, so that they have a bound of their
// own: five million entries may have links of 4 KiB each.
func TestNamesBounded(t *testing.T) {
	b := &layerBuilder{layerReader: &layerReader{limits: (*boltseal.Limits)(nil).WithDefaults(), budget: &budget{}}, rec: &tree.Record{}}
	require.NoError(t, b.names())
	b.rec.Entries.Data = make([]byte, maxNames) // never touched: no memory
	require.NoError(t, b.names())
	b.rec.Marks.Data = make([]byte, 1)
	require.True(t, errors.Is(b.names(), boltseal.ErrLimit))
}

// Remarks on entries that are refused are few, however the entries differ, and
// nothing is left out without being counted.
func TestRemarksBounded(t *testing.T) {
	var headers []*tar.Header
	for i := range 1500 {
		headers = append(headers, &tar.Header{Name: strings.Repeat("d/", 2100) + strings.Repeat("f", i%250+1), Typeflag: tar.TypeReg})
	}
	raw := layerTar(t, headers...)
	inv, err := Analyze(t.Context(), &Image{Layers: []Layer{blobLayer(raw, raw)}}, nil, finder{})
	require.NoError(t, err)
	require.False(t, inv.Complete)
	require.Len(t, inv.Skipped, 1001)
	require.Contains(t, fmt.Sprintf("%+v", inv.Skipped), "(and 500 more)")
}

// However it is spelled, and by whatever link, a document that stands in the
// archive twice is refused.
func TestRepeatedDocumentByAnotherName(t *testing.T) {
	for _, name := range []string{"c", "./c", "a/../c", "link"} {
		raw := tarOf(t, file{name: "manifest.json", data: `[{"Config":"` + name + `","Layers":[]}]`},
			file{name: "c", data: `{"rootfs":{"type":"layers","diff_ids":[]}}`}, file{name: "link", link: "c"},
			file{name: "c", data: `{"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`})
		_, err := openTar(t, raw, "", nil)
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
	}
}
