package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// osRelease names the distribution. Every file that says something is left as
// a fact, since the files that decide may lie in several layers; the Join
// reports one [boltseal.Distro].
type osRelease struct{}

var _ boltseal.Joiner = osRelease{}

// OSRelease returns the analyzer that names the distribution of a tree and the
// repositories it is set up for. Its Join has to run before those of the
// package managers.
func OSRelease() boltseal.FileAnalyzer { return osRelease{} }

const (
	factRelease = "os-release/file" // the file, as it is
	factBusybox = "os-release/busybox"

	// maxReleaseFile bounds what one of these files may hold; real ones are
	// below 1 KiB, Red Hat's content manifests below 100.
	maxReleaseFile = 256 << 10
)

// releaseFiles are read whole, beside any os-release below etc and usr/lib.
var releaseFiles = []string{
	"etc/debian_version", "etc/alpine-release", "etc/system-release-cpe",
	"etc/redhat-release", "etc/centos-release", "etc/fedora-release", "etc/oracle-release",
	"etc/system-release", "etc/SuSE-release", "etc/apk/repositories",
}

func (osRelease) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/os-release", Version: 1, Doc: "distribution and its repositories"}
}

func (osRelease) Wants(name string, _ fs.DirEntry) bool {
	switch {
	case strings.HasPrefix(name, "etc/"):
		return isOSRelease(name) || isAptSource(name) || slices.Contains(releaseFiles, name)
	case strings.HasPrefix(name, "usr/"):
		return isOSRelease(name) || isContentManifest(name)
	}
	return isContentManifest(name) || name == "bin/busybox"
}

func (osRelease) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	if f.Path == "bin/busybox" {
		return readBusybox(f, p)
	}
	data, err := io.ReadAll(io.LimitReader(f.Reader(), maxReleaseFile+1))
	if err != nil {
		return fmt.Errorf("read release file: %w", err)
	}
	if len(data) > maxReleaseFile {
		return fmt.Errorf("read release file: %w: longer than %d KiB", boltseal.ErrLimit, maxReleaseFile>>10)
	}
	switch {
	case isContentManifest(f.Path):
		sets, err := contentSets(data)
		if err != nil {
			return fmt.Errorf("read content manifest: %w: %w", boltseal.ErrMalformed, err)
		}
		p.Fact(factRepository, []byte(strings.Join(sets, "\n")))
	case f.Path == "etc/apk/repositories":
		p.Fact(factRepository, []byte(strings.Join(apkRepositories(data), "\n")))
	case isAptSource(f.Path):
		if services := proServices(data); len(services) > 0 {
			p.Fact(factRepository, []byte(strings.Join(services, "\n")))
		}
	default:
		p.Fact(factRelease, data)
	}
	return nil
}

// Join reports the distribution of the tree. The sources, the strongest
// first: etc/os-release, usr/lib/os-release (os-release(5)),
// etc/system-release-cpe, etc/redhat-release and its like, busybox.
func (osRelease) Join(_ context.Context, v boltseal.View, p *boltseal.Pass) error {
	files := make(map[string]boltseal.Fact)
	for f := range v.Facts(factRelease) {
		files[f.Location.Path] = f
	}
	d := releaseOf(v, files)
	if d == nil {
		return nil
	}
	for f := range v.Facts(factRepository) {
		for line := range strings.SplitSeq(string(f.Data), "\n") {
			if line != "" && len(d.Repositories) < maxRepositories && !slices.Contains(d.Repositories, line) {
				d.Repositories = append(d.Repositories, line)
			}
		}
	}
	slices.Sort(d.Repositories)
	if note := contradiction(d, v.Packages()); note != "" {
		p.Note(note)
		d.Evidence = append(d.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: note})
	}
	p.Distro(*d)
	return nil
}

func releaseOf(v boltseal.View, files map[string]boltseal.Fact) *boltseal.Distro {
	get := func(name string) (boltseal.Fact, bool) {
		if f, ok := files[name]; ok {
			return f, true
		}
		if to, ok := v.Resolve(name); ok {
			f, ok := files[to]
			return f, ok
		}
		return boltseal.Fact{}, false
	}
	found := func(d *boltseal.Distro, f boltseal.Fact, confidence float64) *boltseal.Distro {
		d.Locations = []boltseal.Location{f.Location}
		d.Evidence = append(d.Evidence, boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: f.Location.Path, Confidence: confidence})
		return d
	}
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if f, ok := get(name); ok {
			if d := parseOSRelease(f.Data); d.ID != "" {
				found(d, f, 1)
				if f, ok := get("etc/debian_version"); ok {
					debianVersion(d, f)
				}
				return d
			}
		}
	}
	if f, ok := get("etc/system-release-cpe"); ok {
		if d := parseSystemCPE(f.Data); d != nil {
			return found(d, f, 0.9)
		}
	}
	for _, name := range releaseFiles {
		if strings.HasSuffix(name, "-release") && name != "etc/alpine-release" {
			if f, ok := get(name); ok {
				if d := parseReleaseLine(f.Data); d != nil {
					return found(d, f, 0.8)
				}
			}
		}
	}
	if f, ok := get("etc/alpine-release"); ok {
		if version := cleanWord(f.Data); version != "" {
			return found(&boltseal.Distro{ID: "alpine", VersionID: version, Name: "Alpine Linux"}, f, 0.8)
		}
	}
	if f, ok := get("etc/debian_version"); ok {
		d := found(&boltseal.Distro{ID: "debian", Name: "Debian GNU/Linux"}, f, 0.6) // derivatives have it too
		debianVersion(d, f)
		return d
	}
	for f := range v.Facts(factBusybox) {
		return found(&boltseal.Distro{ID: "busybox", VersionID: string(f.Data), Name: "BusyBox"}, f, 0.5)
	}
	return nil
}

// isOSRelease accepts the two standard places and the files that they are
// links to in some distributions, such as usr/lib/os.release.d/os-release-x.
func isOSRelease(name string) bool {
	if !strings.HasPrefix(name, "etc/") && !strings.HasPrefix(name, "usr/lib/") {
		return false
	}
	base := name[strings.LastIndexByte(name, '/')+1:]
	return strings.HasPrefix(base, "os-release") && strings.Count(name, "/") <= 3
}

// parseOSRelease reads os-release(5): assignments as a shell would read them,
// without expansion. The last of several counts. ID is empty if there is none.
func parseOSRelease(data []byte) *boltseal.Distro {
	d := &boltseal.Distro{}
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		key, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(string(line), "\ufeff")), "=")
		if !ok || strings.HasPrefix(key, "#") || len(value) > 1024 {
			continue
		}
		value = unquote(value)
		switch key {
		case "ID":
			d.ID = value
		case "VERSION_ID":
			d.VersionID = value
		case "VERSION_CODENAME":
			d.Codename = value
		case "UBUNTU_CODENAME", "DEBIAN_CODENAME":
			if d.Codename == "" {
				d.Codename = value
			}
		case "NAME":
			d.Name = value
		case "PRETTY_NAME":
			d.PrettyName = value
		case "ID_LIKE":
			d.IDLike = strings.Fields(value)
		case "CPE_NAME":
			d.CPE = value
		case "VARIANT_ID":
			d.Variant = value
		}
	}
	return d
}

// unquote removes shell quotes. In double quotes and outside of any, a
// backslash takes the next character for itself.
func unquote(s string) string {
	if !strings.ContainsAny(s, "\"'\\\x00") {
		return strings.TrimSpace(s)
	}
	out := make([]byte, 0, len(s))
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 0:
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == '\\' && quote != '\'' && i+1 < len(s):
			i++
			out = append(out, s[i])
		default:
			out = append(out, c)
		}
	}
	return strings.TrimSpace(string(out))
}

// nameAfter gives a package of the operating system what depends on the
// distribution: namespace, qualifier, package URL.
func nameAfter(pkg *boltseal.Package, d *boltseal.Distro) {
	if d != nil {
		pkg.Distro, pkg.Namespace = d, strings.ToLower(d.ID)
	}
	pkg.PURL = purl.Of(pkg)
}
