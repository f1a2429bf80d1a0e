package imagetest

import "strings"

func typeCases() []Case {
	return []Case{
		{Name: "type/file-over-folder", Doc: "no whiteout is written for what lay beneath",
			Layers: layers("d d\nf d/a 1\nd d/s\nf d/s/b 2", "f d 3"), Want: "f d 3"},
		{Name: "type/folder-over-file", Doc: "the reverse",
			Layers: layers("f x 1", "d x\nf x/a 2"), Want: "d x\nf x/a 2"},
		{Name: "type/parent-is-file", Doc: "a parent of the entry is a file below",
			Layers: layers("f x 1", "f x/a 2"), Want: "d x\nf x/a 2", Breaks: "refuses the layer"},
		{Name: "type/folder-again", Doc: "a folder's entry keeps what is in it",
			Layers: layers("d d\nf d/a 1", "d:700 d"), Want: "d d\nf d/a 1"},
		{Name: "type/implied-parents", Doc: "no entry for any parent",
			Layers: layers("f a/b/c/d 1"), Want: "d a\nd a/b\nd a/b/c\nf a/b/c/d 1"},
		{Name: "type/parent-after-child", Doc: "the folder's entry comes last",
			Layers: layers("f d/a 1\nd d"), Want: "d d\nf d/a 1"},
		{Name: "type/duplicate", Doc: "the last of two entries wins",
			Layers: layers("f a 1\nf b 2\nf a 3"), Want: "f a 3\nf b 2"},
		{Name: "type/duplicate-of-other-type", Doc: "a folder, then a file of the same name",
			Layers: layers("d a\nf a/x 1\nf a 2"), Want: "f a 2"},
		{Name: "type/device", Doc: "devices and pipes",
			Layers: layers("d dev\nc dev/null 1,3\np dev/pipe"), Want: "d dev\ns dev/null\ns dev/pipe"},
		{Name: "type/device-zero", Doc: "a device 0:0, which overlay engines take for a whiteout",
			Layers: layers("f a 1\nf b 2", "c a 0,0"), Want: "s a\nf b 2"},
		{Name: "type/contiguous", Doc: "type 7, a file by POSIX",
			Layers: layers("7 a data\nf b 1"), Want: "f a data\nf b 1", Breaks: "refuses the layer"},
		{Name: "type/empty-layer", Doc: "a layer without entries",
			Layers: layers("f a 1", "", "f b 2"), Want: "f a 1\nf b 2"},
		{Name: "type/setuid", Doc: "a file with special bits",
			Layers: layers("f:4755 su x\nd:1777 tmp"), Want: "f su x\nd tmp"},
	}
}

func nameCases() []Case {
	long := strings.Repeat("n", 255)
	deep := strings.Repeat("directory/", 30) + "file"
	var deepWant strings.Builder
	for i, c := range deep {
		if c == '/' {
			deepWant.WriteString("d " + deep[:i] + "\n")
		}
	}
	return []Case{
		{Name: "name/dot-slash", Doc: "every path begins with ./",
			Layers: layers("d ./\nd ./d\nf ./d/a 1", "w ./d/a\nf ./b 2"), Want: "d d\nf b 2"},
		{Name: "name/absolute", Doc: "a leading slash", Layers: layers("f /a 1\nf /d/b 2"), Want: "f a 1\nd d\nf d/b 2"},
		{Name: "name/dots", Doc: "dots stop at the root", Layers: layers("f ../../a 1\nf d/../b 2"), Want: "f a 1\nf b 2"},
		{Name: "name/double-slash", Doc: "empty components", Layers: layers("f a//b 1"), Want: "d a\nf a/b 1"},
		{Name: "name/dot-inside", Doc: "a single dot inside", Layers: layers("f a/./b 1"), Want: "d a\nf a/b 1"},
		{Name: "name/trailing-slash", Doc: "folders with a trailing slash", Layers: layers("d a/\nf a/b 1"), Want: "d a\nf a/b 1"},
		{Name: "name/blanks", Doc: "blanks and quotes", Layers: layers(`f "a b" 1` + "\n" + `f "q\"q" 2`), Want: `f "a b" 1` + "\n" + `f "q\"q" 2`},
		{Name: "name/newline", Doc: "a line feed in a name", Layers: layers(`f "a\nb" 1`), Want: `f "a\nb" 1`},
		{Name: "name/unicode", Doc: "composed and decomposed are two names", Layers: layers("f \u00e9 1\nf e\u0301 2"), Want: "f \u00e9 1\nf e\u0301 2"},
		{Name: "name/case", Doc: "names differ by case", Layers: layers("f A 1\nf a 2"), Want: "f A 1\nf a 2"},
		{Name: "name/longest", Doc: "255 bytes, in an extended header", Layers: layers("f "+long+" 1", "w b"), Want: "f " + long + " 1"},
		{Name: "name/deep", Doc: "a path of 300 bytes", Layers: layers("f " + deep + " 1"), Want: deepWant.String() + "f " + deep + " 1"},
		{Name: "name/wh-inside", Doc: "the prefix of whiteouts inside of a name means nothing",
			Layers: layers("f a.wh.b 1\nf b 2", "f x.wh.b 3"), Want: "f a.wh.b 1\nf b 2\nf x.wh.b 3"},
		{Name: "name/backslash", Doc: "a backslash is a letter", Layers: layers(`f "a\\b" 1`), Want: `f "a\\b" 1`},
		{Name: "name/whiteout-of-nothing", Doc: "a whiteout without a name",
			Layers: layers("f a 1", "f .wh. x\nf b 2"), Want: "f a 1\nf b 2", Breaks: "refuses the layer"},
		{Name: "name/whiteout-of-dots", Doc: "a whiteout of the parent",
			Layers: layers("d d\nf d/a 1", "f d/.wh... x\nf b 2"), Want: "d d\nf d/a 1\nf b 2", Breaks: "refuses the layer"},
	}
}

func encodingCases() []Case {
	return []Case{
		{Name: "encoding/gzip", Doc: "a gzip layer", Layers: []Layer{{Entries: "f a 1", Encoding: "gzip"}}, Want: "f a 1"},
		{Name: "encoding/gzip-members", Doc: "five gzip members", Layers: []Layer{{Entries: "f a 1\nf b 2", Encoding: "gzip", Members: 5}}, Want: "f a 1\nf b 2"},
		{Name: "encoding/zstd", Doc: "a zstd layer", Layers: []Layer{{Entries: "f a 1", Encoding: "zstd"}}, Want: "f a 1"},
		{Name: "encoding/mixed", Doc: "each layer in another encoding",
			Layers: []Layer{{Entries: "f a 1", Encoding: "zstd"}, {Entries: "f b 2"}, {Entries: "w a", Encoding: "gzip"}}, Want: "f b 2"},
		{Name: "encoding/second-archive", Doc: "nothing behind the end of the archive is unpacked",
			Layers: []Layer{{Entries: "f a 1", Trailer: mustArchive("f b 2")}}, Want: "f a 1"},
		{Name: "encoding/zeros", Doc: "zeros behind the end, as tar pads its records",
			Layers: []Layer{{Entries: "f a 1", Trailer: make([]byte, 10240)}}, Want: "f a 1"},
	}
}

// mustArchive makes an archive of entries that are known to be right.
func mustArchive(entries string) []byte {
	b, err := (&Layer{Entries: entries}).Archive()
	if err != nil {
		panic(err)
	}
	return b
}
