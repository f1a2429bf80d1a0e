package image

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// Every archive here tries to mislead, to exhaust, or is simply broken; each has
// the error it must end with.
func TestHostileArchives(t *testing.T) {
	manifest := func(t *testing.T, l *layout, edit func(m map[string]any)) v1.Descriptor {
		d := l.image("linux/amd64", "x")
		var m map[string]any
		require.NoError(t, json.Unmarshal(l.blobs[d.Digest], &m))
		edit(m)
		return l.json(v1.MediaTypeImageManifest, m)
	}
	config := func(t *testing.T, l *layout, raw string) v1.Descriptor {
		return manifest(t, l, func(m map[string]any) { m["config"] = l.blob(v1.MediaTypeImageConfig, []byte(raw)) })
	}
	one := func(f func(t *testing.T, l *layout) v1.Descriptor) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			l := newLayout(t)
			return tarOf(t, l.add(f(t, l)).files()...)
		}
	}
	docker := func(manifest string, files ...file) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			return tarOf(t, append([]file{{name: "manifest.json", data: manifest}}, files...)...)
		}
	}
	for _, tt := range []struct {
		name string
		make func(*testing.T) []byte
		want error
		text string
		o    *OpenOptions
	}{
		{"manifest with manifests", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["manifests"] = []any{} })
		}), boltseal.ErrMalformed, "different images to different clients", nil},
		{"index with layers", one(func(t *testing.T, l *layout) v1.Descriptor {
			return l.json(v1.MediaTypeImageIndex, map[string]any{"schemaVersion": 2, "manifests": []any{l.image("linux/amd64")}, "layers": []any{}})
		}), boltseal.ErrMalformed, "different images", nil},
		{"index that calls itself a manifest", one(func(t *testing.T, l *layout) v1.Descriptor {
			return l.json(v1.MediaTypeImageIndex, map[string]any{"schemaVersion": 2, "mediaType": v1.MediaTypeImageManifest, "manifests": []any{}})
		}), boltseal.ErrMalformed, "different images", nil},
		{"manifest announced as index", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			d.MediaType = v1.MediaTypeImageIndex
			return d
		}), boltseal.ErrMalformed, "different images", nil},
		{"layers twice", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			raw := strings.TrimSuffix(string(l.blobs[d.Digest]), "}") + `,"layers":[]}`
			return l.blob(v1.MediaTypeImageManifest, []byte(raw))
		}), boltseal.ErrMalformed, `"layers" twice`, nil},
		{"key in another case", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["Layers"] = m["layers"]; delete(m, "layers") })
		}), boltseal.ErrMalformed, `"Layers" instead of "layers"`, nil},
		{"rootfs twice in the config", one(func(t *testing.T, l *layout) v1.Descriptor {
			return config(t, l, `{"rootfs":{"diff_ids":[]},"rootfs":{"diff_ids":[]}}`)
		}), boltseal.ErrMalformed, `"rootfs" twice`, nil},
		{"schema 1", one(func(t *testing.T, l *layout) v1.Descriptor {
			return l.json(v1.MediaTypeImageManifest, map[string]any{"schemaVersion": 1, "fsLayers": []any{}})
		}), errors.ErrUnsupported, "schema version 1", nil},
		{"no schema version", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { delete(m, "schemaVersion") })
		}), boltseal.ErrMalformed, "schemaVersion 0", nil},
		{"helm chart", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["config"] = l.blob("application/vnd.cncf.helm.config.v1+json", []byte("{}")) })
		}), errors.ErrUnsupported, "helm.config", nil},
		{"artifact type", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["artifactType"] = "application/vnd.example.sbom" })
		}), errors.ErrUnsupported, "vnd.example.sbom", nil},
		{"attestation alone", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["layers"] = []any{l.blob(inTotoType, []byte("{}"))} })
		}), errors.ErrUnsupported, "attestation", nil},
		{"manifest without config", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { delete(m, "config") })
		}), boltseal.ErrMalformed, "without config", nil},
		{"more layers than diffIDs", one(func(t *testing.T, l *layout) v1.Descriptor {
			return config(t, l, `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}`)
		}), boltseal.ErrMalformed, "1 layers, but 0 diffIDs", nil},
		{"diffID is no digest", one(func(t *testing.T, l *layout) v1.Descriptor {
			return config(t, l, `{"rootfs":{"diff_ids":["sha256:../../etc/passwd"]}}`)
		}), boltseal.ErrMalformed, "diffID 0", nil},
		{"rootfs of another type", one(func(t *testing.T, l *layout) v1.Descriptor {
			return config(t, l, `{"rootfs":{"type":"layers+base"}}`)
		}), errors.ErrUnsupported, "rootfs.type", nil},
		{"config is no JSON", one(func(t *testing.T, l *layout) v1.Descriptor { return config(t, l, `{"rootfs":`) }), boltseal.ErrMalformed, "config", nil},
		{"config with trailing data", one(func(t *testing.T, l *layout) v1.Descriptor { return config(t, l, `{}{}`) }), boltseal.ErrMalformed, "config", nil},
		{"history without end", one(func(t *testing.T, l *layout) v1.Descriptor {
			return config(t, l, `{"history":[{}`+strings.Repeat(",{}", listMost)+`]}`)
		}), boltseal.ErrLimit, "10000 elements", nil},
		{"index without end", one(func(t *testing.T, l *layout) v1.Descriptor {
			return l.blob(v1.MediaTypeImageIndex, []byte(`{"schemaVersion":2,"manifests":[{}`+strings.Repeat(",{}", listMost)+`]}`))
		}), boltseal.ErrLimit, "10000 elements", nil},
		{"huge config", one(func(t *testing.T, l *layout) v1.Descriptor {
			return config(t, l, `{"author":"`+strings.Repeat("a", 4<<20)+`"}`)
		}), boltseal.ErrLimit, "ManifestBytes", nil},
		{"too many layers", one(func(t *testing.T, l *layout) v1.Descriptor {
			return l.image("linux/amd64", strings.Split(strings.Repeat("x", 513), "")...)
		}), boltseal.ErrLimit, "513 layers", nil},
		{"indexes five deep", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			for range 4 {
				d = l.indexOf(d)
			}
			return d
		}), boltseal.ErrLimit, "4 deep", nil},
		{"more documents than one image needs", one(func(t *testing.T, l *layout) v1.Descriptor {
			var ds []v1.Descriptor
			for i := range 300 {
				ds = append(ds, l.indexOf(v1.Descriptor{MediaType: fmt.Sprint("application/x-", i), Digest: digest.FromString("")}))
			}
			return l.indexOf(ds...)
		}), boltseal.ErrLimit, "256 manifests", nil},
		{"manifest with another digest", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			l.blobs[d.Digest] = bytes.Replace(l.blobs[d.Digest], []byte(`"schemaVersion":2`), []byte(`"schemaVersion":3`), 1)
			return d
		}), boltseal.ErrMalformed, "digest is sha256:", nil},
		{"config of another size", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["config"].(map[string]any)["size"] = 7 })
		}), boltseal.ErrMalformed, "7 bytes", nil},
		{"negative size", one(func(t *testing.T, l *layout) v1.Descriptor {
			return manifest(t, l, func(m map[string]any) { m["layers"].([]any)[0].(map[string]any)["size"] = -1 })
		}), boltseal.ErrMalformed, "size -1", nil},
		{"digest with a path", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			d.Digest = "sha256:../../../../etc/passwd"
			return d
		}), boltseal.ErrMalformed, "etc/passwd", nil},
		{"unknown digest algorithm", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			d.Digest = "md5:d41d8cd98f00b204e9800998ecf8427e"
			return d
		}), errors.ErrUnsupported, "md5", nil},
		{"only unknown platforms", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/amd64", "x")
			d.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
			return l.indexOf(d)
		}), errors.ErrUnsupported, "unknown/unknown", nil},
		{"empty index", one(func(t *testing.T, l *layout) v1.Descriptor { return l.indexOf() }), errors.ErrUnsupported, "no image", nil},
		{"other platform in the config than asked for", one(func(t *testing.T, l *layout) v1.Descriptor {
			d := l.image("linux/arm64", "x")
			d.Platform = &v1.Platform{OS: "linux", Architecture: "amd64"}
			return d
		}), fs.ErrNotExist, "linux/arm64", on("linux/amd64")},
		{"index.json twice", func(t *testing.T) []byte {
			a, b := newLayout(t), newLayout(t)
			return tarOf(t, append(a.add(a.image("linux/amd64", "a")).files(), b.add(b.image("linux/amd64", "b")).files()...)...)
		}, boltseal.ErrMalformed, "more than once", nil},
		{"layout of the future", func(t *testing.T) []byte {
			return tarOf(t, file{name: "oci-layout", data: `{"imageLayoutVersion":"2.0.0"}`}, file{name: "index.json", data: `{"schemaVersion":2,"manifests":[]}`})
		}, errors.ErrUnsupported, "2.0.0", nil},
		{"no tar", func(*testing.T) []byte { return bytes.Repeat([]byte("no tar "), 200) }, boltseal.ErrMalformed, "not a tar", nil},
		{"nothing", func(*testing.T) []byte { return nil }, boltseal.ErrMalformed, "not a tar", nil},
		{"tar of something else", func(t *testing.T) []byte { return tarOf(t, file{name: "etc/passwd"}) }, errors.ErrUnsupported, "neither", nil},
		{"repositories alone", func(t *testing.T) []byte { return tarOf(t, file{name: "repositories", data: "{}"}) }, errors.ErrUnsupported, "1.10", nil},
		{"xz", func(*testing.T) []byte { return []byte("\xfd7zXZ\x00\x00") }, errors.ErrUnsupported, "xz", nil},
		{"cut short before the index", func(t *testing.T) []byte {
			l := newLayout(t)
			raw := tarOf(t, l.add(l.image("linux/amd64", strings.Repeat("x", 4096))).files()...)
			return raw[:len(raw)/2]
		}, boltseal.ErrMalformed, "cut short", nil},
		{"gzip bomb", func(t *testing.T) []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write(tarOf(t, file{name: "zeros", data: strings.Repeat("\x00", 1<<20)}))
			require.NoError(t, w.Close())
			return b.Bytes()
		}, boltseal.ErrLimit, "LayerBytes", &OpenOptions{Limits: boltseal.Limits{LayerBytes: 64 << 10}}},
		{"gzip cut short", func(t *testing.T) []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write(tarOf(t, file{name: "a", data: strings.Repeat("abc", 1000)}))
			require.NoError(t, w.Close())
			return b.Bytes()[:b.Len()-30]
		}, boltseal.ErrMalformed, "", nil},
		{"too many entries", func(t *testing.T) []byte { return tarOf(t, make([]file, 11)...) }, boltseal.ErrLimit, "ArchiveEntries", &OpenOptions{Limits: boltseal.Limits{ArchiveEntries: 10}}},
		{"long name", func(t *testing.T) []byte { return tarOf(t, file{name: strings.Repeat("a/", 2100) + "b"}) }, boltseal.ErrLimit, "PathBytes", nil},
		{"docker: no JSON", docker("{"), boltseal.ErrMalformed, "manifest.json", nil},
		{"docker: no image", docker("[]"), fs.ErrNotExist, "no image", nil},
		{"docker: images without end", docker("[{}" + strings.Repeat(",{}", listMost) + "]"), boltseal.ErrLimit, "elements", nil},
		{"docker: config absent", docker(`[{"Config":"../../etc/passwd"}]`), fs.ErrNotExist, "etc/passwd", nil},
		{"docker: config is a link to itself", docker(`[{"Config":"c"}]`, file{name: "c", link: "c"}), boltseal.ErrMalformed, "links", nil},
		{"docker: layers do not match", docker(`[{"Config":"c","Layers":["l"]}]`, file{name: "c", data: "{}"}), boltseal.ErrMalformed, "1 layers, but 0", nil},
		{"docker: manifest twice", docker(`[]`, file{name: "./manifest.json", data: "[]"}), boltseal.ErrMalformed, "more than once", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img, err := openTar(t, tt.make(t), "", tt.o)
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.text)
			require.Nil(t, img)
		})
	}
}

// A layer that cannot be read leaves the others readable.
func TestUnreadableLayers(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(d *v1.Descriptor)
		want string
	}{
		"encrypted": {func(d *v1.Descriptor) { d.MediaType += "+gzip+encrypted" }, "encrypted"},
		"erofs":     {func(d *v1.Descriptor) { d.MediaType = "application/vnd.erofs.layer.v1" }, "EROFS"},
		"foreign": {func(d *v1.Descriptor) {
			d.MediaType, d.URLs, d.Digest = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", []string{"https://example.com/l"}, digest.FromString("gone")
		}, "https://example.com/l"},
		"absent":  {func(d *v1.Descriptor) { d.Digest = digest.FromString("gone") }, "absent"},
		"unknown": {func(d *v1.Descriptor) { d.MediaType = "application/x-rar" }, "application/x-rar"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLayout(t)
			d := l.image("linux/amd64", "one", "two")
			var m v1.Manifest
			require.NoError(t, json.Unmarshal(l.blobs[d.Digest], &m))
			tt.edit(&m.Layers[0])
			img, err := openTar(t, tarOf(t, l.add(l.json(v1.MediaTypeImageManifest, m)).files()...), "", nil)
			require.NoError(t, err)
			require.Contains(t, img.Layers[0].Unreadable, tt.want)
			_, err = img.Layers[0].Open(t.Context())
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.Equal(t, "two", readLayer(t, &img.Layers[1]))
		})
	}
}

// A layer that is said to lie elsewhere is read where it is here all the same:
// the claim would hide it.
func TestForeignLayerThatIsHere(t *testing.T) {
	l := newLayout(t)
	d := l.image("linux/amd64", "one")
	var m v1.Manifest
	require.NoError(t, json.Unmarshal(l.blobs[d.Digest], &m))
	m.Layers[0].MediaType, m.Layers[0].URLs = "application/vnd.oci.image.layer.nondistributable.v1.tar", []string{"https://example.com/l"}
	img, err := openTar(t, tarOf(t, l.add(l.json(v1.MediaTypeImageManifest, m)).files()...), "", nil)
	require.NoError(t, err)
	require.Equal(t, "one", readLayer(t, &img.Layers[0]))
}

// docker load takes manifest.json, containerd the layout.
func TestTwoImagesInOneArchive(t *testing.T) {
	l := newLayout(t)
	files := l.add(l.image("linux/amd64", "good")).files()
	files = append(files, file{name: "evil.json", data: `{"rootfs":{"type":"layers","diff_ids":[]}}`}, file{name: "manifest.json", data: `[{"Config":"evil.json"}]`})
	img, err := openTar(t, tarOf(t, files...), "", nil)
	require.NoError(t, err)
	require.Equal(t, "good", readLayer(t, &img.Layers[0]))
	require.Len(t, img.Findings, 1)
	require.Equal(t, RuleViewsDiffer, img.Findings[0].Rule)
	require.Len(t, img.Findings[0].Fingerprint, 32)

	files[len(files)-1].data = `[{"Config":"` + blobPath(img.ImageID) + `"}]`
	img, err = openTar(t, tarOf(t, files...), "", nil)
	require.NoError(t, err)
	require.Empty(t, img.Findings)
}

// What precedes the damage is read.
func TestArchiveCutShort(t *testing.T) {
	config := `{"rootfs":{"type":"layers","diff_ids":["` + string(digest.FromString("a")) + `","` + string(digest.FromString("b")) + `"]}}`
	raw := tarOf(t, file{name: "manifest.json", data: `[{"Config":"c","Layers":["l1","l2"]}]`}, file{name: "c", data: config},
		file{name: "l1", data: "one"}, file{name: "l2", data: strings.Repeat("two", 1000)})
	img, err := openTar(t, raw[:len(raw)-4096], "", nil)
	require.NoError(t, err)
	require.Len(t, img.Notes, 1)
	require.False(t, img.Notes[0].Note, "something was not read")
	require.Equal(t, "one", readLayer(t, &img.Layers[0]))
	_, err = img.Layers[1].Open(t.Context())
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func TestHostileDirectories(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	_, err := Open(t.Context(), "oci:"+dir, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "not an OCI image layout")

	write("oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "index.json")))
	_, err = Open(t.Context(), "oci:"+dir, nil)
	require.ErrorContains(t, err, "index.json")
	require.NotErrorIs(t, err, boltseal.ErrMalformed, "it must not even be read")

	_, err = Open(t.Context(), "oci-archive:"+dir+"/absent", nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Open(t.Context(), "oci:", nil)
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, os.Remove(filepath.Join(dir, "index.json")))
	write("index.json", strings.Repeat(" ", 4<<20)+"{}")
	_, err = Open(t.Context(), "oci:"+dir, nil)
	require.ErrorIs(t, err, boltseal.ErrLimit)
}
