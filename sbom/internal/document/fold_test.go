package document

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// TestPackage pins how the three writers spell the same package.
func TestPackage(t *testing.T) {
	debian := &boltseal.Distro{ID: "debian", VersionID: "12", Codename: "bookworm"}
	prop := func(kv ...string) (out []Property) {
		for i := 0; i < len(kv); i += 2 {
			out = append(out, Property{kv[i], kv[i+1]})
		}
		return out
	}
	for name, c := range map[string]struct {
		in                       Component
		purl, version, pkg       string
		source                   boltseal.Source
		distro, module, location string
	}{
		"syft deb": {
			in:   Component{PURL: "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64&distro=debian-12.5&upstream=gcc-12%4012.2.0-14%2Bx&package-id=ab", Properties: prop("syft:location:0:path", "/var/lib/dpkg/status")},
			purl: "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14%2Bx", version: "12.2.0-14", pkg: "libgcc-s1",
			source: boltseal.Source{Name: "gcc-12", Version: "12.2.0-14+x"}, distro: "debian-12", location: "var/lib/dpkg/status",
		},
		"trivy deb": {
			in:   Component{PURL: "pkg:deb/debian/libgcc-s1@2.0-1?arch=amd64&distro=debian-12.5&epoch=1", Properties: prop("aquasecurity:trivy:SrcName", "gcc", "aquasecurity:trivy:SrcVersion", "3", "aquasecurity:trivy:SrcRelease", "4", "aquasecurity:trivy:SrcEpoch", "5")},
			purl: "pkg:deb/debian/libgcc-s1@1:2.0-1?arch=amd64&distro=debian-12&upstream=gcc%405:3-4", version: "1:2.0-1", pkg: "libgcc-s1",
			source: boltseal.Source{Name: "gcc", Version: "5:3-4"}, distro: "debian-12",
		},
		"scalibr deb": {
			in:   Component{PURL: "pkg:deb/debian/libgcc-s1@2.0-1?arch=amd64&distro=bookworm&source=gcc&sourceversion=3"},
			purl: "pkg:deb/debian/libgcc-s1@2.0-1?arch=amd64&distro=debian-12&upstream=gcc%403", version: "2.0-1", pkg: "libgcc-s1",
			source: boltseal.Source{Name: "gcc", Version: "3"}, distro: "debian-12",
		},
		"no distro: the document's": {
			in: Component{PURL: "pkg:deb/debian/a@1"}, purl: "pkg:deb/debian/a@1?distro=debian-12", version: "1", pkg: "a", distro: "debian-12",
		},
		"no distro, another vendor: unknown": {
			in: Component{PURL: "pkg:deb/ubuntu/a@1"}, purl: "pkg:deb/ubuntu/a@1", version: "1", pkg: "a",
		},
		"code name of another release": {
			in: Component{PURL: "pkg:deb/debian/a@1?distro=trixie"}, purl: "pkg:deb/debian/a@1?distro=debian-13", version: "1", pkg: "a", distro: "debian-13",
		},
		"trivy apk": {
			in: Component{PURL: "pkg:apk/alpine/a@1-r0?distro=3.20.2"}, purl: "pkg:apk/alpine/a@1-r0?distro=alpine-3.20.2", version: "1-r0", pkg: "a", distro: "alpine-3.20.2",
		},
		"syft rpm": {
			in:   Component{PURL: "pkg:rpm/almalinux/bind-libs@9.11-1.el8?arch=x86_64&distro=almalinux-8.9&epoch=32&upstream=bind-9.11-1.el8.src.rpm", Version: "32:9.11-1.el8"},
			purl: "pkg:rpm/almalinux/bind-libs@9.11-1.el8?arch=x86_64&distro=almalinux-8.9&epoch=32&upstream=bind", version: "32:9.11-1.el8", pkg: "bind-libs",
			source: boltseal.Source{Name: "bind"}, distro: "almalinux-8.9",
		},
		"trivy rpm": {
			in:   Component{PURL: "pkg:rpm/opensuse-leap/a@1-2?distro=opensuse-leap-15.5&modularitylabel=perl:5.26:820:9e"},
			purl: "pkg:rpm/opensuse-leap/a@1-2?distro=opensuse-leap-15.5&modularitylabel=perl:5.26:820:9e", version: "1-2", pkg: "a", distro: "opensuse-leap-15.5", module: "perl:5.26:820:9e",
		},
		"scalibr rpm": {
			in:   Component{PURL: "pkg:rpm/redhat/a-b@1-2?sourcerpm=a-9-8.src.rpm"},
			purl: "pkg:rpm/redhat/a-b@1-2?upstream=a%409-8", version: "1-2", pkg: "a-b", source: boltseal.Source{Name: "a", Version: "9-8"},
		},
		"scalibr go":       {in: Component{PURL: "pkg:golang/github.com/a/b@1.2.3"}, purl: "pkg:golang/github.com/a/b@v1.2.3", version: "v1.2.3", pkg: "github.com/a/b"},
		"scalibr go tool":  {in: Component{PURL: "pkg:golang/go@1.22.1"}, purl: "pkg:golang/stdlib@1.22.1", version: "1.22.1", pkg: "stdlib"},
		"syft go stdlib":   {in: Component{PURL: "pkg:golang/stdlib@1.22.1", Name: "stdlib", Version: "go1.22.1"}, purl: "pkg:golang/stdlib@1.22.1", version: "1.22.1", pkg: "stdlib"},
		"trivy go":         {in: Component{PURL: "pkg:golang/github.com/azure/x@v1", Group: "github.com/Azure", Name: "x"}, purl: "pkg:golang/github.com/Azure/x@v1", version: "v1", pkg: "github.com/Azure/x"},
		"own words kept":   {in: Component{PURL: "pkg:maven/g/a@1?type=jar&classifier=x#sub"}, purl: "pkg:maven/g/a@1?classifier=x&type=jar#sub", version: "1", pkg: "a"},
		"version outside":  {in: Component{PURL: "pkg:npm/a", Version: "3"}, purl: "pkg:npm/a@3", version: "3", pkg: "a"},
		"other name":       {in: Component{PURL: "pkg:npm/a@1", Name: "b"}, purl: "pkg:npm/a@1", version: "1", pkg: "a"},
		"a wrong property": {in: Component{PURL: "pkg:npm/a@1", Properties: prop(PropState, "?", PropEvidence, "{", PropLocation, "7")}, purl: "pkg:npm/a@1", version: "1", pkg: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.in.Package(debian)
			require.NoError(t, err)
			require.Equal(t, c.purl, got.PURL)
			require.Equal(t, c.version, got.Version)
			require.Equal(t, c.pkg, got.Name)
			require.Equal(t, c.source, got.Source)
			require.Equal(t, c.distro, got.Distro.String())
			require.Equal(t, c.module, got.Module)
			if c.location != "" {
				require.Equal(t, c.location, got.Locations[0].Path)
			}
		})
	}
}

func TestImagePURL(t *testing.T) {
	const digest = "sha256:aa"
	for name, want := range map[string]string{
		"debian:12":                    "pkg:oci/debian@sha256:aa?repository_url=docker.io%2Flibrary%2Fdebian&tag=12",
		"grafana/grafana":              "pkg:oci/grafana@sha256:aa?repository_url=docker.io%2Fgrafana%2Fgrafana",
		"localhost:5000/a:b@sha256:cc": "pkg:oci/a@sha256:aa?repository_url=localhost:5000%2Fa&tag=b",
		"oci-archive:x/y.tar":          "",
		"docker-archive:/x:latest":     "",
		"./dir":                        "",
		"/abs/dir":                     "",
		"https://example.com/x":        "",
		"gcr.io/a/../b":                "",
		"":                             "",
	} {
		require.Equal(t, want, ImagePURL(&boltseal.ReportImage{Name: name, Digest: digest}), name)
	}
	require.Empty(t, ImagePURL(&boltseal.ReportImage{Name: "debian"}), "without a digest it names no image")
	require.Empty(t, ImagePURL(nil))
}

func TestIsLicenseExpression(t *testing.T) {
	for _, s := range []string{"MIT", "MIT OR Apache-2.0", "(MIT AND 0BSD) OR GPL-2.0+", "GPL-2.0-only WITH Classpath-exception-2.0"} {
		require.True(t, IsLicenseExpression(s), s)
	}
	for _, s := range []string{"", "mit", "MIT or 0BSD", "MIT OR", "OR MIT", "MIT MIT", "(MIT", "MIT)", "()", "MIT WITH MIT", "Classpath-exception-2.0", "(MIT) WITH Classpath-exception-2.0", "GPLv2+ AND MIT", "MIT\n0BSD"} {
		require.False(t, IsLicenseExpression(s), s)
	}
	require.False(t, IsLicenseID("MIT\n"))
	require.False(t, IsLicenseID("IT"))
}
