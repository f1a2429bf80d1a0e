package boltseal

import (
	"context"
	"io/fs"
	"iter"
)

// Info describes a check.
type Info struct {
	// ID is stable and unique, by convention package/name: "sbom/dpkg".
	ID string
	// Version is raised whenever the results for the same input change; cached
	// results of other versions are not used.
	Version int
	// Options is a digest of the settings that change results; part of the
	// cache key beside ID and Version. Empty where there are none.
	Options string
	Doc     string // one line, for people
	Needs   Needs
}

// Needs says what a check requires beyond the bytes it is given. A driver
// skips, visibly, what its caller has not allowed.
type Needs uint8

const (
	NeedsRoot    Needs = 1 << iota // administrator's rights
	NeedsNetwork                   // talks to others
	NeedsLive                      // a running system, not a copy of its files
)

// FileAnalyzer looks at files one by one. Implementations are safe for
// concurrent use, and a result depends on nothing but the file's path, mode and
// bytes: drivers cache it for every image that shares the layer. What needs
// several files is left as a [Fact] and joined by a [Joiner].
type FileAnalyzer interface {
	Info() Info
	// Wants reports whether AnalyzeFile should see the regular file. It is
	// called for every file, so it looks at the name first and is cheap. The
	// name is slash-separated, relative to the root, without a leading slash.
	Wants(name string, d fs.DirEntry) bool
	// AnalyzeFile reads the file and pushes what it finds into p. It returns
	// an error for content it could not understand; what was pushed before is
	// kept, and the file is reported as skipped. A file that merely is not
	// what its name promised is no error.
	AnalyzeFile(ctx context.Context, f *File, p *Pass) error
}

// Joiner is implemented by analyzers whose packages need facts from several
// files, which may lie in several layers. Join runs once per image, after the
// squash, in the order the analyzers were given; it is cheap and not cached.
type Joiner interface {
	FileAnalyzer
	Join(ctx context.Context, v View, p *Pass) error
}

// View is a finished tree: what a process in the container would see, and what
// the analyzers found in it.
type View interface {
	// Packages returns all packages found so far. A Joiner may complete them by
	// setting fields (Files, OwnedBy, Source, …) and drops one by setting its
	// Name to "". The slices that fields hold are shared with the cache: a
	// Joiner replaces them and never changes their elements.
	Packages() []*Package
	// Facts yields the facts of one kind, in order of path.
	Facts(kind string) iter.Seq[Fact]
	// Stat describes what a path leads to, links in its parents followed and a
	// link at its end not; ok is false where there is nothing.
	Stat(path string) (e Entry, ok bool)
	// Resolve returns the path with all links followed, bounded by the root;
	// ok is false where there is nothing or the links do not end.
	Resolve(path string) (resolved string, ok bool)
	// Distro returns the tree's distribution, or nil: the first one reported,
	// by AnalyzeFile or by a Join that ran before.
	Distro() *Distro
}

// Entry is one path of a finished tree.
type Entry struct {
	Path   string      // where it lies, links in the parents followed
	Mode   fs.FileMode // type and permission bits
	Size   int64       // bytes, for regular files
	Target string      // what a symbolic link says
	Layer  string      // diffID of the layer that brought it
}

// Fact is something an analyzer leaves for its own or another's Join: the
// content of a small file, or a part of it, under an agreed name.
type Fact struct {
	Kind     string // by convention that of the analyzer's ID: "dpkg/list"
	Data     []byte
	Location Location // filled in by the driver
}

// Results is what analyzers found.
type Results struct {
	Packages []Package
	Findings []Finding
	Facts    []Fact
	Distros  []Distro
	Skipped  []Skip
}

// Pass carries the results of one analyzer on one file, or of one Join, to the
// driver. It is not safe for concurrent use. The driver adds the location of
// the file to what has none.
type Pass struct {
	Limits  Limits // with defaults applied
	Results Results
}

// Package reports a package.
func (p *Pass) Package(pkg Package) { p.Results.Packages = append(p.Results.Packages, pkg) }

// Finding reports a finding.
func (p *Pass) Finding(f Finding) { p.Results.Findings = append(p.Results.Findings, f) }

// Fact leaves data for a Join. Data is copied.
func (p *Pass) Fact(kind string, data []byte) {
	p.Results.Facts = append(p.Results.Facts, Fact{Kind: kind, Data: append([]byte(nil), data...)})
}

// Distro reports a release of an operating system.
func (p *Pass) Distro(d Distro) { p.Results.Distros = append(p.Results.Distros, d) }

// Skip reports something in the file that was not looked at.
func (p *Pass) Skip(reason string) {
	p.Results.Skipped = append(p.Results.Skipped, Skip{Reason: reason})
}

// Note reports a remark that leaves nothing unread.
func (p *Pass) Note(reason string) {
	p.Results.Skipped = append(p.Results.Skipped, Skip{Reason: reason, Note: true})
}
