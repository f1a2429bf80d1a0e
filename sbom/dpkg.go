package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/boltseal/boltseal"
)

// dpkg reads the database of Debian's package manager (dpkg(1), deb822(5)):
// var/lib/dpkg/status, and the status.d of images built without dpkg, one
// paragraph per file. The lists of files and the licences lie in files of
// their own, perhaps in other layers: see the Join.
type dpkg struct{}

var _ boltseal.Joiner = dpkg{}

// Dpkg returns the analyzer for packages installed by dpkg: Type deb.
func Dpkg() boltseal.FileAnalyzer { return dpkg{} }

const (
	dpkgDir     = "var/lib/dpkg/"
	dpkgInfo    = dpkgDir + "info/"
	dpkgStatusD = dpkgDir + "status.d/"

	factDpkgList    = "dpkg/list"    // paths, one a line, without a leading slash
	factDpkgDivert  = "dpkg/divert"  // the file diversions, as it is
	factDpkgLicense = "dpkg/license" // names of licences, one a line
)

func (dpkg) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/dpkg", Version: 2, Doc: "packages installed by dpkg"}
}

func (dpkg) Wants(name string, _ fs.DirEntry) bool {
	if rest, ok := strings.CutPrefix(name, dpkgDir); ok {
		switch {
		case rest == "status", rest == "diversions":
			return true
		case strings.HasPrefix(rest, "info/"):
			return strings.HasSuffix(rest, ".list")
		}
		return strings.HasPrefix(rest, "status.d/")
	}
	return isCopyright(name)
}

func (dpkg) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("read dpkg's database: %w", err)
	}
	switch {
	case f.Path == dpkgDir+"status":
		return readDpkgStatus(ctx, data, true, p)
	case f.Path == dpkgDir+"diversions":
		if len(data) > maxDiversions {
			return fmt.Errorf("read dpkg's diversions: %w: longer than %d KiB", boltseal.ErrLimit, maxDiversions>>10)
		}
		p.Fact(factDpkgDivert, data)
	case strings.HasPrefix(f.Path, dpkgInfo):
		p.Fact(factDpkgList, compactList(data))
	case strings.HasSuffix(f.Path, ".md5sums"):
		p.Fact(factDpkgList, compactSums(data))
	case strings.HasPrefix(f.Path, dpkgStatusD):
		return readDpkgStatus(ctx, data, false, p)
	default:
		if l := copyrightLicenses(data); len(l) > 0 {
			p.Fact(factDpkgLicense, l)
		}
	}
	return nil
}

// readDpkgStatus reports the packages of a status file. With needStatus a
// paragraph counts only if its Status says that the files are there; the
// files of status.d have no such field.
func readDpkgStatus(ctx context.Context, data []byte, needStatus bool, p *boltseal.Pass) error {
	evidence := []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "dpkg database", Confidence: 1}}
	grow(p, data, "\nVersion:")
	bad := 0
	for n := 0; len(data) > 0; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var stanza []byte
		stanza, data = nextStanza(data)
		pkg, there, ok := readDpkgStanza(stanza, needStatus)
		switch {
		case !ok:
			bad++
		case there:
			pkg.Type, pkg.Evidence = "deb", evidence
			if err := room(p); err != nil {
				return err
			}
			p.Package(pkg)
		}
	}
	if bad > 0 {
		return fmt.Errorf("read dpkg's database: %w: %d records without Package or Version", boltseal.ErrMalformed, bad)
	}
	return nil
}

// readDpkgStanza reads one paragraph. there is false for a package of which
// nothing or only its configuration is left; ok is false for a paragraph that
// names no package. The empty paragraph is none.
func readDpkgStanza(stanza []byte, needStatus bool) (pkg boltseal.Package, there, ok bool) {
	there = !needStatus
	fields := 0
	for {
		key, value, rest := nextField(stanza)
		if key == nil {
			break
		}
		stanza = rest
		fields++
		switch { // field names are compared without case (deb822(5))
		case keyIs(key, "Package"):
			pkg.Name = cleanWord(value)
		case keyIs(key, "Version"):
			pkg.Version = cleanWord(value)
		case keyIs(key, "Architecture"):
			pkg.Arch = cleanWord(value)
		case keyIs(key, "Status"):
			there = dpkgPresent(value)
		case keyIs(key, "Source"):
			pkg.Source = dpkgSource(string(value))
		case keyIs(key, "Origin"):
			pkg.Vendor = string(value)
		case keyIs(key, "Depends"), keyIs(key, "Pre-Depends"):
			pkg.DependsOn = relations(pkg.DependsOn, string(value))
		case keyIs(key, "Provides"):
			pkg.Provides = relations(pkg.Provides, string(value))
		}
	}
	if fields == 0 {
		return pkg, false, len(bytes.Trim(stanza, " \t\r\n\x00")) == 0
	}
	if pkg.Name == "" || there && pkg.Version == "" {
		return pkg, false, false
	}
	if pkg.Source.Name == "" { // without the field, the source has the package's own name
		pkg.Source.Name = pkg.Name
	}
	if pkg.Source.Version == pkg.Version {
		pkg.Source.Version = ""
	}
	if pkg.DependsOn == nil {
		pkg.DependsOn = []string{}
	}
	return pkg, there, true
}

func keyIs(key []byte, name string) bool {
	return len(key) == len(name) && key[0]|0x20 == name[0]|0x20 && (string(key) == name || strings.EqualFold(string(key), name))
}

// dpkgPresent reads "want flag status" (dpkg(1), "Package states"): whatever
// is wanted, the third word says what is there. In all states from
// half-installed to installed files of the package are unpacked; after
// config-files and not-installed none are.
func dpkgPresent(status []byte) bool {
	words := bytes.Fields(status)
	if len(words) < 3 {
		return false
	}
	switch string(words[2]) {
	case "installed", "half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending":
		return true
	}
	return false
}

// dpkgSource reads "name" or "name (version)".
func dpkgSource(s string) boltseal.Source {
	name, version, _ := strings.Cut(s, "(")
	version, _, _ = strings.Cut(version, ")")
	return boltseal.Source{Name: strings.TrimSpace(name), Version: strings.TrimSpace(version)}
}
