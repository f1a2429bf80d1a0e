package secrets

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// fuzzScan scans data whole and in blocks; both agree, every match lies inside,
// and the work is bounded.
func fuzzScan(t *testing.T, set *RuleSet, data []byte) {
	o := (&Options{Rules: set, Salt: []byte("test")}).settle()
	s := o.scan((*boltseal.Limits)(nil).WithDefaults())
	v := s.view(content{})
	v.data = data
	v.find(t.Context(), len(data), true)
	require.LessOrEqual(t, v.work, 4096+256*len(data))
	for i := range v.pending {
		f := &v.pending[i]
		require.True(t, f.span.start >= 0 && f.span.start <= f.span.end && f.span.end <= int64(len(data)), "%s at %v of %d", f.rule.ID, f.span, len(data))
	}
	v.finish()
	var whole []Match
	for _, m := range s.grouped.order {
		whole = append(whole, *m)
	}
	for _, m := range whole {
		for _, l := range m.Locations {
			require.LessOrEqual(t, l.Offset, int64(len(data)))
		}
	}
	require.Equal(t, len(whole), len(scanBlocks(t, set, data, 4096, reach)))
}

func FuzzEngine(f *testing.F) {
	f.Add([]byte(mixture(1)))
	for _, s := range []string{"one_", "x:TWO", "eyJ.eyJ.", "\\u0067hp_", "%67hp_", "AKIA", "dapi", "{{{\"private_key_id\"}}}", "\"auths\":{\"a\":{\"auth\":\"YTpi\"}}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { fuzzScan(t, Default(), data) })
}

func FuzzAssignment(f *testing.F) {
	for _, s := range []string{
		"password='", "password: |\n  x", "<password>a</password>", `{"name":"TOKEN","value":"x"}`, "token := \"\\\"", "secret\\\":\\\"a\\\"", "define('PASS', 'b')",
		"--password x", "IDENTIFIED BY 'x'", "pass: Optional[str] = 'x'", "key=", "<key>pwd</key>\n<string>a</string>", "ENV API_KEY a",
	} {
		f.Add(s, "Xk29dLmQ")
	}
	set, err := Compile(handlerRules)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, syntax, value string) { fuzzScan(t, set, []byte(syntax+value+"\n"+syntax)) })
}

func FuzzPEM(f *testing.F) {
	f.Add("TEST KEY", "QUJDRA==", 3)
	f.Add("TEST KEY", "-----", 1)
	f.Add("TEST KEY", "\\n\\n", 2)
	set, err := Compile(handlerRules)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, label, body string, times int) {
		block := "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n"
		fuzzScan(t, set, bytes.Repeat([]byte(block), max(1, times%8)))
	})
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"http://u:p@h", "://", "a://:@", "postgres://%:%@[::1]/", "x+y://u:p%41ss@${HOST}"} {
		f.Add(s)
	}
	set, err := Compile(handlerRules)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) { fuzzScan(t, set, []byte(text)) })
}
