package vuln

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A string longer than anything Build writes is damage, and costs nothing.
func TestStringTableBoundsStrings(t *testing.T) {
	ok := strings.Repeat("a", maxString)
	for _, c := range []struct {
		list []string
		i    int
		want int
	}{
		{[]string{ok}, 0, maxString},
		{[]string{ok + "a"}, 0, 0},
		{[]string{ok, ok + "a"}, 1, maxString}, // the rest does not fit: what is shared stays
	} {
		blob, idx := buildStrtab(c.list)
		tab, err := openStrtab(blob, idx)
		require.NoError(t, err)
		require.Len(t, tab.at(c.i), c.want)
	}
}
