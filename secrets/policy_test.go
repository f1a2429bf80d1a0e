package secrets

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		fits          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "b", false}, {"*", "abc", true}, {"*", "a/b", false}, {"**", "a/b", true}, {"a*c", "abbc", true},
		{"a*c", "abbd", false}, {"?bc", "abc", true}, {"?", "/", false}, {"**/x", "x", true}, {"**/x", "a/b/x", true}, {"**/x", "ax", false}, {"a/**", "a/b/c", true},
		{"a/**/c", "a/c", true}, {"a/**/c", "a/b/b/c", true}, {"a/**/c", "a/bc", false}, {"config:Env[*]", "config:Env[A]", true}, {"*-key", "aws-key", true}, {"*-key", "aws-keys", false},
		{"**/testdata/**", "a/testdata/b", true}, {"**/testdata/**", "testdata/b", true}, {"**/testdata/**", "a/xtestdata/b", false},
	} {
		require.Equal(t, c.fits, glob(c.pattern, c.name), "%q of %q", c.pattern, c.name)
	}
	require.False(t, glob(strings.Repeat("*a", 200), strings.Repeat("a", 2000)+"b"))
}

func secretAt(rule, fingerprint string, paths ...string) boltseal.Finding {
	f := boltseal.Finding{Kind: boltseal.KindSecret, Rule: rule, Fingerprint: fingerprint}
	for _, p := range paths {
		path, member, ok := strings.Cut(p, "!")
		l := boltseal.Location{Path: path, Line: 3}
		if ok {
			l.Member = []string{member}
		}
		f.Locations = append(f.Locations, l)
	}
	return f
}

func TestAllow(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	entries := []Allow{
		{Path: "test/**", Reason: "tests"}, {Fingerprint: "aa", Reason: "known"}, {Rule: "jwt*", Path: "*.jar!*", Reason: "sample"},
		{Rule: "old", Reason: "was fine", Expires: "2026-05-01"}, {Rule: "soon", Reason: "still fine", Expires: "2026-05-02"}, {Rule: "nothing", Reason: "never seen"},
	}
	findings := []boltseal.Finding{
		secretAt("x", "1", "test/a", "test/b/c"), secretAt("x", "2", "test/a", "srv/a"), secretAt("y", "aa", "srv/a"), secretAt("jwt", "3", "a.jar!x.yml"), secretAt("jwt", "4", "x.yml"),
		secretAt("old", "5", "a"), secretAt("soon", "6", "a"), {Kind: boltseal.KindVulnerability, Rule: "nothing", Fingerprint: "aa"},
	}
	unused := ApplyAllow(findings, entries, now)
	require.Equal(t, entries[5:], unused)
	var got []string
	for _, f := range findings {
		got = append(got, f.Suppressed)
	}
	require.Equal(t, []string{"allowed: tests", "", "allowed: known", "allowed: sample", "", "", "allowed: still fine", ""}, got)
	require.Contains(t, findings[5].Evidence[0].Detail, "expired on 2026-05-01")
}

func TestBaseline(t *testing.T) {
	allowed := secretAt("x", "03", "c")
	allowed.Suppressed = "allowed: so"
	b := NewBaseline([]boltseal.Finding{secretAt("y", "02", "b"), secretAt("x", "01", "a"), secretAt("x", "01", "z"), allowed}, "before our time")
	var out bytes.Buffer
	require.NoError(t, b.Write(&out))
	require.NotContains(t, out.String(), `"a"`, "places are not kept")
	read, err := ReadBaseline(&out)
	require.NoError(t, err)
	require.Equal(t, []BaselineEntry{{"01", "x", "before our time"}, {"02", "y", "before our time"}}, read.Entries)
	findings := []boltseal.Finding{secretAt("x", "01", "moved"), secretAt("x", "09", "a")}
	require.Equal(t, read.Entries[1:], read.Apply(findings))
	require.Equal(t, "in the baseline: before our time", findings[0].Suppressed)
	require.Empty(t, findings[1].Suppressed)
	for _, bad := range []string{"", "{}", `{"schema":"boltseal.secrets.baseline/v1","entries":[{"fingerprint":"zz","rule":"x","reason":"r"}]}`, `{"schema":"boltseal.secrets.baseline/v1","more":1}`} {
		_, err := ReadBaseline(strings.NewReader(bad))
		require.ErrorIs(t, err, boltseal.ErrMalformed, bad)
	}
}

type even struct{}

func (even) Validate(token []byte) boltseal.Verdict {
	if (token[len(token)-1]-'0')%2 == 0 {
		return boltseal.VerdictPass
	}
	return boltseal.VerdictFail
}

const ruleYAML = `
rules:
- id: acme-key
  provider: Acme
  program: '"acme_" d12'
  severity: critical
  check: even
- id: acme-old
  regexp: 'OLDACME-([0-9]{6})'
  anchors: [OLDACME-]
  group: 1
  confidence: medium
disable: [generic, "kind:encrypted", "provider:Slack"]
severity: {"acme-old": low}
allow:
- {path: "test/**", reason: tests, expires: 2030-01-01}
`

func TestRuleFile(t *testing.T) {
	f, err := ReadRules(strings.NewReader(ruleYAML))
	require.NoError(t, err)
	require.Equal(t, []Allow{{Path: "test/**", Reason: "tests", Expires: "2030-01-01"}}, f.Allow)
	rules, err := f.Apply(Families(), map[string]Validator{"even": even{}})
	require.NoError(t, err)
	set, err := Compile(rules)
	require.NoError(t, err)
	require.Nil(t, set.Rule("slack-bot"))
	require.Nil(t, set.Rule("generic-password"))
	require.NotNil(t, set.Rule("github-pat"))
	s := NewScanner(&Options{Rules: set, Salt: []byte("s")})
	res, err := s.Bytes(t.Context(), "f", []byte("a acme_123456789012 b acme_123456789013 c OLDACME-591746 d\n"))
	require.NoError(t, err)
	got := map[string]boltseal.Severity{}
	for _, m := range res.Matches {
		got[m.Rule] = m.Severity
		require.Len(t, m.Locations, 1)
	}
	require.Equal(t, map[string]boltseal.Severity{"acme-key": boltseal.SeverityCritical, "acme-old": boltseal.SeverityLow}, got)

	same, err := ReadRules(strings.NewReader(`{"rules": [{"id": "acme-key", "program": "\"acme_\" d12"}], "enable": ["acme-*"]}`))
	require.NoError(t, err)
	rules, err = same.Apply(Families(), nil)
	require.NoError(t, err)
	require.Len(t, rules, 1)

	for text, want := range map[string]string{
		"rulez: []": "rulez", "allow: [{path: x}]": "no reason", "allow: [{reason: x}]": "neither", "allow: [{path: x, reason: y, expires: soon}]": "expires",
	} {
		_, err := ReadRules(strings.NewReader(text))
		require.ErrorIs(t, err, boltseal.ErrMalformed, text)
		require.ErrorContains(t, err, want)
	}
	for text, want := range map[string]string{
		"disable: [nosuch-*]": "fits no rule", "severity: {jwt: awful}": "awful", "rules: [{program: x}]": "no id", "rules: [{id: a, check: none}]": "neither a built-in",
		"rules: [{id: a, kind: odd}]": "kind", "rules: [{id: a, confidence: odd}]": "confidence",
	} {
		f, err := ReadRules(strings.NewReader(text))
		require.NoError(t, err, text)
		_, err = f.Apply(Families(), nil)
		require.ErrorContains(t, err, want)
	}
	_, err = ReadRules(strings.NewReader(strings.Repeat("#", ruleFileBytes+1)))
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

func FuzzReadRules(f *testing.F) {
	f.Add(ruleYAML)
	f.Add(`{"rules": [{"id": "a", "regexp": "(a|b)*c", "anchors": ["x"]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := ReadRules(strings.NewReader(text))
		if err != nil {
			return
		}
		if rules, err := file.Apply(nil, nil); err == nil {
			Compile(rules)
		}
	})
}

// asked notes what it is asked; it opens no socket.
type asked struct {
	mu   sync.Mutex
	seen map[string]int
}

func (a *asked) Verify(_ context.Context, c Verifiable) (State, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[c.Rule+" "+string(c.Token)]++
	if bytes.HasSuffix(c.Token, []byte("0")) {
		return StateDead, nil
	}
	return StateLive, errors.New("failed for " + string(c.Token))
}

func TestVerifier(t *testing.T) {
	set, err := Compile([]Rule{{ID: "acme-key", Program: `"acme_" d12`}, {ID: "acme-webhook", Program: `"hook_" d12`}})
	require.NoError(t, err)
	a := &asked{seen: map[string]int{}}
	s := NewScanner(&Options{Rules: set, Salt: []byte("s"), Verifier: a})
	res, err := s.Bytes(t.Context(), "f", []byte("acme_591746382950 acme_591746382951 acme_591746382950 hook_591746382950\n"))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"acme-key acme_591746382950": 1, "acme-key acme_591746382951": 1}, a.seen)
	states := map[State]int{}
	for _, m := range res.Matches {
		states[m.State]++
		for _, n := range m.Notes {
			require.NotContains(t, n, "59174")
		}
	}
	require.Equal(t, map[State]int{StateDead: 1, StateUnknown: 1, "": 1}, states)
}

func TestNoSockets(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Standard}}", ".").Output()
	require.NoError(t, err)
	outside := 0
	for line := range strings.Lines(string(out)) {
		path, std, _ := strings.Cut(strings.TrimSpace(line), " ")
		require.NotEqual(t, "net", path)
		require.False(t, strings.HasPrefix(path, "net/http"), path)
		if std == "false" {
			outside++
		}
	}
	require.LessOrEqual(t, outside, 5)
}
