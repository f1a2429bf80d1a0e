package sbom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestOSRelease(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  boltseal.Distro // evidence and locations apart
	}{
		"quotes": {map[string]string{"etc/os-release": "# c\r\nID='x y'\r\nNAME=\"A \\\"q\\\" \\$b\"\r\nVERSION_ID=1\r\nVERSION_ID=2\r\nID_LIKE=\"rhel fedora\"\r\nCPE_NAME=cpe:/o:x\r\nVARIANT_ID=server\r\nbroken\r\n"},
			boltseal.Distro{ID: "x y", Name: `A "q" $b`, VersionID: "2", IDLike: []string{"rhel", "fedora"}, CPE: "cpe:/o:x", Variant: "server"}},
		"link": {map[string]string{"etc/os-release": "-> ../usr/lib/os-release", "usr/lib/os-release": "ID=a\n"}, boltseal.Distro{ID: "a"}},
		"link of links": {map[string]string{"etc/os-release": "-> /usr/lib/os-release", "usr/lib/os-release": "-> os.release.d/os-release-server", "usr/lib/os.release.d/os-release-server": "ID=fedora\nVERSION_ID=40\n"},
			boltseal.Distro{ID: "fedora", VersionID: "40"}},
		"etc wins":                  {map[string]string{"etc/os-release": "ID=a\n", "usr/lib/os-release": "ID=b\n"}, boltseal.Distro{ID: "a"}},
		"etc without ID":            {map[string]string{"etc/os-release": "NAME=a\n", "usr/lib/os-release": "ID=b\n"}, boltseal.Distro{ID: "b"}},
		"debian testing":            {map[string]string{"etc/os-release": "ID=debian\nVERSION_CODENAME=trixie\n", "etc/debian_version": "trixie/sid\n"}, boltseal.Distro{ID: "debian", Codename: "trixie"}},
		"debian without os-release": {map[string]string{"etc/debian_version": "12.5\n"}, boltseal.Distro{ID: "debian", VersionID: "12", Name: "Debian GNU/Linux"}},
		"amazon cpe":                {map[string]string{"etc/system-release-cpe": "cpe:2.3:o:amazon:amazon_linux:2\n", "etc/system-release": "Amazon Linux release 2 (Karoo)\n"}, boltseal.Distro{ID: "amzn", VersionID: "2", CPE: "cpe:2.3:o:amazon:amazon_linux:2"}},
		"redhat-release":            {map[string]string{"etc/redhat-release": "CentOS release 6.10 (Final)\n"}, boltseal.Distro{ID: "centos", VersionID: "6.10", Name: "CentOS", Codename: "Final", PrettyName: "CentOS release 6.10 (Final)"}},
		"alpine-release":            {map[string]string{"etc/alpine-release": "3.4.6\n"}, boltseal.Distro{ID: "alpine", VersionID: "3.4.6", Name: "Alpine Linux"}},
		"alpine edge": {map[string]string{"etc/os-release": "ID=alpine\nVERSION_ID=3.21.0_alpha20240807\n", "etc/apk/repositories": "#off\nhttps://u:secret@x/alpine/edge/main\n@testing  https://x/alpine/edge/testing\n"},
			boltseal.Distro{ID: "alpine", VersionID: "3.21.0_alpha20240807", Repositories: []string{"@testing https://x/alpine/edge/testing", "https://x/alpine/edge/main"}}},
		"rhel content sets": {map[string]string{"etc/os-release": "ID=rhel\nVERSION_ID=9.3\n",
			"root/buildinfo/content_manifests/a.json":      `{"content_sets":["rhel-9-for-x86_64-baseos-rpms","rhel-9-for-x86_64-appstream-rpms"]}`,
			"usr/share/buildinfo/content_manifests/b.json": `{"content_sets":["rhel-9-for-x86_64-baseos-rpms"]}`},
			boltseal.Distro{ID: "rhel", VersionID: "9.3", Repositories: []string{"rhel-9-for-x86_64-appstream-rpms", "rhel-9-for-x86_64-baseos-rpms"}}},
		"ubuntu pro": {map[string]string{"etc/os-release": "ID=ubuntu\nVERSION_ID=18.04\n", "etc/apt/sources.list.d/ubuntu-esm-infra.list": "deb https://esm.ubuntu.com/infra/ubuntu bionic-infra-security main\n#deb https://esm.ubuntu.com/apps/ubuntu x\n"},
			boltseal.Distro{ID: "ubuntu", VersionID: "18.04", Repositories: []string{"esm-infra"}}},
		"busybox": {map[string]string{"bin/busybox": "\x7fELF\x00BusyBox v1.36.1 (2023)\x00"}, boltseal.Distro{ID: "busybox", VersionID: "1.36.1", Name: "BusyBox"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(c.files).scan(t, OSRelease())
			require.Empty(t, tr.errs)
			require.NotNil(t, tr.distro)
			require.NotEmpty(t, tr.distro.Evidence)
			require.NotEmpty(t, tr.distro.Locations)
			got := *tr.distro
			got.Evidence, got.Locations = nil, nil
			require.Equal(t, c.want, got)
		})
	}
}

func TestOSReleaseUnknown(t *testing.T) {
	for _, files := range []map[string]string{
		{}, {"etc/os-release": ""}, {"etc/os-release": "-> os-release"}, {"etc/system-release-cpe": "cpe:/a:x"}, {"etc/redhat-release": "Mine"}, {"bin/busybox": "x"},
	} {
		require.Nil(t, newTree(files).scan(t, OSRelease()).distro, "%v", files)
	}
}

func TestOSReleaseContradiction(t *testing.T) {
	tr := newTree(map[string]string{
		"etc/os-release":      "ID=debian\nVERSION_ID=12\n",
		"var/lib/dpkg/status": "Package: base-files\nStatus: install ok installed\nVersion: 12ubuntu4.6\n",
	}).scan(t, OSRelease(), Dpkg())
	require.Len(t, tr.skipped, 1)
	require.True(t, tr.skipped[0].Note)
	require.Equal(t, "the release file says debian-12, the installed package base-files 12ubuntu4.6 belongs to ubuntu", tr.skipped[0].Reason)
}

func TestOSReleaseMalformedManifest(t *testing.T) {
	tr := newTree(map[string]string{"root/buildinfo/x.json": "{"}).scan(t, OSRelease())
	require.Len(t, tr.errs, 1)
	require.ErrorIs(t, tr.errs[0], boltseal.ErrMalformed)
}

func FuzzOSRelease(f *testing.F) {
	f.Add([]byte("ID=\"debian\"\nVERSION_ID='12'\nX=\\\n"))
	f.Add([]byte("CentOS release 6.10 (Final)\n"))
	f.Add([]byte("cpe:2.3:o:amazon:amazon_linux:2"))
	f.Add([]byte("@t https://u:p@h/x\ndeb https://esm.ubuntu.com/infra/ubuntu x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parseOSRelease(data)
		parseReleaseLine(data)
		parseSystemCPE(data)
		debianVersion(&boltseal.Distro{ID: "debian"}, boltseal.Fact{Data: data})
		proServices(data)
		for _, r := range apkRepositories(data) {
			require.NotContains(t, r, "\n")
		}
		_, _ = contentSets(data)
	})
}
