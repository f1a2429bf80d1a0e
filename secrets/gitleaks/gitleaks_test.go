package gitleaks

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets"
)

const config = `
title = "t"
[extend]
url = "https://example.com/x"
[[rules]]
id = "acme"
description = "Acme key"
regex = '''(acme_[a-z0-9]{16})\b'''
entropy = 3
keywords = ["ACME_"]
  [[rules.allowlists]]
  regexTarget = "line"
  regexes = ['''not a secret''']
  [[rules.allowlists]]
  condition = "AND"
  paths = ['''^docs/''']
  stopwords = ["docs"]
  [[rules.allowlists]]
  commits = ["abc"]
[[rules]]
id = "prefix"
regex = '''PFX-[0-9]{6}'''
path = '''\.conf$'''
[[rules]]
id = "pair"
regex = '''paired-[0-9]{6}'''
keywords = ["paired-"]
  [[rules.required]]
  id = "half"
  withinLines = 1
[[rules]]
id = "half"
regex = '''half-[0-9]{6}'''
keywords = ["half-"]
skipReport = true
[[rules]]
id = "slow"
regex = '''[a-z]{5}-[0-9]{6}'''
[[rules]]
id = "name"
path = '''\.p12$'''
[[allowlists]]
targetRules = ["prefix"]
regexes = ['''000000''']
filter = "x"
`

func TestRead(t *testing.T) {
	imported, err := Read(strings.NewReader(config), nil)
	require.NoError(t, err)
	refused := map[string]string{}
	for _, r := range imported.Refused {
		refused[r.Rule] += r.Reason + "\n"
	}
	require.Contains(t, refused[""], "extend.url")
	require.Contains(t, refused[""], "filter")
	require.Contains(t, refused["acme"], "commits")
	require.Contains(t, refused["slow"], "slow")
	require.Contains(t, refused["name"], "path alone")
	require.Len(t, refused, 4)
	set, err := secrets.Compile(imported.Rules)
	require.NoError(t, err)
	s := secrets.NewScanner(&secrets.Options{Rules: set, Salt: []byte("s")})
	for _, c := range []struct{ path, text, want string }{
		{"f", "k acme_q7w2e9r4t6y1u3i8 x", "acme"},
		{"f", "k acme_aaaaaaaaaaaaaaaa x", ""},
		{"f", "k acme_q7w2e9r4t6y1u3i8 not a secret", ""},
		{"docs/f", "k acme_q7w2e9r4t6y1u3i8 x", "acme"},
		{"docs/f", "k acme_q7w2e9docs6y1u3i x", ""},
		{"f", "k acme_q7w2e9docs6y1u3i x", "acme"},
		{"a.conf", "PFX-482915", "prefix"},
		{"a.conf", "PFX-000000", ""},
		{"a.txt", "PFX-482915", ""},
		{"f", "half-482915\npaired-482916", "pair"},
		{"f", "half-482915\n\n\npaired-482916", ""},
		{"f", "half-482915 alone", ""},
	} {
		res, err := s.Bytes(t.Context(), c.path, []byte(c.text+"\n"))
		require.NoError(t, err)
		got := ""
		for _, m := range res.Matches {
			got += m.Rule
		}
		require.Equal(t, c.want, got, c.text)
	}
}

func TestExtend(t *testing.T) {
	open := func(path string) (io.ReadCloser, error) {
		require.Equal(t, "default", path)
		return io.NopCloser(strings.NewReader(config)), nil
	}
	imported, err := Read(strings.NewReader("[extend]\nuseDefault = true\ndisabledRules = [\"prefix\"]\n[[rules]]\nid = \"acme\"\nregex = '''acme_[0-9]{4}'''\n"), &Options{Open: open})
	require.NoError(t, err)
	var ids []string
	for _, r := range imported.Rules {
		ids = append(ids, r.ID)
		if r.ID == "acme" {
			require.Equal(t, "acme_[0-9]{4}", r.Regexp)
			require.Equal(t, []string{"acme_"}, r.Anchors)
		}
	}
	require.Equal(t, []string{"acme", "pair"}, ids)
	imported, err = Read(strings.NewReader("[extend]\npath = \"x\"\n"), nil)
	require.NoError(t, err)
	require.Contains(t, imported.Refused[0].Reason, "Options.Open")
	_, err = Read(strings.NewReader("rules = 3"), nil)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

// TestRealRules imports what Gitleaks ships, where its module is at hand.
func TestRealRules(t *testing.T) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "github.com/zricethezav/gitleaks/v8@*/config/gitleaks.toml"))
	if len(files) == 0 {
		t.Skip("the module github.com/zricethezav/gitleaks/v8 is not in the module cache")
	}
	f, err := os.Open(files[len(files)-1])
	require.NoError(t, err)
	defer f.Close()
	imported, err := Read(f, nil)
	require.NoError(t, err)
	set, err := secrets.Compile(imported.Rules)
	require.NoError(t, err)
	require.Greater(t, len(set.Rules()), 200)
	for _, r := range imported.Refused {
		t.Logf("%s: %s", r.Rule, r.Reason)
	}
	require.Less(t, len(imported.Refused), 12)
}

func FuzzRead(f *testing.F) {
	f.Add(config)
	f.Add("[[rules]]\nid='a'\nregex='''(?i)a(b|c)*'''\nsecretGroup=1\nkeywords=['abc']\n[[rules.required]]\nid='a'\nwithinLines=-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		imported, err := Read(strings.NewReader(text), nil)
		if err != nil || len(imported.Rules) > 20 {
			return
		}
		set, err := secrets.Compile(imported.Rules)
		if err != nil {
			return
		}
		secrets.NewScanner(&secrets.Options{Rules: set}).Bytes(t.Context(), "f", []byte("abc acme_q7w2e9r4t6y1u3i8 half-123456\npaired-123456\n"))
	})
}
