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

func TestEcosystems(t *testing.T) {
	for _, tt := range []struct {
		d    boltseal.Distro
		want []string
	}{
		{boltseal.Distro{ID: "debian", VersionID: "12"}, []string{"Debian:12"}},
		{boltseal.Distro{ID: "debian"}, nil},
		{boltseal.Distro{ID: "ubuntu", VersionID: "22.04"}, []string{"Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS"}},
		{boltseal.Distro{ID: "ubuntu", VersionID: "23.10"}, []string{"Ubuntu:23.10"}},
		{boltseal.Distro{ID: "ubuntu", VersionID: "23.04"}, []string{"Ubuntu:23.04"}},
		{boltseal.Distro{ID: "alpine", VersionID: "3.20.2"}, []string{"Alpine:v3.20"}},
		{boltseal.Distro{ID: "alpine", VersionID: "3.21_alpha20240807"}, []string{"Alpine:edge"}},
		{boltseal.Distro{ID: "alpine", VersionID: "3.20.2", Repositories: []string{"https://dl-cdn.alpinelinux.org/alpine/edge/main"}}, []string{"Alpine:edge"}},
		{boltseal.Distro{ID: "alpine", VersionID: "3.20.2", Repositories: []string{"https://dl-cdn.alpinelinux.org/alpine/v3.19/main"}}, []string{"Alpine:v3.19"}},
		{boltseal.Distro{ID: "almalinux", VersionID: "9.3"}, []string{"AlmaLinux:9"}},
		{boltseal.Distro{ID: "rocky", VersionID: "9.3"}, []string{"Rocky Linux:9"}},
		{boltseal.Distro{ID: "mariner", VersionID: "2.0"}, []string{"Azure Linux:2"}},
		{boltseal.Distro{ID: "azurelinux", VersionID: "3.0"}, []string{"Azure Linux:3"}},
		{boltseal.Distro{ID: "openEuler", VersionID: "24.03", PrettyName: "openEuler 24.03 (LTS-SP1)"}, []string{"openEuler:24.03-LTS-SP1"}},
		{boltseal.Distro{ID: "centos", VersionID: "8", IDLike: []string{"rhel"}}, nil},
		{boltseal.Distro{ID: "fedora", VersionID: "40"}, nil},
	} {
		require.Equal(t, tt.want, EcosystemsOf(&tt.d), "%s %s", tt.d.ID, tt.d.VersionID)
	}
}
