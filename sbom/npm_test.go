package sbom

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestNPMWants(t *testing.T) {
	for name, want := range map[string]bool{
		"node_modules/a/package.json":                                            true,
		"app/node_modules/@s/a/package.json":                                     true,
		"app/node_modules/a/node_modules/b/package.json":                         true,
		"app/node_modules/a/node_modules/@s/b/package.json":                      true,
		"app/node_modules/.pnpm/a@1.0.0_b@2/node_modules/a/package.json":         true,
		"usr/lib/node_modules/npm/package.json":                                  true,
		"app/node_modules/a/packages/cli/node_modules/b/package.json":            true,
		"app/node_modules/test/node_modules/b/package.json":                      true,
		"app/node_modules/resolve/test/resolver/node_modules/b/package.json":     false,
		"app/node_modules/a/dist/package.json":                                   false,
		"usr/share/nodejs/semver/package.json":                                   true,
		"usr/share/nodejs/@babel/core/package.json":                              true,
		"usr/lib/nodejs/a/package.json":                                          true,
		"usr/lib/x86_64-linux-gnu/nodejs/a/package.json":                         true,
		"usr/share/nodejs/a/node_modules/b/package.json":                         true,
		"usr/share/nodejs/a/dist/package.json":                                   false,
		"usr/share/nodejs/@babel/package.json":                                   false,
		"usr/share/nodejs/package.json":                                          false,
		"srv/usr/share/nodejs/a/package.json":                                    false,
		"usr/lib/a/b/nodejs/c/package.json":                                      false,
		"app/node_modules/@s/a/esm/package.json":                                 false,
		"app/node_modules/@s/package.json":                                       false,
		"app/node_modules/package.json":                                          false,
		"app/node_modules/.cache/package.json":                                   false,
		"app/my_node_modules/a/package.json":                                     false,
		"app/package.json":                                                       false,
		"app/node_modules/a/package.json/x":                                      false,
		"app/node_modules/a/xpackage.json":                                       false,
		"package.json":                                                           false,
		"app/node_modules/a/fixtures/node_modules/b/node_modules/c/package.json": false,
	} {
		require.Equal(t, want, NPM().Wants(name, nil), name)
	}
}

func TestNPM(t *testing.T) {
	for _, c := range []struct {
		in, purl string
		licenses []string
		needs    []string
	}{
		{`{"name":"left-pad","version":"1.3.0","license":"WTFPL"}`, "pkg:npm/left-pad@1.3.0", []string{"WTFPL"}, nil},
		{`{"name":"@babel/core","version":"v7.0.0","license":{"type":"MIT","url":"x"},"dependencies":{"b":"^1","x":"npm:@s/real@2"},"optionalDependencies":{"a":"1"}}`,
			"pkg:npm/%40babel/core@7.0.0", []string{"MIT"}, []string{"@s/real", "a", "b"}},
		{"\ufeff" + `{"name":"old","version":"0.1","licenses":[{"type":"MIT"},{"type":"GPL"},"BSD"],"dependencies":[]}`, "pkg:npm/old@0.1", []string{"MIT", "GPL", "BSD"}, nil},
		{`{"name":"noversion","dependencies":{}}`, "pkg:npm/noversion", nil, []string{}},
		{`{"name":"odd","version":3,"license":["MIT",{"name":"ISC"},null]}`, "pkg:npm/odd", []string{"MIT", "ISC"}, nil},
		{`{"name":"real","version":"1","Name":"fake","VERSION":"9","License":"x"}`, "pkg:npm/real@1", nil, nil},
		{`{"name":"first","name":"last","version":"1"}`, "pkg:npm/last@1", nil, nil},
		{`{"type":"module"}`, "", nil, nil},
		{`{"name":["x"]}`, "", nil, nil},
		{`{"name":"/x"}`, "", nil, nil},
		{`{"name":"@/x"}`, "", nil, nil},
		{`{"name":"@s/"}`, "", nil, nil},
		{`{"name":"a/b/c"}`, "", nil, nil},
	} {
		p, err := analyze(t, NPM(), "node_modules/dir/package.json", []byte(c.in))
		require.NoError(t, err, c.in)
		if c.purl == "" {
			require.Empty(t, p.Results.Packages, c.in)
			continue
		}
		pkg := p.Results.Packages[0]
		require.Equal(t, c.purl, pkg.PURL)
		require.Equal(t, c.licenses, pkg.Licenses, c.in)
		require.Equal(t, c.needs, pkg.DependsOn, c.in)
		require.Equal(t, boltseal.StateInstalled, pkg.State)
	}
	_, err := analyze(t, NPM(), "node_modules/dir/package.json", []byte(`{"name":`))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.ErrorContains(t, err, "node_modules/dir/package.json")
	_, err = analyze(t, NPM(), "node_modules/dir/package.json", []byte(strings.Repeat(" ", npmMaxBytes)+`{}`))
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

func FuzzPackageJSON(f *testing.F) {
	f.Add([]byte(`{"name":"@babel/core","version":"v7.0.0","license":{"type":"MIT"},"dependencies":{"x":"npm:@s/real@2"}}`))
	f.Add([]byte(`{"name":"old","licenses":[{"type":"MIT"},"BSD",[]],"optionalDependencies":{"a":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		pkg, ok, err := parsePackageJSON(data)
		if ok {
			require.NoError(t, err)
			require.NotEmpty(t, pkg.PURL)
		}
	})
}

func BenchmarkNPM(b *testing.B) {
	var deps []string
	for i := range 20 {
		deps = append(deps, fmt.Sprintf(`"dependency-%d": "^1.2.%d"`, i, i))
	}
	data := []byte(`{"name":"@scope/name","version":"1.2.3","description":"` + strings.Repeat("text ", 100) + `","license":"MIT","dependencies":{` + strings.Join(deps, ",\n") + `}}`)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, ok, err := parsePackageJSON(data); !ok || err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packages/s")
}

func TestNPMOfDebian(t *testing.T) {
	tr := newTree(map[string]string{
		"var/lib/dpkg/status":                    "Package: node-semver\nStatus: install ok installed\nVersion: 7.3\n",
		"var/lib/dpkg/info/node-semver.list":     "/.\n/usr/share/nodejs/semver/package.json\n",
		"usr/share/nodejs/semver/package.json":   `{"name":"semver","version":"7.3.5"}`,
		"usr/share/nodejs/semver/x/package.json": `{"name":"x","version":"1"}`,
	}).scan(t, Dpkg(), NPM(), Owner())
	require.Empty(t, tr.errs)
	require.Equal(t, []string{"semver 7.3.5"}, tr.lines("npm"))
	require.Equal(t, "pkg:deb/node-semver@7.3", tr.get(t, "semver").OwnedBy)
}
