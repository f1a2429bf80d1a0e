package secrets

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestParseProgram(t *testing.T) {
	for text, want := range map[string]int{ // number of alternatives
		`"ghp_" w36`:                          1,
		`u27..300 ("." n2)? "." n9`:           2,
		`("pat"|"cat"|"dog") "-" ("x"|"y") d`: 6,
		`b76 "+ASt" b5 [AQgw] "=="`:           1,
		`"AccountKey=" {b86 "=="}`:            1,
		`U | x32`:                             2,
		`[A-Z\]\\_-]24..2048`:                 1,
	} {
		alts, err := parseProgram(text)
		require.NoError(t, err, text)
		require.Len(t, alts, want, text)
	}
	alts, err := parseProgram(`"a" "b" {"c" U}`)
	require.NoError(t, err)
	require.Equal(t, "ab", alts[0][0].literal)
	require.Equal(t, "c", alts[0][1].literal)
	require.True(t, alts[0][1].secret)
	require.Equal(t, 8, alts[0][2].max)
	require.Len(t, alts[0], 11)
}

func TestParseProgramRefuses(t *testing.T) {
	for _, text := range []string{
		``, `"`, `""`, `w0`, `w9..3`, `w5000`, `(w`, `w)`, `{w`, `}w`, `[z-a]`, `[`, `?`, `y4`, `w2..`,
		`w4..9 "a"`, `b+ w3`, // the engine does not go back
		`w3000 w3000`,
	} {
		_, err := parseProgram(text)
		require.Error(t, err, text)
	}
	_, err := parseProgram(`(w|d)(w|d)(w|d)(w|d)(w|d)(w|d)(w|d)(w|d)(w|d)`)
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

func FuzzParseProgram(f *testing.F) {
	for _, s := range []string{`"ghp_" w36`, `("a"|[b-d]2..)? U`, `{x32}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		alts, err := parseProgram(text)
		if err != nil {
			return
		}
		for _, a := range alts {
			require.NotEmpty(t, a)
		}
	})
}
