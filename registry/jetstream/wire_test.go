package jetstream

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

func FuzzUnpack(f *testing.F) {
	raw, err := pack(registry.Inventory{Platform: "linux/amd64", Packages: []boltseal.Package{{Type: "deb", Name: "x", Distro: &boltseal.Distro{ID: "debian"}}}})
	require.NoError(f, err)
	f.Add(raw)
	bad, err := result{Error: "why"}.encode()
	require.NoError(f, err)
	f.Add(bad)
	wrong, err := result{Inventory: registry.Inventory{Packages: make([]boltseal.Package, 2)}, Distro: []int{1, -1}}.encode()
	require.NoError(f, err)
	f.Add(wrong)
	f.Fuzz(func(t *testing.T, raw []byte) {
		inv, err := unpack(raw)
		if err != nil {
			require.Empty(t, inv.Packages)
			return
		}
		again, err := pack(inv)
		require.NoError(t, err)
		twice, err := unpack(again)
		require.NoError(t, err)
		require.Len(t, twice.Packages, len(inv.Packages))
	})
}
