package wire

import (
	"crypto/sha256"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// plan says how values of a type are written.
type plan struct {
	typ    reflect.Type
	form   form
	elem   *plan   // of slices, pointers and maps
	fields []field // of structs: the exported ones
}

type field struct {
	index int
	plan  *plan
}

type form uint8

const (
	formBool form = iota
	formInt
	formUint
	formFloat
	formString
	formPointer
	formBytes
	formStrings
	formSlice
	formMap
	formStruct
	formTime
)

// compile makes the plan of a type, and the digest of its structure.
func compile(t reflect.Type) (*plan, []byte) {
	c := compiler{plans: map[reflect.Type]*plan{}}
	p := c.plan(t)
	sum := sha256.Sum256([]byte(c.shape.String()))
	return p, sum[:shapeSize:shapeSize]
}

type compiler struct {
	plans map[reflect.Type]*plan
	shape strings.Builder
}

func (c *compiler) plan(t reflect.Type) *plan {
	if p, ok := c.plans[t]; ok { // its structure stands in the shape already
		c.shape.WriteString("=" + strconv.Quote(t.String()))
		return p
	}
	p := &plan{typ: t}
	c.shape.WriteString(t.Kind().String())
	switch t.Kind() {
	case reflect.Bool:
		p.form = formBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.form = formInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.form = formUint
	case reflect.Float64:
		p.form = formFloat
	case reflect.String:
		p.form = formString
	case reflect.Pointer:
		p.form, p.elem = formPointer, c.plan(t.Elem())
	case reflect.Slice:
		p.form, p.elem = formSlice, c.plan(t.Elem())
		switch t {
		case reflect.TypeFor[[]byte]():
			p.form = formBytes
		case reflect.TypeFor[[]string]():
			p.form = formStrings
		}
	case reflect.Map:
		p.form, p.elem = formMap, c.plan(t.Elem())
		if t.Key().Kind() != reflect.String {
			panic("wire: keys of " + t.String())
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			p.form = formTime
			c.shape.WriteString("time")
			break
		}
		p.form = formStruct
		c.shape.WriteByte('{')
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				c.shape.WriteString(strconv.Quote(f.Name))
				p.fields = append(p.fields, field{i, c.plan(f.Type)})
			}
		}
		c.shape.WriteByte('}')
	default:
		panic("wire: cannot write " + t.String())
	}
	c.plans[t] = p
	return p
}
