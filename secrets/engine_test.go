package secrets

import (
	"bytes"
	"math/rand"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestBuiltinCompiles(t *testing.T) {
	start := time.Now()
	s, err := Compile(Families())
	require.NoError(t, err)
	t.Logf("%d rules, %d programs, %d needles, %d classes, %d links, %d key slots in %v",
		len(s.rules), len(s.programs), len(s.needles), len(s.classes), len(s.filter.links), len(s.filter.slots), time.Since(start))
	ones := 0
	for _, w := range s.filter.bits {
		for ; w != 0; w &= w - 1 {
			ones++
		}
	}
	t.Logf("bits set: %.2f%%", 100*float64(ones)/64/float64(len(s.filter.bits)))
}

// scanBlocks scans data as a stream, in blocks of the size, and with a reach as
// small as the longest token of the test.
func scanBlocks(t *testing.T, set *RuleSet, data []byte, size, far int) []Match {
	o := (&Options{Rules: set, Salt: []byte("test")}).settle()
	o.block, o.reach = size, far
	s := o.scan((*boltseal.Limits)(nil).WithDefaults())
	require.NoError(t, s.reader(t.Context(), content{loc: boltseal.Location{Path: "f"}}, bytes.NewReader(data)))
	var out []Match
	for _, m := range s.grouped.order {
		out = append(out, *m)
	}
	return out
}

// token makes the body of a token: it must not be recognised in this file.
func token(seed int64, n int, alphabet string) string {
	r := rand.New(rand.NewSource(seed))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.Intn(len(alphabet))]
	}
	return string(b)
}

const word = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var testRules = []Rule{
	{ID: "one-key", Program: `"one_" w20`},
	{ID: "two-key", Program: `d4..6 ":TWO" u10+ ("." n2)?`},
	{ID: "sho-key", Program: `"SQ." w12`},
	{ID: "pub-id", Program: `"pub_" w8`, Kind: KindIdentifier},
	{ID: "part-key", Program: `"Key=" {x16}`},
}

func TestFindsProgramsAtEveryPlace(t *testing.T) {
	set, err := Compile(testRules)
	require.NoError(t, err)
	secrets := map[string]string{
		"one-key":  "one_" + token(1, 20, word),
		"two-key":  "12345:TWO" + token(2, 14, word) + ".a7",
		"sho-key":  "SQ." + token(3, 12, word),
		"part-key": "Key=" + token(4, 16, "0123456789abcdef"),
	}
	for id, s := range secrets {
		for pad := range 24 {
			data := strings.Repeat(" ", pad) + s + "\n"
			for _, size := range []int{2, 4, 6, 16, 64, 1 << 18} {
				got := scanBlocks(t, set, []byte(data), size, 64)
				require.Len(t, got, 1, "%s behind %d bytes in blocks of %d", id, pad, size)
				require.Equal(t, id, got[0].Rule)
				require.Equal(t, int64(pad), got[0].Locations[0].Offset)
				require.Equal(t, 1, got[0].Locations[0].Line)
			}
		}
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// heap is what is allocated and still in use, or not yet collected.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
