package secrets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

// planted returns a token whose checksum is right.
func planted(t testing.TB, seed uint64) string {
	s, err := secretstest.New("github-pat", seed)
	require.NoError(t, err)
	return s.Token
}

// transport wraps content in a format or an encoding.
type transport struct {
	name   string
	member string // of the location; empty for an encoding
	via    string // of the match; empty for an archive
	// binary is what it makes, and carries what it can hold.
	binary, carries bool
	wrap            func(t testing.TB, b []byte) []byte
}

func transports() []transport {
	plain := func(f func([]byte) string) func(testing.TB, []byte) []byte {
		return func(_ testing.TB, b []byte) []byte { return []byte(f(b)) }
	}
	return []transport{
		{"zip", "m.txt", "", true, true, func(t testing.TB, b []byte) []byte {
			var out bytes.Buffer
			w := zip.NewWriter(&out)
			f, err := w.Create("m.txt")
			require.NoError(t, err)
			f.Write(b)
			require.NoError(t, w.Close())
			return out.Bytes()
		}},
		{"tar", "m.txt", "", true, true, func(t testing.TB, b []byte) []byte {
			var out bytes.Buffer
			w := tar.NewWriter(&out)
			require.NoError(t, w.WriteHeader(&tar.Header{Name: "m.txt", Size: int64(len(b)), Mode: 0o644, Typeflag: tar.TypeReg}))
			w.Write(b)
			require.NoError(t, w.Close())
			return out.Bytes()
		}},
		{"gzip", "content", "", true, true, func(t testing.TB, b []byte) []byte {
			var out bytes.Buffer
			w := gzip.NewWriter(&out)
			w.Write(b)
			require.NoError(t, w.Close())
			return out.Bytes()
		}},
		{"ar", "m.txt", "", true, true, plain(func(b []byte) string {
			s := fmt.Sprintf("!<arch>\n%-16s%-12s%-6s%-6s%-8s%-10d`\n%s", "m.txt/", "0", "0", "0", "100644", len(b), b)
			if len(b)%2 == 1 {
				s += "\n"
			}
			return s
		})},
		{"base64", "", "base64", false, true, plain(base64.StdEncoding.EncodeToString)},
		{"base64url", "", "base64", false, true, plain(base64.RawURLEncoding.EncodeToString)},
		{"wrapped base64", "", "base64", false, true, plain(func(b []byte) string {
			s, out := base64.StdEncoding.EncodeToString(b), ""
			for len(s) > 76 {
				out, s = out+s[:76]+"\n", s[76:]
			}
			return out + s + "\n"
		})},
		{"hex", "", "hex", false, true, plain(func(b []byte) string { return hex.EncodeToString(b) })},
		{"utf-16le", "", "utf-16le", true, false, plain(func(b []byte) string {
			out := []byte{0xff, 0xfe}
			for _, u := range utf16.Encode([]rune(string(b))) {
				out = append(out, byte(u), byte(u>>8))
			}
			return string(out)
		})},
		{"percent", "", "percent", false, false, plain(func(b []byte) string {
			out := ""
			for _, c := range b {
				out += fmt.Sprintf("%%%02X", c)
			}
			return "q=" + out
		})},
		{"query", "", "percent", false, false, plain(func(b []byte) string { return "https://h.example/?q=" + url.QueryEscape(string(b)) + "%20" })},
		{"entities", "", "entity", false, false, plain(func(b []byte) string {
			out := "<p>"
			for _, c := range b {
				out += fmt.Sprintf("&#%d;", c)
			}
			return out + "</p>"
		})},
		{"unicode", "", "escape", false, false, plain(func(b []byte) string {
			out := `{"k":"`
			for _, c := range b {
				out += fmt.Sprintf(`\u%04x`, c)
			}
			return out + `"}`
		})},
		{"quoted-printable", "", "quoted-printable", false, false, plain(func(b []byte) string {
			var out bytes.Buffer
			w := quotedprintable.NewWriter(&out)
			io.WriteString(w, strings.Repeat("some words of text before it ", 2)+" = ")
			w.Write(b)
			w.Close()
			return out.String()
		})},
	}
}

func scannerFor(t testing.TB) *Scanner {
	return NewScanner(&Options{Salt: []byte("salt of the tests")})
}

// only returns the matches of the planted family.
func only(matches []Match) (out []Match) {
	for _, m := range matches {
		if m.Rule == "github-pat" {
			out = append(out, m)
		}
	}
	return out
}

func TestTransports(t *testing.T) {
	s := scannerFor(t)
	token := planted(t, 1)
	text := []byte("# notes\nlogin with " + token + " please\n")
	want, err := s.Bytes(t.Context(), "f", text)
	require.NoError(t, err)
	require.Len(t, only(want.Matches), 1)
	for _, a := range transports() {
		t.Run(a.name, func(t *testing.T) {
			res, err := s.Bytes(t.Context(), "f", a.wrap(t, text))
			require.NoError(t, err)
			require.Empty(t, res.Skipped)
			got := only(res.Matches)
			require.Len(t, got, 1)
			require.Equal(t, want.Matches[0].Fingerprint, got[0].Fingerprint)
			checkPlace(t, got[0], a)
		})
	}
	for _, a := range transports() {
		for _, b := range transports() {
			if a.binary && !b.carries {
				continue
			}
			t.Run(a.name+" in "+b.name, func(t *testing.T) {
				res, err := s.Bytes(t.Context(), "f", b.wrap(t, a.wrap(t, text)))
				require.NoError(t, err)
				got := only(res.Matches)
				require.Len(t, got, 1)
				require.Equal(t, want.Matches[0].Fingerprint, got[0].Fingerprint)
				checkPlace(t, got[0], b, a)
			})
		}
	}
}

// checkPlace checks that some location names every step, outermost first.
func checkPlace(t *testing.T, m Match, steps ...transport) {
	var members []string
	for _, s := range steps {
		if s.member != "" {
			members = append(members, s.member)
		}
	}
	for _, l := range m.Locations {
		if strings.Join(l.Member, "!") == strings.Join(members, "!") {
			return
		}
	}
	require.Fail(t, "no location has the members", "%v, want %v", m.Locations, members)
}

func TestWideOffsets(t *testing.T) {
	token := planted(t, 1)
	var data []byte
	for _, u := range utf16.Encode([]rune("\ufeffline one ü\nkey " + token + "\n")) {
		data = append(data, byte(u), byte(u>>8))
	}
	res, err := scannerFor(t).Bytes(t.Context(), "f", data)
	require.NoError(t, err)
	got := only(res.Matches)
	require.Len(t, got, 1)
	require.Equal(t, []boltseal.Location{{Path: "f", Offset: 2 + 2*int64(len("line one .\nkey ")), Line: 2}}, got[0].Locations)
	require.Equal(t, []string{"utf-16le"}, got[0].Via)
}

func TestDecodedOffsets(t *testing.T) {
	token := planted(t, 1)
	lead := "first line\nand = "
	res, err := scannerFor(t).Bytes(t.Context(), "f", []byte(lead+base64.StdEncoding.EncodeToString([]byte("x: "+token+" and more"))+"\n"))
	require.NoError(t, err)
	got := only(res.Matches)
	require.Len(t, got, 1)
	require.Equal(t, []boltseal.Location{{Path: "f", Offset: int64(len(lead)), Line: 2}}, got[0].Locations)
}

func TestSkipsOfArchives(t *testing.T) {
	s := NewScanner(&Options{Limits: &boltseal.Limits{ArchiveBytes: 1 << 20}})
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	w.Write(make([]byte, 4<<20))
	require.NoError(t, w.Close())
	_, err := s.Bytes(t.Context(), "f.gz", bomb.Bytes())
	require.ErrorIs(t, err, boltseal.ErrLimit)

	res, err := scannerFor(t).Bytes(t.Context(), "f.xz", []byte("\xfd7zXZ\x00"+strings.Repeat("\x00", 100)))
	require.ErrorContains(t, errOrSkips(err, res), "xz")
	opened := NewScanner(&Options{Salt: []byte("s"), Decompress: map[string]func(io.Reader) (io.ReadCloser, error){
		"xz": func(r io.Reader) (io.ReadCloser, error) {
			io.CopyN(io.Discard, r, 6)
			return io.NopCloser(r), nil
		},
	}})
	res, err = opened.Bytes(t.Context(), "f.xz", []byte("\xfd7zXZ\x00 key "+planted(t, 1)+"\n"))
	require.NoError(t, err)
	require.Len(t, only(res.Matches), 1)

	data := []byte(planted(t, 1) + "\n")
	for range 12 {
		data = transports()[2].wrap(t, data)
	}
	res, err = scannerFor(t).Bytes(t.Context(), "f", data)
	require.ErrorContains(t, errOrSkips(err, res), "deeper")
}

func errOrSkips(err error, res Result) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%v", res.Skipped)
}

// TestGitHistory scans what git wrote: a secret that a later commit removes,
// one on a branch that was deleted, one in a message, and one in the address of a remote's.
func TestGitHistory(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	for _, pack := range []string{"", "git repack -q -adf", "git -c repack.useDeltaBaseOffset=false repack -q -adf"} {
		dir := t.TempDir()
		cmd := exec.Command("sh", "-ec", `git init -q .; git symbolic-ref HEAD refs/heads/main
{
echo 'commit refs/heads/main'; echo 'committer n <e@example.com> 1700000000 +0000'; echo 'data 3'; echo one; echo 'M 100644 inline app/config.env'; echo 'data <<E'; seq 1 300; echo "K=$A"; echo E
echo 'commit refs/heads/main'; echo 'committer n <e@example.com> 1700000001 +0000'; echo 'data 3'; echo two; echo 'M 100644 inline app/config.env'; echo 'data <<E'; seq 2 301; echo E
echo 'commit refs/heads/gone'; echo 'committer n <e@example.com> 1700000002 +0000'; echo 'data <<E'; echo "message with $C"; echo E; echo 'from refs/heads/main'; echo 'M 100644 inline lost'; echo 'data <<E'; echo "K=$B"; echo E
} | git -c fastimport.unpackLimit=1000 fast-import --quiet
`+pack+`
git rev-parse main~1 gone > commits
git update-ref -d refs/heads/gone
git config remote.origin.url https://x:$D@example.com/r.git`)
		cmd.Dir = dir
		a, b, c, d := planted(t, 1), planted(t, 2), planted(t, 3), planted(t, 4)
		cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "A="+a, "B="+b, "C="+c, "D="+d)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		text, err := os.ReadFile(filepath.Join(dir, "commits"))
		require.NoError(t, err)
		commits := strings.Fields(string(text))

		s := scannerFor(t)
		found := map[string]string{}
		for res, err := range s.Git(t.Context(), os.DirFS(dir)) {
			require.NoError(t, err)
			require.Empty(t, res.Skipped)
			for _, m := range only(res.Matches) {
				found[m.Fingerprint] = m.Locations[0].String()
			}
		}
		want := map[string]string{}
		for token, place := range map[string]string{
			a: ".git!" + commits[0][:12] + "!app/config.env:301", b: ".git!" + commits[1][:12] + "!lost:1",
			c: ".git!commit " + commits[1][:12] + ":6", d: ".git/config:7",
		} {
			res, err := s.Bytes(t.Context(), "f", []byte("k "+token+"\n"))
			require.NoError(t, err)
			want[only(res.Matches)[0].Fingerprint] = place
		}
		require.Equal(t, want, found, pack)

		if pack != "" { // the same pack as a file of an image
			packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
			require.NoError(t, err)
			data, err := os.ReadFile(packs[0])
			require.NoError(t, err)
			res, err := s.Bytes(t.Context(), "app/.git/objects/pack/p.pack", data)
			require.NoError(t, err)
			require.Empty(t, res.Skipped)
			require.Len(t, only(res.Matches), 3)
			for _, m := range only(res.Matches) {
				require.Equal(t, strings.Replace(want[m.Fingerprint], ".git", "app/.git/objects/pack/p.pack", 1), m.Locations[0].String())
			}
		}
	}
	for _, err := range scannerFor(t).Git(t.Context(), os.DirFS(t.TempDir())) {
		require.ErrorContains(t, err, "no .git folder")
	}
}

func TestLooseObject(t *testing.T) {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	text := "k " + planted(t, 1)
	fmt.Fprintf(w, "blob %d\x00%s", len(text), text)
	require.NoError(t, w.Close())
	name := "srv/.git/objects/ab/" + strings.Repeat("c", 38)
	res, err := scannerFor(t).Bytes(t.Context(), name, out.Bytes())
	require.NoError(t, err)
	require.Len(t, only(res.Matches), 1)
	require.Equal(t, []string{"blob ab" + strings.Repeat("c", 10)}, only(res.Matches)[0].Locations[0].Member)
}

func TestConfig(t *testing.T) {
	tokens := make([]string, 14)
	for i := range tokens {
		tokens[i] = planted(t, uint64(i))
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "author": "me " + tokens[0],
		"config": map[string]any{
			"Env": []string{"PATH=/bin", "GH=" + tokens[1]}, "Cmd": []string{"serve", "--token", tokens[2]}, "Entrypoint": []string{"sh", "-c", "x " + tokens[3]},
			"Labels": map[string]string{"note": "n " + tokens[4]}, "Healthcheck": map[string]any{"Test": []string{"CMD-SHELL", "curl -H 'X: " + tokens[5] + "' h"}},
			"OnBuild": []string{"ENV T " + tokens[6]}, "Shell": []string{"/bin/sh", "-c", tokens[7]}, "User": "u",
		},
		"history": []map[string]any{
			{"created_by": "/bin/sh -c #(nop)  ENV OLD=" + tokens[8], "empty_layer": true},
			{"created_by": "RUN |2 A=one two TOKEN=" + tokens[9] + " /bin/sh -c make # buildkit", "comment": "c " + tokens[10]},
			{"created_by": "|1 T=" + tokens[11] + " /bin/sh -c make " + tokens[12]},
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:aa", "sha256:bb"}},
	})
	require.NoError(t, err)
	s := scannerFor(t)
	res, err := s.Config(t.Context(), config, map[string]string{"org.example.note": tokens[13]})
	require.NoError(t, err)
	places := map[string]boltseal.Location{}
	for _, m := range only(res.Matches) {
		require.Len(t, m.Locations, 1)
		places[m.Fingerprint] = m.Locations[0]
		require.Equal(t, boltseal.SeverityCritical, m.Severity)
	}
	for i, want := range []boltseal.Location{
		{Path: "author"}, {Path: "config:Env[GH]"}, {Path: "config:Cmd"}, {Path: "config:Entrypoint"}, {Path: "config:Labels[note]"}, {Path: "config:Healthcheck"},
		{Path: "config:OnBuild[0]"}, {Path: "config:Shell"}, {Path: "history[0]"}, {Path: "history[1]", Layer: "sha256:aa"}, {Path: "history[1]", Layer: "sha256:aa"},
		{Path: "history[2]", Layer: "sha256:bb"}, {Path: "history[2]", Layer: "sha256:bb"}, {Path: "annotations[org.example.note]"},
	} {
		one, err := s.Bytes(t.Context(), "f", []byte("k "+tokens[i]+"\n"))
		require.NoError(t, err)
		require.Equal(t, want, places[only(one.Matches)[0].Fingerprint], i)
	}
	require.Len(t, places, len(tokens))

	_, err = s.Config(t.Context(), make([]byte, configBytes+1), nil)
	require.ErrorIs(t, err, boltseal.ErrLimit)
	res, err = s.Config(t.Context(), []byte("no json, but "+tokens[0]), nil)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.Len(t, only(res.Matches), 1)
}

// TestConfigNames checks that a value is judged by its name.
func TestConfigNames(t *testing.T) {
	res, err := scannerFor(t).Config(t.Context(), []byte(`{"config":{"Env":["DB_PASSWORD=hunter2-Tr0ub4dor"]},"history":[{"created_by":"RUN |1 API_PASSWORD=winter7-Qx9bndor /bin/sh -c make"}]}`), nil)
	require.NoError(t, err)
	names := map[string]string{}
	for _, m := range res.Matches {
		names[m.Name] = m.Locations[0].Path
	}
	require.Equal(t, map[string]string{"DB_PASSWORD": "config:Env[DB_PASSWORD]", "API_PASSWORD": "history[0]"}, names)
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"config":{"Env":["A=b"],"Labels":{"a":"b"},"Healthcheck":{"Test":["CMD","a"]},"OnBuild":["ENV a b"]},"history":[{"created_by":"RUN |1 A=b /bin/sh -c x"}],"rootfs":{"diff_ids":["x"]}}`))
	f.Add([]byte(`{"config":[1],"history":{"a":[null]},"rootfs":3}`))
	s := scannerFor(f)
	f.Fuzz(func(t *testing.T, data []byte) { s.Config(t.Context(), data, nil) })
}
