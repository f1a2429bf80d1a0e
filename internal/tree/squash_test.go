package tree

import (
	"context"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// model is a squash as simple as can be: a map of paths. It follows no links,
// so layers for it hold none.
type model map[string]string

func (m model) apply(rec *Record) {
	for c := rec.Marks.cursor(); c.next(); {
		p := string(c.entry.Path)
		dir := p
		if c.entry.Kind == Whiteout {
			dir = strings.TrimPrefix(path.Dir(p), ".")
		}
		if !m.mkdir(dir, true) {
			continue
		}
		prefix := p + "/"
		if c.entry.Kind == Whiteout {
			delete(m, p)
		} else if p == "" {
			prefix = ""
		}
		maps.DeleteFunc(m, func(k, _ string) bool { return strings.HasPrefix(k, prefix) })
	}
	n := 0
	for c := rec.Entries.cursor(); c.next(); n++ {
		p := string(c.entry.Path)
		if p == "" {
			continue
		}
		m.mkdir(strings.TrimPrefix(path.Dir(p), "."), false)
		if c.entry.Kind == Dir {
			if m[p] != "d" {
				m[p] = "d"
			}
			continue
		}
		maps.DeleteFunc(m, func(k, _ string) bool { return strings.HasPrefix(k, p+"/") })
		m[p] = rec.DiffID + "#" + string(rune('0'+n))
	}
}

func (m model) mkdir(p string, gentle bool) bool {
	if p == "" {
		return true
	}
	if !m.mkdir(strings.TrimPrefix(path.Dir(p), "."), gentle) {
		return false
	}
	if v, ok := m[p]; ok && v != "d" && gentle {
		return false
	}
	m[p] = "d"
	return true
}

// decodeLayers makes up to four layers of bytes: each is a kind and a path of
// three components at most.
func decodeLayers(b []byte) []*Record {
	recs := []*Record{{DiffID: "0"}}
	for ; len(b) >= 2; b = b[2:] {
		rec := recs[len(recs)-1]
		var parts []string
		for bits := b[1]; bits&3 != 0; bits >>= 2 {
			parts = append(parts, string("_abc"[bits&3]))
		}
		e := Entry{Path: []byte(strings.Join(parts, "/")), Mode: 0o644}
		switch b[0] % 8 {
		case 0, 1, 2:
			e.Kind = File
		case 3, 4:
			e.Kind, e.Mode = Dir, fs.ModeDir|0o755
		case 5:
			if len(e.Path) > 0 {
				e.Kind = Whiteout
				rec.Marks.Add(&e)
			}
			continue
		case 6:
			e.Kind = Opaque
			rec.Marks.Add(&e)
			continue
		case 7:
			if len(recs) < 4 {
				recs = append(recs, &Record{DiffID: string(rune('0' + len(recs)))})
			}
			continue
		}
		if e.Kind == File && len(e.Path) > 0 && rec.Entries.N < 64 {
			name := rec.DiffID + "#" + string(rune('0'+rec.Entries.N))
			rec.Results = append(rec.Results, FileResults{Entry: uint32(rec.Entries.N), Path: string(e.Path),
				Results: boltseal.Results{Packages: []boltseal.Package{{Name: name}}, Findings: []boltseal.Finding{{Title: name}}}})
		}
		rec.Entries.Add(&e)
	}
	return recs
}

// FuzzSquash compares with the model: the paths, and what was found in them.
func FuzzSquash(f *testing.F) {
	f.Add([]byte{0, 1, 3, 2, 0, 0x12, 7, 0, 5, 1, 6, 2, 0, 0x16, 7, 0, 0, 2, 0, 0x19})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 120 {
			return
		}
		s, m := NewSquash((*boltseal.Limits)(nil).WithDefaults()), model{}
		hidden := 0
		for _, rec := range decodeLayers(b) {
			parsed, err := ParseRecord(rec.Marshal())
			require.NoError(t, err)
			require.NoError(t, parsed.Check())
			require.NoError(t, s.Apply(context.Background(), parsed))
			m.apply(rec)
			hidden += len(rec.Results)
		}
		tr := s.Finish()
		got := map[string]string{}
		for e := range tr.All() {
			got[e.Path] = ""
			if e.Mode.IsDir() {
				got[e.Path] = "d"
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(m)), slices.Sorted(maps.Keys(got)))
		for _, p := range tr.Packages() {
			require.Equal(t, m[p.Locations[0].Path], p.Name)
			hidden--
		}
		for _, fd := range tr.Findings {
			require.Equal(t, m[fd.Locations[0].Path] != fd.Title, fd.Locations[0].HiddenBy != "", fd.Title)
			if fd.Locations[0].HiddenBy != "" {
				hidden--
			}
		}
		require.Zero(t, hidden, "every result is visible or hidden")
	})
}

// FuzzRecord reads records whose checksum is right and whose content is not.
func FuzzRecord(f *testing.F) {
	rec := decodeLayers([]byte{0, 1, 3, 2, 0, 0x12, 5, 1})[0]
	f.Add(rec.Entries.Data, rec.Entries.N, rec.Marks.Data, rec.Marks.N)
	f.Fuzz(func(t *testing.T, entries []byte, n int, marks []byte, m int) {
		r := &Record{DiffID: "x", Entries: Entries{Data: entries, N: n}, Marks: Entries{Data: marks, N: m}}
		got, err := ParseRecord(r.Marshal())
		if err == nil {
			err = got.Check()
		}
		if err != nil {
			require.ErrorIs(t, err, boltseal.ErrMalformed)
			return
		}
		s := NewSquash((*boltseal.Limits)(nil).WithDefaults())
		require.NoError(t, s.Apply(context.Background(), got))
		for range s.Finish().All() {
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, p := range []string{"", "/", "a/../b", "./a", "a//b", "../../x", "a/.", "..", ".a/..b"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		got, _ := Clean([]byte(p))
		want := strings.TrimPrefix(path.Clean("/"+p), "/")
		require.Equal(t, want, string(got))
	})
}

// TestUnbroken pins which layer a package is from when its database is written
// again and again.
func TestUnbroken(t *testing.T) {
	db := func(diffID string, names ...string) *Record {
		r := &Record{DiffID: diffID}
		r.Entries.Add(&Entry{Kind: File, Path: []byte("db"), Mode: 0o644})
		res := FileResults{Path: "db"}
		for _, n := range names {
			res.Packages = append(res.Packages, boltseal.Package{Type: "deb", Name: n})
		}
		r.Results = append(r.Results, res)
		return r
	}
	gone := &Record{DiffID: "gone"}
	gone.Marks.Add(&Entry{Kind: Whiteout, Path: []byte("db")})
	for _, c := range []struct {
		layers []*Record
		want   map[string]string
		drop   int // of the last layer
	}{
		{[]*Record{db("0", "a"), db("1", "a", "b"), db("2", "a", "b", "c")}, map[string]string{"a": "0", "b": "1", "c": "2"}, 0},
		{[]*Record{db("0", "a", "b"), db("1", "b"), db("2", "a", "b")}, map[string]string{"a": "2", "b": "0"}, 0},
		{[]*Record{db("0", "a"), gone, db("2", "a")}, map[string]string{"a": "2"}, 0},
		{[]*Record{db("0", "a", "b"), db("1", "b")}, map[string]string{"b": "0"}, 1},
		{[]*Record{db("0", "a", "b"), gone}, map[string]string{}, 2},
	} {
		s := NewSquash((*boltseal.Limits)(nil).WithDefaults())
		for _, r := range c.layers {
			require.NoError(t, s.Apply(t.Context(), r))
		}
		tr := s.Finish()
		got := map[string]string{}
		for _, p := range tr.Packages() {
			got[p.Name] = p.Locations[0].Layer
		}
		require.Equal(t, c.want, got)
		require.Equal(t, c.drop, tr.Layers[len(c.layers)-1].Dropped["deb"])
	}
}
