package sbom

import (
	"encoding/binary"
	"io"
	"iter"
)

// ndb is rpm's own database format (rpm, lib/backend/ndb/rpmpkg.c): a table of
// slots of 16 bytes in whole pages of 4096, its first two being the file's
// header; then blobs in blocks of 16 bytes. Numbers are little-endian.
const (
	ndbMagic     = "RpmP"
	ndbSlotMagic = "Slot"
	ndbBlobMagic = "BlbS"
	ndbPage      = 4096
	ndbBlock     = 16 // also the size of a slot and of a blob's head
	ndbHead      = 32
	ndbTail      = 12
)

// ndbBlobs yields the blobs of an ndb database. A slice is valid until the
// next one.
func ndbBlobs(r io.ReaderAt, size int64) iter.Seq2[[]byte, error] {
	head := make([]byte, ndbHead)
	if err := readAt(r, head, 0); err != nil {
		return failed(err)
	}
	version, pages := binary.LittleEndian.Uint32(head[4:]), int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != ndbMagic || version != 0 {
		return failed(malformed("not an ndb database of version 0"))
	}
	if pages == 0 || pages*ndbPage > size {
		return failed(malformed("ndb database of %d bytes with %d pages of slots", size, pages))
	}
	return func(yield func([]byte, error) bool) {
		page, budget := make([]byte, ndbPage), size // blobs do not overlap
		var blob []byte
		for n := range pages {
			if err := readAt(r, page, n*ndbPage); err != nil {
				yield(nil, err)
				return
			}
			slots := page
			if n == 0 {
				slots = page[ndbHead:]
			}
			for ; len(slots) > 0; slots = slots[ndbBlock:] {
				slot := slots[:ndbBlock]
				id := binary.LittleEndian.Uint32(slot[4:])
				if string(slot[:4]) == ndbSlotMagic && id == 0 { // free
					continue
				}
				var err error
				if blob, err = ndbBlob(r, slot, blob, &budget); !yield(blob, err) {
					return
				}
			}
		}
	}
}

// ndbBlob reads the blob of a slot into buf, which it may replace.
func ndbBlob(r io.ReaderAt, slot, buf []byte, budget *int64) ([]byte, error) {
	if string(slot[:4]) != ndbSlotMagic {
		return buf, malformed("ndb slot %x", slot)
	}
	id, blocks := binary.LittleEndian.Uint32(slot[4:]), int64(binary.LittleEndian.Uint32(slot[12:]))
	off := int64(binary.LittleEndian.Uint32(slot[8:])) * ndbBlock
	var head [ndbBlock]byte
	if err := readAt(r, head[:], off); err != nil {
		return buf, err
	}
	length := int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != ndbBlobMagic || binary.LittleEndian.Uint32(head[4:]) != id || ndbBlock+length+ndbTail > blocks*ndbBlock {
		return buf, malformed("ndb blob %d at %d does not fit its slot", id, off)
	}
	if ndbBlock+length > *budget || length > maxRecordBytes {
		return buf, malformed("ndb blob %d overlaps others, or is too large", id)
	}
	*budget -= ndbBlock + length
	if int64(cap(buf)) < length {
		buf = make([]byte, length)
	}
	buf = buf[:length]
	return buf, readAt(r, buf, off+ndbBlock)
}
