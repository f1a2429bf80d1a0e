package sbom

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

const apkSample = `C:Q1abc=
P:libcrypto3
V:3.3.1-r3
A:x86_64
L:Apache-2.0
o:openssl
D:so:libc.musl-x86_64.so.1 busybox>=1.2 !old cmd:sh foo@edge
p:so:libcrypto.so.3=3 libcrypto
F:
R:root-file
F:etc
F:lib
R:libcrypto.so.3
a:0:0:755
Z:Q1x=

P:busybox
V:1.36.1-r29

P:.build-deps
V:20240801.120000
D:gcc

`

func TestAPK(t *testing.T) {
	for name, eol := range map[string]string{"unix": "\n", "dos": "\r\n"} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(map[string]string{
				"lib/apk/db/installed": strings.ReplaceAll(apkSample, "\n", eol),
				"etc/os-release":       "ID=alpine\nVERSION_ID=3.20.2\n",
			}).scan(t, OSRelease(), APK())
			require.Empty(t, tr.errs)
			require.Equal(t, []string{"busybox 1.36.1-r29", "libcrypto3 3.3.1-r3"}, tr.lines("apk"))
			p := tr.get(t, "libcrypto3")
			require.Equal(t, "pkg:apk/alpine/libcrypto3@3.3.1-r3?arch=x86_64&distro=alpine-3.20.2&upstream=openssl", p.PURL)
			require.Equal(t, []string{"so:libc.musl-x86_64.so.1", "busybox", "cmd:sh", "foo"}, p.DependsOn)
			require.Equal(t, []string{"so:libcrypto.so.3", "libcrypto"}, p.Provides)
			require.Equal(t, []string{"root-file", "lib/libcrypto.so.3"}, p.Files)
			require.Equal(t, []string{"Apache-2.0"}, p.Licenses)
		})
	}
}

func TestAPKBadRecords(t *testing.T) {
	tr := newTree(map[string]string{"usr/lib/apk/db/installed": "\n\nP:a\n\nV:1\nF:x\n\n\x00\n\nP:b\nV:2\nR:\nxx\n:\n"}).scan(t, APK())
	require.Equal(t, []string{"b 2"}, tr.lines("apk"))
	require.Len(t, tr.errs, 1)
	require.ErrorIs(t, tr.errs[0], boltseal.ErrMalformed)
}

// TestAPKAlpine compares with awk over a real database.
func TestAPKAlpine(t *testing.T) {
	set := []boltseal.FileAnalyzer{OSRelease(), APK()}
	tr := sharedImage(t, "scalibr-alpine", wantedBy(set...)).scan(t, set...)
	require.Empty(t, tr.errs)
	require.Len(t, tr.packages, 14)
	require.Equal(t, []string{
		"https://dl-cdn.alpinelinux.org/alpine/v3.20/community",
		"https://dl-cdn.alpinelinux.org/alpine/v3.20/main",
	}, tr.distro.Repositories)
	awk, err := exec.LookPath("awk")
	require.NoError(t, err, "awk is part of every Unix")
	db := string(tr.files["lib/apk/db/installed"])
	run := func(program string) []string {
		cmd := exec.Command(awk, "-F:", program)
		cmd.Stdin = strings.NewReader(db)
		out, err := cmd.Output()
		require.NoError(t, err)
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	want := run(`$1=="P"{p=$2} $1=="V"{print p " " $2}`)
	slices.Sort(want)
	require.Equal(t, want, tr.lines("apk"))
	var files []string
	for _, p := range tr.packages {
		files = append(files, p.Files...)
	}
	require.Equal(t, run(`$1=="F"{d=$2} $1=="R"{print d "/" $2}`), files)
}

func FuzzAPK(f *testing.F) {
	f.Add([]byte(apkSample))
	f.Add([]byte("P:a\nV:1\nF:\nR:\n\n\n\nD:=\np:!\nR:x\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		_ = APK().AnalyzeFile(context.Background(), boltseal.NewFile("lib/apk/db/installed", 0o644, data), p)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.Name)
			require.NotEmpty(t, pkg.Version)
		}
	})
}

func BenchmarkAPK(b *testing.B) {
	files := strings.Repeat("R:libcrypto.so.3\na:0:0:755\nZ:Q1gqg3QWQoHCKJjT2HcOJBtVDzyUI=\n", 20) // as many as real packages have
	db := []byte(strings.Repeat(strings.Replace(apkSample, "R:libcrypto.so.3\n", files, 1), 500))
	b.ReportAllocs()
	b.SetBytes(int64(len(db)))
	packages := 0
	for b.Loop() {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		if err := APK().AnalyzeFile(b.Context(), boltseal.NewFile("lib/apk/db/installed", 0o644, db), p); err != nil {
			b.Fatal(err)
		}
		packages += len(p.Results.Packages)
	}
	b.ReportMetric(float64(packages)/b.Elapsed().Seconds(), "packages/s")
}

func TestAPKPathsExplode(t *testing.T) {
	record := "P:a\nV:1\nF:" + strings.Repeat("d", 4000) + "\n" + strings.Repeat("R:b\n", 1000)
	tr := newTree(map[string]string{"lib/apk/db/installed": record}).scan(t, APK())
	require.Equal(t, []string{"a 1"}, tr.lines("apk"))
	require.Empty(t, tr.packages[0].Files)
}
