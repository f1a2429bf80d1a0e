package secrets_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/secrets"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

// leak returns a piece of a body that a text shows, five bytes or more.
func leak(text string, bodies []string) string {
	const piece = 5
	for _, b := range bodies {
		for i := 0; i+piece <= len(b); i++ {
			if strings.Contains(text, b[i:i+piece]) {
				return b[i : i+piece]
			}
		}
	}
	return ""
}

// outputs is everything that can be made of a result.
func outputs(t *testing.T, res secrets.Result, err error) map[string]string {
	t.Helper()
	out := map[string]string{"error": fmt.Sprintf("%v %+v %#v", err, err, err)}
	var findings []boltseal.Finding
	for _, m := range res.Matches {
		findings = append(findings, m.Finding())
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			out[verb] += fmt.Sprintf(verb, m) + fmt.Sprintf(verb, &m) + fmt.Sprintf(verb, m.Secret) + fmt.Sprintf(verb, m.Halves)
		}
		// Digits of the time might be those of a secret.
		timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}
		for name, h := range map[string]func(*bytes.Buffer) slog.Handler{
			"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, timeless) },
			"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, timeless) },
		} {
			var b bytes.Buffer
			slog.New(h(&b)).Info("found", "match", m, "secret", m.Secret, "finding", m.Finding())
			out[name] += b.String()
		}
	}
	r := &boltseal.Report{Findings: findings, Skipped: res.Skipped}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"match json":   func(b *bytes.Buffer) error { return json.NewEncoder(b).Encode(res) },
		"finding json": func(b *bytes.Buffer) error { return json.NewEncoder(report.JSON(b)).Encode(r) },
		"finding go":   func(b *bytes.Buffer) error { _, err := fmt.Fprintf(b, "%+v %#v", findings, findings); return err },
		"sarif":        func(b *bytes.Buffer) error { return report.SARIF(b, r, report.Tool{Name: "test"}) },
		"html":         func(b *bytes.Buffer) error { return report.HTML(b, r) },
		"table":        func(b *bytes.Buffer) error { return report.Table(b, r, nil) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b), name)
		out[name] = b.String()
	}
	for _, name := range []string{"%+v", "%#v", "finding go"} {
		out[name] = pointers.ReplaceAllString(out[name], "")
	}
	return out
}

// panicked is what a program shows that dies while secrets are in its hands: what
// it panicked with, and the stack.
func panicked(t *testing.T, name, text string) (shown string) {
	t.Helper()
	scanner := secrets.NewScanner(&secrets.Options{Salt: []byte("salt"), Verifier: dying{}})
	defer func() {
		r := recover()
		shown = addresses.ReplaceAllString(fmt.Sprintf("%v %+v %#v %s", r, r, r, debug.Stack()), "")
	}()
	res, err := scanner.Bytes(t.Context(), name, []byte(text))
	panic(fmt.Sprintf("%v %+v", res, err)) // nobody was asked
}

// Addresses, as Go's syntax and stacks show them, might be digits of a secret.
var (
	pointers  = regexp.MustCompile(`0x[0-9a-f]{6,}`)
	addresses = regexp.MustCompile(`0x[0-9a-f]+|:[0-9]+`)
)

// dying is a verifier that panics, as an index out of range does.
type dying struct{}

func (dying) Verify(_ context.Context, c secrets.Verifiable) (secrets.State, error) {
	return "", errors.New(string(c.Rule[len(c.Token)+len(c.Rule)]))
}

// limited is what is said of a text that was not read to its end.
func limited(t *testing.T, name, text string) string {
	t.Helper()
	var out strings.Builder
	for _, l := range []boltseal.Limits{{ArchiveBytes: 16}, {ArchiveDepth: boltseal.Unlimited, FileBytes: 16}} {
		res, err := secrets.NewScanner(&secrets.Options{Salt: []byte("salt"), Limits: &l}).Reader(t.Context(), name+".tgz", bytes.NewReader(gzipped(t, tarred(t, name, []byte(text)))))
		fmt.Fprintf(&out, "%v %+v %#v %v", err, err, err, res)
	}
	return pointers.ReplaceAllString(out.String(), "")
}

// words joins outputs: what the writers say of no finding at all is no leak.
func words(outputs map[string]string) string {
	var b strings.Builder
	for _, o := range outputs {
		b.WriteString(o)
	}
	return b.String()
}

func TestNoOutputShowsASecret(t *testing.T) {
	scanner := secrets.NewScanner(&secrets.Options{Salt: []byte("salt")})
	own := words(outputs(t, secrets.Result{}, nil))
	shown := 0
	for _, family := range secretstest.Families() {
		s, err := secretstest.New(family, 11)
		require.NoError(t, err)
		var bodies []string
		for _, b := range s.Bodies() {
			if leak(own, []string{b}) == "" {
				bodies = append(bodies, b)
			}
		}
		if len(bodies) > 0 {
			shown++
		}
		for i, p := range s.Placed() {
			if i != 0 && i != 2 { // plain, and in JSON or on many lines
				continue
			}
			res, err := scanner.Bytes(t.Context(), p.Path, []byte(p.Text))
			require.NoError(t, err)
			all := outputs(t, res, err)
			if i == 0 {
				all["panic"] = panicked(t, p.Path, p.Text)
				all["limits"] = limited(t, p.Path, p.Text)
			}
			for name, text := range all {
				if name == "%x" { // what it would show is in hex, in which other things look alike
					var plain strings.Builder
					for _, word := range strings.FieldsFunc(text, notHex) {
						raw, _ := hex.DecodeString(word[:len(word)&^1])
						plain.WriteString(string(raw) + " ")
					}
					text = plain.String()
				}
				if got := leak(text, bodies); got != "" {
					at := strings.Index(text, got)
					t.Errorf("%s in %s: %s shows %q: …%s…", family, p.Syntax, name, got, text[max(0, at-60):min(len(text), at+60)])
				}
			}
		}
	}
	require.Greater(t, shown, 300)
}

func notHex(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }

// A body that is planted in an output is noticed.
func TestLeaksAreNoticed(t *testing.T) {
	s, err := secretstest.New("github-pat", 1)
	require.NoError(t, err)
	m := secrets.Match{Rule: "x", Name: s.Token[10:16]}
	out := outputs(t, secrets.Result{Matches: []secrets.Match{m}}, nil)
	for _, name := range []string{"%v", "%+v", "%#v", "match json", "finding json", "sarif", "html", "slog json", "slog text"} {
		require.NotEmpty(t, leak(out[name], s.Bodies()), name)
	}
}
