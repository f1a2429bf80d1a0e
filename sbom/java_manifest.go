package sbom

import (
	"bytes"
	"strings"
)

// jarManifest holds the attributes of a manifest's main section that name the
// archive (JAR File Specification, "JAR Manifest"; OSGi Core, "Bundle
// Manifest Headers").
type jarManifest struct {
	symbolic, bundleVersion string // Bundle-SymbolicName, Bundle-Version
	title, version          string // Implementation-Title, -Version
	module                  string // Automatic-Module-Name
	license                 string // Bundle-License
}

// parseManifest reads the main section. A line that starts with a blank goes on
// where the last one ended; the section ends at the first empty line.
func parseManifest(data []byte) (m jarManifest) {
	var line []byte
	set := func() {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return
		}
		var field *string
		switch strings.ToLower(string(key)) {
		case "bundle-symbolicname":
			field = &m.symbolic
		case "bundle-version":
			field = &m.bundleVersion
		case "implementation-title":
			field = &m.title
		case "implementation-version":
			field = &m.version
		case "automatic-module-name":
			field = &m.module
		case "bundle-license":
			field = &m.license
		default:
			return
		}
		if *field == "" && len(value) <= 1<<10 {
			*field = strings.TrimSpace(string(value))
		}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for len(data) > 0 {
		end := bytes.IndexAny(data, "\r\n")
		next := data
		if end < 0 {
			data = nil
		} else {
			next = data[:end]
			if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
				end++
			}
			data = data[end+1:]
		}
		if len(next) == 0 {
			if line == nil {
				continue
			}
			break
		}
		if next[0] == ' ' {
			line = append(line, next[1:]...)
			continue
		}
		set()
		line = append(line[:0], next...)
	}
	set()
	m.symbolic, _, _ = strings.Cut(m.symbolic, ";") // directives
	m.symbolic = strings.TrimSpace(m.symbolic)
	for _, f := range []*string{&m.symbolic, &m.bundleVersion, &m.title, &m.version, &m.module} {
		if strings.Contains(*f, "${") || strings.EqualFold(*f, "null") || strings.EqualFold(*f, "unknown") {
			*f = "" // a build that did not fill it in
		}
	}
	return m
}

// identity returns the best name and version, and which attributes they are.
// A title with blanks is for people.
func (m *jarManifest) identity() (name, version, from string) {
	switch {
	case m.symbolic != "" && m.bundleVersion != "":
		return m.symbolic, m.bundleVersion, "Bundle-SymbolicName, Bundle-Version"
	case m.title != "" && m.version != "" && mavenName.MatchString(m.title):
		return m.title, m.version, "Implementation-Title, Implementation-Version"
	}
	version, from = m.version, "Implementation-Version"
	if version == "" {
		version, from = m.bundleVersion, "Bundle-Version"
	}
	if m.module != "" {
		return m.module, version, "Automatic-Module-Name, " + from
	}
	return "", version, from
}

// licenses reads Bundle-License: identifiers or addresses with directives.
func (m *jarManifest) licenses() (out []string) {
	for part := range strings.SplitSeq(m.license, ",") {
		id, _, _ := strings.Cut(part, ";")
		if id = strings.Trim(strings.TrimSpace(id), `"`); id != "" && id != "<<EXTERNAL>>" {
			out = append(out, id)
		}
	}
	return out
}
