package registry

import (
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

func TestNextLink(t *testing.T) {
	for header, want := range map[string]string{
		`</v2/_catalog?last=b&n=2>; rel="next"`:                    "/v2/_catalog?last=b&n=2",
		`</a>; rel=next`:                                           "/a",
		`</a>; REL="Next"`:                                         "/a",
		`</a>; title="x"; rel="next"`:                              "/a",
		`</prev>; rel="prev", </next>; rel="next"`:                 "/next",
		`<https://r.example.com/v2/x/tags/list?a,b>; rel = "next"`: "https://r.example.com/v2/x/tags/list?a,b",
		`</a>; rel="prev"`:                                         "",
		`</a>`:                                                     "",
		`</a; rel="next"`:                                          "",
		`rel="next"`:                                               "",
		``:                                                         "",
	} {
		got, ok := nextLink([]string{header})
		require.Equal(t, want, got, header)
		require.Equal(t, want != "", ok, header)
	}
	got, _ := nextLink([]string{`</a>; rel="prev"`, `</b>; rel="next"`})
	require.Equal(t, "/b", got, "several headers are one list")
}

func FuzzNextLink(f *testing.F) {
	f.Add(`</a>; rel="next", </b>; rel=prev`)
	f.Add(`<<<>>>;;;===`)
	f.Fuzz(func(t *testing.T, header string) {
		got, _ := nextLink([]string{header})
		require.LessOrEqual(t, len(got), len(header))
	})
}

func TestReferrersTag(t *testing.T) {
	// The specification's own examples ("Referrers Tag Schema").
	for d, want := range map[string]string{
		"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"sha512:" + string(make128('b')):                                          "sha512-" + string(make128('b')[:64]),
		"test+algorithm+using+algorithm+separators+and+lots+of+characters:excess": "test+algorithm+using+algorithm+s-excess",
	} {
		require.Equal(t, want, referrersTag(digest.Digest(d)))
	}
}

func make128(c byte) []byte {
	b := make([]byte, 128)
	for i := range b {
		b[i] = c
	}
	return b
}
