package sbom

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A database that a container finds behind a link, and the scan under a name
// that tells nothing, is no silence.
func TestLinkedDatabases(t *testing.T) {
	const status = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
	for name, c := range map[string]struct {
		files map[string]string
		path  string // of the skip; empty: there is none
	}{
		"file":             {map[string]string{"var/lib/dpkg/status": "-> ../../../x", "x": status}, "var/lib/dpkg/status"},
		"folder":           {map[string]string{"var/lib": "-> ../data", "data/dpkg/status": status}, "var/lib/dpkg/status"},
		"absolute":         {map[string]string{"var/lib": "-> /data", "data/dpkg/status.d/a": status}, "var/lib/dpkg/status.d"},
		"apk":              {map[string]string{"lib/apk": "-> ../x", "x/db/installed": "P:a\nV:1\n"}, "lib/apk/db/installed"},
		"rpm":              {map[string]string{"usr/share/rpm": "-> ../../x", "x/Packages.db": ""}, "usr/share/rpm/Packages.db"},
		"pacman":           {map[string]string{"var/lib/pacman": "-> ../../x", "x/local/a-1/desc": ""}, "var/lib/pacman/local"},
		"its place":        {map[string]string{"var/lib/dpkg/status": status}, ""},
		"merged /usr":      {map[string]string{"lib": "-> usr/lib", "usr/lib/apk/db/installed": "P:a\nV:1\n"}, ""},
		"two places":       {map[string]string{"var/lib/rpm": "-> ../../usr/lib/sysimage/rpm", "usr/lib/sysimage/rpm/rpmdb.sqlite": ""}, ""},
		"leads to nothing": {map[string]string{"var/lib/dpkg/status": "-> /nowhere"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(c.files).scan(t, Dpkg(), APK(), RPM(), ALPM())
			if c.path == "" {
				for _, s := range tr.skipped {
					require.NotContains(t, s.Reason, "a link leads", s.Path)
				}
				return
			}
			require.Len(t, tr.skipped, 1)
			require.Equal(t, c.path, tr.skipped[0].Path)
			require.False(t, tr.skipped[0].Note)
		})
	}
}
