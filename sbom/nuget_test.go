package sbom

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const nugetSample = `{
 "runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},
 "targets":{".NETCoreApp,Version=v8.0":{
  "App/1.0.0":{"dependencies":{"Serilog":"3.1.1"},"runtime":{"App.dll":{}}},
  "Serilog/3.1.1":{"dependencies":{"System.Text.Json":"8.0.0","A":"1"}}},
  ".NETCoreApp,Version=v8.0/linux-x64":{"Serilog/3.1.1":{"dependencies":{"A":"1","B":"1"}}}},
 "libraries":{
  "App/1.0.0":{"type":"project","serviceable":false},
  "Serilog/3.1.1":{"type":"package","serviceable":true,"sha512":"sha512-x"},
  "System.Text.Json/8.0.0":{"type":"package"},
  "odd":{"type":"package"},"a/b/c":{"type":"package"},"x/1":{"Type":"package"},"y/1":7}}`

func TestNuGet(t *testing.T) {
	require.True(t, NuGet().Wants("app/App.deps.json", nil))
	require.False(t, NuGet().Wants("app/deps.json", nil))
	p, err := analyze(t, NuGet(), "app/App.deps.json", []byte("\ufeff"+nugetSample))
	require.NoError(t, err)
	require.Equal(t, []string{"pkg:nuget/Serilog@3.1.1", "pkg:nuget/System.Text.Json@8.0.0"}, purls(p))
	require.Equal(t, []string{"A", "B", "System.Text.Json"}, p.Results.Packages[0].DependsOn)
	require.Nil(t, p.Results.Packages[1].DependsOn, "no target names it")
	_, err = analyze(t, NuGet(), "app/App.deps.json", []byte(`{`))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func FuzzNuGet(f *testing.F) {
	f.Add([]byte(nugetSample))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		_ = NuGet().AnalyzeFile(context.Background(), boltseal.NewFile("a.deps.json", 0o644, data), p)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.PURL)
		}
	})
}
