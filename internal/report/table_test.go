package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/report"
)

func table(t *testing.T, r *boltseal.Report, o *report.TableOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.Table(&b, r, o))
	return b.String()
}

func TestTable(t *testing.T) {
	got := table(t, sample(), &report.TableOptions{Layers: true})
	golden := filepath.Join("testdata", "table.txt")
	if os.Getenv("BOLTSEAL_UPDATE") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestTableKeepsItsWidth(t *testing.T) {
	r := sample()
	r.Packages[0].Version = strings.Repeat("9", 300)
	r.Findings[3].Fixed = strings.Repeat("漢", 200) // two columns each
	r.Image.Name = strings.Repeat("long/", 60)
	for _, width := range []int{0, 1, 40, 41, 57, 80, 200} {
		for _, line := range strings.Split(table(t, r, &report.TableOptions{Width: width, Layers: true}), "\n") {
			limit := max(width, 40)
			if width == 0 {
				limit = 80
			}
			require.LessOrEqual(t, uniseg.StringWidth(line), limit, "width %d: %q", width, line)
		}
	}
}

func TestTableColoursChangeNothingElse(t *testing.T) {
	plain := table(t, sample(), &report.TableOptions{Layers: true})
	coloured := table(t, sample(), &report.TableOptions{Layers: true, Color: true})
	require.NotContains(t, plain, "\x1b")
	require.Contains(t, coloured, "\x1b[1;31mcritical\x1b[0m")
	require.Equal(t, plain, regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured, ""))
}

func TestTableSaysWhatIsMissing(t *testing.T) {
	require.Contains(t, table(t, &boltseal.Report{Complete: true}, nil), "Nothing found.\n")
	got := table(t, &boltseal.Report{}, nil)
	require.Contains(t, got, "INCOMPLETE")
	require.Contains(t, got, "Nothing found in what could be read.")
	r := &boltseal.Report{}
	for range 100 {
		r.Skipped = append(r.Skipped, boltseal.Skip{Path: "x", Reason: "too large"})
	}
	require.Contains(t, table(t, r, nil), "and 88 more")
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain-name_1.2~3+b1":       "plain-name_1.2~3+b1",
		"":                          "",
		"a\x1b]0;title\x07b":        `a\x1b]0;title\x07b`,
		"a\u009b31mb":               `a\u009b31mb`, // the C1 form of ESC [
		"exe\u202egpj":              `exe\u202egpj`,
		"zero\u200bwidth\ufeff":     `zero\u200bwidth\ufeff`,
		"tag\U000e0041":             `tag\U000e0041`,
		"bad\xffutf8":               `bad\xffutf8`,
		"two\r\nlines\u2028three":   "two lines three",
		"  lead  and trail \t":      "lead and trail",
		"漢字 é":                      "漢字 é",
		"z\u0301\u0302\u0303\u0304": "z\u0301\u0302",
		"\u3164filler\x00":          `\u3164filler\x00`,
		"soft\u00adhyphen":          `soft\u00adhyphen`,
	} {
		require.Equal(t, want, report.Clean(in), "%q", in)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31mb\u202e\xff z\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		got := report.Clean(s)
		require.Equal(t, got, report.Clean(got), "cleaning twice changes nothing")
		require.NotRegexp(t, `[\x00-\x1f\x7f\x{80}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}-\x{200f}]`, got)
	})
}

// A credential has no version to update to: what may be seen of it and what to
// do stand below it, and nothing is said of packages where there are none.
func TestTableOfSecrets(t *testing.T) {
	var b bytes.Buffer
	r := &boltseal.Report{Complete: true, Image: &boltseal.ReportImage{Name: "src"}, Findings: []boltseal.Finding{{
		Kind: boltseal.KindSecret, Rule: "acme-key", Title: "Acme key", Severity: boltseal.SeverityHigh,
		Description: "acme_..(40 bytes)", Fix: "revoke it at the console, and then remove it from the file and from the history of the repository",
		Locations: []boltseal.Location{{Path: "a/b.env", Line: 3}},
	}}}
	require.NoError(t, report.Table(&b, r, &report.TableOptions{Width: 60}))
	require.Equal(t, `src

1 finding: 1 high

a/b.env:3  secret
  high      Acme key (acme-key)
            acme_..(40 bytes)
            revoke it at the console, and then remove it
            from the file and from the history of the
            repository
`, b.String())
}
