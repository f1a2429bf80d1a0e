package sbom

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

const (
	factRepository  = "os-release/repository" // repositories, one a line
	maxRepositories = 4096
)

// isContentManifest accepts the documents in which Red Hat's build system
// lists the content sets of an image, in both places it uses.
func isContentManifest(name string) bool {
	return strings.HasSuffix(name, ".json") &&
		(strings.HasPrefix(name, "root/buildinfo/") || strings.HasPrefix(name, "usr/share/buildinfo/"))
}

func contentSets(data []byte) ([]string, error) {
	var doc struct {
		ContentSets []string `json:"content_sets"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(doc.ContentSets, func(s string) bool { return s == "" || strings.ContainsAny(s, "\n\x00") }), nil
}

// apkRepositories reads etc/apk/repositories (apk-repositories(5)): a location
// a line, "@tag location" for one that is used on demand, "#" for comments.
// Passwords in locations are left out.
func apkRepositories(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || strings.IndexByte(line, 0) >= 0 || len(out) == maxRepositories {
			continue
		}
		tag, location := "", line
		if line[0] == '@' {
			if tag, location, _ = strings.Cut(line, " "); location == "" {
				continue
			}
			tag += " "
		}
		location = strings.TrimSpace(location)
		if strings.IndexByte(location, '@') >= 0 {
			u, err := url.Parse(location)
			if err != nil {
				continue
			}
			u.User = nil
			location = u.String()
		}
		out = append(out, tag+location)
	}
	return out
}

func isAptSource(name string) bool {
	return name == "etc/apt/sources.list" ||
		strings.HasPrefix(name, "etc/apt/sources.list.d/") && (strings.HasSuffix(name, ".list") || strings.HasSuffix(name, ".sources"))
}

// proServices names the services of Ubuntu Pro that an apt source file
// enables: their packages come from esm.ubuntu.com/SERVICE/ubuntu.
func proServices(data []byte) []string {
	var out []string
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		_, rest, ok := bytes.Cut(line, []byte("://esm.ubuntu.com/"))
		if !ok {
			continue
		}
		service, _, _ := bytes.Cut(rest, []byte{'/'})
		for _, known := range []string{"infra", "apps"} {
			if string(service) == known && !slices.Contains(out, "esm-"+known) {
				out = append(out, "esm-"+known)
			}
		}
	}
	return out
}
