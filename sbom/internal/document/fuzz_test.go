package document

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// FuzzPackage folds what a document says of a package. Whatever that is, the
// outcome has a package URL that can be read again.
func FuzzPackage(f *testing.F) {
	f.Add("pkg:deb/debian/libgcc-s1@2.0-1?arch=amd64&distro=bookworm&source=gcc&sourceversion=3", "libgcc-s1", "1", "syft:location:0:path", "/x")
	f.Add("pkg:rpm/redhat/bash@5.1-1.el9?epoch=1&upstream=bash-5.1-1.src.rpm", "bash", "0:5.1", "aquasecurity:trivy:SrcEpoch", "5")
	f.Add("pkg:golang/Github.com/A/b@v1.2#x", "Github.com/A/b", "", "aquasecurity:trivy:LayerDiffID", "sha256:00")
	f.Fuzz(func(t *testing.T, id, name, version, key, value string) {
		c := Component{PURL: id, Name: name, Version: version, Properties: []Property{{key, value}}}
		out, err := c.Package(&boltseal.Distro{ID: "debian", VersionID: "12"})
		if err != nil {
			return
		}
		_, err = purl.Parse(out.Package.PURL)
		require.NoError(t, err, out.Package.PURL)
		IsLicenseExpression(value)
	})
}
