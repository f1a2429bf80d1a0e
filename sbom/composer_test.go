package sbom

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const composerSample = `[
 {"name":"monolog/monolog","version":"2.9.1","version_normalized":"2.9.1.0","license":["MIT"],"require":{"psr/log":"^1","php":">=7.2","ext-json":"*"}},
 {"name":"Acme/Lib","version":"dev-main"}
]`

func TestComposer(t *testing.T) {
	require.True(t, Composer().Wants("app/vendor/composer/installed.json", nil))
	require.False(t, Composer().Wants("app/vendor/mycomposer/installed.json", nil))
	for _, data := range []string{composerSample, `{"dev":true,"packages":` + composerSample + `,"dev-package-names":[]}`} {
		p, err := analyze(t, Composer(), "vendor/composer/installed.json", []byte(data))
		require.NoError(t, err)
		require.Equal(t, []string{"pkg:composer/monolog/monolog@2.9.1", "pkg:composer/acme/lib@dev-main"}, purls(p))
		require.Equal(t, []string{"psr/log"}, p.Results.Packages[0].DependsOn)
		require.Equal(t, []string{"MIT"}, p.Results.Packages[0].Licenses)
	}
	p, err := analyze(t, Composer(), "vendor/composer/installed.json", []byte(`[{"name":"a/b"},{"name":"c"},1,{"Name":"d/e"}]`))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.ErrorContains(t, err, "3 packages")
	require.Equal(t, []string{"pkg:composer/a/b"}, purls(p))
	_, err = analyze(t, Composer(), "vendor/composer/installed.json", []byte(`[`))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func FuzzComposer(f *testing.F) {
	f.Add([]byte(composerSample))
	f.Add([]byte(`{"packages":[{"name":"a/b","license":"MIT","require":[]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		_ = Composer().AnalyzeFile(context.Background(), boltseal.NewFile("composer/installed.json", 0o644, data), p)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.PURL)
		}
	})
}
