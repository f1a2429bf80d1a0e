package tarball

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

type field uint8

const (
	fieldPath field = 1 << iota
	fieldLink
	fieldSize
)

// paxFields are the records of an extended header that matter here.
type paxFields struct {
	set        field
	path, link []byte // in Reader.special
	size       int64
	overlay    bool
	sparse     paxSparse
}

func (p *paxFields) has(f field) bool { return p.set&f != 0 }

// readSpecial reads the content of an entry that describes the next one.
func (r *Reader) readSpecial(h *Header) error {
	if h.Size > maxSpecial {
		return fmt.Errorf("extended tar header of %d bytes: %w of %d", h.Size, boltseal.ErrLimit, maxSpecial)
	}
	kind := h.Type
	var content []byte
	if kind == typePAX {
		r.special = grow(r.special, int(h.Size))
		content = r.special
	} else {
		content = make([]byte, h.Size)
	}
	for n := 0; n < len(content); {
		m, err := r.rawRead(content[n:])
		if err != nil {
			return err
		}
		n += m
	}
	switch kind {
	case typeLongName:
		r.longName, r.longs.name = cstring(content), len(cstring(content)) > 0
	case typeLongLink:
		r.longLink, r.longs.link = cstring(content), len(cstring(content)) > 0
	case typePAX:
		p := paxFields{}
		if err := p.parse(content); err != nil {
			return err
		}
		r.pax = p
	case typePAXGlobal:
		// Records for all later entries. Container engines ignore them
		// (git archive writes a comment there), and so do we.
		p := paxFields{}
		return p.parse(content)
	}
	return nil
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// parse reads records of the form "length key=value\n".
func (p *paxFields) parse(b []byte) error {
	for len(b) > 0 {
		sp := bytes.IndexByte(b, ' ')
		if sp <= 0 {
			return malformed("an extended record has no length")
		}
		n, err := strconv.ParseUint(string(b[:sp]), 10, 31)
		if err != nil || int(n) > len(b) || int(n) < sp+2 || b[n-1] != '\n' {
			return malformed("an extended record has a wrong length")
		}
		key, value, ok := bytes.Cut(b[sp+1:n-1], []byte{'='})
		b = b[n:]
		if !ok || len(key) == 0 {
			return malformed("an extended record has no key")
		}
		if err := p.record(string(key), value); err != nil {
			return err
		}
	}
	return nil
}

func (p *paxFields) record(key string, value []byte) error {
	switch key {
	case "path", "linkpath", "uname", "gname":
		if bytes.IndexByte(value, 0) >= 0 {
			return malformed("NUL in the extended record %s", key)
		}
	default:
		if strings.IndexByte(key, 0) >= 0 {
			return malformed("NUL in the key of an extended record")
		}
	}
	if rest, ok := strings.CutPrefix(key, "GNU.sparse."); ok {
		return p.sparse.record(rest, value)
	}
	if strings.HasPrefix(key, "SCHILY.xattr.trusted.overlay.") {
		p.overlay = true
	}
	switch key {
	case "path":
		p.path = value
		p.mark(fieldPath, len(value) > 0)
	case "linkpath":
		p.link = value
		p.mark(fieldLink, len(value) > 0)
	case "size", "uid", "gid":
		if len(value) == 0 {
			if key == "size" {
				p.mark(fieldSize, false)
			}
			return nil
		}
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || key == "size" && n < 0 {
			return malformed("the extended record %s=%.30q is no number", key, value)
		}
		if key == "size" {
			p.size = n
			p.mark(fieldSize, true)
		}
	}
	return nil
}

func (p *paxFields) mark(f field, on bool) {
	if p.set &^= f; on {
		p.set |= f
	}
}
