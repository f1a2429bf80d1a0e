package sbom

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestPythonMetadata(t *testing.T) {
	in := "Metadata-Version: 2.1\r\nName: Zope.Interface_x\r\nVersion: 5.4\r\nLicense: ZPL\r\n 2.1 text\r\n" +
		"Classifier: License :: OSI Approved :: Zope Public License\r\nClassifier: Topic :: X\r\n" +
		"Requires-Dist: setuptools (>=40)\r\nRequires-Dist: Foo.Bar[x]>=1; python_version < \"3\"\r\nRequires-Dist: sphinx; extra == 'docs'\r\n" +
		"\r\nName: not-this\r\n" + strings.Repeat("description ", 1<<20)
	p, err := analyze(t, Python(), "usr/lib/python3/dist-packages/z.dist-info/METADATA", []byte(in))
	require.NoError(t, err)
	pkg := p.Results.Packages[0]
	require.Equal(t, "pkg:pypi/zope-interface-x@5.4", pkg.PURL)
	require.Equal(t, []string{"Zope Public License"}, pkg.Licenses)
	require.Equal(t, []string{"foo-bar", "setuptools"}, pkg.DependsOn)

	for _, c := range []struct{ in, purl, license string }{
		{"Name: a\nVersion: 1\nLicense: MIT\nLicense-Expression: MIT OR Apache-2.0\n", "pkg:pypi/a@1", "MIT OR Apache-2.0"},
		{"\n\nName: a\nVersion: 1+local.1\nLicense: MIT", "pkg:pypi/a@1%2Blocal.1", "MIT"},
		{"\ufeffName: a\n", "pkg:pypi/a", ""},
		{"Version: 1\n", "", ""},
		{"Name: ../x\n", "", ""},
		{"", "", ""},
	} {
		p, err := analyze(t, Python(), "x/a.egg-info", []byte(c.in))
		require.NoError(t, err)
		if c.purl == "" {
			require.Empty(t, p.Results.Packages)
			continue
		}
		require.Equal(t, []string{c.purl}, purls(p))
		require.Equal(t, c.license, strings.Join(p.Results.Packages[0].Licenses, " "))
	}
	_, err = analyze(t, Python(), "x/a.egg-info", []byte("Name: a\nLicense: "+strings.Repeat("x", pythonHeaderMax)))
	require.ErrorIs(t, err, boltseal.ErrLimit)
}

func TestPythonWants(t *testing.T) {
	for name, want := range map[string]bool{
		"lib/a-1.dist-info/METADATA": true, "lib/a-1.dist-info/RECORD": true, "lib/a-1.dist-info/INSTALLER": true,
		"lib/a-1.dist-info/direct_url.json": true, "lib/a.egg-info/PKG-INFO": true, "lib/a.egg-info": true,
		"lib/a.egg/EGG-INFO/PKG-INFO": true, "lib/a.egg": true, "a.whl": true, "lib/a.egg-info/installed-files.txt": true,
		"METADATA": false, "src/PKG-INFO": false, "lib/a-1.dist-info/WHEEL": false, "lib/RECORD": false, "a.dist-info/x/METADATA": false,
	} {
		require.Equal(t, want, Python().Wants(name, nil), name)
	}
}

func TestPythonArchives(t *testing.T) {
	for name, member := range map[string]string{"a.egg": "EGG-INFO/PKG-INFO", "a.whl": "a-1.dist-info/METADATA"} {
		p, err := analyze(t, Python(), "lib/"+name, []byte(zipped(member, "Name: A\nVersion: 1\n", "vendor/b.dist-info/METADATA", "Name: b\n")))
		require.NoError(t, err)
		require.Equal(t, []string{"pkg:pypi/a@1"}, purls(p))
		require.Equal(t, "lib/"+name+"!"+member, p.Results.Packages[0].Locations[0].String())
	}
}

// pythonTree is a finished tree of packages and facts only.
type pythonTree struct {
	boltseal.View
	pkgs  []*boltseal.Package
	facts []boltseal.Fact
}

func (v pythonTree) Packages() []*boltseal.Package { return v.pkgs }
func (v pythonTree) Facts(kind string) iter.Seq[boltseal.Fact] {
	return func(yield func(boltseal.Fact) bool) {
		for _, f := range v.facts {
			if f.Kind == kind && !yield(f) {
				return
			}
		}
	}
}

func TestPythonJoin(t *testing.T) {
	const dir = "opt/lib/python3/site-packages/a-1.dist-info/"
	var v pythonTree
	for name, content := range map[string]string{
		"METADATA":        "Name: a\nVersion: 1\n",
		"RECORD":          "a/__init__.py,sha256=x,1\n\"a/with,comma.py\",,\n../../../bin/a,,\n../../../../../../../../etc/x,,\n/abs,,\na-1.dist-info/RECORD,,\n",
		"INSTALLER":       "pip\n",
		"direct_url.json": `{"url":"https://user:secret@example.com/a.git?token=x","vcs_info":{"vcs":"git","commit_id":"abc"}}`,
	} {
		p, err := analyze(t, Python(), dir+name, []byte(content))
		require.NoError(t, err)
		for i := range p.Results.Packages {
			p.Results.Packages[i].Locations = []boltseal.Location{{Path: dir + name}}
			v.pkgs = append(v.pkgs, &p.Results.Packages[i])
		}
		for _, f := range p.Results.Facts {
			f.Location.Path = dir + name
			v.facts = append(v.facts, f)
		}
	}
	require.NoError(t, Python().(boltseal.Joiner).Join(context.Background(), v, new(boltseal.Pass)))
	require.Equal(t, []string{
		"opt/lib/python3/site-packages/a/__init__.py", "opt/lib/python3/site-packages/a/with,comma.py", "opt/bin/a", "etc/x", "abs",
		"opt/lib/python3/site-packages/a-1.dist-info/RECORD",
	}, v.pkgs[0].Files)
	var details []string
	for _, e := range v.pkgs[0].Evidence {
		details = append(details, e.Detail)
	}
	require.Equal(t, []string{"metadata of the distribution a", "installed by pip", "installed from https://example.com/a.git (git abc)"}, details)
}

// Short lines below a long folder must not make gigabytes of megabytes.
func TestPythonRecordLimit(t *testing.T) {
	dir := strings.Repeat("d/", 2000)
	for name, line := range map[string]string{"a.dist-info/RECORD": "a,,\n", "a.egg-info/installed-files.txt": "a\n"} {
		p, err := analyze(t, Python(), dir+name, []byte(strings.Repeat(line, 10_000)))
		require.ErrorIs(t, err, boltseal.ErrLimit)
		require.LessOrEqual(t, len(p.Results.Facts[0].Data), pythonRecordMax)
	}
}

func FuzzPythonMetadata(f *testing.F) {
	f.Add([]byte("Metadata-Version: 2.1\nName: A_b\nVersion: 1\nLicense: x\n y\nRequires-Dist: a; extra == 'b'\n\ntext"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pkg, ok, _ := readPythonMetadata(strings.NewReader(string(data)))
		if ok {
			require.NotEmpty(t, pkg.PURL)
			require.Equal(t, pkg.Name, normalizePython(pkg.Name))
		}
	})
}

func FuzzPythonRecord(f *testing.F) {
	f.Add([]byte("a/b.py,sha256=x,1\n\"c,d\",,\n../../bin/x,,\n"), "usr/lib")
	f.Fuzz(func(t *testing.T, data []byte, dir string) {
		files, _ := parsePythonRecord(data, dir)
		for _, name := range files {
			require.False(t, strings.HasPrefix(name, "/") || strings.HasPrefix(name, "../"), name)
		}
	})
}

func BenchmarkPython(b *testing.B) {
	f := boltseal.NewFile("a.dist-info/METADATA", 0o644, []byte("Metadata-Version: 2.1\nName: a\nVersion: 1\n"+strings.Repeat("Classifier: Programming Language :: Python\n", 20)+"\n"+strings.Repeat("text\n", 1000)))
	for b.Loop() {
		if err := Python().AnalyzeFile(context.Background(), f, new(boltseal.Pass)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packages/s")
}
