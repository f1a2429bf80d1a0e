package decode

import (
	"bytes"
	"path"
	"strings"
)

// Format is a kind of container.
type Format string

// Formats that [Detect] tells apart.
const (
	Raw      Format = ""
	Zip      Format = "zip"
	Tar      Format = "tar"
	Ar       Format = "ar"
	Cpio     Format = "cpio"
	RPM      Format = "rpm"
	Gzip     Format = "gzip"
	Bzip2    Format = "bzip2"
	Zlib     Format = "zlib" // only where a name promises it
	XZ       Format = "xz"
	Zstd     Format = "zstd"
	LZ4      Format = "lz4"
	Lzip     Format = "lzip"
	Compress Format = "compress"
	SevenZip Format = "7z"
	RAR      Format = "rar"
)

var magics = []struct {
	magic  string
	format Format
}{
	{"PK\x03\x04", Zip},
	{"PK\x05\x06", Zip},           // an empty one
	{"PK\x07\x08PK\x03\x04", Zip}, // the first part of a split one
	{"PK00PK\x03\x04", Zip},       // split, in one part
	{"\x1f\x8b\x08", Gzip},        // RFC 1952, 2.3.1
	{"BZh", Bzip2},                // followed by the level and a block's magic
	{"\xfd7zXZ\x00", XZ},          // the .xz file format, 2.1.1.1
	{"\x28\xb5\x2f\xfd", Zstd},    // RFC 8878, 3.1.1
	{"\x04\x22\x4d\x18", LZ4},     // LZ4 frame format
	{"LZIP", Lzip},                // lzip manual
	{"\x1f\x9d", Compress},        // compress(1)
	{"7z\xbc\xaf\x27\x1c", SevenZip},
	{"Rar!\x1a\x07", RAR},
	{"!<arch>\n", Ar},
	{"\xed\xab\xee\xdb", RPM},
	{"070701", Cpio},
	{"070702", Cpio},
	{"070707", Cpio},
}

// least is how long content in a format is at least if it holds anything: less
// is its magic in somebody's source code.
var least = map[Format]int{XZ: 60, Zstd: 24, LZ4: 30, Lzip: 50, Compress: 24, SevenZip: 64, RAR: 64}

// Detect tells a container by its first bytes, 4096 where there are as many.
// The name decides only where the bytes leave it open: an archive that begins with
// a program, as self-extracting ones do.
func Detect(name string, head []byte) Format {
	for _, m := range magics {
		if len(head) >= len(m.magic) && string(head[:len(m.magic)]) == m.magic {
			if m.format == Bzip2 && !bzip2Head(head) || m.format == Cpio && !cpioHead(head) || len(head) < least[m.format] {
				break
			}
			return m.format
		}
	}
	switch {
	case isTar(head):
		return Tar
	case zipNames[strings.ToLower(path.Ext(name))] && len(head) > 0:
		return Zip
	case bytes.HasPrefix(head, []byte("#!")) && bytes.Contains(head, []byte("PK\x03\x04")):
		return Zip
	}
	return Raw
}

var zipNames = map[string]bool{".zip": true, ".jar": true, ".war": true, ".ear": true, ".whl": true, ".egg": true, ".nupkg": true, ".aar": true, ".apk": true, ".pex": true}

// bzip2Head checks the level and the magic of a block or of the end.
func bzip2Head(h []byte) bool {
	return len(h) >= 10 && h[3] >= '1' && h[3] <= '9' && (string(h[4:10]) == "1AY&SY" || string(h[4:10]) == "\x17rE8P\x90")
}

// isTar checks the first header's sum, as tar(5) defines it: old archives have no magic.
func isTar(h []byte) bool {
	if len(h) < 512 || h[0] == 0 {
		return false
	}
	field := bytes.Trim(h[148:156], " \x00")
	if len(field) == 0 || len(field) > 8 {
		return false
	}
	want := 0
	for _, c := range field {
		if c < '0' || c > '7' {
			return false
		}
		want = want<<3 | int(c-'0')
	}
	sum := 8 * int(' ')
	for i, c := range h[:512] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	return sum == want
}
