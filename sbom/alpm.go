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

// alpm reads the database of Arch Linux's package manager, as libalpm's
// be_local.c writes it: a folder per package with the files desc and files,
// each of lists with a line %KEY% before and a blank line after.
type alpm struct{}

var _ boltseal.Joiner = alpm{}

// ALPM returns the analyzer for packages installed by pacman: Type alpm.
func ALPM() boltseal.FileAnalyzer { return alpm{} }

const (
	alpmDir       = "var/lib/pacman/local/"
	factAlpmFiles = "alpm/files" // paths, one a line
)

func (alpm) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/alpm", Version: 2, Doc: "packages installed by pacman"}
}

func (alpm) Wants(name string, _ fs.DirEntry) bool {
	rest, ok := strings.CutPrefix(name, alpmDir)
	if !ok {
		return false
	}
	_, base, _ := strings.Cut(rest, "/")
	return base == "desc" || base == "files"
}

func (alpm) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("read pacman's database: %w", err)
	}
	if path.Base(f.Path) == "files" {
		p.Fact(factAlpmFiles, alpmFiles(data))
		return nil
	}
	pkg := readAlpmDesc(data)
	if pkg.Name == "" || pkg.Version == "" {
		return fmt.Errorf("read pacman's database: %w: no %%NAME%% or no %%VERSION%%", boltseal.ErrMalformed)
	}
	p.Package(pkg)
	return nil
}

// alpmLines calls visit for each line that belongs to a key.
func alpmLines(data []byte, visit func(key string, line []byte)) {
	key := ""
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		switch n := len(line); {
		case n == 0:
			key = ""
		case key == "" && n > 2 && line[0] == '%' && line[n-1] == '%':
			key = string(line[1 : n-1])
		case key != "" && bytes.IndexByte(line, 0) < 0:
			visit(key, line)
		}
	}
}

func readAlpmDesc(data []byte) boltseal.Package {
	pkg := boltseal.Package{
		Type: "alpm", DependsOn: []string{},
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "pacman database", Confidence: 1}},
	}
	add := func(list []string, name string) []string {
		if name == "" || len(list) == maxNames {
			return list
		}
		return append(list, name)
	}
	alpmLines(data, func(key string, line []byte) {
		switch key {
		case "NAME":
			pkg.Name = cleanWord(line)
		case "VERSION":
			pkg.Version = cleanWord(line)
		case "BASE":
			pkg.Source.Name = cleanWord(line)
		case "ARCH":
			pkg.Arch = cleanWord(line)
		case "PACKAGER":
			pkg.Vendor = string(line)
		case "LICENSE":
			pkg.Licenses = add(pkg.Licenses, string(line))
		case "DEPENDS":
			pkg.DependsOn = add(pkg.DependsOn, alpmName(line))
		case "PROVIDES":
			pkg.Provides = add(pkg.Provides, alpmName(line))
		}
	})
	if pkg.Source.Name == "" {
		pkg.Source.Name = pkg.Name
	}
	return pkg
}

// alpmName takes the version off a dependency: "glibc>=2.27", "libx.so=1-64".
func alpmName(line []byte) string {
	if i := bytes.IndexAny(line, "<>= \t"); i >= 0 {
		line = line[:i]
	}
	return string(line)
}

// alpmFiles returns the list of files; folders, which end in a slash, are left
// out.
func alpmFiles(data []byte) []byte {
	out := make([]byte, 0, len(data))
	alpmLines(data, func(key string, line []byte) {
		if key == "FILES" && line[len(line)-1] != '/' {
			out = append(append(out, bytes.TrimLeft(line, "/")...), '\n')
		}
	})
	return out
}

// Join gives the packages their files and their distribution.
func (a alpm) Join(_ context.Context, v boltseal.View, p *boltseal.Pass) error {
	linked(v, p, a, alpmDir)
	files := make(map[string][]byte) // by folder
	for f := range v.Facts(factAlpmFiles) {
		files[path.Dir(f.Location.Path)] = f.Data
	}
	for _, pkg := range v.Packages() {
		if pkg.Type != "alpm" || pkg.Name == "" {
			continue
		}
		nameAfter(pkg, v.Distro())
		if len(pkg.Locations) > 0 {
			if list := files[path.Dir(pkg.Locations[0].Path)]; len(list) > 0 {
				pkg.Files = splitPaths(list)
			}
		}
	}
	return nil
}
