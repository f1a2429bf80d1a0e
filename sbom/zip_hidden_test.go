package sbom

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Of two archives in a row Java sees the second, a stream comes to the first.
func TestZipStreamSecondArchive(t *testing.T) {
	decoy, real := jarOf("g", "decoy", "1"), jarOf("g", "real", "1")
	for name, data := range map[string]string{
		"adjacent":        decoy + real,
		"across a buffer": decoy + strings.Repeat("x", zipStreamBuffer-2-len(decoy)+strings.Index(decoy, "PK\x01\x02")) + real,
	} {
		p := &boltseal.Pass{Limits: (&boltseal.Limits{}).WithDefaults()}
		w := newZipWalk(context.Background(), p, "a.jar")
		err := w.walkStream(io.MultiReader(strings.NewReader(data)), isJarPart, func(*zipMember) error { return nil })
		require.ErrorIs(t, err, boltseal.ErrMalformed, name)
		require.ErrorContains(t, err, "members follow", name)
	}
	p := &boltseal.Pass{Limits: (&boltseal.Limits{}).WithDefaults()}
	require.NoError(t, newZipWalk(context.Background(), p, "a.jar").walkStream(strings.NewReader(decoy), isJarPart, func(*zipMember) error { return nil }))
}
