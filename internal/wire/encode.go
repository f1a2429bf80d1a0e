package wire

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

type encoder struct {
	b []byte
}

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *encoder) str(s string) {
	if need := len(s) + binary.MaxVarintLen64; cap(e.b)-len(e.b) < need { // doubled: append grows by a quarter
		e.b = slices.Grow(e.b, max(len(e.b), need))
	}
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) value(v reflect.Value, p *plan) {
	switch p.form {
	case formBool:
		if v.Bool() {
			e.uint(1)
		} else {
			e.uint(0)
		}
	case formInt:
		e.b = binary.AppendVarint(e.b, v.Int())
	case formUint:
		e.uint(v.Uint())
	case formFloat:
		e.uint(bitsReversed(v.Float()))
	case formString:
		e.str(v.String())
	case formPointer:
		if v.IsNil() {
			e.uint(0)
			return
		}
		e.uint(1)
		e.value(v.Elem(), p.elem)
	case formBytes, formStrings, formSlice:
		if v.IsNil() {
			e.uint(0)
			return
		}
		n := v.Len()
		e.uint(uint64(n) + 1)
		switch p.form {
		case formBytes:
			e.b = append(e.b, v.Bytes()...)
		case formStrings:
			for _, s := range *v.Addr().Interface().(*[]string) {
				e.str(s)
			}
		default:
			for i := range n {
				e.value(v.Index(i), p.elem)
			}
		}
	case formMap:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		e.uint(uint64(len(keys)))
		elem := reflect.New(p.elem.typ).Elem() // addressable
		for _, k := range keys {
			e.str(k.String())
			elem.Set(v.MapIndex(k))
			e.value(elem, p.elem)
		}
	case formTime:
		b, _ := v.Addr().Interface().(*time.Time).MarshalBinary()
		e.str(string(b))
	case formStruct:
		for _, f := range p.fields {
			e.value(v.Field(f.index), f.plan)
		}
	}
}

// bitsReversed makes short numbers of floats such as 0.5.
func bitsReversed(f float64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], math.Float64bits(f))
	return binary.BigEndian.Uint64(b[:])
}
