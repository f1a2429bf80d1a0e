package purl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestParseString(t *testing.T) {
	for in, want := range map[string]string{
		"pkg:npm/%40babel/core@7.0.0":                      "pkg:npm/%40babel/core@7.0.0",
		"pkg:npm/@babel/core@7.0.0":                        "pkg:npm/%40babel/core@7.0.0",
		"pkg:npm/@babel/core":                              "pkg:npm/%40babel/core",
		"PKG://NPM/left-pad@1":                             "pkg:npm/left-pad@1",
		"pkg:deb/debian/libstdc++6@12.2.0-14?arch=amd64":   "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64",
		"pkg:deb/debian/git@1%3A2.39.5?distro=x&arch=&a=b": "pkg:deb/debian/git@1:2.39.5?a=b&distro=x",
		"pkg:golang/github.com/a/b/v2@v2.0.0#sub/./dir":    "pkg:golang/github.com/a/b/v2@v2.0.0#sub/dir",
		"pkg:pypi/Foo_Bar@1":                               "pkg:pypi/foo-bar@1",
		"pkg:maven/org.x/y@1?type=jar":                     "pkg:maven/org.x/y@1?type=jar",
	} {
		p, err := Parse(in)
		require.NoError(t, err, in)
		require.Equal(t, want, p.String(), in)
	}
	for _, in := range []string{"", "pkg:", "pkg:npm", "pkg:npm/", "npm/x", "pkg:n pm/x", "pkg:npm/%zz", "pkg:deb/%EF%BF%ff", "pkg:npm/x%4"} {
		_, err := Parse(in)
		require.ErrorIs(t, err, boltseal.ErrMalformed, in)
	}
}

func TestOf(t *testing.T) {
	debian := &boltseal.Distro{ID: "debian", VersionID: "12"}
	for want, pkg := range map[string]boltseal.Package{
		"pkg:deb/debian/libssl3@3.0.17-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl": {Type: "deb", Namespace: "debian", Name: "libssl3", Version: "3.0.17-1~deb12u2", Arch: "amd64", Source: boltseal.Source{Name: "openssl"}, Distro: debian},
		"pkg:rpm/almalinux/bind@9.11-1.el8?epoch=32&modularitylabel=bind:9:80:x":               {Type: "rpm", Namespace: "almalinux", Name: "bind", Version: "32:9.11-1.el8", Module: "bind:9:80:x"},
		"pkg:golang/github.com/Azure/go-autorest@v1.2.3":                                       {Type: "golang", Name: "github.com/Azure/go-autorest", Version: "v1.2.3"},
		"pkg:golang/stdlib@1.22.1": {Type: "golang", Name: "stdlib", Version: "1.22.1"},
	} {
		require.Equal(t, want, Of(&pkg))
	}
	require.Empty(t, Of(&boltseal.Package{Name: "x"}))
}

func FuzzParse(f *testing.F) {
	f.Add("pkg:npm/%40babel/core@7.0.0?a=b#c")
	f.Add("pkg:deb/debian/git@1%3A2.39.5?distro=x&arch=")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil || len(s) > maxLen/6 { // an escaped byte is three long, and folding may lengthen it
			return
		}
		once := p.String()
		again, err := Parse(once)
		require.NoError(t, err)
		require.Equal(t, once, again.String())
	})
}
