package secrets

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// wideText is text in UTF-16 and UTF-32. It is folded to one byte a character
// as it is read, so that offsets and lines stay those of the file.
var wideText = container{
	name: "wide",
	match: func(_ string, head []byte) bool {
		_, ok := decode.DetectWide(head)
		return ok
	},
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		head, err := data.Head(headBytes)
		if err != nil {
			return err
		}
		w, _ := decode.DetectWide(head)
		c.via = append(c.via[:len(c.via):len(c.via)], w.Step)
		if !c.fixed {
			c.loc.Offset += int64(w.Start)
			c.stride = int64(w.Width)
		}
		return f.reader(ctx, c, w.Reader(data.Reader()))
	},
}

// masked are binary formats that write a length before each string, which a
// scan of the raw bytes would take for a part of it. The bytes are scanned as
// they are, lengths blanked.
func masked(name string, mask func(io.Reader) io.Reader, match func(name string, head []byte) bool) container {
	return container{name: name, match: match, open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		return f.reader(ctx, c, mask(data.Reader()))
	}}
}

var (
	classFiles = masked("class", decode.Class, func(_ string, head []byte) bool {
		// The magic is also that of a universal binary of macOS, where the count
		// of architectures stands in place of a class file's version.
		return len(head) > 10 && string(head[:4]) == "\xca\xfe\xba\xbe" && head[7] >= 45
	})
	pythonFiles = masked("pyc", decode.Python, func(_ string, head []byte) bool {
		return len(head) > 16 && head[2] == '\r' && head[3] == '\n' && head[1] >= 0x0a && head[1] < 0x20
	})
	dexFiles = masked("dex", decode.Dex, func(_ string, head []byte) bool {
		return bytes.HasPrefix(head, []byte("dex\n0"))
	})
)

// stretches scans what is encoded in data[from:to], as it is meant.
func (v *view) stretches(ctx context.Context, from, to int) {
	if v.finder.Line == nil {
		v.finder.Line = v.line
	}
	v.finder.Find(v.data, from, to, func(s decode.Span) { v.derived(ctx, s) })
}

// derived scans what a stretch means.
func (v *view) derived(ctx context.Context, s decode.Span) {
	if v.scan.decoded -= int64(len(s.Text)); v.scan.decoded < 0 {
		v.skip(v.content, "encoded text beyond what its size allows was not decoded: "+boltseal.ErrLimit.Error())
		return
	}
	// Escapes hide only single characters, and source code has them in plenty:
	// regular expressions, tables of bytes, examples of file formats.
	hidden := s.Step == "base64" || s.Step == "hex"
	tell := v.scan.note
	if hidden {
		tell = v.scan.skip
	}
	c := v.content.decoded(s.Step, v.base+int64(s.Start), s.Line)
	if len(c.via) > decodeDepth {
		if mostlyText(s.Text) {
			tell(v.content, fmt.Sprintf("encoded more than %d times: %v", decodeDepth, boltseal.ErrLimit))
		}
		return
	}
	err := v.capture(wide{v.base + int64(s.Start), v.base + int64(s.End)}, !hidden, func() error {
		return v.scan.bytes(ctx, c, s.Text)
	})
	if err != nil && ctx.Err() == nil {
		tell(v.content, "encoded text: "+err.Error())
	}
}

// mostlyText reports whether at most one of 16 bytes is neither ASCII that can
// be printed nor white space.
func mostlyText(b []byte) bool {
	odd := 0
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c > '~' {
			odd++
		}
	}
	return odd <= len(b)/16
}
