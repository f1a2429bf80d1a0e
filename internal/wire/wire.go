// Package wire writes Go values as compact bytes and reads them back: structs,
// slices, maps with string keys, pointers, strings, numbers and times. The form
// begins with a digest of the type's shape and ends with a checksum, so that
// bytes of another version, of another type or damaged are recognized. It is
// for caches: there is no way to read what an older shape wrote, on purpose.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	shapeSize = 8
	sumSize   = 4
)

// Marshal writes v, a pointer to a struct. Unexported fields are left out.
func Marshal(v any) []byte {
	rv := reflect.ValueOf(v).Elem()
	e := encoder{b: shape(rv.Type())}
	e.value(rv)
	return binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli))
}

// Unmarshal reads what Marshal wrote into v, a pointer to a zero struct of the
// same type. Any other bytes are an error that wraps [boltseal.ErrMalformed].
// Byte slices and strings share one copy of b. Memory is bounded by the length
// of b times a small factor.
func Unmarshal(b []byte, v any) error {
	rv := reflect.ValueOf(v).Elem()
	if len(b) < shapeSize+sumSize || !bytes.Equal(b[:shapeSize], shape(rv.Type())) {
		return fmt.Errorf("record of another kind or version: %w", boltseal.ErrMalformed)
	}
	body := b[:len(b)-sumSize]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return fmt.Errorf("record: checksum: %w", boltseal.ErrMalformed)
	}
	d := decoder{s: string(body[shapeSize:])}
	d.value(rv)
	if d.bad || d.s != "" {
		return fmt.Errorf("record: %w", boltseal.ErrMalformed)
	}
	return nil
}

// shape digests the structure of a type.
func shape(t reflect.Type) []byte {
	var b strings.Builder
	describe(&b, t)
	sum := sha256.Sum256([]byte(b.String()))
	return sum[:shapeSize:shapeSize]
}

var timeType = reflect.TypeFor[time.Time]()

func describe(b *strings.Builder, t reflect.Type) {
	b.WriteString(t.Kind().String())
	switch t.Kind() {
	case reflect.Struct:
		if t == timeType {
			b.WriteString("time")
			return
		}
		b.WriteByte('{')
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				b.WriteString(strconv.Quote(f.Name))
				describe(b, f.Type)
			}
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Pointer, reflect.Map:
		describe(b, t.Elem())
	}
}

type encoder struct {
	b []byte
}

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *encoder) str(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			e.uint(1)
		} else {
			e.uint(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.b = binary.AppendVarint(e.b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.uint(v.Uint())
	case reflect.Float64:
		e.uint(bitsReversed(v.Float()))
	case reflect.String:
		e.str(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			e.uint(0)
			return
		}
		e.uint(1)
		e.value(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			e.uint(0)
			return
		}
		e.uint(uint64(v.Len()) + 1)
		switch list := v.Interface().(type) {
		case []byte:
			e.b = append(e.b, list...)
			return
		case []string:
			for _, s := range list {
				e.str(s)
			}
			return
		}
		for i := range v.Len() {
			e.value(v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		e.uint(uint64(len(keys)))
		for _, k := range keys {
			e.str(k.String())
			e.value(v.MapIndex(k))
		}
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			b, _ := t.MarshalBinary()
			e.str(string(b))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				e.value(v.Field(i))
			}
		}
	default:
		panic("wire: cannot write " + v.Type().String())
	}
}

// bitsReversed makes short numbers of floats such as 0.5.
func bitsReversed(f float64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], math.Float64bits(f))
	return binary.BigEndian.Uint64(b[:])
}

type decoder struct {
	s   string
	bad bool
}

func (d *decoder) fail() { d.bad, d.s = true, "" }

func (d *decoder) uint() uint64 {
	var v uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			d.s = d.s[i+1:]
			return v | uint64(c)<<(7*i)
		}
		v |= uint64(c&0x7f) << (7 * i)
	}
	d.fail()
	return 0
}

func (d *decoder) str() string {
	n := d.uint()
	if n > uint64(len(d.s)) {
		d.fail()
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) value(v reflect.Value) {
	if d.bad {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.uint() != 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		u := d.uint()
		i := int64(u >> 1)
		if u&1 != 0 {
			i = ^i
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(d.uint())
	case reflect.Float64:
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], d.uint())
		v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(b[:])))
	case reflect.String:
		v.SetString(d.str())
	case reflect.Pointer:
		if d.uint() != 0 && !d.bad {
			v.Set(reflect.New(v.Type().Elem()))
			d.value(v.Elem())
		}
	case reflect.Slice:
		d.slice(v)
	case reflect.Map:
		n := d.uint()
		if n > uint64(len(d.s)) {
			d.fail()
			return
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), int(n)))
		elem := reflect.New(v.Type().Elem()).Elem()
		for range n {
			key := d.str()
			elem.SetZero()
			d.value(elem)
			if d.bad {
				return
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), elem)
		}
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			if t.UnmarshalBinary([]byte(d.str())) != nil {
				d.fail()
			}
			return
		}
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				d.value(f)
			}
		}
	default:
		panic("wire: cannot read " + v.Type().String())
	}
}

func (d *decoder) slice(v reflect.Value) {
	n := d.uint()
	if n == 0 || d.bad {
		return
	}
	n--
	if n > uint64(len(d.s)) { // every element has at least a byte
		d.fail()
		return
	}
	switch list := v.Addr().Interface().(type) {
	case *[]byte:
		*list = []byte(d.s[:n])
		d.s = d.s[n:]
		return
	case *[]string:
		*list = make([]string, n)
		for i := range *list {
			(*list)[i] = d.str()
		}
		return
	}
	// Elements are far larger than a byte: grow with what is really there.
	v.Set(reflect.MakeSlice(v.Type(), 0, int(min(n, 64))))
	for range n {
		if v.Len() == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(v.Len() + 1)
		d.value(v.Index(v.Len() - 1))
		if d.bad {
			return
		}
	}
}
