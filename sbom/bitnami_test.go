package sbom

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const bitnamiSample = `{"spdxVersion":"SPDX-2.3","packages":[
 {"name":"redis","versionInfo":"7.2.4-0","licenseDeclared":"BSD-3-Clause","externalRefs":[
  {"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:*:redis:redis:7.2.4:*:*:*:*:*:*:*"},
  {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/redis@7.2.4-0?arch=amd64&distro=debian-12"}]},
 {"name":"openssl","versionInfo":"3","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:github/openssl/openssl@3"}]},
 {"name":"none","licenseDeclared":"NOASSERTION","externalRefs":[{"referenceLocator":"pkg:bitnami/x"},{"referenceLocator":"::"}]}]}`

func TestBitnami(t *testing.T) {
	require.True(t, Bitnami().Wants("opt/bitnami/redis/.spdx-redis.spdx", nil))
	require.False(t, Bitnami().Wants("opt/other/.spdx-redis.spdx", nil))
	p, err := analyze(t, Bitnami(), "opt/bitnami/redis/.spdx-redis.spdx", []byte(bitnamiSample))
	require.NoError(t, err)
	require.Equal(t, []string{"pkg:bitnami/redis@7.2.4-0?arch=amd64"}, purls(p))
	require.Equal(t, []string{"BSD-3-Clause"}, p.Results.Packages[0].Licenses)
	_, err = analyze(t, Bitnami(), "opt/bitnami/redis/.spdx-redis.spdx", []byte("SPDXVersion: SPDX-2.3"))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func FuzzBitnami(f *testing.F) {
	f.Add([]byte(bitnamiSample))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		_ = Bitnami().AnalyzeFile(context.Background(), boltseal.NewFile("opt/bitnami/.spdx-a.spdx", 0o644, data), p)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.PURL)
		}
	})
}
