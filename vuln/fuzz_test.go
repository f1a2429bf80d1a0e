package vuln_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/vuln"
)

func seedDB(t testing.TB) []byte {
	fsys := fstest.MapFS{}
	for name, d := range map[string]string{
		"a": doc("ALSA-1", "AlmaLinux:8", "p", events("ECOSYSTEM", "introduced 0, fixed 1-2.module_el8.3.0+1+a"), `"summary":"Low: p:1 security update"`, `"related":["CVE-1"]`),
		"b": doc("GO-1", "Go", "p", events("SEMVER", "introduced 0, fixed 1.2.0, introduced 2.0.0, last_affected 2.3.0"), `"aliases":["CVE-1","GHSA-1"]`),
		"c": doc("PY-1", "PyPI", "p", events("GIT", "introduced 0")+`,"versions":["1.0","odd one"]`, `"aliases":["CVE-1"]`, `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`),
		"d": doc("DSA-1", "Debian:12", "p", events("ECOSYSTEM", "introduced 0, fixed 1-2"), `"upstream":["CVE-1"]`),
		"e": doc("UBUNTU-1", "Ubuntu:22.04:LTS", "p", events("ECOSYSTEM", "introduced 0")+`,"ecosystem_specific":{"status":"needed"}`),
	} {
		fsys[name+".json"] = &fstest.MapFile{Data: []byte(d)}
	}
	b, _, err := vuln.Encode(context.Background(), []fs.FS{fsys}, nil)
	require.NoError(t, err)
	return b
}

func everything() []boltseal.Package {
	var out []boltseal.Package
	deb := &boltseal.Distro{ID: "debian", VersionID: "12"}
	ubu := &boltseal.Distro{ID: "ubuntu", VersionID: "22.04"}
	alma := &boltseal.Distro{ID: "almalinux", VersionID: "8"}
	for _, v := range []string{"1.0", "1-1.module_el8.3.0+1+a", "2.1.0", "odd one", "", "v1.0.0"} {
		out = append(out,
			boltseal.Package{Type: "deb", Name: "p", Version: v, Distro: deb, PURL: "pkg:deb/debian/p"}, boltseal.Package{Type: "deb", Name: "p", Version: v, Distro: ubu},
			boltseal.Package{Type: "rpm", Name: "p", Version: v, Distro: alma}, boltseal.Package{Type: "rpm", Name: "p", Version: v, Distro: alma, Module: "p:1:8:x"},
			boltseal.Package{Type: "golang", Name: "p", Version: v}, boltseal.Package{Type: "pypi", Name: "p", Version: v, OwnedBy: "pkg:deb/debian/p"})
	}
	return out
}

// exercise reads everything a database offers.
func exercise(db *vuln.DB) {
	pkgs := everything()
	for m := range db.Match(pkgs) {
		f := m.Finding()
		_ = f.Title
	}
	for i := range pkgs {
		db.Explain(&pkgs[i], "CVE-1")
	}
	db.Coverage(time.Unix(0, 0), pkgs[0].Distro, pkgs)
	db.Info()
	for range vuln.Delta(db, db) {
	}
}

// reseal repairs the checksums of a mutated file, so that the mutation reaches
// the code behind them.
func reseal(b []byte) []byte {
	if len(b) < 16 {
		return b
	}
	b = append([]byte(nil), b...)
	n := int(binary.LittleEndian.Uint32(b[8:]))
	tab := crc32.MakeTable(crc32.Castagnoli)
	if n > 100 || len(b) < 16+24*n {
		return b
	}
	for i := range n {
		e := b[16+24*i:]
		off, size := binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
		if off <= uint64(len(b)) && size <= uint64(len(b))-off {
			binary.LittleEndian.PutUint32(e[4:], crc32.Checksum(b[off:off+size], tab))
		}
	}
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[16:16+24*n], tab))
	return b
}

// FuzzLoad mutates database files: nothing may panic or hang, and what Verify
// accepts is safe to use by definition.
func FuzzLoad(f *testing.F) {
	seed := seedDB(f)
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	for i := 600; i < len(seed); i += 331 {
		b := append([]byte(nil), seed...)
		b[i] ^= 0xff
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, file := range [][]byte{b, reseal(b)} {
			db, err := vuln.Load(file)
			if err != nil {
				continue
			}
			_ = db.Verify()
			exercise(db)
		}
	})
}

// FuzzOSV feeds documents: what is read must make a database that verifies.
func FuzzOSV(f *testing.F) {
	f.Add([]byte(doc("GO-1", "Go", "p", events("SEMVER", "introduced 0, fixed 1.2.0, limit 3"), `"aliases":["CVE-1","GHSA-1"]`)))
	f.Add([]byte(doc("PY-1", "PyPI", "p", events("ECOSYSTEM", "introduced 0, last_affected 1")+`,"versions":["1","1.0","x y"]`, `"severity":[{"type":"CVSS_V3","score":"x"}]`)))
	f.Add([]byte(doc("A-1", "AlmaLinux:8", "p", events("ECOSYSTEM", "introduced 0, fixed 1-2.module_el8.3.0+1+a"), `"summary":"p:1"`, `"withdrawn":"2020-01-01T00:00:00Z"`)))
	f.Add([]byte(`{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["0",""],"database_specific":{"severity":{"a":1}}}],"database_specific":{"severity":["x"]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys := fstest.MapFS{"a.json": {Data: b}, "b.json": {Data: []byte(doc("GO-2", "Go", "q", events("SEMVER", "introduced 0")))}}
		file, _, err := vuln.Encode(context.Background(), []fs.FS{fsys}, &vuln.BuildOptions{Workers: 1})
		require.NoError(t, err)
		db, err := vuln.Load(file)
		require.NoError(t, err)
		require.NoError(t, db.Verify())
		exercise(db)
		again, _, err := vuln.Encode(context.Background(), []fs.FS{fsys}, &vuln.BuildOptions{Workers: 2})
		require.NoError(t, err)
		require.Equal(t, file, again, "same input, same bytes")
	})
}
