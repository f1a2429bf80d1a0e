package sbom

import (
	"archive/tar"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const dpkgSample = `Package: libfoo1
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: foo (1:1.0-2)
Version: 1:1.0-2+b1
Depends: libc6 (>= 2.35), a-missing | bar [amd64] | baz, python3:any <!nocheck>
Pre-Depends: init-system-helpers (>= 1.54~)
Provides: foo-abi (= 1), foo-virtual
Description: a library
 .
 Package: not-a-field
 Version: 9

Package: bar
STATUS: hold ok unpacked
version: 2
Architecture: all
Origin: Example

Package: gone
Status: deinstall ok config-files
Version: 3

Package: removing
Status: deinstall ok installed
Version: 4

Package: never
Status: unknown ok not-installed

`

func TestDpkg(t *testing.T) {
	for name, eol := range map[string]string{"unix": "\n", "dos": "\r\n"} {
		t.Run(name, func(t *testing.T) {
			dos := func(s string) string { return strings.ReplaceAll(s, "\n", eol) }
			tr := newTree(map[string]string{
				"etc/os-release":                       dos("ID=debian\nVERSION_ID=\"12\"\n"),
				"var/lib/dpkg/status":                  dos(dpkgSample),
				"var/lib/dpkg/info/libfoo1:amd64.list": dos("/.\n/lib\n/lib/x\n/lib/x/libfoo.so.1\n/usr/bin/foo\n/usr/bin/foobar\n"),
				"var/lib/dpkg/info/bar.list":           dos("/.\n/bin/sh\n"),
				"var/lib/dpkg/diversions":              dos("/bin/sh\n/bin/sh.distrib\ndash\n"),
				"usr/share/doc/libfoo1":                "-> foo-common",
				"usr/share/doc/foo-common/copyright":   dos("Format: https://x/\n\nFiles: *\nLicense: MIT\n text\n\nFiles: b\nLicense: GPL-2+\n\nLicense: MIT\n"),
				"usr/share/doc/bar/copyright":          dos("See /usr/share/common-licenses/LGPL-2.1.\n"),
			}).scan(t, OSRelease(), Dpkg())
			require.Empty(t, tr.errs)
			require.Equal(t, []string{"bar 2", "libfoo1 1:1.0-2+b1", "removing 4"}, tr.lines("deb"))

			foo := tr.get(t, "libfoo1")
			require.Equal(t, boltseal.Source{Name: "foo", Version: "1:1.0-2"}, foo.Source)
			require.Equal(t, "pkg:deb/debian/libfoo1@1:1.0-2%2Bb1?arch=amd64&distro=debian-12&upstream=foo%401:1.0-2", foo.PURL)
			require.Equal(t, []string{"libc6", "bar", "python3", "init-system-helpers"}, foo.DependsOn)
			require.Equal(t, []string{"foo-abi", "foo-virtual"}, foo.Provides)
			require.Equal(t, []string{"lib/x/libfoo.so.1", "usr/bin/foo", "usr/bin/foobar"}, foo.Files)
			require.Equal(t, []string{"GPL-2+", "MIT"}, foo.Licenses)

			// What AnalyzeFile found is shared with the layer's record: a second
			// join in another tree starts from the same.
			require.Contains(t, tr.recorded, "a-missing|bar|baz")

			bar := tr.get(t, "bar")
			require.Equal(t, []string{"bin/sh.distrib"}, bar.Files)
			require.Equal(t, []string{"LGPL-2.1"}, bar.Licenses)
			require.Equal(t, "Example", bar.Vendor)
			require.Equal(t, boltseal.Source{Name: "bar"}, bar.Source)
		})
	}
}

func TestDpkgStatusD(t *testing.T) {
	tr := newTree(map[string]string{
		"var/lib/dpkg/status.d/libssl3":         "Package: libssl3\nVersion: 3.0\nArchitecture: amd64\nSource: openssl\n",
		"var/lib/dpkg/status.d/libssl3.md5sums": "0123  usr/lib/libssl.so.3\n4567  usr/share/doc/libssl3/a b\n",
		"var/lib/dpkg/status.d/empty":           "",
	}).scan(t, OSRelease(), Dpkg())
	require.Empty(t, tr.errs)
	require.Len(t, tr.packages, 1)
	require.Equal(t, []string{"usr/lib/libssl.so.3", "usr/share/doc/libssl3/a b"}, tr.packages[0].Files)
	require.Equal(t, "pkg:deb/libssl3@3.0?arch=amd64&upstream=openssl", tr.packages[0].PURL, "no distribution, no namespace")
}

func TestDpkgBadRecords(t *testing.T) {
	const ok = "Package: a\nStatus: install ok installed\nVersion: 1\n"
	for name, c := range map[string]struct {
		status string
		want   []string
		bad    bool
	}{
		"stray blank lines":      {"\n\n\n" + ok + "\n \t\n\n" + strings.Replace(ok, ": a", ": b", 1), []string{"a 1", "b 1"}, false},
		"no package":             {"Status: install ok installed\nVersion: 1\n\n" + ok, []string{"a 1"}, true},
		"no version":             {"Package: x\nStatus: install ok installed\n\n" + ok, []string{"a 1"}, true},
		"no status":              {"Package: x\nVersion: 1\n\n" + ok, []string{"a 1"}, false},
		"short status":           {"Package: x\nStatus: installed\nVersion: 1\n\n" + ok, []string{"a 1"}, false},
		"NULs":                   {"Package: x\x00y\nStatus: install ok installed\nVersion: 1\x00\n\n" + ok + "\n\x00\x00\x00", []string{"a 1", "x 1"}, false},
		"torn at the end":        {ok + "\nPackage: b", []string{"a 1"}, false},
		"continuation first":     {" x\n" + ok, []string{"a 1"}, false},
		"repeated key, last one": {"Package: z\n" + ok, []string{"a 1"}, false},
		"only garbage":           {strings.Repeat("\xff\xfe::\n", 10), []string{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(map[string]string{"var/lib/dpkg/status": c.status}).scan(t, Dpkg())
			require.Equal(t, c.want, tr.lines("deb"))
			require.Equal(t, c.bad, len(tr.errs) > 0, "%v", tr.errs)
			for _, err := range tr.errs {
				require.ErrorIs(t, err, boltseal.ErrMalformed)
			}
		})
	}
}

func TestDpkgLimit(t *testing.T) {
	p := &boltseal.Pass{Limits: boltseal.Limits{FileResults: 2}}
	f := boltseal.NewFile("var/lib/dpkg/status", 0o644, []byte(strings.Repeat("Package: a\nStatus: install ok installed\nVersion: 1\n\n", 3)))
	require.ErrorIs(t, Dpkg().AnalyzeFile(context.Background(), f, p), boltseal.ErrLimit)
	require.Len(t, p.Results.Packages, 2)
}

func TestDpkgDistroless(t *testing.T) {
	set := []boltseal.FileAnalyzer{OSRelease(), Dpkg()}
	tr := sharedImage(t, "distroless-base", wantedBy(set...)).scan(t, set...)
	require.Empty(t, tr.errs)
	require.Len(t, tr.lines("deb"), 12)
	libc := tr.get(t, "libc6")
	require.Contains(t, libc.Files, "lib/x86_64-linux-gnu/libc.so.6")
	require.Equal(t, "glibc", libc.Source.Name)
	require.Equal(t, "debian-12", tr.distro.String())
}

// TestDpkgQuery compares with dpkg-query on the database of every image whose
// archive is at hand.
func TestDpkgQuery(t *testing.T) {
	dir := os.Getenv("BOLTSEAL_IMAGES")
	if dir == "" {
		t.Skip("BOLTSEAL_IMAGES is not set")
	}
	query, err := exec.LookPath("dpkg-query")
	if err != nil {
		t.Skip("dpkg-query is not installed")
	}
	f, err := os.Open(filepath.Join(dir, "small.docker.tar"))
	if err != nil {
		t.Skipf("BOLTSEAL_IMAGES: %v", err)
	}
	defer f.Close()
	tr := newTree(nil)
	set := []boltseal.FileAnalyzer{OSRelease(), Dpkg()}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		if strings.HasSuffix(h.Name, ".tar") || strings.HasPrefix(h.Name, "blobs/") && h.Size > 1<<20 {
			tr.addLayer(t, tar.NewReader(r), wantedBy(set...))
		}
	}
	tr.scan(t, set...)
	require.Empty(t, tr.errs)

	admin := t.TempDir()
	for name, data := range tr.files {
		if rest, ok := strings.CutPrefix(name, dpkgDir); ok {
			require.NoError(t, os.MkdirAll(filepath.Join(admin, filepath.Dir(rest)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(admin, rest), data, 0o644))
		}
	}
	out, err := exec.Command(query, "--admindir", admin, "-W", "-f",
		`${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n`).Output()
	require.NoError(t, err)
	var want, got []string
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "installed "); ok {
			want = append(want, rest)
		}
	}
	for _, p := range tr.packages {
		version := p.Source.Version
		if version == "" {
			version = p.Version
		}
		got = append(got, strings.Join([]string{p.Name, p.Version, p.Arch, p.Source.Name, version}, " "))
		require.NotEmpty(t, p.Files, p.Name)
	}
	slices.Sort(want)
	slices.Sort(got)
	require.NotEmpty(t, want)
	require.Equal(t, want, got)
}

func FuzzDpkgStatus(f *testing.F) {
	f.Add([]byte(dpkgSample))
	f.Add([]byte("Package: a\nVersion: 1\n\n\n \n:\nDepends: |,a|,(|\n"))
	f.Add([]byte("Format: x\nLicense: MIT\n/usr/share/common-licenses/GPL-2."))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		for _, name := range []string{"status", "status.d/x", "status.d/x.md5sums", "info/x.list", "diversions"} {
			_ = Dpkg().AnalyzeFile(context.Background(), boltseal.NewFile(dpkgDir+name, 0o644, data), p)
		}
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.Name)
			require.NotEmpty(t, pkg.Version)
		}
		readDiversions(data)
		copyrightLicenses(data)
	})
}

func BenchmarkDpkg(b *testing.B) {
	text := strings.Repeat(" a line of its description, of which real packages have about ten\n", 10)
	status := []byte(strings.Repeat(strings.Replace(dpkgSample, " .\n", text, 1), 200))
	b.ReportAllocs()
	b.SetBytes(int64(len(status)))
	packages := 0
	for b.Loop() {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		if err := Dpkg().AnalyzeFile(b.Context(), boltseal.NewFile(dpkgDir+"status", 0o644, status), p); err != nil {
			b.Fatal(err)
		}
		packages += len(p.Results.Packages)
	}
	b.ReportMetric(float64(packages)/b.Elapsed().Seconds(), "packages/s")
}
