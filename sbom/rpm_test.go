package sbom

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// TestRPMQuery compares with rpm itself on real databases of each form.
func TestRPMQuery(t *testing.T) {
	for image, c := range map[string]struct {
		backend  string
		packages int
	}{
		"rpm-sle15":              {"sqlite", 35},
		"rpm-mariner2":           {"sqlite", 129},
		"rpm-alma9-as-rocky9db":  {"sqlite", 142},
		"rpm-alma8-as-centos8db": {"bdb_ro", 518},
	} {
		t.Run(image, func(t *testing.T) {
			set := []boltseal.FileAnalyzer{OSRelease(), RPM()}
			tr := sharedImage(t, image, wantedBy(set...)).scan(t, set...)
			require.Empty(t, tr.errs)

			query, err := exec.LookPath("rpm")
			if err != nil {
				t.Skip("rpm is not installed")
			}
			dir := t.TempDir()
			for name, data := range tr.files {
				if path.Base(name) == "Packages.db" { // rpm is seldom built with ndb
					asSQLite(t, filepath.Join(dir, "rpmdb.sqlite"), data)
				} else if slices.Contains(rpmFiles, path.Base(name)) {
					require.NoError(t, os.WriteFile(filepath.Join(dir, path.Base(name)), data, 0o644))
				}
			}
			out, err := exec.Command(query, "-qa", "--dbpath", dir, "--define", "_db_backend "+c.backend, "--qf",
				"P|%{NAME}|%{EPOCHNUM}|%{VERSION}-%{RELEASE}|%{ARCH}|%{SOURCERPM}|%{MODULARITYLABEL}|%{VENDOR}|%{LICENSE}\n"+
					"[F|%{=NAME}|%{FILEFLAGS}|%{FILEMODES}|%{FILENAMES}\n]").Output()
			require.NoError(t, err)
			var want, wantFiles []string
			for line := range strings.Lines(string(out)) {
				kind, line, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
				switch {
				case strings.HasPrefix(line, "gpg-pubkey|"):
				case kind == "P":
					want = append(want, line)
				case kind == "F":
					f := strings.SplitN(line, "|", 4)
					flags, err := strconv.ParseUint(f[1], 10, 32)
					require.NoError(t, err)
					mode, err := strconv.ParseInt(f[2], 10, 32)
					require.NoError(t, err)
					if flags&64 == 0 && mode&0o170000 != 0o040000 {
						wantFiles = append(wantFiles, f[0]+" "+f[3][1:])
					}
				}
			}
			slices.Sort(want)
			var got []string
			for _, p := range tr.packages {
				epoch, version, ok := strings.Cut(p.Version, ":")
				if !ok {
					epoch, version = "0", p.Version
				}
				source := p.Source.Version
				if source == "" {
					source = version
				}
				got = append(got, strings.Join([]string{p.Name, epoch, version, none(p.Arch), p.Source.Name + "-" + source + ".src.rpm",
					none(p.Module), none(p.Vendor), p.Licenses[0]}, "|"))
			}
			slices.Sort(got)
			require.Equal(t, want, got)
			require.LessOrEqual(t, len(got), c.packages)
			require.Greater(t, len(got), c.packages-6, "keys for signatures apart")

			got = nil
			for _, p := range tr.packages {
				for _, name := range p.Files {
					got = append(got, p.Name+" "+name)
				}
			}
			slices.Sort(wantFiles)
			slices.Sort(got)
			require.NotEmpty(t, got)
			require.True(t, slices.Equal(wantFiles, got), "%d files, want %d", len(got), len(wantFiles))
		})
	}
}

// asSQLite copies the records of an ndb database into one that any rpm reads.
func asSQLite(t *testing.T, file string, ndb []byte) {
	bin, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("sqlite3, which writes the databases to read, is not installed (one of BOLTSEAL_PEERS)")
	}
	out, err := exec.Command("rpmdb", "--initdb", "--dbpath", filepath.Dir(file), "--define", "_db_backend sqlite").CombinedOutput()
	require.NoError(t, err, string(out))
	var sql strings.Builder
	sql.WriteString("BEGIN;\n")
	for blob, err := range ndbBlobs(bytes.NewReader(ndb), int64(len(ndb))) {
		require.NoError(t, err)
		fmt.Fprintf(&sql, "INSERT INTO Packages(blob) VALUES (x'%x');\n", blob)
	}
	sql.WriteString("COMMIT;\n")
	cmd := exec.Command(bin, file)
	cmd.Stdin = strings.NewReader(sql.String())
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

func none(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func TestRPMContradiction(t *testing.T) {
	set := []boltseal.FileAnalyzer{OSRelease(), RPM()}
	tr := sharedImage(t, "rpm-alma9-as-rocky9db", wantedBy(set...)).scan(t, set...)
	require.Len(t, tr.skipped, 1)
	require.Contains(t, tr.skipped[0].Reason, "the release file says almalinux-9.3, the installed package rocky-release")
}

// tag is one value for a header: a string, strings, or numbers.
type tag struct {
	number uint32
	value  any
}

// header writes tags in the form that databases hold.
func header(tags ...tag) []byte {
	var index, data []byte
	for _, t := range tags {
		off, kind, count := len(data), uint32(0), 1
		switch v := t.value.(type) {
		case string:
			kind, data = typeString, append(append(data, v...), 0)
		case []string:
			kind, count = typeStringArray, len(v)
			for _, s := range v {
				data = append(append(data, s...), 0)
			}
		case []uint32:
			kind, count = typeInt32, len(v)
			for _, n := range v {
				data = binary.BigEndian.AppendUint32(data, n)
			}
		case []uint16:
			kind, count = typeInt16, len(v)
			for _, n := range v {
				data = binary.BigEndian.AppendUint16(data, n)
			}
		}
		for _, n := range []uint32{t.number, kind, uint32(off), uint32(count)} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	return append(append(out, index...), data...)
}

func sampleHeader() []byte {
	return header(
		tag{tagName, "bind"}, tag{tagVersion, "9.11.4"}, tag{tagRelease, "1.el8"}, tag{tagEpoch, []uint32{32}},
		tag{tagArch, "x86_64"}, tag{tagSourceRPM, "bind-utils-x-9.11-2.el8.src.rpm"}, tag{tagVendor, "Example"},
		tag{tagLicense, "MPLv2.0"}, tag{tagModularityLabel, "bind:9:8030:abc"},
		tag{tagDirNames, []string{"/etc/", "/usr/bin/"}}, tag{tagBaseNames, []string{"bind.conf", "dir", "named", "run"}},
		tag{tagDirIndexes, []uint32{0, 0, 1, 7}}, tag{tagFileFlags, []uint32{1, 0, 0, 0}}, tag{tagFileModes, []uint16{0o100644, 0o040755, 0o100755, 0o100755}},
		tag{tagRequireName, []string{"libc.so.6()(64bit)", "libc.so.6()(64bit)", "rpmlib(X)", "config(bind)", "/bin/sh"}},
		tag{tagProvideName, []string{"bind"}},
	)
}

func TestRPMPackage(t *testing.T) {
	for name, blob := range map[string][]byte{"database": sampleHeader(), "file": append([]byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}, sampleHeader()...)} {
		p, err := readRPMPackage(blob)
		require.NoError(t, err, name)
		require.Equal(t, boltseal.Package{
			Type: "rpm", Name: "bind", Version: "32:9.11.4-1.el8", Arch: "x86_64", Vendor: "Example", Module: "bind:9:8030:abc",
			Source: boltseal.Source{Name: "bind-utils-x", Version: "9.11-2.el8"}, Licenses: []string{"MPLv2.0"},
			DependsOn: []string{"libc.so.6()(64bit)", "/bin/sh"}, Provides: []string{"bind"},
			Files: []string{"etc/bind.conf", "usr/bin/named"}, // a directory and a missing one are left out
		}, p, name)
	}
	p, err := readRPMPackage(header(tag{tagName, "a"}, tag{tagVersion, "1"}, tag{tagOldFileNames, []string{"/x", "/ghost"}}, tag{tagFileFlags, []uint32{0, 64}}))
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, p.Files)
	require.Equal(t, "1", p.Version)
	require.Empty(t, p.Source)
}

func TestRPMHeaderHostile(t *testing.T) {
	patch := func(off int, v uint32) []byte {
		b := bytes.Clone(sampleHeader())
		binary.BigEndian.PutUint32(b[off:], v)
		return b
	}
	long := "/" + strings.Repeat("d", 1<<16) + "/"
	for name, c := range map[string]struct {
		blob  []byte
		bad   bool
		files int
	}{
		"empty":            {nil, true, 0},
		"huge index":       {patch(0, 1<<31), true, 0},
		"no tags":          {patch(0, 0), true, 0},
		"huge data":        {patch(4, 1<<31-1), true, 0},
		"name outside":     {patch(8+8, 1<<30), true, 0},
		"name of integers": {patch(8+4, typeInt32), true, 0},
		"count of files":   {patch(8+10*16+12, 1<<31), false, 2}, // strings end where the data does
		"paths explode": {header(tag{tagName, "a"}, tag{tagVersion, "1"}, tag{tagDirNames, []string{long}},
			tag{tagBaseNames, slices.Repeat([]string{"b"}, 1000)}, tag{tagDirIndexes, make([]uint32, 1000)}), false, 0},
	} {
		p, err := readRPMPackage(c.blob)
		require.Equal(t, c.bad, err != nil, name)
		if c.bad {
			require.ErrorIs(t, err, boltseal.ErrMalformed, name)
		}
		require.Len(t, p.Files, c.files, name)
	}
}

func TestRPMManifest(t *testing.T) {
	tr := newTree(map[string]string{rpmManifest: "bash\t5.1.8-1.cm2\t1\t2\tMicrosoft Corporation\t(none)\t9\tx86_64\t0\tbash-5.1.8-1.cm2.src.rpm\r\n" +
		"perl-x\t4.1-2.cm2\t1\t2\tV\t3\t9\tnoarch\t3\tperl-5-1.cm2.src.rpm\nshort\t1\n\n"}).scan(t, RPM())
	require.Equal(t, []string{"bash 5.1.8-1.cm2", "perl-x 3:4.1-2.cm2"}, tr.lines("rpm"))
	require.Len(t, tr.errs, 1)
	require.ErrorIs(t, tr.errs[0], boltseal.ErrMalformed)
	require.Equal(t, "pkg:rpm/perl-x@4.1-2.cm2?arch=noarch&epoch=3&upstream=perl%405-1.cm2", tr.get(t, "perl-x").PURL)
}

func TestRPMJoin(t *testing.T) {
	tr := newTree(nil)
	at := func(name, file string) *boltseal.Package {
		return &boltseal.Package{Type: "rpm", Name: name, Version: "1", Locations: []boltseal.Location{{Path: file}}}
	}
	tr.packages = []*boltseal.Package{
		at("old", "var/lib/rpm/Packages"), at("new", "var/lib/rpm/rpmdb.sqlite"), at("twin", "var/lib/rpm/rpmdb.sqlite"), at("twin", "var/lib/rpm/rpmdb.sqlite"),
		at("new", "usr/share/rpm/Packages"), at("other", "usr/share/rpm/Packages"), at("new", rpmManifest),
	}
	tr.scan(t, RPM())
	require.Equal(t, []string{"new 1", "other 1", "twin 1", "twin 1"}, tr.lines("rpm"))
	require.Len(t, tr.skipped, 1)
}

func TestRPMLog(t *testing.T) {
	const name = "var/lib/rpm/rpmdb.sqlite-wal"
	tr := newTree(map[string]string{name: "\x37\x7f\x06\x82" + strings.Repeat("\x00", 100)}).scan(t, RPM())
	require.Len(t, tr.skipped, 1)
	require.False(t, tr.skipped[0].Note)
	require.Empty(t, newTree(map[string]string{name: ""}).scan(t, RPM()).skipped)
}

// collect reads a database, and counts its records and errors.
func collect(records iter.Seq2[[]byte, error]) (blobs [][]byte, errs []error) {
	for b, err := range records {
		if err != nil {
			errs = append(errs, err)
		} else {
			blobs = append(blobs, bytes.Clone(b))
		}
	}
	return blobs, errs
}

func bdbFile(order binary.AppendByteOrder, edit func(pages [][]byte)) []byte {
	const size = 512
	pages := make([][]byte, 5)
	put32 := func(b []byte, v uint32) { copy(b, order.AppendUint32(nil, v)) }
	put16 := func(b []byte, v uint16) { copy(b, order.AppendUint16(nil, v)) }
	for i := range pages {
		pages[i] = make([]byte, size)
	}
	put32(pages[0][12:], bdbHashMagic)
	put32(pages[0][20:], size)
	pages[0][25] = bdbHashMeta
	hash := pages[1]
	hash[25] = bdbHash
	put16(hash[20:], 4)
	for i, item := range []struct {
		at   uint16
		data []byte
	}{{507, []byte{bdbKeyData, 1, 0, 0, 0}}, {495, []byte{bdbOffPage, 0, 0, 0}}, {490, []byte{bdbKeyData, 2, 0, 0, 0}}, {480, []byte("\x01short-one")}} {
		put16(hash[bdbHeader+2*i:], item.at)
		copy(hash[item.at:], item.data)
	}
	put32(hash[495+4:], 3) // first page of the chain
	put32(hash[495+8:], 486+10)
	for page, next := range map[int]uint32{3: 2, 2: 0} {
		pages[page][25] = bdbOverflow
		put32(pages[page][16:], next)
		put16(pages[page][22:], 486)
		copy(pages[page][bdbHeader:], bytes.Repeat([]byte{byte('0' + page)}, 486))
	}
	put16(pages[2][22:], 10)
	if edit != nil {
		edit(pages)
	}
	return bytes.Join(pages, nil)
}

func TestBDB(t *testing.T) {
	want := [][]byte{[]byte(strings.Repeat("3", 486) + strings.Repeat("2", 10)), []byte("short-one")}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		data := bdbFile(order, nil)
		blobs, errs := collect(bdbBlobs(bytes.NewReader(data), int64(len(data))))
		require.Empty(t, errs)
		require.Equal(t, want, blobs)
	}
	for name, c := range map[string]struct {
		edit  func(p [][]byte)
		blobs int
	}{
		"chain to itself":      {func(p [][]byte) { p[3][16] = 3 }, 1},
		"cycle of two":         {func(p [][]byte) { p[1][495+9] = 0xff; p[2][16] = 3 }, 1},
		"huge value":           {func(p [][]byte) { copy(p[1][495+8:], "\xff\xff\xff\xff") }, 1},
		"chain outside":        {func(p [][]byte) { copy(p[1][495+4:], "\xff\xff\xff\xff") }, 1},
		"chain of wrong type":  {func(p [][]byte) { p[3][25] = 13; p[3][20] = 0 }, 1},
		"empty overflow page":  {func(p [][]byte) { p[3][22], p[3][23] = 0, 0 }, 1},
		"items ascend":         {func(p [][]byte) { p[1][bdbHeader+2], p[1][bdbHeader+3] = 0xff, 1 }, 0},
		"huge item count":      {func(p [][]byte) { p[1][20], p[1][21] = 0xff, 0xff }, 0},
		"unknown item":         {func(p [][]byte) { p[1][495] = 9 }, 1},
		"huge page size":       {func(p [][]byte) { copy(p[0][20:], "\x00\x00\x00\x80") }, 0},
		"page size of nothing": {func(p [][]byte) { copy(p[0][20:], "\x00\x00\x00\x00") }, 0},
		"encrypted":            {func(p [][]byte) { p[0][24] = 1 }, 0},
		"other magic":          {func(p [][]byte) { p[0][12] = 0 }, 0},
	} {
		data := bdbFile(binary.LittleEndian, c.edit)
		blobs, errs := collect(bdbBlobs(bytes.NewReader(data), int64(len(data))))
		require.Len(t, errs, 1, name)
		require.ErrorIs(t, errs[0], boltseal.ErrMalformed, name)
		require.Len(t, blobs, c.blobs, name)
	}
}

func ndbFile(edit func(b []byte)) []byte {
	b := make([]byte, ndbPage+3*48)
	copy(b, ndbMagic)
	b[12] = 1
	for i := range 254 {
		copy(b[ndbHead+i*ndbBlock:], ndbSlotMagic)
	}
	for i, text := range []string{"first", "second", "third"} {
		slot, off := b[ndbHead+i*ndbBlock:], ndbPage+i*48
		slot[4], slot[12] = byte(i+1), 3
		binary.LittleEndian.PutUint32(slot[8:], uint32(off/ndbBlock))
		copy(b[off:], ndbBlobMagic)
		b[off+4], b[off+12] = byte(i+1), byte(len(text))
		copy(b[off+ndbBlock:], text)
	}
	if edit != nil {
		edit(b)
	}
	return b
}

func TestNDB(t *testing.T) {
	data := ndbFile(nil)
	blobs, errs := collect(ndbBlobs(bytes.NewReader(data), int64(len(data))))
	require.Empty(t, errs)
	require.Equal(t, [][]byte{[]byte("first"), []byte("second"), []byte("third")}, blobs)
	for name, c := range map[string]struct {
		edit  func(b []byte)
		blobs int
	}{
		"wrong magic":      {func(b []byte) { b[0] = 'x' }, 0},
		"version 1":        {func(b []byte) { b[4] = 1 }, 0},
		"huge slot table":  {func(b []byte) { copy(b[12:], "\xff\xff\xff\xff") }, 0},
		"no slots":         {func(b []byte) { b[12] = 0 }, 0},
		"slot magic":       {func(b []byte) { b[ndbHead] = 'x' }, 2},
		"offset outside":   {func(b []byte) { copy(b[ndbHead+8:], "\xff\xff\xff\xff") }, 2},
		"blob magic":       {func(b []byte) { b[ndbPage] = 'x' }, 2},
		"another's blob":   {func(b []byte) { b[ndbPage+4] = 9 }, 2},
		"longer than slot": {func(b []byte) { b[ndbPage+12] = 40 }, 2},
		"huge blob":        {func(b []byte) { copy(b[ndbPage+12:], "\xff\xff\xff\xff"); copy(b[ndbHead+12:], "\xff\xff\xff\xff") }, 2},
	} {
		data := ndbFile(c.edit)
		blobs, errs := collect(ndbBlobs(bytes.NewReader(data), int64(len(data))))
		require.Len(t, errs, 1, name)
		require.ErrorIs(t, errs[0], boltseal.ErrMalformed, name)
		require.Len(t, blobs, c.blobs, name)
	}
	// 254 slots that all name one blob: no more is read than the file holds.
	data = ndbFile(func(b []byte) {
		for i := range 254 {
			copy(b[ndbHead+i*ndbBlock:], b[ndbHead:ndbHead+ndbBlock])
		}
	})
	blobs, errs = collect(ndbBlobs(bytes.NewReader(data), int64(len(data))))
	require.Equal(t, len(data)/(ndbBlock+5), len(blobs))
	require.NotEmpty(t, errs)
}

// sqliteFile has SQLite itself make a database with rows on one page, on many,
// and on overflow pages.
func sqliteFile(t testing.TB, pageSize int) []byte {
	bin, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("sqlite3, which writes the databases to read, is not installed (one of BOLTSEAL_PEERS)")
	}
	file := filepath.Join(t.TempDir(), "db")
	out, err := exec.Command(bin, file, fmt.Sprintf(`PRAGMA synchronous=OFF; PRAGMA page_size=%d; CREATE TABLE other(x); CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<300) INSERT INTO Packages(blob) SELECT zeroblob(i*i/3+1) FROM n;`, pageSize)).CombinedOutput()
	require.NoError(t, err, string(out))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return data
}

func TestSQLite(t *testing.T) {
	for _, pageSize := range []int{512, 4096, 65536} {
		data := sqliteFile(t, pageSize)
		blobs, errs := collect(sqliteBlobs(bytes.NewReader(data), int64(len(data)), "packages"))
		require.Empty(t, errs)
		require.Len(t, blobs, 300)
		for i, b := range blobs {
			require.Len(t, b, (i+1)*(i+1)/3+1)
		}
	}
}

func TestSQLiteHostile(t *testing.T) {
	good := sqliteFile(t, 512)
	run := func(data []byte) (int, int) {
		blobs, errs := collect(sqliteBlobs(bytes.NewReader(data), int64(len(data)), "Packages"))
		for _, err := range errs {
			require.ErrorIs(t, err, boltseal.ErrMalformed)
		}
		return len(blobs), len(errs)
	}
	for name, edit := range map[string]func(b []byte) []byte{
		"magic":     func(b []byte) []byte { b[0] = 0; return b },
		"page size": func(b []byte) []byte { b[16], b[17] = 0, 3; return b },
		"reserved":  func(b []byte) []byte { b[20] = 255; return b },
		"root type": func(b []byte) []byte { b[100] = 1; return b },
		"cells":     func(b []byte) []byte { b[103] = 255; return b },
		"cut":       func(b []byte) []byte { return b[:300] },
		"no table":  func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("Packages"), []byte("Pachages")) },
	} {
		blobs, errs := run(edit(bytes.Clone(good)))
		require.Zero(t, blobs, name)
		require.Equal(t, 1, errs, name)
	}
	// Every interior page leads to page 3 in a circle; every chain to itself.
	loop := bytes.Clone(good)
	for off := 512; off < len(loop); off += 512 {
		switch loop[off] {
		case sqliteInterior:
			binary.BigEndian.PutUint32(loop[off+8:], uint32(off/512+1))
		case 0:
			binary.BigEndian.PutUint32(loop[off:], uint32(off/512+1))
		}
	}
	blobs, errs := run(loop)
	require.Positive(t, errs)
	require.Less(t, blobs, 300)
	require.Positive(t, blobs, "rows without a chain are kept")
	// Cut in the middle: what is before it is kept.
	blobs, errs = run(good[:len(good)/2])
	require.Positive(t, errs)
	require.Positive(t, blobs)
}

func FuzzRPMHeader(f *testing.F) {
	f.Add(sampleHeader())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := readRPMPackage(data)
		if err == nil {
			require.NotEmpty(t, p.Name)
		}
		size := 0
		for _, name := range p.Files {
			size += len(name)
		}
		require.LessOrEqual(t, size, (pathGrowth+1)*len(data))
	})
}

// bounded checks that a reader's output is bounded by its input.
func bounded(t *testing.T, data []byte, read func(r io.ReaderAt, size int64) iter.Seq2[[]byte, error]) {
	size, count := 0, 0
	for b := range read(bytes.NewReader(data), int64(len(data))) {
		size += len(b)
		count++
	}
	require.LessOrEqual(t, size, len(data))
	require.LessOrEqual(t, count, len(data)+1)
}

func FuzzBDB(f *testing.F) {
	f.Add(bdbFile(binary.LittleEndian, nil))
	f.Add(bdbFile(binary.BigEndian, nil))
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, data, bdbBlobs) })
}

func FuzzNDB(f *testing.F) {
	f.Add(ndbFile(nil))
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, data, ndbBlobs) })
}

func FuzzSQLite(f *testing.F) {
	f.Add([]byte(sqliteMagic))
	if _, err := exec.LookPath("sqlite3"); err == nil {
		f.Add(sqliteFile(f, 512)[:8<<10])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, data, func(r io.ReaderAt, size int64) iter.Seq2[[]byte, error] { return sqliteBlobs(r, size, "Packages") })
	})
}

func FuzzRPMManifest(f *testing.F) {
	f.Add([]byte("bash\t5.1.8-1.cm2\t1\t2\tV\t(none)\t9\tx86_64\t0\tbash-5.1.8-1.cm2.src.rpm\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
		_ = readRPMManifest(context.Background(), data, p)
		for _, pkg := range p.Results.Packages {
			require.NotEmpty(t, pkg.Name)
		}
	})
}

func BenchmarkRPM(b *testing.B) {
	for _, image := range []string{"rpm-sle15", "rpm-mariner2", "rpm-alma8-as-centos8db"} {
		b.Run(image, func(b *testing.B) {
			tr := sharedImage(b, image, wantedBy(RPM()))
			for name, data := range tr.files {
				b.ReportAllocs()
				b.SetBytes(int64(len(data)))
				packages := 0
				for b.Loop() {
					p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
					if err := RPM().AnalyzeFile(b.Context(), boltseal.NewFile(name, 0o644, data), p); err != nil {
						b.Fatal(err)
					}
					packages += len(p.Results.Packages)
				}
				b.ReportMetric(float64(packages)/b.Elapsed().Seconds(), "packages/s")
			}
		})
	}
}

func TestRPMCancel(t *testing.T) {
	data := bdbFile(binary.LittleEndian, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
	require.ErrorIs(t, RPM().AnalyzeFile(ctx, boltseal.NewFile("var/lib/rpm/Packages", 0o644, data), p), context.Canceled)
}

func TestRPMGivesUp(t *testing.T) {
	seq := func(yield func([]byte, error) bool) {
		for yield(nil, malformed("bad")) {
		}
	}
	p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
	require.ErrorIs(t, readRPMRecords(context.Background(), seq, "x", p), boltseal.ErrMalformed)
}
