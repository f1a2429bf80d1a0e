package sbom

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNestedRoots(t *testing.T) {
	tr := newTree(map[string]string{
		"var/lib/dpkg/status":                                "Package: dpkg\n",
		"lib/apk/db/installed":                               "C:Q1\n",
		"usr/lib/apk/db/installed":                           "C:Q1\n",
		"usr/lib/sysimage/rpm/rpmdb.sqlite":                  sqliteMagic,
		"var/lib/machines/deb/var/lib/dpkg/status":           "Package: dpkg\n",
		"srv/alpine/lib/apk/db/installed":                    "C:Q1\n",
		"srv/edge/usr/lib/apk/db/installed":                  "C:Q1\n",
		"var/lib/containers/x/diff/var/lib/rpm/Packages":     "\x00\x00",
		"ostree/deploy/a/usr/share/rpm/rpmdb.sqlite":         sqliteMagic,
		"mnt/arch/var/lib/pacman/local/ALPM_DB_VERSION":      "9\n",
		"chroot/var/lib/dpkg/status":                         "",
		"src/testdata/var/lib/dpkg/status":                   "not a database",
		"var/lib/dpkg/status.d/base":                         "Package: base\n",
		"srv/mirror/dists/stable/main/binary-amd64/Packages": "Package: a\n",
		"srv/wrong/lib/apk/db/installed":                     "P:x\n",
	}).scan(t, NestedRoots())
	var got []string
	for _, s := range tr.skipped {
		require.False(t, s.Note)
		root, _, _ := strings.Cut(s.Reason, " is a root file system")
		got = append(got, root)
	}
	require.ElementsMatch(t, []string{"var/lib/machines/deb", "srv/alpine", "srv/edge", "var/lib/containers/x/diff", "ostree/deploy/a", "mnt/arch"}, got)
	require.Empty(t, tr.packages)
}
