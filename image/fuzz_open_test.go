package image

import (
	"bytes"
	"io"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
)

func FuzzParseDocument(f *testing.F) {
	for _, s := range []string{
		`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}`,
		`{"schemaVersion":2,"manifests":[{"platform":{"os":"linux","architecture":"arm","variant":"v7"}}],"annotations":{"a":"b"}}`,
		`{"schemaVersion":1,"fsLayers":[]}`, `{"Layers":[]}`, `[]`, `{"manifests":null,"layers":null}`,
	} {
		f.Add([]byte(s), v1.MediaTypeImageManifest)
		f.Add([]byte(s), "")
	}
	f.Fuzz(func(t *testing.T, raw []byte, mediaType string) {
		d, err := parseDocument(raw, mediaType)
		if err == nil && !d.index {
			_ = checkImage(d)
		}
		if err == nil && d.index && (d.Config != nil || d.Layers != nil) {
			t.Fatal("an index with parts of a manifest")
		}
	})
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"os":"linux","config":{"Env":["A=b"],"Healthcheck":{"Test":["NONE"],"Interval":1}},"rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},"history":[{"created":"2026-01-02T03:04:05Z","created_by":"x","empty_layer":true}]}`))
	f.Add([]byte(`{"rootfs":null,"history":null,"config":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseConfig(raw)
		for _, d := range c.RootFS.DiffIDs {
			if err == nil && checkDigest(d) != nil {
				t.Fatal("an unchecked diffID")
			}
		}
	})
}

func FuzzOpenArchive(f *testing.F) {
	l := newLayout(f)
	f.Add(tarOf(f, l.add(l.indexOf(l.image("linux/amd64", "x"))).files()...))
	f.Add(tarOf(f, file{name: "manifest.json", data: `[{"Config":"c","Layers":["l"]}]`}, file{name: "c", data: `{"rootfs":{"diff_ids":["sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}}`}, file{name: "l", link: "m"}, file{name: "m", data: "x"}))
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		o := &OpenOptions{Limits: boltseal.Limits{LayerBytes: 1 << 20, ArchiveEntries: 1000}}
		img, err := OpenArchive(t.Context(), bytes.NewReader(raw), int64(len(raw)), "", o)
		if err != nil {
			return
		}
		for i := range img.Layers {
			if rc, err := img.Layers[i].Open(t.Context()); err == nil {
				_, _ = io.Copy(io.Discard, rc)
				_ = rc.Close()
			}
		}
		_ = img.Close()
	})
}

func FuzzNames(f *testing.F) {
	f.Add("linux/arm64/v8", "docker.io/library/debian:12")
	f.Add("x86_64", "debian@sha256:00")
	f.Fuzz(func(t *testing.T, platform, name string) {
		if p, err := ParsePlatform(platform); err == nil {
			if FormatPlatform(normalize(p)) != FormatPlatform(p) || distance(p, p) != 0 {
				t.Fatalf("%q is not at home: %v", platform, p)
			}
		}
		if name != "" && !sameName(name, name) {
			t.Fatal(name)
		}
		_, _, _ = splitPath(name)
		_, _ = findTransport(name, nil)
	})
}
