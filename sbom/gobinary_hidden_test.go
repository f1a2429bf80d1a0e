package sbom

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Records that lead nowhere, before the real one, end the search: that is said.
func TestGoBinaryDecoys(t *testing.T) {
	decoy := goMagic + "\x08\x00" + strings.Repeat("\x01", 16)
	exe := executable{writable: []segment{{size: wholeFile}}}
	_, found, err := findBuildInfo(context.Background(), bytes.NewReader([]byte(strings.Repeat(decoy, goMaxPointers+1))), exe)
	require.False(t, found)
	require.ErrorIs(t, err, boltseal.ErrLimit)
}
