package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// NestedRoots finds root file systems within the tree, by the databases of their
// package managers: of containers and machines kept in an image, of build
// chroots. Their packages belong to another release than the tree's and are not
// listed; each is reported as skipped, so that the result counts as incomplete.
func NestedRoots() boltseal.FileAnalyzer { return nestedRoots{} }

type nestedRoots struct{}

func (nestedRoots) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/nestedroots", Version: 1, Doc: "root file systems within the tree"}
}

// nestedDatabases are the databases as they lie in a root, and how each starts.
var nestedDatabases = []struct{ name, start string }{
	{"var/lib/dpkg/status", "Package:"},
	{"usr/lib/apk/db/installed", "C:Q"},
	{"lib/apk/db/installed", "C:Q"},
	{"var/lib/pacman/local/ALPM_DB_VERSION", ""},
	{"rpm/rpmdb.sqlite", sqliteMagic},
	{"rpm/Packages.db", "RpmP"},
	{"rpm/Packages", ""},
}

func (nestedRoots) Wants(name string, _ fs.DirEntry) bool {
	root, _ := nestedRoot(name)
	return root != ""
}

// nestedRoot returns the root that a database belongs to, empty for the tree's
// own and for other files, and how the database starts.
func nestedRoot(name string) (root, start string) {
	switch path.Base(name) { // of all files in an image few pass
	case "status", "installed", "ALPM_DB_VERSION", "rpmdb.sqlite", "Packages.db", "Packages":
	default:
		return "", ""
	}
	for _, db := range nestedDatabases {
		places := []string{db.name}
		if rest, ok := strings.CutPrefix(db.name, "rpm/"); ok {
			places = places[:0]
			for _, dir := range rpmDirs {
				places = append(places, dir+rest)
			}
		}
		for _, place := range places {
			if name == place {
				return "", ""
			}
			if root, ok := strings.CutSuffix(name, "/"+place); ok {
				return root, db.start
			}
		}
	}
	return "", ""
}

func (nestedRoots) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	root, start := nestedRoot(f.Path)
	head, err := f.Head(len(start))
	if err != nil {
		return fmt.Errorf("read database of another root: %w", err)
	}
	if f.Info.Size() > 0 && bytes.HasPrefix(head, []byte(start)) {
		p.Skip(fmt.Sprintf("%.200s is a root file system of its own, whose packages are not in this list; scan it by itself", root))
	}
	return nil
}
