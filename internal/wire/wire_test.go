package wire

import (
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// seal makes bytes that pass for a record of the type.
func seal(t reflect.Type, body []byte) []byte {
	_, b := compile(t)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// fill sets every exported field to something that is not zero.
func fill(v reflect.Value, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-*n)
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(uint64(*n) & 0x7f)
	case reflect.Float64:
		v.SetFloat(float64(*n) / 8)
	case reflect.String:
		v.SetString("s" + time.Duration(*n).String())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e, n)
		v.SetMapIndex(reflect.ValueOf("key"), e)
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			*t = time.Unix(*n, 5).UTC()
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic(v.Type().String())
	}
}

type all struct {
	Results boltseal.Results
	Map     map[string]int
	When    *time.Time
	Bytes   []byte
}

// TestRoundTrip covers every field of the vocabulary, those to come too.
func TestRoundTrip(t *testing.T) {
	var in, out all
	n := int64(0)
	fill(reflect.ValueOf(&in).Elem(), &n)
	require.Greater(t, n, int64(100))
	b := Marshal(&in, 0)
	require.NoError(t, Unmarshal(b, &out))
	require.Equal(t, in, out)
	require.Equal(t, b, Marshal(&out, 0))

	var zero, back all
	require.NoError(t, Unmarshal(Marshal(&zero, 0), &back))
	require.Empty(t, back.Results.Packages)
}

func TestDamaged(t *testing.T) {
	var in all
	n := int64(0)
	fill(reflect.ValueOf(&in).Elem(), &n)
	b := Marshal(&in, 0)
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 0x40
		require.ErrorIs(t, Unmarshal(bad, new(all)), boltseal.ErrMalformed, "byte %d", i)
		require.ErrorIs(t, Unmarshal(b[:i], new(all)), boltseal.ErrMalformed)
	}
	require.ErrorIs(t, Unmarshal(b, new(boltseal.Results)), boltseal.ErrMalformed, "another shape")
}

// FuzzUnmarshal repairs the checksum, so that the decoder itself is reached.
func FuzzUnmarshal(f *testing.F) {
	var in all
	n := int64(0)
	fill(reflect.ValueOf(&in).Elem(), &n)
	b := Marshal(&in, 0)
	f.Add(b[shapeSize : len(b)-sumSize])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, body []byte) {
		var v all
		if Unmarshal(seal(reflect.TypeFor[all](), body), &v) == nil {
			var again all
			require.NoError(t, Unmarshal(Marshal(&v, 0), &again))
			require.Equal(t, Marshal(&v, 0), Marshal(&again, 0))
		}
	})
}
