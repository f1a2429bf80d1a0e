package jetstream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// job is what is asked for.
type job struct {
	Ref string `json:"ref"` // host/repository@digest
}

// A result is lines of JSON, compressed: a head, then distributions and packages,
// each distribution before the packages of it. Its reader holds one line at a
// time, for the bytes come from another process.
type head struct {
	Digest     digest.Digest `json:"digest"`
	Error      string        `json:"error,omitempty"`
	Platform   string        `json:"platform,omitempty"`
	Incomplete string        `json:"incomplete,omitempty"`
	Team       string        `json:"team,omitempty"`
	Lines      int           `json:"lines"` // that follow
}

// line is a distribution or a package.
type line struct {
	Distro  *boltseal.Distro `json:"distro,omitempty"`
	Package *component       `json:"package,omitempty"`
}

// component is what the monitor needs of a package: what decides which
// advisories concern it, and what people call it.
type component struct {
	PURL      string          `json:"purl,omitempty"`
	Type      string          `json:"type"`
	Namespace string          `json:"namespace,omitempty"`
	Name      string          `json:"name"`
	Version   string          `json:"version,omitempty"`
	Arch      string          `json:"arch,omitempty"`
	Source    boltseal.Source `json:"source,omitzero"`
	Module    string          `json:"module,omitempty"`
	Vendor    string          `json:"vendor,omitempty"`
	State     boltseal.State  `json:"state,omitempty"`
	OwnedBy   string          `json:"ownedBy,omitempty"`
	Distro    int             `json:"distro,omitempty"` // from 1; 0 is none
	Layer     string          `json:"layer,omitempty"`  // of its first location
}

// Bounds of a result: of all bytes, unpacked, of one line, and of the lines.
const (
	maxResult = 256 << 20
	maxLine   = 1 << 20
	maxLines  = 1_000_000
)

// pack writes an inventory.
func pack(d digest.Digest, inv registry.Inventory) ([]byte, error) {
	distros, numbers := 0, map[*boltseal.Distro]int{nil: 0}
	var lines []line
	for i := range inv.Packages {
		p := &inv.Packages[i]
		n, ok := numbers[p.Distro]
		if !ok {
			distros++
			n = distros
			numbers[p.Distro] = n
			lines = append(lines, line{Distro: p.Distro})
		}
		c := &component{
			PURL: p.PURL, Type: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version, Arch: p.Arch,
			Source: p.Source, Module: p.Module, Vendor: p.Vendor, State: p.State, OwnedBy: p.OwnedBy, Distro: n,
		}
		if len(p.Locations) > 0 {
			c.Layer = p.Locations[0].Layer
		}
		lines = append(lines, line{Package: c})
	}
	return encode(head{Digest: d, Platform: inv.Platform, Incomplete: inv.Incomplete, Team: inv.Team}, lines)
}

func encode(h head, lines []line) ([]byte, error) {
	if h.Lines = len(lines); h.Lines > maxLines {
		return nil, fmt.Errorf("result: %w: %d packages and distributions", boltseal.ErrLimit, h.Lines)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	err := e.Encode(h)
	for i := 0; err == nil && i < len(lines); i++ {
		err = e.Encode(lines[i])
	}
	if err != nil {
		return nil, err
	}
	// At once, without the half megabyte of state that most results are not worth.
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.StatelessCompression)
	if err == nil {
		_, err = z.Write(text.Bytes())
	}
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

// unpack reads a result, which must be of this image. One that says why there is
// none is the error [failure].
func unpack(d digest.Digest, raw []byte) (inv registry.Inventory, err error) {
	defer func() {
		if err != nil {
			inv = registry.Inventory{}
			if _, failed := err.(failure); !failed {
				err = fmt.Errorf("result: %w", err)
			}
		}
	}()
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return inv, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	all := &io.LimitedReader{R: z, N: maxResult}
	s := bufio.NewScanner(all)
	s.Buffer(nil, maxLine)
	next := func(v any) error {
		if !s.Scan() {
			switch err := s.Err(); {
			case all.N <= 0 || err == bufio.ErrTooLong:
				return fmt.Errorf("%w: more than %d bytes, or %d in a line", boltseal.ErrLimit, maxResult, maxLine)
			case err != nil:
				return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
			}
			return fmt.Errorf("%w: cut short", boltseal.ErrMalformed)
		}
		if err := json.Unmarshal(s.Bytes(), v); err != nil {
			return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
		}
		return nil
	}
	var h head
	if err := next(&h); err != nil {
		return inv, err
	}
	switch {
	case h.Digest != d:
		return inv, fmt.Errorf("%w: of another image, %.100q", boltseal.ErrMalformed, h.Digest)
	case h.Error != "":
		return inv, failure(h.Error)
	case h.Lines < 0 || h.Lines > maxLines:
		return inv, fmt.Errorf("%w: %d lines", boltseal.ErrLimit, h.Lines)
	}
	inv.Platform, inv.Incomplete, inv.Team = h.Platform, h.Incomplete, h.Team
	distros := []*boltseal.Distro{nil}
	for range h.Lines {
		var l line
		if err := next(&l); err != nil {
			return inv, err
		}
		if l.Distro != nil {
			distros = append(distros, l.Distro)
		}
		if c := l.Package; c != nil {
			if c.Distro < 0 || c.Distro >= len(distros) {
				return inv, fmt.Errorf("%w: distribution %d of %d", boltseal.ErrMalformed, c.Distro, len(distros)-1)
			}
			p := boltseal.Package{
				PURL: c.PURL, Type: c.Type, Namespace: c.Namespace, Name: c.Name, Version: c.Version, Arch: c.Arch,
				Source: c.Source, Module: c.Module, Vendor: c.Vendor, State: c.State, OwnedBy: c.OwnedBy, Distro: distros[c.Distro],
			}
			if c.Layer != "" {
				p.Locations = []boltseal.Location{{Layer: c.Layer}}
			}
			inv.Packages = append(inv.Packages, p)
		}
	}
	return inv, nil
}

// failure is the reason that a worker gave.
type failure string

func (f failure) Error() string { return string(f) }

// digestOf returns the digest that a name ends with.
func digestOf(ref string) (digest.Digest, error) {
	d := digest.Digest(ref[strings.LastIndexByte(ref, '@')+1:])
	if err := d.Validate(); err != nil {
		return "", fmt.Errorf("image %.300q: %w: host/repository@digest is meant", ref, boltseal.ErrMalformed)
	}
	return d, nil
}
