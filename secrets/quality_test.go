package secrets_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"html"
	"mime/quotedprintable"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

// transport is a way in which a text may lie in a file.
type transport struct {
	name string
	wrap func(t *testing.T, p secretstest.Placed) (path string, data []byte)
}

func gzipped(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zipped(t *testing.T, name string, data []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	require.NoError(t, err)
	_, err = f.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func tarred(t *testing.T, name string, data []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}))
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func transports() []transport {
	text := func(name string, f func(string) string) transport {
		return transport{name, func(_ *testing.T, p secretstest.Placed) (string, []byte) { return p.Path, []byte(f(p.Text)) }}
	}
	std := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	return []transport{
		text("as it is", func(s string) string { return s }),
		text("behind a line of 100 KB", func(s string) string { return strings.Repeat("lorem ipsum, ", 8_000) + "\n" + s }),
		text("between zero bytes", func(s string) string {
			return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 64) + s + strings.Repeat("\x00", 64)
		}),
		text("in base64", func(s string) string { return "data: " + std(s) + "\n" }),
		text("in base64, twice", func(s string) string { return "data: " + std("x: "+std(s)+"\n") + "\n" }),
		text("in hex", func(s string) string { return "data = " + hex.EncodeToString([]byte(s)) + "\n" }),
		text("in a JSON string", func(s string) string {
			b, _ := json.Marshal(map[string]string{"file": s})
			return string(b)
		}),
		text("in a JSON string, twice", func(s string) string {
			b, _ := json.Marshal(map[string]string{"file": s})
			b, _ = json.Marshal(map[string]string{"message": string(b)})
			return string(b)
		}),
		text("in a form", func(s string) string { return "body=" + url.QueryEscape(s) + "&x=1" }),
		text("percent-encoded", func(s string) string { return "/log?text=" + url.PathEscape(s) + "&x=1" }),
		text("in HTML", func(s string) string { return "<pre>" + html.EscapeString(s) + "</pre>\n" }),
		text("quoted-printable", func(s string) string {
			var b strings.Builder
			w := quotedprintable.NewWriter(&b)
			_, _ = w.Write([]byte(s))
			_ = w.Close()
			return b.String() + "\r\n"
		}),
		text("in a source map", func(s string) string {
			b, _ := json.Marshal(map[string]any{"version": 3, "sources": []string{"../src/a.ts"}, "sourcesContent": []string{s}, "names": []string{"a"}, "mappings": "AAAA,SAASA"})
			return string(b)
		}),
		text("in UTF-16", func(s string) string {
			b := []byte{0xFF, 0xFE}
			for _, u := range utf16.Encode([]rune(s)) {
				b = binary.LittleEndian.AppendUint16(b, u)
			}
			return string(b)
		}),
		{"in a Kubernetes Secret", func(_ *testing.T, p secretstest.Placed) (string, []byte) {
			return "k8s/secret.yaml", []byte("apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ndata:\n  " + path.Base(p.Path) + ": " + std(p.Text) + "\n")
		}},
		{"gzip", func(t *testing.T, p secretstest.Placed) (string, []byte) {
			return p.Path + ".gz", gzipped(t, []byte(p.Text))
		}},
		{"zip", func(t *testing.T, p secretstest.Placed) (string, []byte) {
			return "app/a.zip", zipped(t, p.Path, []byte(p.Text))
		}},
		{"tar.gz", func(t *testing.T, p secretstest.Placed) (string, []byte) {
			return "app/a.tar.gz", gzipped(t, tarred(t, p.Path, []byte(p.Text)))
		}},
		{"jar in a tar.gz", func(t *testing.T, p secretstest.Placed) (string, []byte) {
			return "app/a.tar.gz", gzipped(t, tarred(t, "lib/a.jar", zipped(t, p.Path, []byte(p.Text))))
		}},
	}
}

// TestQuality measures recall on the generated corpus: every family, in the
// syntaxes, in every transport. With BOLTSEAL_LONG it takes all syntaxes and
// three seeds, the corpus of docs/secrets-quality.md.
func TestQuality(t *testing.T) {
	seeds, syntaxes := uint64(1), 1
	if os.Getenv("BOLTSEAL_LONG") != "" {
		seeds, syntaxes = 3, 100
	}
	scanner := secrets.NewScanner(&secrets.Options{Salt: []byte("salt")})
	found := func(name string, data []byte, family string) bool {
		res, err := scanner.Bytes(t.Context(), name, data)
		require.NoError(t, err)
		return slices.ContainsFunc(res.Matches, func(m secrets.Match) bool { return m.Rule == family })
	}
	for _, tr := range transports() {
		total, hits := 0, 0
		missed := map[string]int{}
		for _, family := range secretstest.Families() {
			for seed := range seeds {
				s, err := secretstest.New(family, 100+seed)
				require.NoError(t, err)
				if s.Public {
					continue
				}
				placed := s.Placed()
				for _, p := range placed[:min(syntaxes, len(placed))] {
					name, data := tr.wrap(t, p)
					total++
					if found(name, data, family) {
						hits++
					} else {
						missed[family]++
					}
				}
			}
		}
		t.Logf("| %s | %d | %d | %.3f | %v |", tr.name, total, hits, float64(hits)/float64(total), missed)
		if share := float64(hits) / float64(total); share < 0.99 {
			t.Errorf("%s: recall %.3f, want .99", tr.name, share)
		}
	}
}
