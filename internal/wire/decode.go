package wire

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"
)

// decoder reads from s, which is the end of b as a string.
type decoder struct {
	b   []byte
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

func (d *decoder) value(v reflect.Value, p *plan) {
	if d.bad {
		return
	}
	switch p.form {
	case formBool:
		v.SetBool(d.uint() != 0)
	case formInt:
		u := d.uint()
		i := int64(u >> 1)
		if u&1 != 0 {
			i = ^i
		}
		v.SetInt(i)
	case formUint:
		v.SetUint(d.uint())
	case formFloat:
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], d.uint())
		v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(b[:])))
	case formString:
		v.SetString(d.str())
	case formPointer:
		if d.uint() != 0 && !d.bad {
			v.Set(reflect.New(p.elem.typ))
			d.value(v.Elem(), p.elem)
		}
	case formBytes, formStrings, formSlice:
		d.slice(v, p)
	case formMap:
		n := d.uint()
		if n > uint64(len(d.s)) {
			d.fail()
			return
		}
		v.Set(reflect.MakeMapWithSize(p.typ, int(min(n, 64))))
		elem := reflect.New(p.elem.typ).Elem()
		for range n {
			key := d.str()
			elem.SetZero()
			d.value(elem, p.elem)
			if d.bad {
				return
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(p.typ.Key()), elem)
		}
	case formTime:
		if v.Addr().Interface().(*time.Time).UnmarshalBinary([]byte(d.str())) != nil {
			d.fail()
		}
	case formStruct:
		for _, f := range p.fields {
			d.value(v.Field(f.index), f.plan)
		}
	}
}

func (d *decoder) slice(v reflect.Value, p *plan) {
	n := d.uint()
	if n == 0 || d.bad {
		return
	}
	n--
	if n > uint64(len(d.s)) { // every element has at least a byte
		d.fail()
		return
	}
	switch p.form {
	case formBytes:
		from := len(d.b) - len(d.s)
		v.SetBytes(d.b[from : from+int(n) : from+int(n)])
		d.s = d.s[n:]
		return
	case formStrings:
		list := make([]string, n)
		for i := range list {
			list[i] = d.str()
		}
		v.Set(reflect.ValueOf(list))
		return
	}
	// Elements are far larger than a byte: grow with what is really there.
	v.Set(reflect.MakeSlice(p.typ, 0, int(min(n, 64))))
	for range n {
		if v.Len() == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(v.Len() + 1)
		d.value(v.Index(v.Len()-1), p.elem)
		if d.bad {
			return
		}
	}
}
