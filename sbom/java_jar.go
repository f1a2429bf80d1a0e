package sbom

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// jarParts is what one archive says of itself.
type jarParts struct {
	fileName string
	manifest jarManifest
	seen     bool // a manifest
	classes  bool // there is compiled code
	poms     []pom
	xmls     []*zipMember // pom.xml, read where pom.properties is missing
}

// Bounds of the small files in an archive.
const (
	manifestMax      = 1 << 20
	pomPropertiesMax = 64 << 10
	pomXMLMax        = 1 << 20
	maxPoms          = 20_000 // of one archive
)

// collect reads a member that tells something; handled is false for others.
func (j *jarParts) collect(m *zipMember) (handled bool, err error) {
	name := m.name()
	if strings.HasSuffix(name, ".class") {
		j.classes = true
		return true, nil
	}
	if len(name) < len("META-INF/") || !strings.EqualFold(name[:len("META-INF/")], "META-INF/") {
		return false, nil
	}
	rest := name[len("META-INF/"):]
	if strings.EqualFold(rest, "MANIFEST.MF") {
		if j.seen {
			return true, nil
		}
		j.seen = true
		data, err := m.read(manifestMax)
		if err != nil {
			return true, err
		}
		j.manifest = parseManifest(data)
		m.walk.recycle(data)
		return true, nil
	}
	dir, isMaven := strings.CutPrefix(rest, "maven/")
	if !isMaven || strings.Count(dir, "/") != 2 {
		return false, nil
	}
	base := path.Base(dir)
	if (base == "pom.properties" || base == "pom.xml") && len(j.poms)+len(j.xmls) >= maxPoms {
		return true, fmt.Errorf("more than %d artifacts in one archive: %w", maxPoms, boltseal.ErrLimit)
	}
	switch base {
	case "pom.properties":
		data, err := m.read(pomPropertiesMax)
		if err != nil {
			return true, err
		}
		p := parsePomProperties(data)
		m.walk.recycle(data)
		p.member = name
		if p.artifact != "" {
			j.poms = append(j.poms, p)
		}
		return true, nil
	case "pom.xml":
		j.xmls = append(j.xmls, m)
		return true, nil
	}
	return false, nil
}

// isJarPart reports whether the content of a member matters: to collect, or as
// an archive.
func isJarPart(name string) bool {
	const dir = "META-INF/"
	if len(name) < len(dir) || !strings.EqualFold(name[:len(dir)], dir) {
		return isJavaArchive(name)
	}
	switch base := path.Base(name); base {
	case "pom.properties", "pom.xml":
		return true
	default:
		return strings.EqualFold(base, "MANIFEST.MF") || isJavaArchive(base)
	}
}

// readXMLs adds the artifacts of which only the pom.xml is there. The error is
// fatal to the walk.
func (j *jarParts) readXMLs() error {
	have := make(map[string]bool, len(j.poms))
	for _, p := range j.poms {
		have[path.Dir(p.member)] = true
	}
	for _, m := range j.xmls {
		if have[path.Dir(m.name())] {
			continue
		}
		data, err := m.read(pomXMLMax)
		if err == nil {
			var p pom
			if p, err = parsePomXML(data); p.artifact != "" {
				p.member = m.name()
				j.poms = append(j.poms, p)
			}
			m.walk.recycle(data)
		}
		if f := (fatal{}); errors.As(err, &f) {
			return err
		}
		if err != nil {
			m.walk.skip(m.names(), err)
		}
	}
	return nil
}

// packages returns the artifacts, and which of them the archive as a whole is
// (-1: none).
func (j *jarParts) packages() (pkgs []boltseal.Package, main int) {
	stem := strings.TrimSuffix(j.fileName, path.Ext(j.fileName))
	main = -1
	for i, p := range j.poms {
		pkg := mavenPackage(p.group, p.artifact, p.version)
		pkg.Licenses = p.licenses
		confidence := 1.0
		if p.group == "" || p.version == "" {
			confidence = 0.8
		}
		pkg.Evidence = []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: p.member, Confidence: confidence}}
		if j.fits(stem, p) && (main < 0 || len(p.artifact) > len(j.poms[main].artifact)) {
			main = i
		}
		pkgs = append(pkgs, pkg)
	}
	if main < 0 {
		pkg, ok := j.guess(stem)
		switch {
		case ok && len(pkgs) != 1, ok && pkg.Version != "" && pkg.Version != pkgs[0].Version:
			main = len(pkgs)
			pkgs = append(pkgs, pkg)
		case len(pkgs) == 1: // renamed: the only artifact there is
			main = 0
		}
	}
	if main >= 0 && len(pkgs[main].Licenses) == 0 {
		pkgs[main].Licenses = j.manifest.licenses()
	}
	return pkgs, main
}

// fits reports whether the archive itself is the artifact.
func (j *jarParts) fits(stem string, p pom) bool {
	if rest, ok := strings.CutPrefix(stem, p.artifact); ok && (rest == "" || p.version != "" && strings.HasPrefix(rest, "-"+p.version)) {
		return true
	}
	if name, _ := splitJarName(stem); name == p.artifact {
		return true
	}
	return j.manifest.title == p.artifact && (j.manifest.version == "" || j.manifest.version == p.version)
}

// guess names an archive that has no fitting pom: by its manifest, else by its
// file name. Neither tells the group.
func (j *jarParts) guess(stem string) (boltseal.Package, bool) {
	fileName, fileVersion := splitJarName(stem)
	name, version, from := j.manifest.identity()
	var evidence boltseal.Evidence
	switch {
	case fileVersion != "" && sameRelease(version, fileVersion):
		// Both agree, and the file is called as the artifact is.
		name, version = fileName, fileVersion
		evidence = boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: "manifest (" + from + ") and file name agree on the version; the group is unknown", Confidence: 0.6}
	case name != "" && version != "":
		evidence = boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: "manifest (" + from + "); the group is unknown", Confidence: 0.5}
	case fileVersion != "":
		name, version = fileName, fileVersion
		evidence = boltseal.Evidence{Technique: boltseal.TechniqueFilename, Detail: "file name; the group is unknown", Confidence: 0.3}
	case version != "" && j.seen: // a version and nothing but the file name to go with it
		name = stem
		evidence = boltseal.Evidence{Technique: boltseal.TechniqueManifest, Detail: "version of the manifest, name of the file; the group is unknown", Confidence: 0.3}
	default:
		return boltseal.Package{}, false
	}
	if !mavenName.MatchString(name) || !mavenVersion.MatchString(version) {
		return boltseal.Package{}, false
	}
	pkg := mavenPackage("", name, version)
	pkg.Evidence = []boltseal.Evidence{evidence}
	return pkg, true
}

// sameRelease reports whether a manifest's version is the file name's. In the
// OSGi form, three numbers, a dot and a qualifier, the qualifier may be one that
// says nothing.
func sameRelease(manifest, file string) bool {
	if manifest == "" {
		return false
	}
	norm := func(s string) string {
		s = strings.ToLower(strings.ReplaceAll(s, "-", "."))
		for _, empty := range []string{".qualifier", ".snapshot", ".release", ".final", ".ga"} {
			s = strings.TrimSuffix(s, empty)
		}
		for strings.HasSuffix(s, ".0") {
			s = s[:len(s)-2]
		}
		return s
	}
	return norm(manifest) == norm(file)
}

// splitJarName takes NAME-VERSION apart; both empty if there is no version. It
// starts at a dash before a number, the first after which no further name
// comes: log4j-1.2-api-2.17.1 is log4j-1.2-api, but 1.0-beta-2 a version.
func splitJarName(stem string) (name, version string) {
	if len(stem) > 255 {
		return "", ""
	}
	parts := strings.Split(stem, "-")
	for i := 1; i < len(parts); i++ {
		if startsWithDigit(parts[i]) && !nameFollows(parts[i+1:]) {
			name, version = strings.Join(parts[:i], "-"), strings.Join(parts[i:], "-")
			if !mavenName.MatchString(name) || !mavenVersion.MatchString(version) {
				return "", ""
			}
			return name, version
		}
	}
	return "", ""
}

func startsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }

// nameFollows reports whether a word that is no qualifier of a version comes
// before another number.
func nameFollows(parts []string) bool {
	for i, part := range parts[:max(len(parts)-1, 0)] {
		if startsWithDigit(part) || !startsWithDigit(parts[i+1]) {
			continue
		}
		switch strings.ToLower(part) {
		case "alpha", "beta", "rc", "cr", "m", "b", "milestone", "snapshot", "pre", "preview", "ea", "sp", "patch", "build", "rev", "r", "ga", "final", "release", "dev":
		default:
			return true
		}
	}
	return false
}

func mavenPackage(group, artifact, version string) boltseal.Package {
	pkg := boltseal.Package{Type: "maven", Namespace: group, Name: artifact, Version: version, State: boltseal.StateEmbedded}
	pkg.PURL = purl.Of(&pkg)
	pkg.Provides = []string{mavenID(&pkg)}
	return pkg
}

// mavenID is group:artifact, as Maven's own lists of dependencies write it.
func mavenID(pkg *boltseal.Package) string {
	if pkg.Namespace == "" {
		return pkg.Name
	}
	return pkg.Namespace + ":" + pkg.Name
}
