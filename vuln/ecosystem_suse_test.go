package vuln

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Since 15 the base packages of SUSE's server are filed under a module.
func TestSUSEEcosystems(t *testing.T) {
	require.Equal(t, "SUSE:Linux Enterprise Module for Basesystem 15 SP5", EcosystemsOf(&boltseal.Distro{ID: "sles", VersionID: "15.5"})[0])
	require.Equal(t, []string{"SUSE:Linux Enterprise Server 12 SP5"}, EcosystemsOf(&boltseal.Distro{ID: "sles", VersionID: "12.5"}))
	require.Empty(t, EcosystemsOf(&boltseal.Distro{ID: "sles"}))
}
