// Package imagetest makes small images with sharp edges, and checks what a
// reader of images makes of them.
//
// A layer is written as lines, one per entry, in the order of the tar:
//
//	d etc                 a folder
//	f etc/motd hello      a file and its content
//	l lib -> usr/lib      a symbolic link
//	h b -> a              a hard link
//	w etc/motd            a whiteout: the entry etc/.wh.motd
//	o etc                 an opaque mark: the entry etc/.wh..wh..opq
//	c dev/null 1,3        a character device; p is a pipe
//	7 old data            an entry of any other type, given by its letter
//
// Paths are written into the tar as they are. One with blanks or odd bytes is
// quoted as Go quotes strings. A mode may follow the letter: "f:4755 bin/su x".
//
// [Cases] are images with the tree that a container of each must see, [Check]
// runs a reader over all of them:
//
//	imagetest.Check(t, func(ctx context.Context, archive string) ([]string, error) {
//		img, err := image.Open(ctx, "oci-archive:"+archive, nil)
//		…
//		return imagetest.Tree(ctx, img, nil)
//	})
package imagetest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Layer describes one layer.
type Layer struct {
	Entries string // one line each
	// Encoding is "gzip", "zstd" or "" for plain.
	Encoding string
	// MediaType overrides the one that fits the encoding.
	MediaType string
	// Tar, if set, replaces the archive that Entries describe.
	Tar []byte
	// Trailer follows the archive, Garbage the compressed stream.
	Trailer, Garbage []byte
	// Members, if above 1, cuts the archive into that many gzip members.
	Members int
}

// Archive returns the layer's uncompressed tar.
func (l *Layer) Archive() ([]byte, error) {
	if l.Tar != nil {
		return append(bytes.Clone(l.Tar), l.Trailer...), nil
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for line := range strings.Lines(l.Entries) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := writeEntry(w, line); err != nil {
			return nil, fmt.Errorf("entry %q: %w", line, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return append(b.Bytes(), l.Trailer...), nil
}

// Blob returns the layer as an image stores it.
func (l *Layer) Blob() ([]byte, error) {
	plain, err := l.Archive()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	switch l.Encoding {
	case "":
		return append(plain, l.Garbage...), nil
	case "gzip":
		n := max(1, l.Members)
		for i := range n {
			w := gzip.NewWriter(&b)
			if _, err := w.Write(plain[len(plain)*i/n : len(plain)*(i+1)/n]); err != nil {
				return nil, err
			}
			if err := w.Close(); err != nil {
				return nil, err
			}
		}
	case "zstd":
		w, err := zstd.NewWriter(&b)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(plain); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("encoding %q: want gzip, zstd or none", l.Encoding)
	}
	return append(b.Bytes(), l.Garbage...), nil
}

func writeEntry(w *tar.Writer, line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	kind, mode, hasMode := strings.Cut(kind, ":")
	name, rest, err := cutName(rest)
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, Mode: 0o644, Format: tar.FormatPAX}
	if hasMode {
		if h.Mode, err = strconv.ParseInt(mode, 8, 64); err != nil {
			return err
		}
	}
	body := ""
	switch kind {
	case "d":
		h.Typeflag = tar.TypeDir
		if !hasMode {
			h.Mode = 0o755
		}
	case "l", "h":
		h.Typeflag = tar.TypeSymlink
		if kind == "h" {
			h.Typeflag = tar.TypeLink
		}
		target, ok := strings.CutPrefix(rest, "-> ")
		if !ok {
			return fmt.Errorf("want PATH -> TARGET")
		}
		if h.Linkname, _, err = cutName(target); err != nil {
			return err
		}
	case "w":
		h.Typeflag = tar.TypeReg
		dir, base := path.Split(name)
		h.Name = dir + ".wh." + base
	case "o":
		h.Typeflag = tar.TypeReg
		h.Name = strings.TrimPrefix(name+"/.wh..wh..opq", "./")
	case "c":
		h.Typeflag = tar.TypeChar
		if _, err := fmt.Sscanf(rest, "%d,%d", &h.Devmajor, &h.Devminor); err != nil {
			return err
		}
	case "p":
		h.Typeflag = tar.TypeFifo
	case "f":
		h.Typeflag, body = tar.TypeReg, rest
	default:
		if len(kind) != 1 {
			return fmt.Errorf("kind %q is not known", kind)
		}
		h.Typeflag, body, h.Format = kind[0], rest, tar.FormatGNU
	}
	h.Size = int64(len(body))
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = w.Write([]byte(body))
	return err
}

// cutName takes the first field, which may be quoted.
func cutName(s string) (name, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		q, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", err
		}
		name, err = strconv.Unquote(q)
		return name, strings.TrimPrefix(s[len(q):], " "), err
	}
	name, rest, _ = strings.Cut(s, " ")
	return name, rest, nil
}
