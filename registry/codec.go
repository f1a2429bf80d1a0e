package registry

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"github.com/boltseal/boltseal"
)

// The store's values are fields after one another: numbers as varints, strings
// behind their length. A value that ends early reads as empty fields, so that a
// later version may add some at the end; one that is damaged is an error.

type encoder []byte

func (e *encoder) uint(n uint64) { *e = binary.AppendUvarint(*e, n) }

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

func (e *encoder) float(f float64) { *e = binary.BigEndian.AppendUint64(*e, math.Float64bits(f)) }

// digest writes a SHA-256 digest in half the room; anything else as it is.
func (e *encoder) digest(s string) {
	if hexed, ok := strings.CutPrefix(s, sha256Prefix); ok && len(hexed) == 2*sha256.Size {
		if raw, err := hex.DecodeString(hexed); err == nil && hex.EncodeToString(raw) == hexed {
			*e = append(append(*e, 1), raw...)
			return
		}
	}
	*e = append(*e, 0)
	e.string(s)
}

const sha256Prefix = "sha256:"

// ascending writes numbers that grow.
func (e *encoder) ascending(list []uint32) {
	e.uint(uint64(len(list)))
	last := uint32(0)
	for _, n := range list {
		e.uint(uint64(n - last))
		last = n
	}
}

type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) uint() uint64 {
	if len(d.rest) == 0 || d.bad {
		return 0
	}
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) digest() string {
	switch d.uint() {
	case 0:
		return d.string()
	case 1:
		if len(d.rest) >= sha256.Size && !d.bad {
			raw := d.rest[:sha256.Size]
			d.rest = d.rest[sha256.Size:]
			return sha256Prefix + hex.EncodeToString(raw)
		}
	}
	d.bad = true
	return ""
}

// count reads how many things follow, of at least so many bytes each.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.rest)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, d.string())
	}
	return list
}

func (d *decoder) float() float64 {
	if len(d.rest) < 8 {
		d.bad = d.bad || len(d.rest) > 0
		return 0
	}
	v := math.Float64frombits(binary.BigEndian.Uint64(d.rest))
	d.rest = d.rest[8:]
	return v
}

func (d *decoder) ascending() []uint32 {
	n := d.count(1)
	list := make([]uint32, 0, n)
	last := uint64(0)
	for range n {
		last += d.uint()
		if last > math.MaxUint32 {
			d.bad = true
			return nil
		}
		list = append(list, uint32(last))
	}
	return list
}

func (d *decoder) err(what string) error {
	if d.bad {
		return fmt.Errorf("store: %s: %w: run Verify, and rebuild the store if it agrees", what, boltseal.ErrMalformed)
	}
	return nil
}

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
