package sbom

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// readPythonMetadata reads the headers of METADATA or PKG-INFO (PyPA "Core
// metadata specifications": the format of mail headers), and stops at the blank
// line that ends them. ok is false where they name no distribution.
func readPythonMetadata(r io.Reader) (pkg boltseal.Package, ok bool, err error) {
	var name, version, license, expression string
	var classifiers, requires []string
	known := false // whether the metadata can tell what is required
	header := func(line string) {
		key, value, found := strings.Cut(line, ":")
		if !found {
			return
		}
		value = strings.TrimSpace(value)
		first := func(field *string) {
			if *field == "" {
				*field = value
			}
		}
		switch strings.ToLower(key) {
		case "metadata-version":
			known = value >= "1.2"
		case "name":
			first(&name)
		case "version":
			first(&version)
		case "license":
			first(&license)
		case "license-expression":
			first(&expression)
		case "classifier":
			if c, ok := strings.CutPrefix(value, "License ::"); ok {
				classifiers = append(classifiers, strings.TrimSpace(c[strings.LastIndex(c, "::")+len("::"):]))
			}
		case "requires-dist":
			if need := requirementName(value); need != "" {
				requires = append(requires, need)
			}
		}
	}
	limited := &io.LimitedReader{R: r, N: pythonHeaderMax}
	sc := bufio.NewScanner(limited)
	sc.Buffer(nil, pythonHeaderMax+1)
	line, ended := "", false
	for sc.Scan() {
		next := strings.TrimRight(sc.Text(), "\r")
		if next == "" {
			if name == "" && line == "" {
				continue // stray blank lines before the first header
			}
			ended = true
			break
		}
		if next[0] == ' ' || next[0] == '\t' {
			if len(line) < 4<<10 { // a folded header; licence texts are long
				line += "\n" + strings.TrimSpace(next)
			}
			continue
		}
		header(line)
		line = strings.TrimPrefix(next, "\ufeff")
	}
	header(line)
	if err = sc.Err(); err == nil && !ended && limited.N == 0 {
		err = fmt.Errorf("headers of more than %d bytes: %w", pythonHeaderMax, boltseal.ErrLimit)
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' }) {
		return pkg, false, err
	}
	pkg = boltseal.Package{
		Type: "pypi", Name: normalizePython(name), Version: version, State: boltseal.StateInstalled,
		Licenses: pythonLicenses(expression, license, classifiers),
		Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: "metadata of the distribution " + name, Confidence: 1}},
	}
	if known || requires != nil {
		slices.Sort(requires)
		pkg.DependsOn = slices.Compact(requires)
		if requires == nil {
			pkg.DependsOn = []string{}
		}
	}
	pkg.PURL = purl.Of(&pkg)
	return pkg, true, err
}

// normalizePython is the name that indexes compare (PyPA "Names and
// normalization"): lower case, runs of "-", "_" and "." become one "-".
func normalizePython(name string) string {
	var b strings.Builder
	dash := false
	for _, c := range []byte(strings.ToLower(name)) {
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteByte(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}

// requirementName returns the name that a requirement starts with (PEP 508),
// and "" for one that only an extra asks for.
func requirementName(s string) string {
	req, marker, _ := strings.Cut(s, ";")
	if strings.Contains(marker, "extra") {
		return ""
	}
	i := strings.IndexFunc(req, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
	if i >= 0 {
		req = req[:i]
	}
	return normalizePython(req)
}

// pythonLicenses prefers the SPDX expression, then the free text where it is
// a name and not a whole licence, then the classifiers.
func pythonLicenses(expression, license string, classifiers []string) []string {
	switch {
	case expression != "":
		return []string{expression}
	case license != "" && license != "UNKNOWN" && len(license) <= 128 && !strings.Contains(license, "\n"):
		return []string{license}
	}
	return classifiers
}

// parsePythonRecord returns the paths that a RECORD lists (CSV: path, hash,
// size), relative to the root; dir is the folder that they are relative to.
func parsePythonRecord(data []byte, dir string) (files []string, err error) {
	owned := pythonPaths{dir: dir}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return owned.files, nil
		}
		if err != nil {
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				return owned.files, fmt.Errorf("RECORD: %w: %w", boltseal.ErrMalformed, err)
			}
			return owned.files, err
		}
		if err := owned.add(rec[0]); err != nil {
			return owned.files, err
		}
	}
}

// parseInstalledFiles reads installed-files.txt: paths relative to its folder.
func parseInstalledFiles(data []byte, dir string) ([]string, error) {
	owned := pythonPaths{dir: dir}
	for line := range strings.Lines(string(data)) {
		if err := owned.add(strings.TrimRight(line, "\r\n")); err != nil {
			return owned.files, err
		}
	}
	return owned.files, nil
}

// pythonPaths collects owned paths, relative to the root.
type pythonPaths struct {
	dir   string // that listed paths are relative to
	files []string
	bytes int
}

// add resolves a listed path, which may be absolute or climb with "..", but not
// past the root. Short lines below a long folder make much of little, so the sum
// is bounded.
func (o *pythonPaths) add(name string) error {
	if name == "" || strings.ContainsAny(name, "\x00\n") {
		return nil
	}
	if !strings.HasPrefix(name, "/") {
		name = "/" + o.dir + "/" + name
	}
	name = strings.TrimPrefix(path.Clean(name), "/")
	if o.bytes += len(name) + 16; o.bytes > pythonRecordMax { // 16: the string's header
		return fmt.Errorf("owned paths of more than %d MiB: %w", pythonRecordMax>>20, boltseal.ErrLimit)
	}
	o.files = append(o.files, name)
	return nil
}

// parseDirectURL returns where a distribution came from other than an index
// (PyPA "Recording the Direct URL Origin"), in words, without credentials.
func parseDirectURL(data []byte) (string, error) {
	var in struct {
		URL     string `json:"url"`
		DirInfo *struct {
			Editable bool `json:"editable"`
		} `json:"dir_info"`
		VCS *struct {
			Name   string `json:"vcs"`
			Commit string `json:"commit_id"`
		} `json:"vcs_info"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return "", fmt.Errorf("direct_url.json: %w: %w", boltseal.ErrMalformed, err)
	}
	u, err := url.Parse(in.URL)
	if err != nil || in.URL == "" {
		return "", fmt.Errorf("direct_url.json: its URL: %w", boltseal.ErrMalformed)
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	s := "installed from " + u.String()
	switch {
	case in.DirInfo != nil && in.DirInfo.Editable:
		s += " (editable)"
	case in.VCS != nil:
		s += fmt.Sprintf(" (%s %s)", in.VCS.Name, in.VCS.Commit)
	}
	return s, nil
}
