package sbom

import (
	"context"
	"io/fs"
	"path"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// owner marks packages of programming languages that lie in files of a package
// of the operating system. It reads no file; its Join has to run last.
//
// Both sides may name a file through links (the database says lib/x, the layer
// holds usr/lib/x), so parents are resolved on both. To stay lean it goes
// through the long lists of files once and looks only at base names in demand.
type owner struct{}

var _ boltseal.Joiner = owner{}

// Owner returns the analyzer that marks packages of programming languages that
// lie in files of a package of the operating system. Its Join has to run last.
func Owner() boltseal.FileAnalyzer { return owner{} }

func (owner) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/owner", Version: 1, Doc: "language packages that belong to OS packages"}
}

func (owner) Wants(string, fs.DirEntry) bool { return false }

func (owner) AnalyzeFile(context.Context, *boltseal.File, *boltseal.Pass) error { return nil }

// Join sets OwnedBy to the PURL of the owner of the package's first location.
func (owner) Join(ctx context.Context, v boltseal.View, _ *boltseal.Pass) error {
	dirs := make(map[string]string) // as resolved; empty: nothing there
	resolve := func(name string) string {
		dir, base := path.Split(name)
		to, seen := dirs[dir]
		if !seen {
			to = resolveDir(v, dir)
			dirs[dir] = to
		}
		if to == "" {
			return ""
		}
		return to + base
	}
	wanted := make(map[string][]*boltseal.Package) // by resolved path
	bases := make(map[string]bool)
	for _, pkg := range v.Packages() {
		if purl.IsOS(pkg.Type) || pkg.Name == "" || pkg.OwnedBy != "" || len(pkg.Locations) == 0 {
			continue
		}
		if name := resolve(pkg.Locations[0].Path); name != "" {
			wanted[name] = append(wanted[name], pkg)
			bases[path.Base(name)] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	for _, pkg := range v.Packages() {
		if !purl.IsOS(pkg.Type) || pkg.Name == "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, name := range pkg.Files {
			if !bases[path.Base(name)] {
				continue
			}
			if name = resolve(name); name == "" {
				continue
			}
			for _, owned := range wanted[name] {
				owned.OwnedBy = pkg.PURL
			}
			delete(wanted, name) // the first owner counts
		}
	}
	return nil
}

// resolveDir follows the links in a directory's name. The result ends in a
// slash, or is empty if there is no such directory.
func resolveDir(v boltseal.View, dir string) string {
	if dir == "" {
		return "./"
	}
	to, ok := v.Resolve(path.Clean(dir))
	if !ok {
		return ""
	}
	return to + "/"
}
