package vuln_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
	"github.com/boltseal/boltseal/vuln/version"
)

// osvDir is the shared OSV export.
func osvDir(t testing.TB) string {
	dir := os.Getenv("BOLTSEAL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "osv")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no OSV exports (BOLTSEAL_SHARED): ", err)
	}
	return dir
}

// small holds ecosystems of every kind that are quick to build.
var small = sync.OnceValues(func() ([]byte, error) {
	dir := os.Getenv("BOLTSEAL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	var sources []fs.FS
	for _, e := range []string{"Azure Linux", "Debian", "Go", "Hex", "NuGet", "RubyGems", "crates.io", "npm"} {
		sources = append(sources, os.DirFS(filepath.Join(dir, "data", "osv", e)))
	}
	b, stats, err := vuln.Encode(context.Background(), sources, nil)
	if err == nil && len(stats.Skipped) > 0 {
		err = fmt.Errorf("skipped %v", stats.Skipped[0])
	}
	return b, err
})

// naive is the evaluation algorithm of the OSV schema, word for word, over the
// raw JSON: no keys, no tables.
type naive struct {
	Withdrawn string
	ID        string
	Affected  []struct {
		Package struct{ Ecosystem, Name string }
		Ranges  []struct {
			Type   string
			Events []map[string]string
		}
		Versions []string
	}
}

func (n *naive) affects(s version.Scheme, eco, name, v string) bool {
	cmp := func(a, b string) int {
		switch {
		case b == "0":
			return 1
		}
		c, err := s.Compare(a, b)
		if err != nil {
			return -2
		}
		return c
	}
	for _, a := range n.Affected {
		if a.Package.Ecosystem != eco || a.Package.Name != name {
			continue
		}
		if slices.ContainsFunc(a.Versions, func(l string) bool { return cmp(v, l) == 0 }) {
			return true
		}
		for _, r := range a.Ranges {
			if r.Type == "GIT" {
				continue
			}
			if slices.ContainsFunc(r.Events, func(e map[string]string) bool {
				for _, b := range e {
					return b != "0" && !s.Valid(b)
				}
				return false
			}) {
				continue // a bound without a place in the order decides nothing
			}
			in := false
			// The greatest event at or below v decides.
			best := ""
			for _, kind := range []string{"introduced", "last_affected", "fixed"} {
				for _, e := range r.Events {
					b, ok := e[kind]
					if !ok || cmp(v, b) < 0 {
						continue
					}
					if best != "" && best != "0" && b != best && (b == "0" || func() bool { c, _ := s.Compare(b, best); return c < 0 }()) {
						continue
					}
					best = b
					in = kind == "introduced" || kind == "last_affected" && cmp(v, b) == 0
				}
			}
			if in {
				return true
			}
		}
	}
	return false
}

// Every package of the sample is matched against every advisory of its
// ecosystem by the naive algorithm; the results must be the same sets.
func TestAgainstNaiveEvaluation(t *testing.T) {
	dir := osvDir(t)
	file, err := small()
	require.NoError(t, err)
	db, err := vuln.Load(file)
	require.NoError(t, err)
	require.NoError(t, db.Verify())

	deb := &boltseal.Distro{ID: "debian", VersionID: "12"}
	azl := &boltseal.Distro{ID: "azurelinux", VersionID: "3.0"}
	checked, affected := 0, 0
	for _, tt := range []struct {
		dir, eco, purlType string
		distro             *boltseal.Distro
	}{{"Debian", "Debian:12", "deb", deb}, {"Azure Linux", "Azure Linux:3", "rpm", azl}, {"Go", "Go", "golang", nil}, {"RubyGems", "RubyGems", "gem", nil}, {"crates.io", "crates.io", "cargo", nil}, {"npm", "npm", "npm", nil}} {
		scheme, _ := version.SchemeFor(tt.eco)
		b, err := os.ReadFile(filepath.Join(dir, tt.dir, "all.zip"))
		require.NoError(t, err)
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		byName := map[string][]*naive{}
		bounds := map[string][]string{}
		for _, f := range z.File {
			rc, err := f.Open()
			require.NoError(t, err)
			raw, err := io.ReadAll(rc)
			require.NoError(t, err)
			n := new(naive)
			require.NoError(t, json.Unmarshal(raw, n))
			for _, a := range n.Affected {
				if a.Package.Ecosystem != tt.eco {
					continue
				}
				if list := byName[a.Package.Name]; len(list) == 0 || list[len(list)-1] != n {
					byName[a.Package.Name] = append(list, n)
				}
				for _, r := range a.Ranges {
					for _, e := range r.Events {
						for _, v := range e {
							bounds[a.Package.Name] = append(bounds[a.Package.Name], v)
						}
					}
				}
			}
		}
		sampled := 0
		for i, name := range slices.Sorted(keysOf(byName)) {
			if i%17 != 0 {
				continue
			}
			sampled++
			vs := bounds[name]
			slices.Sort(vs)
			vs = slices.Compact(vs)
			for j := 0; j < len(vs); j += 1 + len(vs)/8 { // the bounds themselves are where mistakes show
				if vs[j] == "0" || !scheme.Valid(vs[j]) {
					continue
				}
				pkg := boltseal.Package{Type: tt.purlType, Name: name, Version: vs[j], Distro: tt.distro}
				want := map[string]bool{}
				for _, n := range byName[name] {
					if n.Withdrawn == "" && n.affects(scheme, tt.eco, name, vs[j]) {
						want[n.ID] = true
					}
				}
				got := map[string]bool{}
				for m := range db.MatchOne(&pkg) {
					for _, id := range append(m.Also, m.Advisory.ID) {
						got[id] = true
					}
				}
				for id := range want {
					if !got[id] { // informational and foreign-OS advisories may be missing, with a reason
						ex := db.Explain(&pkg, id)
						require.Regexp(t, "^(informational|affects )", ex[0].Reason, "%s %s %s", id, name, vs[j])
					}
				}
				for id := range got {
					require.True(t, want[id], "%s must not match %s %s", id, name, vs[j])
				}
				checked++
				affected += len(got)
			}
		}
		require.Positive(t, sampled, tt.eco)
	}
	t.Logf("%d package versions, %d matches", checked, affected)
	require.Greater(t, affected, 500)
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
