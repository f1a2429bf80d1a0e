package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// Gem finds the Ruby gems that RubyGems installed, those that come with Ruby
// itself, and those of a distribution: the *.gemspec in a folder
// specifications or specifications/default. Such a file is Ruby code, which is
// not run: its line "# stub: NAME VERSION PLATFORM PATHS" says what is needed
// (Gem::StubSpecification), else plain assignments do.
func Gem() boltseal.FileAnalyzer { return gem{} }

type gem struct{}

func (gem) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/gem", Version: 1, Doc: "installed Ruby gems"}
}

func (gem) Wants(name string, _ fs.DirEntry) bool {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "default/")
	return strings.HasSuffix(base, ".gemspec") && (dir == "specifications/" || strings.HasSuffix(dir, "/specifications/"))
}

const gemspecMax = 1 << 20 // bytes

func (gem) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	data, err := io.ReadAll(io.LimitReader(f.Reader(), gemspecMax+1))
	if err != nil {
		return fmt.Errorf("read gem specification: %w", err)
	}
	if len(data) > gemspecMax {
		return fmt.Errorf("read gem specification: larger than %d KiB: %w", gemspecMax>>10, boltseal.ErrLimit)
	}
	pkg, ok := parseGemspec(data)
	if !ok {
		return fmt.Errorf("read gem specification: neither a stub line nor a name and a version as plain text: %w", boltseal.ErrMalformed)
	}
	p.Package(pkg)
	return nil
}

// What RubyGems accepts (Gem::Specification::VALID_NAME_PATTERN,
// Gem::Version::VERSION_PATTERN), and its code as to_ruby writes it.
var (
	gemName    = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,255}$`)
	gemVersion = regexp.MustCompile(`^[0-9]+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

	gemAssign   = regexp.MustCompile(`(?m)^\s*\w+\.(name|version)\s*=\s*(?:Gem::Version\.new\(?\s*)?["']([^"'#\\\r\n]+)["']`)
	gemLicenses = regexp.MustCompile(`(?m)^\s*\w+\.licenses?\s*=\s*\[?([^\]\r\n]*)`)
	gemNeeds    = regexp.MustCompile(`(?m)^\s*\w+\.add_(|runtime_|development_)dependency\(?\s*(?:%q<([^>\r\n]+)>|["']([^"'\r\n]+)["'])`)
	rubyString  = regexp.MustCompile(`["']([^"'#\\\r\n]+)["']`)
)

func parseGemspec(data []byte) (pkg boltseal.Package, ok bool) {
	pkg = boltseal.Package{Type: "gem", State: boltseal.StateInstalled}
	detail := "gem specification"
	if words := gemStub(data); len(words) >= 2 {
		pkg.Name, pkg.Version, detail = words[0], words[1], "stub line of a gem specification"
	} else {
		for _, m := range gemAssign.FindAllSubmatch(data, 16) {
			field := &pkg.Name
			if string(m[1]) == "version" {
				field = &pkg.Version
			}
			if *field == "" {
				*field = string(m[2])
			}
		}
	}
	if !gemName.MatchString(pkg.Name) || len(pkg.Version) > 255 || !gemVersion.MatchString(pkg.Version) {
		return pkg, false
	}
	if m := gemLicenses.FindSubmatch(data); m != nil {
		for _, l := range rubyString.FindAllSubmatch(m[1], 100) {
			pkg.Licenses = append(pkg.Licenses, string(l[1]))
		}
	}
	// Older specifications say all of it a second time, for a RubyGems that
	// did not tell the kinds apart: what development needs has come before.
	pkg.DependsOn = []string{}
	seen := make(map[string]bool)
	for _, m := range gemNeeds.FindAllSubmatch(data, maxNames) {
		name := string(m[2]) + string(m[3])
		if !seen[name] && string(m[1]) != "development_" {
			pkg.DependsOn = append(pkg.DependsOn, name)
		}
		seen[name] = true
	}
	pkg.Evidence = []boltseal.Evidence{{Technique: boltseal.TechniqueManifest, Detail: detail, Confidence: 1}}
	pkg.PURL = purl.Of(&pkg)
	return pkg, true
}

// gemStub returns the words of the stub line, which stands among the comments
// at the start.
func gemStub(data []byte) []string {
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("# stub: ")); ok {
			return strings.Fields(string(rest[:min(len(rest), 4096)]))
		}
		if line[0] != '#' {
			break
		}
	}
	return nil
}
