package sbom

import (
	"bytes"
	"encoding/binary"
)

// Tags and types of a header (rpm, docs/manual/tags.md and format_header.md).
const (
	tagName, tagVersion, tagRelease, tagEpoch = 1000, 1001, 1002, 1003
	tagVendor, tagLicense, tagArch            = 1011, 1014, 1022
	tagOldFileNames                           = 1027
	tagFileModes, tagFileFlags                = 1030, 1037
	tagSourceRPM                              = 1044
	tagProvideName, tagRequireName            = 1047, 1049
	tagDirIndexes, tagBaseNames, tagDirNames  = 1116, 1117, 1118
	tagModularityLabel                        = 5096

	typeInt16, typeInt32      = 3, 4
	typeString                = 6
	typeStringArray, typeI18N = 8, 9

	maxHeaderTags  = 0xffff   // rpm's own limit
	maxRecordBytes = 32 << 20 // one header; rpm allows 256 MiB, real ones stay below 8
)

// rpmHeader is a header as databases store it: the number of index entries,
// the length of the data, the index with 16 bytes an entry, the data. All
// numbers are big-endian.
type rpmHeader struct{ index, data []byte }

func parseRPMHeader(blob []byte) (rpmHeader, error) {
	if len(blob) >= 16 && bytes.HasPrefix(blob, []byte{0x8e, 0xad, 0xe8, 0x01}) {
		blob = blob[8:] // as in a package file
	}
	if len(blob) < 8 {
		return rpmHeader{}, malformed("rpm header of %d bytes", len(blob))
	}
	tags, size := binary.BigEndian.Uint32(blob), binary.BigEndian.Uint32(blob[4:])
	if tags == 0 || tags > maxHeaderTags || size > maxRecordBytes || int64(len(blob)) < 8+16*int64(tags)+int64(size) {
		return rpmHeader{}, malformed("rpm header with %d tags and %d bytes of data does not fit its record of %d bytes", tags, size, len(blob))
	}
	data := 8 + 16*int(tags)
	return rpmHeader{index: blob[8:data], data: blob[data : data+int(size)]}, nil
}

// find returns the data from the start of a tag's value on, and its count of
// values. Of repeated tags the first counts.
func (h rpmHeader) find(tag uint32, types ...uint32) (data []byte, count int) {
	for e := h.index; len(e) >= 16; e = e[16:] {
		if binary.BigEndian.Uint32(e) != tag {
			continue
		}
		off, n := binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])
		for _, t := range types {
			if binary.BigEndian.Uint32(e[4:]) == t && int64(off) < int64(len(h.data)) {
				data = h.data[off:]
				return data, int(min(int64(n), int64(len(data)))) // a value has a byte or more
			}
		}
		return nil, 0
	}
	return nil, 0
}

// text returns a string, or the first of several; an unterminated one is none.
func (h rpmHeader) text(tag uint32) string {
	data, count := h.find(tag, typeString, typeStringArray, typeI18N)
	if end := bytes.IndexByte(data, 0); end >= 0 && count > 0 {
		return string(data[:end])
	}
	return ""
}

// int32s returns the bytes of an array of 32-bit numbers, 4 each.
func (h rpmHeader) int32s(tag uint32) []byte {
	data, count := h.find(tag, typeInt32)
	return data[:min(count, len(data)/4)*4]
}

// int16s returns the bytes of an array of 16-bit numbers, 2 each.
func (h rpmHeader) int16s(tag uint32) []byte {
	data, count := h.find(tag, typeInt16)
	return data[:min(count, len(data)/2)*2]
}

// texts returns an array of strings that share memory, cut where it breaks.
func (h rpmHeader) texts(tag uint32) []string {
	data, count := h.find(tag, typeStringArray, typeI18N, typeString)
	end, n := 0, 0
	for n < min(count, maxPaths) {
		i := bytes.IndexByte(data[end:], 0)
		if i < 0 {
			break
		}
		end += i + 1
		n++
	}
	if n == 0 {
		return nil
	}
	all := string(data[:end])
	out := make([]string, n)
	for i := range out {
		j := 0
		for all[j] != 0 {
			j++
		}
		out[i], all = all[:j], all[j+1:]
	}
	return out
}
