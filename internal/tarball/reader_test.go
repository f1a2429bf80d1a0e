package tarball

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

type entry struct {
	name, link string
	typ        byte
	size, mode int64
	body       string
}

const maxBody = 1 << 20 // sparse files can be any size

func ours(r *Reader) (list []entry, err error) {
	for {
		h, err := r.Next()
		if err != nil {
			return list, err
		}
		e := entry{name: string(h.Name), link: string(h.Link), typ: h.Type, size: h.Size, mode: h.Mode}
		b, err := io.ReadAll(io.LimitReader(r, maxBody))
		if err != nil {
			return list, err
		}
		e.body = string(b)
		list = append(list, e)
	}
}

func theirs(src io.Reader) (list []entry, err error) {
	r := tar.NewReader(src)
	for {
		h, err := r.Next()
		if err != nil {
			return list, err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e := entry{name: h.Name, link: h.Linkname, typ: h.Typeflag, size: h.Size, mode: h.Mode}
		b, err := io.ReadAll(io.LimitReader(r, maxBody))
		if err != nil {
			return list, err
		}
		e.body = string(b)
		list = append(list, e)
	}
}

func seeds(t testing.TB) [][]byte {
	var out [][]byte
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		long := strings.Repeat("directory/", 12)
		for _, h := range []tar.Header{
			{Name: "a", Typeflag: tar.TypeReg, Mode: 0o4755, Size: 5},
			{Name: long + "b", Typeflag: tar.TypeReg, Size: 600},
			{Name: "l", Linkname: "a", Typeflag: tar.TypeSymlink},
			{Name: "h", Linkname: "a", Typeflag: tar.TypeLink},
			{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755},
			{Name: "c", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		} {
			h.Format = format
			require.NoError(t, w.WriteHeader(&h))
			_, err := w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		out = append(out, b.Bytes())
	}
	return append(out, nil, make([]byte, 1024))
}

func TestSameAsStandard(t *testing.T) {
	for _, b := range seeds(t) {
		want, wantErr := theirs(bytes.NewReader(b))
		for _, src := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			got, err := ours(NewReader(src))
			require.Equal(t, wantErr, err)
			require.Equal(t, want, got)
		}
	}
}

func TestPeekAndChunk(t *testing.T) {
	r := NewReader(bytes.NewReader(seeds(t)[0]))
	_, err := r.Next()
	require.NoError(t, err)
	b, err := r.Peek(3)
	require.NoError(t, err)
	require.Equal(t, "xxx", string(b))
	b, err = r.Peek(100)
	require.NoError(t, err)
	require.Equal(t, "xxxxx", string(b))
	b, err = r.Chunk()
	require.NoError(t, err)
	r.Abandon()
	_, err = r.Next()
	require.NoError(t, err)
	require.Equal(t, "xxxxx", string(b), "what was handed out stays after Abandon")
	_, err = ours(r)
	require.ErrorIs(t, err, io.EOF)
}

// FuzzReader reads what archive/tar reads, and the same. Where archive/tar
// gives up on an archive, all that is asked is an end without a panic.
func FuzzReader(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ours(NewReader(bytes.NewReader(b)))
		want, wantErr := theirs(bytes.NewReader(b))
		if !errors.Is(wantErr, io.EOF) {
			return
		}
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, want, got)
	})
}
