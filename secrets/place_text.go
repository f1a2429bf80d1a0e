package secrets

import (
	"bytes"
	"context"
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

// stretches scans what is escaped in data[from:to], as it is meant.
func (v *view) stretches(ctx context.Context, from, to int) {
	v.finder.Find(v.data, from, to, func(s decode.Span) {
		v.derived(ctx, s.Step, s.Start, s.Text)
	})
}

// derived scans what the bytes from p on mean.
func (v *view) derived(ctx context.Context, step string, p int, text []byte) {
	if v.scan.decoded -= int64(len(text)); v.scan.decoded < 0 {
		v.skip(v.content, "more encoded text than twice the content: "+boltseal.ErrLimit.Error())
		return
	}
	c := v.content.decoded(step, v.base+int64(p), v.line(p))
	if err := v.scan.bytes(ctx, c, text); err != nil && ctx.Err() == nil {
		v.skip(c, err.Error())
	}
}

var base64Runs = inline{
	name: "base64", alphabet: "[A-Za-z0-9+/_-]", min: 24, probe: decode.Base64Probe,
	decode: func(run []byte, limit int) ([]byte, []string, error) {
		out := decode.Base64(run, limit)
		return out, []string{"base64"}, nil
	},
}

var hexRuns = inline{
	name: "hex", alphabet: "h", min: 32, probe: decode.HexProbe,
	decode: func(run []byte, limit int) ([]byte, []string, error) {
		return decode.Hex(run, limit), []string{"hex"}, nil
	},
}
