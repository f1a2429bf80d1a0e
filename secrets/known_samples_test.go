package secrets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKnownSamples(t *testing.T) {
	// Put together here, so that no scanner trips over this file.
	require.True(t, knownSample([]byte("AKIA"+"IOSFODNN7"+"EXAMPLE")))
	require.True(t, knownSample([]byte("sk_test_"+"4eC39HqLyjWDarjtT1zdp7dc")))
	require.True(t, knownSample([]byte("abcdef."+"0123456789abcdef")))
	require.False(t, knownSample(nil))
	require.False(t, knownSample([]byte("AKIA"+"IOSFODNN7"+"EXAMPLF")))
	for line := range strings.Lines(strings.TrimSpace(knownSamples)) {
		hash, source, ok := strings.Cut(strings.TrimSpace(line), " ")
		require.True(t, ok)
		require.Len(t, hash, 16)
		require.NotEmpty(t, source)
	}
}
