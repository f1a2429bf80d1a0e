package orchestrator_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// fixture is one case of testdata/posture.
type fixture struct {
	name    string // W05/fail-pod
	check   string
	verdict boltseal.Verdict
	open    bool
	minor   int
	want    string // path of a failure's evidence
	yaml    []byte
}

func fixtures(t testing.TB) (all []fixture) {
	files, err := filepath.Glob("testdata/posture/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, f := range txtar.Parse(data).Files {
			x := fixture{name: strings.TrimSuffix(f.Name, ".yaml"), yaml: f.Data}
			check, rest, ok := strings.Cut(x.name, "/")
			require.True(t, ok, f.Name)
			x.check = check
			verdict, what, _ := strings.Cut(rest, "-")
			x.open = what == "open"
			if strings.HasPrefix(what, "minor-35") {
				x.minor = 35
			}
			if verdict == "na" {
				verdict = "not-applicable"
			}
			require.NoError(t, x.verdict.UnmarshalText([]byte(verdict)), f.Name)
			if first, _, _ := bytes.Cut(f.Data, []byte("\n")); bytes.HasPrefix(first, []byte("# want ")) {
				x.want = string(first[len("# want "):])
			}
			all = append(all, x)
		}
	}
	return all
}

func (x *fixture) load(t testing.TB) *orchestrator.Snapshot {
	s, err := orchestrator.Load(t.Context(), fstest.MapFS{"case.yaml": {Data: x.yaml}}, &orchestrator.LoadOptions{Complete: !x.open, Minor: x.minor})
	require.NoError(t, err, x.name)
	return s
}

// finder knows one credential.
type finder struct{}

func (finder) FindSecrets(_ context.Context, name string, text []byte) ([]boltseal.Finding, error) {
	if !bytes.Contains(text, []byte("hunter2")) {
		return nil, nil
	}
	return []boltseal.Finding{{Kind: boltseal.KindSecret, Rule: "password", Title: "password", Evidence: []boltseal.Evidence{{Detail: "h*****2"}}}}, nil
}

// signatures trusts by the name of the repository.
type signatures struct{ asked map[string]int }

func (s signatures) VerifyImage(_ context.Context, image string) (boltseal.Verdict, string) {
	s.asked[image]++
	switch {
	case strings.Contains(image, "/signed"):
		return boltseal.VerdictPass, ""
	case strings.Contains(image, "/unsigned"):
		return boltseal.VerdictFail, "no signature"
	}
	return boltseal.VerdictUnknown, "the registry did not answer"
}

func fixtureOptions(checks ...string) *orchestrator.PostureOptions {
	selected, err := orchestrator.SelectChecks(checks...)
	if err != nil {
		panic(err)
	}
	return &orchestrator.PostureOptions{
		Checks: selected, Registries: []string{"registry.example.com", "docker.io/library/busybox"},
		Secrets: finder{}, Verifier: signatures{map[string]int{}},
		Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
	}
}

func results(t testing.TB, s *orchestrator.Snapshot, o *orchestrator.PostureOptions) (all []orchestrator.Result) {
	for r, err := range orchestrator.Posture(t.Context(), s, o) {
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}

// worst is how a check ended over all objects: a failure counts most, then what
// is unknown, then a pass.
func worst(all []orchestrator.Result) boltseal.Verdict {
	rank := map[boltseal.Verdict]int{boltseal.VerdictNotApplicable: 0, boltseal.VerdictPass: 1, boltseal.VerdictUnknown: 2, boltseal.VerdictFail: 3}
	v := boltseal.VerdictNotApplicable
	for _, r := range all {
		if rank[r.Verdict] > rank[v] {
			v = r.Verdict
		}
	}
	return v
}

func TestFixtures(t *testing.T) {
	seen := map[string]map[boltseal.Verdict]bool{}
	for _, x := range fixtures(t) {
		if seen[x.check] == nil {
			seen[x.check] = map[boltseal.Verdict]bool{}
		}
		seen[x.check][x.verdict] = true
		t.Run(x.name, func(t *testing.T) {
			all := results(t, x.load(t), fixtureOptions(x.check))
			require.NotEmpty(t, all)
			require.Equal(t, x.verdict, worst(all), "%+v", all)
			found := x.want == ""
			for _, r := range all {
				require.Equal(t, r.Verdict == boltseal.VerdictPass, r.Reason == "", "a reason for all but a pass: %+v", r)
				require.Equal(t, r.Verdict == boltseal.VerdictFail, len(r.Evidence) > 0)
				require.NotContains(t, r.Reason, "hunter2")
				for _, e := range r.Evidence {
					found = found || e.Path == x.want
				}
			}
			require.True(t, found, "no evidence at %s: %+v", x.want, all)
		})
	}
	for _, c := range orchestrator.Checks() {
		require.True(t, seen[c.ID][boltseal.VerdictFail], "%s has no failing case", c.ID)
		require.True(t, seen[c.ID][boltseal.VerdictPass] || seen[c.ID][boltseal.VerdictUnknown], "%s has no case in order", c.ID)
	}
}
