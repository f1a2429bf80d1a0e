package wire

import (
	"encoding/binary"
	"hash/crc32"
	"reflect"
)

// seal makes bytes that pass for a record of the type.
func seal(t reflect.Type, body []byte) []byte {
	b := append(shape(t), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}
