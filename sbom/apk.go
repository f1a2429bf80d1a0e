package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
)

// apk reads the database of Alpine's package manager (apk-package(5), and
// apk_db_fdb_read of apk-tools): a letter, a colon and a value a line, a blank
// line between packages.
type apk struct{}

var _ boltseal.Joiner = apk{}

// APK returns the analyzer for packages installed by apk: Type apk.
func APK() boltseal.FileAnalyzer { return apk{} }

func (apk) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/apk", Version: 2, Doc: "packages installed by apk"}
}

func (apk) Wants(name string, _ fs.DirEntry) bool {
	return slices.Contains(apkPlaces, name)
}

// apkPlaces are the database: apk's own place until version 3, and since.
var apkPlaces = []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}

func (apk) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("read apk's database: %w", err)
	}
	evidence := []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "apk database", Confidence: 1}}
	grow(p, data, "\nV:")
	bad := 0
	var scratch []byte
	for n := 0; len(data) > 0; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var record []byte
		record, data = nextStanza(data)
		if len(bytes.Trim(record, " \t\r\n\x00")) == 0 {
			continue
		}
		var pkg boltseal.Package
		pkg, scratch = readApkRecord(record, scratch[:0])
		switch {
		case pkg.Name == "" || pkg.Version == "":
			bad++
		case pkg.Name[0] == '.': // a virtual package: a name for a set of others, no software
		default:
			pkg.Evidence = evidence
			if err := room(p); err != nil {
				return err
			}
			p.Package(pkg)
		}
	}
	if bad > 0 {
		return fmt.Errorf("read apk's database: %w: %d records without P or V", boltseal.ErrMalformed, bad)
	}
	return nil
}

// readApkRecord reads one package. scratch is reused for its paths.
func readApkRecord(record, scratch []byte) (boltseal.Package, []byte) {
	pkg := boltseal.Package{Type: "apk", DependsOn: []string{}}
	budget := pathGrowth * len(record)
	var dir []byte
	for len(record) > 0 {
		var line []byte
		if i := bytes.IndexByte(record, '\n'); i >= 0 {
			line, record = record[:i], record[i+1:]
		} else {
			line, record = record, nil
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) < 2 || line[1] != ':' {
			continue
		}
		value := line[2:]
		switch line[0] {
		case 'P':
			pkg.Name = cleanWord(value)
		case 'V':
			pkg.Version = cleanWord(value)
		case 'A':
			pkg.Arch = cleanWord(value)
		case 'L':
			if l := string(bytes.TrimSpace(value)); l != "" {
				pkg.Licenses = []string{l}
			}
		case 'o':
			pkg.Source.Name = cleanWord(value)
		case 'D':
			pkg.DependsOn = apkNames(value)
		case 'p':
			pkg.Provides = apkNames(value)
		case 'F':
			dir = bytes.Trim(value, "/")
		case 'R':
			if len(value) == 0 || bytes.IndexByte(value, 0) >= 0 || len(scratch) > budget {
				continue
			}
			if len(dir) > 0 {
				scratch = append(append(scratch, dir...), '/')
			}
			scratch = append(append(scratch, value...), '\n')
		}
	}
	if pkg.Source.Name == "" {
		pkg.Source.Name = pkg.Name
	}
	if len(scratch) > 0 && len(scratch) <= budget { // no list rather than a part of one
		pkg.Files = splitPaths(scratch)
	}
	return pkg, scratch
}

// apkNames reads a list of dependencies or provisions: versions ("=1", ">=1",
// "~1") and repository tags ("@edge") are dropped, conflicts ("!name") are
// left out; "so:", "cmd:" and "pc:" belong to the name.
func apkNames(value []byte) []string {
	s := string(value)
	names := make([]string, 0, min(1+strings.Count(s, " "), maxNames))
	for word := range strings.FieldsSeq(s) {
		if len(names) == maxNames {
			break
		}
		if i := strings.IndexAny(word, "<>=~@"); i >= 0 {
			word = word[:i]
		}
		if word != "" && word[0] != '!' {
			names = append(names, word)
		}
	}
	return names
}

// Join gives the packages their distribution.
func (a apk) Join(_ context.Context, v boltseal.View, p *boltseal.Pass) error {
	linked(v, p, a, apkPlaces...)
	for _, pkg := range v.Packages() {
		if pkg.Type == "apk" && pkg.Name != "" {
			nameAfter(pkg, v.Distro())
		}
	}
	return nil
}
