package sbom

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// Java finds the Maven artifacts in jar files and their kin (war, ear, …), and
// in the archives inside them, such as BOOT-INF/lib and WEB-INF/lib.
//
// An archive is what its META-INF/maven/*/*/pom.properties says; where there
// are several, it was made of several, and each is listed. An archive without
// any is named by its manifest and its file name, in that order; its group is
// then unknown, stays empty, and the evidence has a confidence below 0.7.
//
// Archives that are stored in others are read in place, compressed ones are
// inflated in memory. Work is bounded by Limits.ArchiveDepth, ArchiveEntries
// and ArchiveBytes in sum, and FileBytes for one compressed archive. A file
// larger than FileBytes whose source cannot seek is read as a stream.
func Java() boltseal.FileAnalyzer { return java{} }

type java struct{}

func (java) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/java", Version: 2, Doc: "Maven artifacts in Java archives, nested ones too"}
}

func isJavaArchive(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jar", ".war", ".ear", ".par", ".sar", ".nar", ".jpi", ".hpi", ".kar", ".lpkg", ".rar":
		return true
	}
	return false
}

func (java) Wants(name string, _ fs.DirEntry) bool { return isJavaArchive(name) }

func (java) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	fail := func(err error) error {
		return &boltseal.Error{Op: "read Java archive", Location: boltseal.Location{Path: f.Path}, Err: err}
	}
	head, err := f.Head(4)
	if err != nil {
		return fail(err)
	}
	isZip := string(head) == "PK\x03\x04" // anything may stand before an archive
	w := newZipWalk(ctx, p, f.Path)
	r, size, err := f.ReaderAt()
	switch {
	case err == nil:
		_, err = javaArchive(w, w.from(r, size, nil), nil, path.Base(f.Path))
	case errors.Is(err, boltseal.ErrLimit):
		w.p.Note("read in the order of its members, not by its directory: the source cannot seek, and the archive is larger than Limits.FileBytes")
		_, err = javaArchive(w, func(visit visitMember) error {
			return w.walkStream(f.Reader(), isJarPart, visit)
		}, nil, path.Base(f.Path))
	}
	if err == nil || !isZip && errors.Is(err, errNoZip) { // a .rar that is another format, a placeholder
		return nil
	}
	return fail(err)
}

// javaArchive reports the artifacts in one archive and returns what it is
// called as a whole, "" if that is unknown.
func javaArchive(w *zipWalk, walk func(visitMember) error, chain []string, name string) (id string, err error) {
	jar := jarParts{fileName: name}
	var inner []string
	walkErr := walk(func(m *zipMember) error {
		if handled, err := jar.collect(m); handled {
			return err
		}
		if !isJavaArchive(m.name()) {
			return nil
		}
		return m.archive(func(r io.ReaderAt, size int64) error {
			id, err := javaArchive(w, w.from(r, size, m.names()), m.names(), path.Base(m.name()))
			if id != "" && len(inner) < maxJavaNeeds {
				inner = append(inner, id)
			}
			return err
		})
	})
	if walkErr == nil {
		walkErr = jar.readXMLs()
	}
	pkgs, main := jar.packages()
	if len(pkgs) == 0 && walkErr == nil && jar.classes {
		w.noName(chain)
	}
	for i := range pkgs {
		pkg := &pkgs[i]
		pkg.Locations = []boltseal.Location{{Path: w.path, Member: chain}}
		if i == main {
			slices.Sort(inner)
			pkg.DependsOn = slices.Compact(inner)
			id = mavenID(pkg)
		}
		w.p.Package(*pkg)
	}
	return id, walkErr
}

type visitMember = func(*zipMember) error

// from returns the walk over an archive by its directory.
func (w *zipWalk) from(r io.ReaderAt, size int64, chain []string) func(visitMember) error {
	return func(visit visitMember) error { return w.walk(r, size, chain, visit) }
}

// maxJavaNeeds bounds the list of one archive's inner archives.
const maxJavaNeeds = 10_000

// noName remarks that an archive of classes does not say what it is.
func (w *zipWalk) noName(chain []string) {
	if w.unnamed++; w.unnamed > maxZipSkips {
		return
	}
	name := "archive"
	if len(chain) > 0 {
		name = strings.Join(chain, "!")
	}
	w.p.Note(name + ": names no artifact, neither in its metadata nor in its file name")
}
