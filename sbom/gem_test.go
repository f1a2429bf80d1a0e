package sbom

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const gemSample = `# -*- encoding: utf-8 -*-
# stub: rack-test 2.1.0 ruby lib

Gem::Specification.new do |s|
  s.name = "rack-test".freeze
  s.version = "2.1.0"
  s.licenses = ["MIT".freeze, "Ruby"]
  s.add_runtime_dependency(%q<rack>.freeze, [">= 1.3"])
  s.add_development_dependency(%q<rake>.freeze, ["~> 12.0"])
  s.add_dependency "psych", ">= 4"
end
`

func TestGem(t *testing.T) {
	for name, want := range map[string]bool{
		"usr/local/bundle/specifications/rack-2.0.gemspec":                 true,
		"usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.gemspec":  true,
		"usr/share/rubygems-integration/all/specifications/rake-1.gemspec": true,
		"usr/local/bundle/gems/rack-2.0/rack.gemspec":                      false,
		"app/specifications/x/y.gemspec":                                   false,
		"app/myspecifications/y.gemspec":                                   false,
	} {
		require.Equal(t, want, Gem().Wants(name, nil), name)
	}
	const at = "specifications/x.gemspec"
	p, err := analyze(t, Gem(), at, []byte(gemSample))
	require.NoError(t, err)
	pkg := p.Results.Packages[0]
	require.Equal(t, "pkg:gem/rack-test@2.1.0", pkg.PURL)
	require.Equal(t, []string{"MIT", "Ruby"}, pkg.Licenses)
	require.Equal(t, []string{"rack", "psych"}, pkg.DependsOn)

	p, err = analyze(t, Gem(), at, []byte("Gem::Specification.new do |spec|\n  spec.name    = 'json'\n  spec.version = Gem::Version.new(\"2.6.1\")\nend\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"pkg:gem/json@2.6.1"}, purls(p))

	for _, bad := range []string{"", "# stub: a", "# stub: ../a 1", "s.name = \"a\"\ns.version = VERSION\n", "s.name = \"#{x}\"\ns.version = \"1\""} {
		_, err = analyze(t, Gem(), at, []byte(bad))
		require.ErrorIs(t, err, boltseal.ErrMalformed, bad)
	}
	_, err = analyze(t, Gem(), at, []byte(strings.Repeat("#", gemspecMax+1)))
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

// TestGemRuby compares with RubyGems on the gems of this machine.
func TestGemRuby(t *testing.T) {
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		t.Skip("ruby is not installed (one of BOLTSEAL_PEERS)")
	}
	out, err := exec.Command(ruby, "-e", `Gem::Specification.each { |s| puts [s.loaded_from, s.name, s.version, s.runtime_dependencies.map(&:name).uniq.sort.join(","), s.licenses.join(",")].join("|") }`).Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		f := strings.Split(line, "|")
		require.True(t, Gem().Wants(f[0][1:], nil), f[0])
		data, err := os.ReadFile(f[0])
		require.NoError(t, err)
		pkg, ok := parseGemspec(data)
		require.True(t, ok, f[0])
		require.Equal(t, f[1:3], []string{pkg.Name, pkg.Version})
		require.ElementsMatch(t, strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' }), pkg.DependsOn, f[0])
		require.Equal(t, f[4], strings.Join(pkg.Licenses, ","), f[0])
	}
	require.Greater(t, len(lines), 10)
}

func FuzzGem(f *testing.F) {
	f.Add([]byte(gemSample))
	f.Add([]byte("s.name='a'\ns.version = Gem::Version.new('1.0.pre')\ns.license = 'MIT'"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if pkg, ok := parseGemspec(data); ok {
			require.NotEmpty(t, pkg.Name)
			require.NotEmpty(t, pkg.Version)
			require.NotEmpty(t, pkg.PURL)
		}
	})
}
