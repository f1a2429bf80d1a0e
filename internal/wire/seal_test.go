package wire

import (
	"encoding/binary"
	"hash/crc32"
	"reflect"
)

// seal makes bytes that pass for a record of the type.
func seal(t reflect.Type, body []byte) []byte {
	_, b := compile(t)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}
