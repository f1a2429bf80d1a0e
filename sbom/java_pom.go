package sbom

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/boltseal/boltseal"
)

// pom names one Maven artifact.
type pom struct {
	member                   string // that said so
	group, artifact, version string
	licenses                 []string
}

// What Maven accepts (maven-model, "ID" and version patterns).
var (
	mavenName    = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,255}$`)
	mavenVersion = regexp.MustCompile(`^[A-Za-z0-9_.+~:-]{1,255}$`)
)

// clean drops what a build did not fill in ("${revision}") and what is no name.
func (p *pom) clean() {
	if !mavenName.MatchString(p.artifact) {
		*p = pom{}
		return
	}
	if !mavenName.MatchString(p.group) {
		p.group = ""
	}
	if !mavenVersion.MatchString(p.version) {
		p.version = ""
	}
}

// parsePomProperties reads pom.properties, which the Maven Archiver writes as
// Java properties.
func parsePomProperties(data []byte) (p pom) {
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || line[0] == '!' {
			continue
		}
		i := bytes.IndexAny(line, "=:")
		if i < 0 {
			continue
		}
		value := strings.ReplaceAll(string(bytes.TrimSpace(line[i+1:])), `\`, "") // escapes of : and =
		switch string(bytes.TrimSpace(line[:i])) {
		case "groupId":
			p.group = value
		case "artifactId":
			p.artifact = value
		case "version":
			p.version = value
		}
	}
	p.clean()
	return p
}

// pomXML is the part of a Maven project (POM reference 4.0.0) that names it.
type pomXML struct {
	Group    string `xml:"groupId"`
	Artifact string `xml:"artifactId"`
	Version  string `xml:"version"`
	Parent   struct {
		Group   string `xml:"groupId"`
		Version string `xml:"version"`
	} `xml:"parent"`
	Licenses []string `xml:"licenses>license>name"`
	Props    struct {
		All []struct {
			XMLName xml.Name
			Value   string `xml:",chardata"`
		} `xml:",any"`
	} `xml:"properties"`
}

// parsePomXML reads a pom.xml. What it does not say is its parent's; a
// property is looked up in the file itself, and nowhere else.
func parsePomXML(data []byte) (p pom, err error) {
	var in pomXML
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.Strict = false
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // names are ASCII
	if err := dec.Decode(&in); err != nil {
		return p, fmt.Errorf("pom.xml: %w: %w", boltseal.ErrMalformed, err)
	}
	fill := func(s string) string {
		s = strings.TrimSpace(s)
		key, ok := strings.CutPrefix(s, "${")
		if !ok || !strings.HasSuffix(key, "}") {
			return s
		}
		switch key = key[:len(key)-1]; key {
		case "project.parent.version", "parent.version":
			return strings.TrimSpace(in.Parent.Version)
		case "project.parent.groupId", "parent.groupId":
			return strings.TrimSpace(in.Parent.Group)
		}
		for _, prop := range in.Props.All {
			if prop.XMLName.Local == key {
				return strings.TrimSpace(prop.Value)
			}
		}
		return ""
	}
	p = pom{group: fill(cmp.Or(in.Group, in.Parent.Group)), artifact: fill(in.Artifact), version: fill(cmp.Or(in.Version, in.Parent.Version))}
	for _, l := range in.Licenses[:min(len(in.Licenses), 100)] {
		if l = strings.TrimSpace(l); l != "" && len(l) < 1<<10 {
			p.licenses = append(p.licenses, l)
		}
	}
	p.clean()
	return p, nil
}
