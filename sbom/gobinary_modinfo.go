package sbom

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// goModule is one line of the build information, its replacement applied.
type goModule struct {
	path, version string
	replaced      string // path@version that the module stands in for
	local         string // folder that its code was taken from
}

// goModules is what the module lines say (runtime/debug.BuildInfo).
type goModules struct {
	main    goModule
	deps    []goModule
	ldflags string
}

// maxGoDeps is far above what any program was linked from.
const maxGoDeps = 100_000

// parseModInfo reads the module lines; bad counts those that made no sense, or
// came after too many others.
func parseModInfo(s string) (m goModules, bad int) {
	var last *goModule
	for line := range strings.Lines(s) {
		key, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		switch key {
		case "mod", "dep":
			f := strings.Split(rest, "\t")
			last = nil
			if f[0] == "" || len(m.deps) >= maxGoDeps {
				bad++
				continue
			}
			mod := goModule{path: f[0]}
			if len(f) > 1 {
				mod.version = goVersionOrNone(f[1])
			}
			if key == "mod" {
				m.main = mod
				last = &m.main
			} else {
				m.deps = append(m.deps, mod)
				last = &m.deps[len(m.deps)-1]
			}
		case "=>":
			f := strings.Split(rest, "\t")
			if last == nil || f[0] == "" {
				bad++
				continue
			}
			last.replace(f)
			last = nil
		case "build":
			name, value, _ := strings.Cut(rest, "=")
			if name == "-ldflags" {
				if q, err := strconv.Unquote(value); err == nil {
					value = q
				}
				m.ldflags = value
			}
		}
	}
	return m, bad
}

// replace applies a replacement. One with a version is the code that was
// built; a folder has no version of its own, so the module keeps its name.
func (m *goModule) replace(f []string) {
	if len(f) < 2 || f[1] == "" || f[1] == "(devel)" || strings.HasPrefix(f[0], ".") || strings.HasPrefix(f[0], "/") {
		m.local = f[0]
		return
	}
	m.replaced = m.path + "@" + m.version
	m.path, m.version = f[0], f[1]
}

func goVersionOrNone(v string) string {
	if v == "(devel)" {
		return ""
	}
	return v
}

// mainVersion chooses what is best known of the program's own version: a tag,
// a version that the linker was told to set, a pseudo-version. detail is
// empty for what the toolchain itself recorded.
func (m *goModules) mainVersion() (version, detail string) {
	v := m.main.version
	if v != "" && !module.IsPseudoVersion(strings.TrimSuffix(v, "+dirty")) {
		return v, ""
	}
	if set, variable := versionFromLdflags(m.ldflags, m.main.path); set != "" {
		return set, "version from -ldflags -X " + variable
	}
	return v, ""
}

var (
	ldflagsSet = regexp.MustCompile(`-X[= ]\s*(?:'([^'=]+)=([^']*)'|"([^"=]+)=([^"]*)"|([^\s'"=]+)=(?:'([^']*)'|"([^"]*)"|(\S*)))`)
	looseTag   = regexp.MustCompile(`^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+.][0-9A-Za-z.+-]*)?$`)
)

// versionFromLdflags looks for -X PATH.Version=VALUE, where the variable's
// name says that it is the version, PATH is main or within the module, and the
// value is a version. The result has a leading v, as Go's versions do.
func versionFromLdflags(flags, mainPath string) (version, variable string) {
	if len(flags) > 64<<10 {
		return "", ""
	}
	best := 0
	for _, m := range ldflagsSet.FindAllStringSubmatch(flags, 1000) {
		name, value := m[1]+m[3]+m[5], m[2]+m[4]+m[6]+m[7]+m[8]
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 || !looseTag.MatchString(value) {
			continue
		}
		rank := 0
		switch strings.ToLower(name[dot+1:]) {
		case "version":
			rank = 3
		case "buildversion", "appversion", "gitversion", "semver", "releaseversion":
			rank = 2
		case "tag", "gittag", "release", "versionstring":
			rank = 1
		default:
			continue
		}
		switch pkg := name[:dot]; {
		case pkg == "main":
			rank += 20
		case pkg == mainPath || strings.HasPrefix(pkg, mainPath+"/"):
			rank += 10
		default:
			continue // another module's version
		}
		v := "v" + strings.TrimPrefix(value, "v")
		if rank > best && semver.IsValid(v) {
			best, version, variable = rank, v, name
		}
	}
	return version, variable
}

var goRelease = regexp.MustCompile(`^go(\d+)\.(\d+)(?:\.(\d+))?(?:(rc|beta)(\d+))?(?:[-+ ].*)?$`)

// stdlibVersion turns the version of a Go toolchain into the form that the Go
// vulnerability database compares: go1.21rc2 is 1.21.0-rc.2, go1.20 is 1.20.0.
// What distributors append is cut off. Development versions have none.
func stdlibVersion(goVersion string) string {
	m := goRelease.FindStringSubmatch(goVersion)
	if m == nil || strings.Contains(goVersion, "devel") {
		return ""
	}
	patch := m[3]
	if patch == "" {
		patch = "0"
	}
	v := m[1] + "." + m[2] + "." + patch
	if m[4] != "" {
		v += "-" + m[4] + "." + m[5]
	}
	return v
}
