package registry

import (
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func exampleImage() *image {
	return &image{digest: digest.FromString("x"), added: time.Unix(1_700_000_000, 0).UTC(), platform: "linux/amd64", incomplete: "a layer", team: "shop",
		layers: []layer{{diffID: string(digest.FromString("y")), components: []uint32{1, 5, 4_000_000_000}}, {diffID: "no digest", components: []uint32{2}}}}
}

func examplePackage() *boltseal.Package {
	return &boltseal.Package{Type: "deb", Namespace: "debian", Name: "libssl3", Version: "3.0.1", Arch: "amd64", Source: boltseal.Source{Name: "openssl", Version: "3.0"},
		Vendor: "Debian", OwnedBy: "pkg:deb/x@1", State: boltseal.StateEmbedded, Module: "m:1",
		Distro: &boltseal.Distro{ID: "debian", VersionID: "12", Codename: "bookworm", IDLike: []string{"a", "b"}, Repositories: []string{"main"}}}
}

func TestRecords(t *testing.T) {
	img := exampleImage()
	got, err := decodeImage(encodeImage(img))
	require.NoError(t, err)
	require.Equal(t, img, got)
	require.Equal(t, []uint32{1, 2, 5, 4_000_000_000}, got.components())

	for _, d := range []string{string(digest.FromString("x")), "", "sha256:", "sha256:ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789", "sha512:x"} {
		var e encoder
		e.digest(d)
		require.Equal(t, d, (&decoder{rest: e}).digest())
	}

	for _, p := range []*boltseal.Package{examplePackage(), {Type: "npm", Name: "x", Version: "1"}, {Name: "other", Version: ""}, {}} {
		for _, key := range []string{"Debian:12\tlibssl3", "npm\tx", ""} {
			family := encodeFamily(p)
			shared, err := decodeFamily(family)
			require.NoError(t, err)
			c := &components{families: map[uint32]boltseal.Package{7: shared}}
			got, err := c.decode(rowOf(key, 9), encodeMember(7, key, p))
			require.NoError(t, err)
			require.Equal(t, appendIdentity(nil, p), appendIdentity(nil, got))
			require.Equal(t, p.Distro, got.Distro)
		}
	}

	states := []state{{rule: "CVE-1", severity: boltseal.SeverityHigh, score: 7.5, fixed: "2", exploited: "2026-01-02", suppressed: "no", title: "t", aliases: []string{"a"}}, {rule: "CVE-2"}}
	list, err := decodeStates(encodeStates(states))
	require.NoError(t, err)
	require.True(t, slices.EqualFunc(states, list, state.equal))
}

// FuzzRecords reads damaged records of a store: they are errors, or mean what
// their own form says.
func FuzzRecords(f *testing.F) {
	f.Add(byte(0), encodeImage(exampleImage()))
	f.Add(byte(1), encodeStates([]state{{rule: "CVE-1", aliases: []string{"a"}}, {rule: "CVE-2"}}))
	f.Add(byte(2), encodeFamily(examplePackage()))
	f.Add(byte(3), encodeMember(0, "a\tlibssl3", examplePackage()))
	f.Add(byte(4), encodeReference(&reference{digest: "d", ordinals: []uint32{1, 2}, gone: true}))
	event, err := encodeEvent(&Event{Type: ImageNew, Versions: []string{"1"}, images: roaring.BitmapOf(1, 2, 70_000), components: []uint32{3}})
	require.NoError(f, err)
	f.Add(byte(5), event)
	f.Add(byte(6), encodeAddress(rowOf("k", 1), "pkg:x/y"))
	f.Fuzz(func(t *testing.T, kind byte, raw []byte) {
		switch kind {
		case 0:
			if m, err := decodeImage(raw); err == nil {
				again, err := decodeImage(encodeImage(m))
				require.NoError(t, err)
				require.Equal(t, m.components(), again.components())
			}
		case 1:
			if list, err := decodeStates(raw); err == nil {
				again, err := decodeStates(encodeStates(list))
				require.NoError(t, err)
				require.Len(t, again, len(list))
			}
		case 2:
			if p, err := decodeFamily(raw); err == nil {
				again, err := decodeFamily(encodeFamily(&p))
				require.NoError(t, err)
				require.Equal(t, appendIdentity(nil, &p), appendIdentity(nil, &again))
			}
		case 3:
			c := &components{families: map[uint32]boltseal.Package{0: {}}}
			row := rowOf("a\tlibssl3", 1)
			if d := (&decoder{rest: raw}); d.uint() != 0 {
				return // of a family that only a file has
			}
			if p, err := c.decode(row, raw); err == nil {
				again, err := c.decode(row, encodeMember(0, "a\tlibssl3", p))
				require.NoError(t, err)
				require.Equal(t, appendIdentity(nil, p), appendIdentity(nil, again))
			}
		case 4:
			_, _ = decodeReference(raw)
		case 5:
			if e, err := decodeEvent(1, raw); err == nil {
				_ = e.Count()
				_ = e.identity()
			}
		case 6:
			d := decoder{rest: raw}
			_, _ = d.bytes(), d.bytes()
		}
	})
}
