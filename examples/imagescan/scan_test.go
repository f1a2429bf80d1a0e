package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
)

// recorder is a console that keeps what was written.
type recorder struct{ out, err bytes.Buffer }

func (r *recorder) console() *cli.Console {
	return &cli.Console{Name: "imagescan", Out: &r.out, Err: &r.err, Env: func(string) string { return "" }}
}

// scanJSON runs the program with -o json, with no database but the snapshot.
func scanJSON(t *testing.T, args ...string) (*boltseal.Report, int) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var c recorder
	code := run(t.Context(), append([]string{"-o", "json"}, args...), c.console())
	r, err := boltseal.ReadReport(&c.out)
	require.NoError(t, err, c.err.String())
	return r, code
}

// writeLayout writes the demo image to an OCI layout.
func writeLayout(t *testing.T, dir string) ggcr.Hash {
	t.Helper()
	img, err := openDemo(t.Context())
	require.NoError(t, err)
	blob := func(d string, b []byte) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "blobs", strings.ReplaceAll(d, ":", "/")), b, 0o644))
	}
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest,
		Config: v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: img.ImageID, Size: int64(len(img.Config.Raw))}}
	blob(img.ImageID.String(), img.Config.Raw)
	for i := range img.Layers {
		l := &img.Layers[i]
		r, err := l.Open(t.Context())
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		blob(l.Digest.String(), b.Bytes())
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: l.MediaType, Digest: l.Digest, Size: l.Size})
	}
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	hash, size, err := ggcr.SHA256(bytes.NewReader(raw))
	require.NoError(t, err)
	require.Equal(t, img.Digest.String(), hash.String(), "the manifest is written as it was")
	blob(hash.String(), raw)
	index, err := json.Marshal(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex,
		Manifests: []v1.Descriptor{{MediaType: v1.MediaTypeImageManifest, Digest: img.Digest, Size: size}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.json"), index, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644))
	return hash
}

func TestDemo(t *testing.T) {
	r, code := scanJSON(t)
	require.Equal(t, cli.ExitOK, code)
	have := map[string]boltseal.ReportPackage{}
	for _, p := range r.Packages {
		have[p.Type+" "+p.Name+" "+p.Version] = p
	}
	for _, want := range []string{
		"rpm openssl-libs 1:3.0.7-6.el9_2", "rpm libwebp 1.2.0-6.el9_1", "pypi requests 2.19.0", "pypi jinja2 3.1.2",
		"npm lodash 4.17.4", "maven log4j-core 2.14.1",
	} {
		require.Contains(t, have, want)
	}
	require.NotContains(t, have, "pypi pyyaml 5.3", "a higher layer deletes it")
	require.Equal(t, r.Layers[0].DiffID, have["rpm openssl-libs 1:3.0.7-6.el9_2"].Layer, "the layer that brought it, not the last to rewrite the list")
	require.Equal(t, r.Layers[1].DiffID, have["rpm libwebp 1.2.0-6.el9_1"].Layer)
	require.GreaterOrEqual(t, r.Layers[4].Wasted, int64(3<<20), "the debug file is deleted later")
	require.Contains(t, have["maven log4j-core 2.14.1"].Locations[0].Member, "WEB-INF/lib/log4j-core-2.14.1.jar")
	var go1 bool
	for _, p := range r.Packages {
		go1 = go1 || p.Type == "golang" && p.Name == "stdlib"
	}
	require.True(t, go1, "the program itself is in the image")

	rules := map[string]boltseal.Severity{}
	for _, f := range r.Findings {
		rules[f.Rule] = f.Severity
		require.NotEmpty(t, f.Evidence, f.Rule)
		require.NotEmpty(t, f.Fingerprint, f.Rule)
	}
	// ALSA-2023:5214 fixes CVE-2023-4863 in libwebp 1.2.0-7.el9_2.
	require.Equal(t, boltseal.SeverityHigh, rules["ALSA-2023:5214"])
	require.Equal(t, boltseal.SeverityCritical, rules["GLAD-maven-org.apache.logging.log4j_log4j-core-CVE-2021-44228"])
}

// TestJSONKeys holds the JSON form to the keys that its readers rely on.
func TestJSONKeys(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var c recorder
	require.Equal(t, cli.ExitOK, run(t.Context(), []string{"-o", "json"}, c.console()))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(c.out.Bytes(), &doc))
	keys := func(v any, want ...string) {
		t.Helper()
		for _, k := range want {
			require.Contains(t, v, k)
		}
	}
	keys(doc, "schema", "complete", "image", "layers", "packages", "findings", "skipped")
	keys(doc["image"], "name", "digest", "platform")
	first := func(list string) any { return doc[list].([]any)[0] }
	keys(first("layers"), "index", "digest", "diffID", "kind", "confidence", "createdBy", "files", "bytes")
	keys(first("packages"), "purl", "name", "version", "type", "evidence", "layer", "paths")
	for _, v := range doc["findings"].([]any) {
		keys(v, "kind", "rule", "severity", "title", "locations", "fingerprint")
		f := v.(map[string]any)
		keys(f["locations"].([]any)[0], "layer", "path")
		if f["kind"] == "vulnerability" {
			keys(v, "package")
		}
	}
	require.Equal(t, "boltseal.report/v1", doc["schema"])
}

// TestSharedImages scans every image that lies beside the project.
func TestSharedImages(t *testing.T) {
	files, _ := filepath.Glob(shared("data/images/*.oci.tar"))
	if len(files) == 0 {
		t.Skip("no images in ../shared/data/images (or $BOLTSEAL_SHARED)")
	}
	// What the images' own package databases hold, counted by other tools.
	want := map[string]int{
		"distroless-base": 12, "distroless-base-zstd": 12, "scalibr-alpine": 14, "rpm-sle15": 35, "rpm-mariner2": 129,
		"rpm-alma9-as-rocky9db": 142, "rpm-alma8-as-centos8db": 517,
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".oci.tar")
		t.Run(name, func(t *testing.T) {
			r, code := scanJSON(t, "oci-archive:"+f)
			require.Contains(t, []int{cli.ExitOK, cli.ExitIncomplete}, code)
			require.Equal(t, r.Complete, code == cli.ExitOK)
			n := 0
			for _, p := range r.Packages {
				if p.Type == "deb" || p.Type == "rpm" || p.Type == "apk" {
					n++
				}
			}
			if w, ok := want[name]; ok {
				require.Equal(t, w, n, "packages of the operating system")
			}
		})
	}
}
