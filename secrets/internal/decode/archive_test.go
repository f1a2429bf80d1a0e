package decode

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// opened is everything that was in a container, containers in it opened too.
type opened struct {
	members map[string]string // by chain of names, joined by "!"
	between string
	skipped map[string]error
}

func (o *opened) open(chain []string, name string, r io.Reader, left int) error {
	b := buffer(r)
	head, _ := b.Peek(4096)
	f := Detect(name, head)
	if f == Raw || left == 0 {
		data, err := io.ReadAll(b)
		o.members[strings.Join(chain, "!")] += string(data)
		return err
	}
	err := Open(f, name, b, &Visitor{
		Member: func(name string, r io.Reader) error {
			return o.open(append(chain[:len(chain):len(chain)], name), name, r, left-1)
		},
		Between: func(_ int64, r io.Reader) error {
			data, err := io.ReadAll(r)
			o.between += string(data) + "\n"
			return err
		},
		Skip: func(name string, err error) {
			o.skipped[strings.Join(append(chain[:len(chain):len(chain)], name), "!")] = err
		},
		Decompress: map[string]Decompressor{"zstd": func(r io.Reader) (io.ReadCloser, error) {
			z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
			return z.IOReadCloser(), err
		}},
	})
	if err != nil && !stops(err) {
		o.skipped[strings.Join(chain, "!")] = err
		return nil
	}
	return err
}

func openAll(t testing.TB, name string, data []byte) *opened {
	o := &opened{members: map[string]string{}, skipped: map[string]error{}}
	require.NoError(t, o.open(nil, name, bytes.NewReader(data), 8))
	return o
}

// shell runs a script in a new directory and returns the file named out; the
// test is skipped where one of the tools is missing.
func shell(t testing.TB, tools, script, out string) []byte {
	t.Helper()
	for _, tool := range strings.Fields(tools) {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	data, err := os.ReadFile(filepath.Join(dir, out))
	require.NoError(t, err)
	return data
}

const tree = "mkdir -p in/etc; echo alpha > in/a.txt; seq 1 5000 > in/etc/numbers; printf 'x' > in/odd; : > in/empty\n"

// numbers is what seq writes.
func numbers(t *testing.T) string { return string(shell(t, "seq", "seq 1 5000 > n", "n")) }

func TestArchivesOfTools(t *testing.T) {
	want := numbers(t)
	for _, c := range []struct{ name, tools, script, prefix string }{
		{"a.zip", "zip", tree + "cd in; zip -qr ../a.zip .", ""},
		{"stored.zip", "zip", tree + "cd in; zip -0qr ../stored.zip .", ""},
		{"piped.zip", "zip", tree + "cd in; zip -qr - . | cat > ../piped.zip", ""},
		{"bzip2.zip", "zip", tree + "cd in; zip -Z bzip2 -qr ../bzip2.zip .", ""},
		{"sfx.jar", "zip", tree + "cd in; zip -qr ../x .; (printf '#!/bin/sh\\nexec java -jar $0\\n'; cat ../x.zip) > ../sfx.jar", ""},
		{"commented.zip", "zip", tree + "cd in; zip -qr ../x .; cd ..; echo remark | zip -qz x.zip; mv x.zip commented.zip", ""},
		{"a.jar", "jar", tree + "jar cf a.jar -C in .", ""},
		{"gnu.tar", "tar", tree + "tar --format=gnu -C in -cf gnu.tar .", ""},
		{"pax.tar", "tar", tree + "tar --format=posix -C in -cf pax.tar .", ""},
		{"v7.tar", "tar", tree + "tar --format=v7 -C in -cf v7.tar .", ""},
		{"a.tar.gz", "tar gzip", tree + "tar -C in -czf a.tar.gz .", "a.tar!"},
		{"a.tgz", "tar gzip", tree + "tar -C in -czf a.tgz .", "a.tar!"},
		{"a.tar.bz2", "tar bzip2", tree + "tar -C in -cjf a.tar.bz2 .", "a.tar!"},
		{"a.tar.zst", "tar zstd", tree + "tar -C in --zstd -cf a.tar.zst .", "a.tar!"},
		{"newc.cpio", "cpio", tree + "cd in; find . | cpio --quiet -H newc -o > ../newc.cpio", ""},
		{"crc.cpio", "cpio", tree + "cd in; find . | cpio --quiet -H crc -o > ../crc.cpio", ""},
		{"odc.cpio", "cpio", tree + "cd in; find . | cpio --quiet -H odc -o > ../odc.cpio", ""},
		{"deep.zip", "zip tar gzip ar", tree + "tar -C in -czf a.tgz .; ar qc a.a a.tgz; zip -q deep.zip a.a", "a.a!a.tgz!a.tar!"},
		{"gz.deb", "dpkg-deb", tree + "mkdir in/DEBIAN; printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n' > in/DEBIAN/control; dpkg-deb -Zgzip -b in gz.deb", "data.tar.gz!data.tar!"},
		{"a.rpm", "rpmbuild", rpmScript, "opt/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := openAll(t, c.name, shell(t, c.tools, c.script, c.name))
			require.Empty(t, o.skipped)
			require.Equal(t, "alpha\n", o.members[c.prefix+"a.txt"])
			require.Equal(t, want, o.members[c.prefix+"etc/numbers"])
			require.Equal(t, "x", o.members[c.prefix+"odd"])
			switch c.name {
			case "commented.zip":
				require.Contains(t, o.between, "remark")
			case "sfx.jar":
				require.Contains(t, o.between, "exec java")
			case "gz.deb":
				require.Contains(t, o.members["control.tar.gz!control.tar!control"], "Package: p")
			case "a.rpm":
				require.Contains(t, o.members["header"], "echo installed")
			}
		})
	}
}

const rpmScript = tree + `cat > p.spec <<SPEC
Name: p
Version: 1
Release: 1
Summary: s
License: l
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/opt; cp -r $PWD/in/. %{buildroot}/opt/
%post
echo installed
%files
/opt
SPEC
rpmbuild --quiet --define "_topdir $PWD/top" --define "_binary_payload w3.zstdio" -bb p.spec
mv top/RPMS/noarch/p-1-1.noarch.rpm a.rpm`

func TestZipOfPython(t *testing.T) {
	// Stored, to a pipe: only what follows a member tells where it ends.
	data := shell(t, "python3", `python3 - <<'E' | cat > a.zip
import sys, zipfile
z = zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_STORED)
z.writestr('one', 'first PK second')
z.writestr('two', 'P'*70000)
z.close()
E`, "a.zip")
	o := openAll(t, "a.zip", data)
	require.Empty(t, o.skipped)
	require.Equal(t, "first PK second", o.members["one"])
	require.Equal(t, strings.Repeat("P", 70000), o.members["two"])
}

func TestZipHidesNothing(t *testing.T) {
	// The directory is gone, and the second member was never in it.
	a := shell(t, "zip", "echo first > a; zip -q x.zip a", "x.zip")
	b := shell(t, "zip", "echo second > b; zip -q x.zip b", "x.zip")
	cut := bytes.Index(a, []byte(zipCentral))
	o := openAll(t, "x.zip", append(append([]byte("leading "), a[:cut]...), b...))
	require.Equal(t, map[string]string{"a": "first\n", "b": "second\n"}, o.members)
	require.Contains(t, o.between, "leading")
}

func TestArchivesUnread(t *testing.T) {
	encrypted := shell(t, "zip", "echo s > a; echo t > b; zip -qP pass x.zip a; zip -q x.zip b", "x.zip")
	o := openAll(t, "x.zip", encrypted)
	require.ErrorIs(t, o.skipped["a"], errors.ErrUnsupported)
	require.Equal(t, "t\n", o.members["b"])

	for name, magic := range map[string]string{"xz": "\xfd7zXZ\x00", "7z": "7z\xbc\xaf\x27\x1c", "rar": "Rar!\x1a\x07\x01\x00", "lz4": "\x04\x22\x4d\x18"} {
		o := openAll(t, "x", []byte(magic+strings.Repeat("\x00", 600)))
		require.ErrorIs(t, o.skipped[""], errors.ErrUnsupported, name)
		require.Contains(t, o.skipped[""].Error(), name)
	}

	whole := shell(t, "tar gzip", tree+"tar -C in -cf a.tar .", "a.tar")
	o = openAll(t, "a.tar", whole[:len(whole)/2])
	require.NotEmpty(t, o.skipped)

	damaged := bytes.Clone(whole)
	copy(damaged[512+148:], "no sum")
	o = openAll(t, "a.tar", damaged)
	require.ErrorIs(t, o.skipped[""], boltseal.ErrMalformed)
	require.NotEmpty(t, o.between)
}

func TestExpansionIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 4<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	var failed error
	got := int64(0)
	err = Open(Gzip, "x.gz", &bomb, &Visitor{
		Member: func(_ string, r io.Reader) (err error) { got, err = io.Copy(io.Discard, r); return err },
		Skip:   func(_ string, err error) { failed = err },
		Limits: Limits{RatioFrom: 1 << 20},
	})
	require.NoError(t, err)
	require.ErrorIs(t, failed, boltseal.ErrLimit)
	require.Less(t, got, int64(2<<20))
}

func TestOpenEndsWhereTheVisitorSays(t *testing.T) {
	data := shell(t, "zip", tree+"cd in; zip -qr ../a.zip .", "a.zip")
	stop := errors.New("enough")
	n := 0
	err := Open(Zip, "a.zip", bytes.NewReader(data), &Visitor{
		Member:  func(string, io.Reader) error { n++; return stop },
		Between: func(int64, io.Reader) error { return nil },
		Skip:    func(string, error) { n += 100 },
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, n)
}

func FuzzOpen(f *testing.F) {
	for _, s := range []string{
		tree + "cd in; zip -qr ../o .; mv ../o.zip ../o", tree + "tar -C in -cf o .", tree + "tar -C in -czf o .", tree + "cd in; find . | cpio --quiet -H newc -o > ../o",
		tree + "cd in; find . | cpio --quiet -H odc -o > ../o", tree + "ar qc o in/a.txt in/odd", tree + "bzip2 < in/a.txt > o",
	} {
		dir := f.TempDir()
		cmd := exec.Command("sh", "-ec", s)
		cmd.Dir = dir
		if cmd.Run() == nil {
			if data, err := os.ReadFile(filepath.Join(dir, "o")); err == nil && len(data) < 64<<10 {
				f.Add(data)
			}
		}
	}
	f.Add([]byte("\xed\xab\xee\xdb" + strings.Repeat("\x00", 92) + "\x8e\xad\xe8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x8e\xad\xe8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04abcd070701"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out := int64(0)
		var open func(name string, r io.Reader, depth int) error
		open = func(name string, r io.Reader, depth int) error {
			b := buffer(r)
			head, _ := b.Peek(4096)
			format := Detect(name, head)
			if format == Raw || depth == 3 {
				n, err := io.Copy(io.Discard, io.LimitReader(b, 1<<20))
				if out += n; out > 32<<20 {
					return errors.New("enough")
				}
				return err
			}
			return Open(format, name, b, &Visitor{
				Member:  func(name string, r io.Reader) error { return open(name, r, depth+1) },
				Between: func(_ int64, r io.Reader) error { return open("", r, 3) },
				Skip:    func(string, error) {},
				Limits:  Limits{RatioFrom: 1 << 20},
			})
		}
		open("x.zip", bytes.NewReader(data), 0)
	})
}

// A reader that fills its buffers exactly must meet the limit, too.
func TestBombEnds(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(make([]byte, 64<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for _, size := range []int{1 << 10, 4096, 32 << 10, 100_003} {
		read, skipped := 0, error(nil)
		err := Open(Gzip, "x.gz", bytes.NewReader(b.Bytes()), &Visitor{
			Limits: Limits{Ratio: 2, RatioFrom: 1 << 20},
			Member: func(_ string, r io.Reader) error {
				buf := make([]byte, size)
				for {
					n, err := io.ReadFull(r, buf)
					read += n
					if err != nil {
						return err
					}
				}
			},
			Between: func(_ int64, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err },
			Skip:    func(_ string, err error) { skipped = err },
		})
		require.NoError(t, err)
		require.ErrorIs(t, skipped, boltseal.ErrLimit)
		require.LessOrEqual(t, read, 1<<20+size)
	}
}
