package sbom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Java runs an archive whatever stands before it (its directory is found from
// the end), so that no prefix hides one.
func TestJavaPrefix(t *testing.T) {
	for _, prefix := range []string{"", "x", "\x7fELF....", "Rar!\x1a\x07\x00"} {
		p, err := analyze(t, Java(), "a.jar", []byte(prefix+jarOf("g", "a", "1")))
		require.NoError(t, err, prefix)
		require.Equal(t, []string{"pkg:maven/g/a@1"}, purls(p), prefix)
	}
}

// What lies beyond the bound on one archive's artifacts is said to.
func TestJavaTooManyPoms(t *testing.T) {
	j := jarParts{poms: make([]pom, maxPoms)}
	handled, err := j.collect(&zipMember{zipEntry: zipEntry{name: "META-INF/maven/g/a/pom.properties"}})
	require.True(t, handled)
	require.ErrorIs(t, err, boltseal.ErrLimit)
}
