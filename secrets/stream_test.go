package secrets

import (
	"bytes"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// mixture is a text with secrets of all handlers in it, made up from a seed.
func mixture(seed int64) string {
	t := func(n int) string { seed++; return token(seed, n, word) }
	parts := []string{
		"one_" + t(20), "12345:TWO" + t(14) + ".a7", "password = \"" + t(14) + "\"", "api_key: " + t(32),
		"https://user:" + t(12) + "@db.internal/x", "Authorization: Bearer " + t(40), "curl -u admin:" + t(11) + " https://h.internal",
		`{"a":1,"object_id":"` + t(8) + `"}`, "-----BEGIN TEST KEY-----\n" + t(64) + "\n" + t(64) + "\n-----END TEST KEY-----",
		"pub_" + t(8), "plain words and nothing else", "key-word kw" + t(8),
	}
	r := rand.New(rand.NewSource(seed))
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(parts, "\n"+strings.Repeat("filler ", r.Intn(9)))
}

var handlerRules = append(slices.Clone(testRules),
	Rule{ID: "generic-password", By: ByAssignment, Generic: true},
	Rule{ID: "generic-key", By: ByAssignment, Generic: true},
	Rule{ID: "url-userinfo", By: ByURL, Generic: true},
	Rule{ID: "basic-header", By: ByHeader, Generic: true},
	Rule{ID: "bearer-header", By: ByHeader, Generic: true},
	Rule{ID: "curl-user", By: ByCommand, Generic: true},
	Rule{ID: "test-pem", By: ByPEM, Program: `"TEST KEY"`},
	Rule{ID: "test-json", By: ByJSON, Program: `"\"object_id\""`},
	Rule{ID: "test-regexp", Regexp: `kw[0-9A-Za-z]{8}`, Anchors: []string{"key-word"}},
)

// summary is what must not depend on how the content was read.
func summary(matches []Match) []string {
	var out []string
	for _, m := range matches {
		out = append(out, fmt.Sprint(m.Rule, m.Fingerprint, m.Locations, m.Severity, m.Confidence, m.Notes, m.Name))
	}
	return out
}

func TestBlocksChangeNothing(t *testing.T) {
	set, err := Compile(handlerRules)
	require.NoError(t, err)
	text := []byte(mixture(1))
	const far = 2048 // longer than anything in the text
	want := summary(scanBlocks(t, set, text, 1<<18, far))
	require.GreaterOrEqual(t, len(want), 9, "%s", want)
	for size := 1; size <= 64; size++ {
		require.Equal(t, want, summary(scanBlocks(t, set, text, 2*size, far)), "blocks of %d", 2*size)
	}
}

// TestBordersChangeNothing moves the text over the end of a block and of a
// stride, byte by byte, so that the border falls on every one of its offsets.
func TestBordersChangeNothing(t *testing.T) {
	set, err := Compile(handlerRules)
	require.NoError(t, err)
	text := []byte(mixture(2))
	const far, size = 1024, 512
	s := NewScanner(&Options{Rules: set, Salt: []byte("test")})
	for pad := stride - len(text) - 16; pad < stride+16; pad++ {
		data := append(bytes.Repeat([]byte{' '}, pad), text...)
		res, err := s.Bytes(t.Context(), "f", data)
		require.NoError(t, err)
		require.Equal(t, summary(res.Matches), summary(scanBlocks(t, set, data, size, far)), "behind %d bytes", pad)
	}
}

func TestRuleOrderChangesNothing(t *testing.T) {
	text := []byte(mixture(3))
	var want []string
	rules := slices.Clone(handlerRules)
	for seed := range int64(5) {
		rand.New(rand.NewSource(seed)).Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		set, err := Compile(rules)
		require.NoError(t, err)
		got := summary(scanBlocks(t, set, text, 1<<16, reach))
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
	}
	require.NotEmpty(t, want)
}

func TestWorkersChangeNothing(t *testing.T) {
	set, err := Compile(handlerRules)
	require.NoError(t, err)
	a := New(&Options{Rules: set, Salt: []byte("test")})
	scan := func(seed int64) string {
		var p boltseal.Pass
		require.NoError(t, a.AnalyzeFile(t.Context(), boltseal.NewFile("f", 0, []byte(mixture(seed))), &p))
		return fmt.Sprintf("%+v", p.Results)
	}
	want := make([]string, 16)
	for i := range want {
		want[i] = scan(int64(i))
	}
	var wg sync.WaitGroup
	got := make([]string, len(want))
	for i := range got {
		wg.Go(func() { got[i] = scan(int64(i)) })
	}
	wg.Wait()
	require.Equal(t, want, got)
}

// TestWorkIsBounded counts the work on inputs made to be slow.
func TestWorkIsBounded(t *testing.T) {
	set := Default()
	for _, piece := range []string{
		"a", "=", "ghp_", "eyJ", "sk-", "password=", "password='", `"secret":`, "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n-----END ", "http://a:b@", "http://", "://", `{"private_key_id":`, `"auths"{`, "{", "}", "AKIA", "key=", "x:AA", "curl -u ", "Authorization: Bearer ",
		"xoxb-1", "token='\\'", "pass->", "pwd ", "secret\n", "A", "QUJD", "\\n", "%41", "&#65;",
	} {
		data := bytes.Repeat([]byte(piece), 1+(128<<10)/len(piece))
		o := (&Options{Rules: set, Salt: []byte("test")}).settle()
		s := o.scan((*boltseal.Limits)(nil).WithDefaults())
		v := s.view(content{})
		v.data = data
		v.find(t.Context(), len(data), true)
		require.Less(t, float64(v.work)/float64(len(data)), 64.0, "work per byte of %q", piece)
	}
}

func TestMemoryOfAStreamIsBounded(t *testing.T) {
	s := NewScanner(&Options{Salt: []byte("test")})
	r := &repeated{unit: bytes.Repeat([]byte("no line end here "), 4096), left: 32 << 20}
	var peak uint64
	watch := readerFunc(func(p []byte) (int, error) {
		peak = max(peak, heap())
		return r.Read(p)
	})
	Default()
	before := heap()
	_, err := s.Reader(t.Context(), "f", watch)
	require.NoError(t, err)
	require.Less(t, int64(peak)-int64(before), int64(16<<20))
}
