package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// find shows data to a Finder in blocks of n bytes, as the engine does.
func find(data []byte, n int) (spans []Span) {
	var f Finder
	for from := 0; from < len(data); from += n {
		f.Find(data, from, min(from+n, len(data)), func(s Span) { spans = append(spans, s) })
	}
	return spans
}

const plain = `{"url": "https://u:p@host/x", "key": "a+b/c=d&e_f%g", "n": 1}`

// python makes out of plain, in b, what a script writes to w.
func python(t *testing.T, script string) []byte {
	return shell(t, "python3", "cat > s.py <<'E'\nimport base64, binascii, html, json, quopri, urllib.parse\nb = rb'''"+plain+"'''\ns = b.decode()\nw = open('out', 'wb')\n"+script+"\nE\npython3 s.py", "out")
}

func TestEncodingsOfPython(t *testing.T) {
	// All in one call: starting Python takes longer than all tests.
	lines := bytes.Split(python(t, `
for x in [base64.b64encode(b), base64.urlsafe_b64encode(b), base64.encodebytes(b).replace(b'\n', b'\r\n'), binascii.hexlify(b), urllib.parse.quote(s).encode(),
          html.escape(s).encode(), ''.join('&#%d;' % c for c in b).encode(), json.dumps(s).encode(), json.dumps(json.dumps(s)).encode(),
          ''.join('\\u%04x' % c for c in b).encode(), ''.join('\\x%02x' % c for c in b).encode(), ''.join('\\%03o' % c for c in b).encode(), quopri.encodestring(b*3)]:
    w.write(x + b'\0')`), []byte{0})
	require.Len(t, lines, 14)
	for i, line := range lines[:3] {
		require.True(t, Base64Probe(line), i)
		require.Equal(t, plain, string(Base64(line, 1<<20)), i)
	}
	require.True(t, HexProbe(lines[3]))
	require.Equal(t, plain, string(Hex(lines[3], 1<<20)))
	require.Equal(t, plain, string(Unpercent(lines[4])))
	require.Equal(t, plain, string(Unentity(lines[5])))
	require.Equal(t, plain, string(Unentity(lines[6])))
	require.Equal(t, `"`+plain+`"`, string(Unescape(lines[7])))
	require.Contains(t, string(Unescape(Unescape(lines[8]))), plain)
	for i, line := range lines[9:12] {
		require.Equal(t, plain, string(Unescape(line)), i)
		spans := find(append([]byte("text\n"), line...), 64<<10)
		require.NotEmpty(t, spans, i)
		require.Equal(t, Span{"escape", 5, 5 + len(line), 0, []byte(plain)}, spans[len(spans)-1])
	}
	require.Equal(t, strings.Repeat(plain, 3), string(Unquote(lines[12])))
	spans := find(lines[12], 64<<10)
	require.Equal(t, strings.Repeat(plain, 3), string(spans[len(spans)-1].Text))
	require.Equal(t, "quoted-printable", spans[len(spans)-1].Step)
}

func TestBase64InEveryAlignment(t *testing.T) {
	text := base64.RawStdEncoding.EncodeToString([]byte("password = correct horse battery"))
	for _, lead := range []string{"", "a", "ab", "abc", "path/to/"} {
		require.True(t, Base64Probe([]byte(lead+text)), lead)
		require.Contains(t, string(Base64([]byte(lead+text), 1000)), "correct horse", lead)
	}
	r := rand.New(rand.NewPCG(1, 2))
	kept := 0
	for range 10_000 {
		b := make([]byte, 30)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		if Base64Probe([]byte(base64.StdEncoding.EncodeToString(b))) {
			kept++
		}
	}
	require.Less(t, kept, 100, "random bytes that pass for text, of 10,000")
	require.Len(t, Base64([]byte(strings.Repeat(text, 20)), 100), 99)
	require.Nil(t, Base64([]byte("registerServiceWorkerHandler"), 100))
}

func TestRuns(t *testing.T) {
	text := strings.Repeat("password = correct horse battery staple; ", 3)
	b := base64.StdEncoding.EncodeToString([]byte(text))
	wrap := func(s, br string) string {
		out := ""
		for len(s) > 64 {
			out, s = out+s[:64]+br, s[64:]
		}
		return out + s
	}
	for _, in := range []string{
		b, "key: " + b + " end", wrap(b, "\n"), wrap(b, "\r\n    "), `"` + wrap(b, `\n`) + `"`, "dir/file/" + b, "a_b-" + strings.TrimRight(b, "="), hex.EncodeToString([]byte(text)),
		"id-" + strings.ToUpper(hex.EncodeToString([]byte(text))),
	} {
		for _, size := range []int{1, 7, 64, 1 << 20} {
			spans := find([]byte("first\n"+in), size)
			require.NotEmpty(t, spans, in)
			got := spans[0]
			require.Contains(t, string(got.Text), text[9:], in)
			require.LessOrEqual(t, 6, got.Start)
			require.LessOrEqual(t, got.End, 6+len(in))
		}
	}
	for _, in := range []string{
		"an ordinary sentence with ordinaryWordsThatAreQuiteLong in it", "/usr/lib/python3/dist-packages/module", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	} {
		require.Empty(t, find([]byte(in), 16), in)
	}
}

func TestLongRuns(t *testing.T) {
	// Longer than what is decoded in one piece, and than any block: a token
	// stays whole wherever the pieces meet, and memory stays bounded.
	const token = "TOKEN-0123456789-TOKEN"
	for _, at := range []int{0, maxRun * 3 / 4, maxRun*3/4 - 10, maxRun*3/4 - 22, maxRun * 3 / 2, 1_999_900} {
		plain := bytes.Repeat([]byte("some text, "), 200_000)
		copy(plain[at:], token)
		data := []byte(base64.StdEncoding.EncodeToString(plain))
		var f Finder
		found, total, from := false, 0, 0
		for window := data; ; {
			have := min(len(window), 384<<10)
			to := have - 64<<10
			if have == len(window) {
				to = have
			}
			f.Find(window[:have], from, to, func(s Span) {
				found = found || bytes.Contains(s.Text, []byte(token))
				total += len(s.Text)
				require.LessOrEqual(t, len(s.Text), maxRun)
			})
			if to == len(window) {
				break
			}
			window = window[to-64<<10:]
			f.Slide(to - 64<<10)
			from = 64 << 10
		}
		require.True(t, found, at)
		require.Less(t, total, len(plain)+3*overlap)
	}
}

func TestStretches(t *testing.T) {
	for _, c := range []struct{ in, step, whole, text string }{
		{`see "https:\/\/u:p@host" there`, "escape", `https:\/\/u:p@host`, "https://u:p@host"},
		{`{"a": "{\"k\":\"v\"}"}`, "escape", `{\"k\":\"v\"}`, `{"k":"v"}`},
		{`x = 'caf\u00e9'`, "escape", `x = 'caf\u00e9'`, "x = 'café'"},
		{`x = '\ud83d\ude00'`, "escape", `x = '\ud83d\ude00'`, "x = '😀'"},
		{`x = '\u{1F600}'`, "escape", `x = '\u{1F600}'`, "x = '😀'"},
		{`go https://u:p%40ss@h now`, "percent", `https://u:p%40ss@h`, "https://u:p@ss@h"},
		{`<b a='x'>k&#61;v&quot;w&nope;</b>`, "entity", `k&#61;v&quot;w&nope;`, `k=v"w&nope;`},
		{"a\nkey=3Dsome=\nthing\nb", "quoted-printable", "a\nkey=3Dsome=\nthing\nb", "a\nkey=something\nb"},
		{"a\nkey some=\nthing\nb", "quoted-printable", "key some=\nthing", "key something"},
		{"a\n" + strings.Repeat("k", 75) + "=\nthing\nb", "quoted-printable", "a\n" + strings.Repeat("k", 75) + "=\nthing\nb", "a\n" + strings.Repeat("k", 75) + "thing\nb"},
		{"<b>k&#61;v\nw</b>", "entity", "k&#61;v\nw", "k=v\nw"},
		{`f("a=1\nKEY=abcdef")`, "escape", `a=1\nKEY=abcdef`, "a=1\nKEY=abcdef"},
		{`f("a\r\n  export KEY = 'a b'")`, "escape", `a\r\n  export KEY = 'a b'`, "a\r\n  export KEY = 'a b'"},
		{`f("a\\nkey: abcdef\\n")`, "escape", `a\\nkey: abcdef\\n`, `a\nkey: abcdef\n`},
		{`f("machine h\nlogin u\npassword abcdef")`, "escape", `machine h\nlogin u\npassword abcdef`, "machine h\nlogin u\npassword abcdef"},
		{`f("-----BEGIN X-----\nAAAABBBBCCCCDDDD\n")`, "escape", `-----BEGIN X-----\nAAAABBBBCCCCDDDD\n`, "-----BEGIN X-----\nAAAABBBBCCCCDDDD\n"},
		{"get a=b+c%3Dd%0Ae+f", "percent", "a=b+c%3Dd%0Ae+f", "a=b c=d\ne f"},
		{"get a=b+c%0Ad%20e", "percent", "a=b+c%0Ad%20e", "a=b+c\nd e"},
		{"get a=b%2Bc+d", "percent", "a=b%2Bc+d", "a=b+c d"},
		{"get a=b+c%2Fd%3D", "percent", "a=b+c%2Fd%3D", "a=b+c/d="},
		{"a: 1\nkey: |\n  one\n    two\n\n  three\nb: 2\n", "yaml", "key: |\n  one\n    two\n\n  three\n", "key: one\n  two\n\nthree\n"},
		{"- key: >-\n    one\n    two\n  b: 2\n", "yaml", "- key: >-\n    one\n    two\n", "key: one two "},
	} {
		var got []Span
		for _, s := range find([]byte(c.in), 7) {
			if s.Step == c.step {
				got = append(got, s)
			}
		}
		require.Len(t, got, 1, c.in)
		require.Equal(t, c.whole, c.in[got[0].Start:got[0].End])
		require.Equal(t, c.text, string(got[0].Text))
	}
	for _, in := range []string{
		"plain text", `printf("%d\n", x)`, `C:\users\name`, `\d+\s`, `if a && b { x %= y }`, "x =\n  y", "100% sure", "a: b | c", "key: >=1.0", `"say \"hi\""`,
		`"a\nb = c;\n"`, `"a\n  color: white;\n"`, `"a\nNote: a sentence"`, `"a\nif x == y:"`, `"a\nx = f(yyyyyyyy)\n"`, `"a\nx=1\n"`,
	} {
		require.Empty(t, find([]byte(in), 7), in)
	}
}

func TestStretchesAreBounded(t *testing.T) {
	for _, in := range []string{`\u0041`, `%41`, `&#65;`, "=3D", "\\u0041" + strings.Repeat("x", 4090), "%41" + strings.Repeat("x", 4200), ": |\n  ", "a\x00", "a\x00\x00\x00"} {
		data := []byte(strings.Repeat(in, 1<<20/len(in)))
		total := 0
		for _, s := range find(data, 64<<10) {
			require.LessOrEqual(t, s.End-s.Start, window+16)
			total += s.End - s.Start
		}
		require.LessOrEqual(t, total, 13*len(data)/4, "%.8q", in)
	}
}

func TestStretchesAcrossCuts(t *testing.T) {
	// A token on every offset of a long escaped string survives the cutting.
	const token = "TOKEN-0123456789-TOKEN"
	for at := window - 2*len(token); at < window+2*len(token); at++ {
		data := []byte(strings.Repeat(`\u0041`, window/6*2))
		copy(data[at:], token)
		found := false
		for _, s := range find(data, 32<<10) {
			found = found || bytes.Contains(s.Text, []byte(token))
		}
		require.True(t, found, at)
	}
}

func wide(s string, order binary.AppendByteOrder) (out []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestWideRuns(t *testing.T) {
	const text = "Password=swordfish;x=1"
	for lead := range 40 {
		for step, b := range map[string][]byte{
			"utf-16": wide(text, binary.LittleEndian), "utf-16 ": wide(text, binary.BigEndian),
			"utf-32": bytes.Join([][]byte{[]byte(nil), []byte(strings.Join(strings.Split(text, ""), "\x00\x00\x00") + "\x00\x00\x00")}, nil),
		} {
			data := append(append(bytes.Repeat([]byte{0xcc}, lead), b...), 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc)
			spans := find(data, 16)
			require.Len(t, spans, 1, "%s at %d", step, lead)
			require.Equal(t, strings.TrimSpace(step), spans[0].Step)
			require.Equal(t, text, strings.Trim(string(spans[0].Text), "\x00"))
		}
	}
	require.Empty(t, find(bytes.Repeat([]byte("a\x00"), 10), 16), "too short")
	require.Empty(t, find(make([]byte, 4096), 16))
}

func TestWideFiles(t *testing.T) {
	text := strings.Repeat("key = value ünd 😀\r\n", 3000)
	for enc, mark := range map[string]int{"UTF-16LE": 0, "UTF-16BE": 0, "UTF-32LE": 0, "UTF-32BE": 0, "UTF-16": 2, "UTF-32": 4} {
		data := shell(t, "iconv", "i=0; while [ $i -lt 3000 ]; do printf 'key = value ünd 😀\\r\\n'; i=$((i+1)); done | iconv -f UTF-8 -t "+enc+" > x", "x")
		w, ok := DetectWide(data[:4096])
		require.True(t, ok, enc)
		require.Equal(t, mark, w.Start)
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data))} {
			got, err := io.ReadAll(w.Reader(r))
			require.NoError(t, err)
			require.Len(t, got, (len(data)-mark)/w.Width)
			want := strings.ReplaceAll(strings.ReplaceAll(text, "ü", "\x1a"), "😀", strings.Repeat("\x1a", 4/w.Width))
			require.Equal(t, want, string(got), enc)
		}
	}
	for _, s := range []string{"plain text of some length, and more of it", "\xff\xfe", "", strings.Repeat("\x00", 4096), strings.Repeat("ab\x00\x00", 400)} {
		_, ok := DetectWide([]byte(s))
		require.False(t, ok, "%.20q", s)
	}
}

func FuzzFinder(f *testing.F) {
	f.Add([]byte(`{"a": "{\"k\":\"v\\\"\"}"}` + "\n%41%zz &#65; &quot; =3D=\n k: |\n  a\n" + "a\x00b\x00c\x00d\x00e\x00f\x00g\x00h\x00i\x00j\x00k\x00l\x00m\x00n\x00o\x00p\x00q\x00"))
	f.Add([]byte(strings.Repeat("a: >\n", 100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		for _, s := range find(data, 64) {
			if s.Start < 0 || s.Start >= s.End || s.End > len(data) || len(s.Text) == 0 {
				t.Fatalf("span %+v of %d bytes", s, len(data))
			}
			total += s.End - s.Start
		}
		if total > 20*len(data)+100 {
			t.Fatal(fmt.Sprint(total, " bytes of spans in ", len(data)))
		}
	})
}

func FuzzRuns(f *testing.F) {
	f.Add([]byte("aGVsbG8gd29ybGQsIGhlbGxvIHdvcmxk\r\nH4sI"), []byte("1f8b0068656c6c6f20776f726c642c2068656c6c6f"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		Base64Probe(a)
		if out := Base64(a, 100); len(out) > 100 {
			t.Fatal(len(out))
		}
		HexProbe(b)
		Hex(b, 100)
		Unescape(a)
		Unpercent(a)
		Unentity(a)
		Unquote(a)
		if w, ok := DetectWide(a); ok {
			io.Copy(io.Discard, w.Reader(bytes.NewReader(a)))
		}
	})
}

func BenchmarkFinder(b *testing.B) {
	for name, text := range map[string]string{
		"text": strings.Repeat("some words, as they stand in a file of text = yes; ", 20000),
		"code": strings.Repeat("if (a && b) { return x[i] % 2 === 1 ? \"a\\n\" : '%s' }\n", 20000),
		"zero": strings.Repeat("\x00", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			data := []byte(text)
			for b.Loop() {
				find(data, 256<<10)
			}
		})
	}
}
