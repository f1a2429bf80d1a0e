package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// layout builds an OCI image layout, right or wrong.
type layout struct {
	t     testing.TB
	blobs map[digest.Digest][]byte
	index v1.Index
}

func newLayout(t testing.TB) *layout {
	return &layout{t: t, blobs: map[digest.Digest][]byte{}, index: v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}}}
}

func (l *layout) blob(mediaType string, raw []byte) v1.Descriptor {
	d := digest.FromBytes(raw)
	l.blobs[d] = raw
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(raw))}
}

func (l *layout) json(mediaType string, v any) v1.Descriptor {
	raw, err := json.Marshal(v)
	require.NoError(l.t, err)
	return l.blob(mediaType, raw)
}

// image adds an image whose layers are the given blobs, stored uncompressed.
func (l *layout) image(platform string, layers ...string) v1.Descriptor {
	p, err := ParsePlatform(platform)
	require.NoError(l.t, err)
	config := v1.Image{Platform: p, RootFS: v1.RootFS{Type: "layers"}}
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	for _, s := range layers {
		d := l.blob(v1.MediaTypeImageLayer, []byte(s))
		m.Layers = append(m.Layers, d)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, d.Digest)
	}
	m.Config = l.json(v1.MediaTypeImageConfig, config)
	d := l.json(v1.MediaTypeImageManifest, m)
	d.Platform = &p
	return d
}

func (l *layout) add(ds ...v1.Descriptor) *layout {
	l.index.Manifests = append(l.index.Manifests, ds...)
	return l
}

func (l *layout) indexOf(ds ...v1.Descriptor) v1.Descriptor {
	return l.json(v1.MediaTypeImageIndex, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: ds})
}

// files are a layout's, the index last.
func (l *layout) files() []file {
	out := []file{{name: "oci-layout", data: `{"imageLayoutVersion":"1.0.0"}`}}
	for d, raw := range l.blobs {
		out = append(out, file{name: blobPath(d), data: string(raw)})
	}
	raw, err := json.Marshal(l.index)
	require.NoError(l.t, err)
	return append(out, file{name: "index.json", data: string(raw)})
}

type file struct{ name, data, link string }

func tarOf(t testing.TB, files ...file) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, f.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func openTar(t testing.TB, raw []byte, ref string, o *OpenOptions) (*Image, error) {
	return OpenArchive(t.Context(), bytes.NewReader(raw), int64(len(raw)), ref, o)
}

func readLayer(t testing.TB, l *Layer) string {
	rc, err := l.Open(t.Context())
	require.NoError(t, err)
	defer rc.Close()
	b, err := io.ReadAll(rc)
	require.NoError(t, err)
	return string(b)
}

func on(platform string) *OpenOptions {
	p, err := ParsePlatform(platform)
	if err != nil {
		panic(err)
	}
	return &OpenOptions{Platform: &p}
}

func TestOpenLayoutEverywhere(t *testing.T) {
	l := newLayout(t)
	two := strings.Repeat("two", 400_000) // more than is kept of a compressed archive
	l.add(l.image("linux/amd64", "one", two))
	dir := t.TempDir()
	for _, f := range l.files() {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, "lay:out", f.name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "lay:out", f.name), []byte(f.data), 0o644))
	}
	raw := tarOf(t, l.files()...)
	var gz, zs bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, err := w.Write(raw)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	z, err := zstd.NewWriter(&zs)
	require.NoError(t, err)
	_, err = z.Write(raw)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, raw := range map[string][]byte{"a.tar": raw, "a.tar.gz": gz.Bytes(), "a.tar.zst": zs.Bytes()} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), raw, 0o644))
	}
	spool := t.TempDir()
	for _, tt := range []struct {
		ref      string
		seekable bool
		o        *OpenOptions
	}{
		{"oci:" + dir + "/lay:out", true, nil},
		{"oci:" + dir + "/lay:out:@0", true, nil},
		{"oci-archive:" + dir + "/a.tar", true, nil},
		{"docker-archive:" + dir + "/a.tar:" + string(l.index.Manifests[0].Digest), true, nil},
		{"oci-archive:" + dir + "/a.tar.gz", false, nil},
		{"oci-archive:" + dir + "/a.tar.zst", false, nil},
		{"oci-archive:" + dir + "/a.tar.gz", true, &OpenOptions{SpoolDir: spool}},
		{"oci-archive:" + dir + "/a.tar.zst", true, &OpenOptions{SpoolDir: spool}},
	} {
		t.Run(tt.ref, func(t *testing.T) {
			img, err := Open(t.Context(), tt.ref, tt.o)
			require.NoError(t, err)
			require.Equal(t, l.index.Manifests[0].Digest, img.Digest)
			require.Equal(t, "linux/amd64", FormatPlatform(img.Platform))
			require.Len(t, img.Layers, 2)
			require.Empty(t, img.Notes)
			for i, want := range []string{"one", two} {
				require.Equal(t, want, readLayer(t, &img.Layers[i]))
				require.Equal(t, digest.FromString(want), img.Layers[i].DiffID)
			}
			rc, err := img.Layers[1].Open(t.Context())
			require.NoError(t, err)
			s, ok := rc.(SizedReaderAt)
			require.Equal(t, tt.seekable, ok)
			if ok {
				require.EqualValues(t, len(two), s.Size())
				b := make([]byte, 2)
				_, err = s.ReadAt(b, 1)
				require.NoError(t, err)
				require.Equal(t, "wo", string(b))
			}
			require.NoError(t, rc.Close())
			require.NoError(t, img.Close())
		})
	}
	left, err := os.ReadDir(spool)
	require.NoError(t, err)
	require.Empty(t, left)
}

// containerd keeps blobs as a layout does, and names elsewhere.
func TestOpenContentStore(t *testing.T) {
	l := newLayout(t)
	root := l.indexOf(l.image("linux/amd64", "one"))
	dir := t.TempDir()
	for d, raw := range l.blobs {
		name := filepath.Join(dir, blobPath(d))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, raw, 0o644))
	}
	img, err := Open(t.Context(), "oci:"+dir+":"+string(root.Digest), nil)
	require.NoError(t, err)
	require.Equal(t, "one", readLayer(t, &img.Layers[0]))
	require.NoError(t, img.Close())
	_, err = Open(t.Context(), "oci:"+dir+":"+string(digest.FromString("absent")), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOpenDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o644))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "out")))
	img, err := Open(t.Context(), "dir:"+dir, nil)
	require.NoError(t, err)
	defer img.Close()
	b, err := fs.ReadFile(img.Layers[0].FS, "f")
	require.NoError(t, err)
	require.Equal(t, "x", string(b))
	_, err = fs.ReadFile(img.Layers[0].FS, "out")
	require.Error(t, err, "links stay within the directory")
	_, err = img.Layers[0].Open(t.Context())
	require.ErrorContains(t, err, "FS")
}

func TestOpenOldDockerArchive(t *testing.T) {
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write([]byte("two"))
	require.NoError(t, w.Close())
	one, two := digest.FromString("one"), digest.FromString("two")
	config := `{"architecture":"arm64","variant":"v8","os":"linux","config":{"Healthcheck":{"Test":["CMD","x"],"Interval":5}},"rootfs":{"type":"layers","diff_ids":["` + string(one) + `","` + string(two) + `","` + string(one) + `"]},
		"history":[{"created_by":"a"},{"created_by":"b"},{"created_by":"c","empty_layer":true},{"created_by":"d"}]}`
	id := digest.FromString(config)
	raw := tarOf(t,
		file{name: "./a/layer.tar", data: "one"}, file{name: "b/layer.tar", data: gz.String()}, file{name: "c/layer.tar", link: "../a/layer.tar"},
		file{name: id.Encoded() + ".json", data: config},
		file{name: "manifest.json", data: `[{"Config":"` + id.Encoded() + `.json","RepoTags":["shop:1.4","shop:latest"],"Layers":["a/layer.tar","b/layer.tar","c/layer.tar"]},
			{"Config":"` + id.Encoded() + `.json","RepoTags":null,"Layers":["gone/layer.tar","a/layer.tar","a/layer.tar"]}]`},
	)
	for _, ref := range []string{"shop:1.4", "docker.io/library/shop:latest", "shop", "@0", string(id)} {
		img, err := openTar(t, raw, ref, on("aarch64"))
		require.NoError(t, err, ref)
		require.Equal(t, id, img.ImageID)
		require.Empty(t, img.Digest)
		require.Empty(t, img.Notes)
		require.Equal(t, []string{"CMD", "x"}, img.Config.Container.Healthcheck.Test)
		require.Equal(t, "one", readLayer(t, &img.Layers[0]))
		require.Equal(t, gz.String(), readLayer(t, &img.Layers[1]), "as stored")
		require.Equal(t, "one", readLayer(t, &img.Layers[2]), "through the link")
	}
	_, err := openTar(t, raw, "", nil)
	require.ErrorContains(t, err, "@0, shop:1.4, shop:latest, @1")
	img, err := openTar(t, raw, "@1", nil)
	require.NoError(t, err)
	require.Contains(t, img.Layers[0].Unreadable, "gone/layer.tar")
	_, err = img.Layers[0].Open(t.Context())
	require.Error(t, err)
	require.Equal(t, "one", readLayer(t, &img.Layers[1]))
}

func TestMounts(t *testing.T) {
	hidden := parseMounts(`21 1 8:1 / / rw - ext4 /dev/sda1 rw
22 21 0:5 / /srv/root rw shared:1 - ext4 /dev/sdb rw
23 22 0:6 / /srv/root/proc rw - proc proc rw
24 22 0:7 / /srv/root/a\040b rw - tmpfs none rw
25 21 0:8 / /srv/rootless rw - tmpfs none rw
broken`, "/srv/root")
	require.Equal(t, map[string]string{"proc": "proc", "a b": "tmpfs"}, hidden)

	dir := t.TempDir()
	for _, name := range []string{"proc", "etc"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "f"), nil, 0o644))
	}
	var names []string
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	f := rootFS{root.FS().(fs.ReadLinkFS), root, hidden}
	require.NoError(t, fs.WalkDir(f, ".", func(name string, _ fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	}))
	require.Equal(t, []string{".", "etc", "etc/f", "proc"}, names)
}

func TestChoosePlatform(t *testing.T) {
	l := newLayout(t)
	all := []v1.Descriptor{
		l.image("linux/amd64", "amd64"), l.image("linux/amd64/v3", "amd64v3"), l.image("linux/arm/v6", "armv6"),
		l.image("linux/arm/v5", "armv5"), l.image("linux/arm64", "arm64"), l.image("windows/amd64", "windows"),
	}
	all[0].ArtifactType = v1.MediaTypeImageConfig // as go-containerregistry writes
	l.add(l.indexOf(all[:3]...), l.indexOf(all[3:]...))
	raw := tarOf(t, l.files()...)
	for want, layer := range map[string]string{
		"x86_64": "amd64", "linux/amd64/v1": "amd64", "linux/amd64/v2": "amd64", "linux/amd64/v4": "amd64v3",
		"linux/arm": "armv6", "armhf": "armv6", "linux/arm/v5": "armv5", "aarch64": "arm64", "linux/arm64/v9": "arm64",
		"windows/amd64": "windows",
	} {
		img, err := openTar(t, raw, "", on(want))
		require.NoError(t, err, want)
		require.Equal(t, layer, readLayer(t, &img.Layers[0]), want)
	}
	for _, want := range []string{"linux/386", "linux/s390x", "linux/arm/v4", "darwin/arm64", "linux/arm64/v7"} {
		_, err := openTar(t, raw, "", on(want))
		require.ErrorIs(t, err, fs.ErrNotExist, want)
		require.ErrorContains(t, err, "linux/amd64, linux/amd64/v3, linux/arm/v6, linux/arm/v5, linux/arm64, windows/amd64")
	}
	img, err := openTar(t, raw, "", nil)
	if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
		require.NoError(t, err)
		require.Equal(t, runtime.GOARCH, img.Platform.Architecture)
	}
}

func TestPlatformOfConfig(t *testing.T) {
	l := newLayout(t)
	d := l.image("linux/riscv64", "x")
	d.Platform = nil
	l.add(l.image("linux/arm64", "y"), d)
	img, err := openTar(t, tarOf(t, l.files()...), "", on("linux/riscv64"))
	require.NoError(t, err)
	require.Equal(t, d.Digest, img.Digest)
}

func TestSeveralImages(t *testing.T) {
	l := newLayout(t)
	a, b := l.image("linux/amd64", "a"), l.image("linux/amd64", "b")
	a.Annotations = map[string]string{v1.AnnotationRefName: "1.4", annotationContainerd: "docker.io/library/shop:1.4"}
	b.Annotations = map[string]string{v1.AnnotationRefName: "1.5"}
	same := a
	same.Annotations = map[string]string{v1.AnnotationRefName: "latest"}
	raw := tarOf(t, l.add(a, b, same).files()...)
	for ref, want := range map[string]v1.Descriptor{"1.4": a, "shop:1.4": a, "1.5": b, "@1": b, "latest": a, string(b.Digest): b} {
		img, err := openTar(t, raw, ref, nil)
		require.NoError(t, err, ref)
		require.Equal(t, want.Digest, img.Digest, ref)
	}
	_, err := openTar(t, raw, "", nil)
	require.ErrorContains(t, err, "several images")
	require.ErrorContains(t, err, "docker.io/library/shop:1.4, 1.5, latest")
	_, err = openTar(t, raw, "2", nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestAttestations(t *testing.T) {
	l := newLayout(t)
	img := l.image("linux/amd64", "x")
	statement := l.blob(inTotoType, []byte(`{"_type":"https://in-toto.io/Statement/v0.1"}`))
	statement.Annotations = map[string]string{annotationPredicate: "https://slsa.dev/provenance/v0.2"}
	att := l.json(v1.MediaTypeImageManifest, v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, Config: l.json(v1.MediaTypeImageConfig, v1.Image{}), Layers: []v1.Descriptor{statement}})
	att.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
	att.Annotations = map[string]string{annotationRefType: refTypeAttestation, annotationRefDigest: string(img.Digest)}
	l.add(l.indexOf(img, att))
	got, err := openTar(t, tarOf(t, l.files()...), "", nil)
	require.NoError(t, err)
	require.Equal(t, img.Digest, got.Digest)
	require.Len(t, got.Attestations, 1)
	require.Equal(t, "https://slsa.dev/provenance/v0.2", got.Attestations[0].PredicateType)
	rc, err := got.Attestations[0].Blob(t.Context())
	require.NoError(t, err)
	b, err := io.ReadAll(rc)
	require.NoError(t, err)
	require.Contains(t, string(b), "in-toto.io")
}

// An archive of docker save may list platforms whose content it does not hold.
func TestAbsentPlatforms(t *testing.T) {
	l := newLayout(t)
	here, gone := l.image("linux/s390x", "x"), l.image("linux/amd64", "y")
	delete(l.blobs, gone.Digest)
	img, err := openTar(t, tarOf(t, l.add(l.indexOf(gone, here)).files()...), "", nil)
	require.NoError(t, err)
	require.Equal(t, here.Digest, img.Digest)
	require.Len(t, img.Notes, 1)
}

func TestTransports(t *testing.T) {
	var got []string
	tr := func(name string, prefixes ...string) Transport {
		return Transport{Prefixes: prefixes, Open: func(_ context.Context, ref string, o *OpenOptions) (*Image, error) {
			require.NotNil(t, o)
			got = append(got, name+" "+ref)
			return &Image{}, nil
		}}
	}
	o := &OpenOptions{Transports: []Transport{tr("remote", "", "docker://", "registry:"), tr("daemon", "docker:")}}
	for _, ref := range []string{"debian:12", "docker://debian:12", "registry:x", "docker:debian"} {
		img, err := Open(t.Context(), ref, o)
		require.NoError(t, err)
		require.Equal(t, ref, img.Name)
	}
	require.Equal(t, []string{"remote debian:12", "remote debian:12", "remote x", "daemon debian"}, got)

	_, err := Open(t.Context(), "docker:debian", &OpenOptions{Transports: o.Transports[:1]})
	require.ErrorContains(t, err, "image/daemon")
	_, err = Open(t.Context(), "debian:12", nil)
	require.ErrorContains(t, err, "image/remote")
	_, err = Open(t.Context(), t.TempDir(), nil)
	require.ErrorContains(t, err, "oci:")
}

func TestOpenCancelled(t *testing.T) {
	l := newLayout(t)
	raw := tarOf(t, l.add(l.image("linux/amd64", "x")).files()...)
	ctx, cancel := context.WithCancel(t.Context())
	img, err := openTar(t, raw, "", nil)
	require.NoError(t, err)
	cancel()
	_, err = OpenArchive(ctx, bytes.NewReader(raw), int64(len(raw)), "", nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = img.Layers[0].Open(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestRealImages(t *testing.T) {
	dir := os.Getenv("BOLTSEAL_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	names, err := filepath.Glob(filepath.Join(dir, "data/images/*.tar"))
	require.NoError(t, err)
	if more := os.Getenv("BOLTSEAL_IMAGES"); more != "" {
		m, err := filepath.Glob(filepath.Join(more, "*.tar"))
		require.NoError(t, err)
		names = append(names, m...)
	}
	if len(names) == 0 {
		t.Skip("no images: set BOLTSEAL_SHARED or BOLTSEAL_IMAGES")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			img, err := Open(t.Context(), "oci-archive:"+name, nil)
			require.NoError(t, err)
			defer img.Close()
			require.NotEmpty(t, img.Layers)
			require.Equal(t, img.ImageID, digest.FromBytes(img.Config.Raw))
			require.Equal(t, img.Digest, digest.FromBytes(img.RawManifest))
			for i := range img.Layers {
				rc, err := img.Layers[i].Open(t.Context())
				require.NoError(t, err)
				require.Equal(t, img.Layers[i].Size, rc.(SizedReaderAt).Size())
				if l := img.Layers[i]; l.Size < 16<<20 && l.Digest != "" {
					d, err := l.Digest.Algorithm().FromReader(rc)
					require.NoError(t, err)
					require.Equal(t, l.Digest, d)
				}
				require.NoError(t, rc.Close())
			}
			for _, n := range img.Notes {
				require.True(t, n.Note, n)
			}
		})
	}
}

func TestParsePlatformNeedsAnArchitecture(t *testing.T) {
	for _, s := range []string{"linux", "Windows", "linux/", ""} {
		_, err := ParsePlatform(s)
		require.ErrorIs(t, err, boltseal.ErrMalformed, s)
	}
	p, err := ParsePlatform("aarch64")
	require.NoError(t, err)
	require.Equal(t, "linux/arm64", FormatPlatform(p))
}
