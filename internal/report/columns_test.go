package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A name of megabytes, as a hostile index may hold, is wrapped in time that
// grows with its length, not with its square: that would take an hour here.
func TestWrapLongWord(t *testing.T) {
	s := strings.Repeat("é", 1<<20)
	lines := wrap(s, 80)
	require.Len(t, lines, (1<<20+79)/80)
	require.Equal(t, s, strings.Join(lines, ""))
	require.Equal(t, ", …"+strings.Repeat("é", 77), fitEnd(", "+s, 80))
	require.Equal(t, strings.Repeat("é", 79)+"…", fit(s, 80))
}
