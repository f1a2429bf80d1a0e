package sbom

import (
	"bytes"
	"strings"

	"github.com/boltseal/boltseal"
)

// compactList reads info/PACKAGE.list, one absolute path a line in the order
// of the archive. A directory is followed by what lies in it, and is dropped;
// an empty one cannot be told from a file and stays.
func compactList(data []byte) []byte {
	out := make([]byte, 0, len(data))
	var prev []byte
	flush := func(next []byte) {
		if len(prev) == 0 || string(prev) == "." {
			return
		}
		if len(next) > len(prev) && next[len(prev)] == '/' && bytes.HasPrefix(next, prev) {
			return
		}
		out = append(append(out, prev...), '\n')
	}
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		line = bytes.TrimLeft(bytes.TrimRight(line, "\r"), "/")
		if len(line) == 0 || bytes.IndexByte(line, 0) >= 0 {
			continue
		}
		flush(line)
		prev = line
	}
	flush(nil)
	return out
}

// compactSums reads PACKAGE.md5sums, "digest, two blanks, path" a line; the
// paths have no leading slash.
func compactSums(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		_, name, ok := bytes.Cut(bytes.TrimRight(line, "\r"), []byte("  "))
		name = bytes.TrimLeft(bytes.TrimPrefix(name, []byte("./")), "/")
		if !ok || len(name) == 0 || bytes.IndexByte(name, 0) >= 0 {
			continue
		}
		out = append(append(out, name...), '\n')
	}
	return out
}

const maxDiversions = 1 << 20 // bytes

// diversions holds var/lib/dpkg/diversions (dpkg-divert(1)): three lines per
// diversion, from, to, and the package that diverts, or ":" for the
// administrator. Every other package's file of that name lies at to.
type diversions map[string]struct{ to, by string }

func readDiversions(data []byte) diversions {
	lines := strings.Split(strings.ReplaceAll(string(data), "\r", ""), "\n")
	d := make(diversions, len(lines)/3)
	for ; len(lines) >= 3; lines = lines[3:] {
		from, to := strings.TrimLeft(lines[0], "/"), strings.TrimLeft(lines[1], "/")
		if from != "" && to != "" {
			d[from] = struct{ to, by string }{to, lines[2]}
		}
	}
	return d
}

func (d diversions) apply(pkg *boltseal.Package) {
	if len(d) == 0 {
		return
	}
	for i, name := range pkg.Files {
		if div, ok := d[name]; ok && div.by != pkg.Name {
			pkg.Files[i] = div.to
		}
	}
}
