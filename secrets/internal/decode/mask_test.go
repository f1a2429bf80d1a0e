package decode

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// masked reads data through a mask, which must keep every offset.
func masked(t testing.TB, data []byte, mask func(io.Reader) io.Reader) string {
	got, err := io.ReadAll(mask(bytes.NewReader(data)))
	require.NoError(t, err)
	require.Len(t, got, len(data))
	for i := range got {
		if got[i] != data[i] {
			require.Equal(t, byte('\n'), got[i], i)
		}
	}
	again, err := io.ReadAll(mask(iotest.OneByteReader(bytes.NewReader(data))))
	require.NoError(t, err)
	require.True(t, bytes.Equal(got, again), "the same in small pieces")
	return string(got)
}

// standsAlone reports whether s is in data with no word byte on either side.
func standsAlone(data, s string) bool {
	for at := 0; ; {
		i := strings.Index(data[at:], s)
		if i < 0 {
			return false
		}
		at += i
		word := func(i int) bool {
			return i >= 0 && i < len(data) && (data[i] == '_' || data[i]|0x20 >= 'a' && data[i]|0x20 <= 'z' || data[i] >= '0' && data[i] <= '9')
		}
		if !word(at-1) && !word(at+len(s)) {
			return true
		}
		at++
	}
}

// lengths are those whose byte is a letter or a digit, and others.
var lengths = []int{40, 48, 57, 65, 90, 97, 122, 127, 200}

func text(n int) string { return strings.Repeat("Tk3", 100)[:n] }

func TestClass(t *testing.T) {
	src := "class A {\nstatic final long L = 123456789012L; static final double D = 1.5;\n"
	for i, n := range lengths {
		src += "static String s" + string(rune('a'+i)) + " = \"" + text(n) + "\";\n"
	}
	data := shell(t, "javac", "cat > A.java <<'E'\n"+src+"}\nE\njavac A.java", "A.class")
	got := masked(t, data, Class)
	touching := 0
	for _, n := range lengths {
		require.True(t, standsAlone(got, text(n)), n)
		if !standsAlone(string(data), text(n)) {
			touching++
		}
	}
	require.Positive(t, touching, "without the mask some strings touch")
}

func TestPython(t *testing.T) {
	src := ""
	for i, n := range append(lengths, 300) {
		src += "s" + string(rune('a'+i)) + " = '" + text(n) + "'\n"
	}
	data := shell(t, "python3", "cat > a.py <<'E'\n"+src+"\ndef f(x, y=1):\n    return 'in a function ' + x\nE\npython3 -c 'import py_compile; py_compile.compile(\"a.py\", cfile=\"a.pyc\")'", "a.pyc")
	got := masked(t, data, Python)
	touching := 0
	for _, n := range lengths {
		require.True(t, standsAlone(got, text(n)), n)
		if !standsAlone(string(data), text(n)) {
			touching++
		}
	}
	require.Positive(t, touching, "without the mask some strings touch")
	require.Contains(t, got, "in a function ")
}

func TestDex(t *testing.T) {
	// As the format's specification lays string data out; no tool writes it here.
	data := []byte("dex\n035\x00head")
	for _, n := range lengths[:7] {
		data = append(append(data, 0, byte(n)), text(n)...)
	}
	data = append(data, 0, 5, 'x')
	got := masked(t, data, Dex)
	for _, n := range lengths[:7] {
		require.True(t, standsAlone(got, text(n)), n)
	}
}

func FuzzMasks(f *testing.F) {
	f.Add([]byte("\xca\xfe\xba\xbe\x00\x00\x00\x3d\x00\x05\x01\x00\x03abc\x05\x00\x00\x00\x00\x00\x00\x00\x01\x07\x00\x01"))
	f.Add([]byte("\xa7\x0d\x0d\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe3z\x03abcZ\x04abcda\x05\x00\x00\x00abcde"))
	f.Add([]byte("dex\n035\x00\x03abc\x00\x02de\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, mask := range []func(io.Reader) io.Reader{Class, Python, Dex} {
			masked(t, data, mask)
		}
	})
}
