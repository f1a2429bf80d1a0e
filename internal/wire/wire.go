// Package wire writes Go values as compact bytes and reads them back: structs,
// slices, maps with string keys, pointers, strings, numbers and times. The form
// begins with a digest of the type's shape and ends with a checksum, so that
// bytes of another version, of another type or damaged are recognized. It is
// for caches: there is no way to read what an older shape wrote, on purpose.
package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"reflect"

	"github.com/boltseal/boltseal"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	shapeSize = 8
	sumSize   = 4
)

// Marshal writes v, a pointer to a struct. Unexported fields are left out. What
// is larger than about size bytes is written as well, only slower.
func Marshal(v any, size int) []byte {
	rv := reflect.ValueOf(v).Elem()
	p, shape := compile(rv.Type())
	e := encoder{b: append(make([]byte, 0, size+4096), shape...)}
	e.value(rv, p)
	return binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli))
}

// Unmarshal reads what Marshal wrote into v, a pointer to a zero struct of the
// same type. Any other bytes are an error that wraps [boltseal.ErrMalformed].
// Byte slices are parts of b, which must not change afterwards; all strings
// share one copy of it. Memory is bounded by the length of b times a small
// factor.
func Unmarshal(b []byte, v any) error {
	rv := reflect.ValueOf(v).Elem()
	p, shape := compile(rv.Type())
	if len(b) < shapeSize+sumSize || !bytes.Equal(b[:shapeSize], shape) {
		return fmt.Errorf("record of another kind or version: %w", boltseal.ErrMalformed)
	}
	body := b[:len(b)-sumSize]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return fmt.Errorf("record: checksum: %w", boltseal.ErrMalformed)
	}
	d := decoder{b: body[shapeSize:], s: string(body[shapeSize:])}
	d.value(rv, p)
	if d.bad || d.s != "" {
		return fmt.Errorf("record: %w", boltseal.ErrMalformed)
	}
	return nil
}
