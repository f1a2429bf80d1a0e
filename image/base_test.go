package image

import (
	"context"
	"io"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestBaseFromKnownImages(t *testing.T) {
	img := typical()
	ids := img.Config.RootFS.DiffIDs
	// OCI image configuration: ChainID(L0|L1) = sha256(ChainID(L0) + " " + DiffID(L1)).
	two := digest.FromString(string(ids[0]) + " " + string(ids[1]))
	d := digest.FromString("node")
	known, err := ReadKnownImages(strings.NewReader("# images\n\n" + string(ids[0]) + " debian:12\n" + string(two) + "  node:22@" + string(d) + "\n"))
	require.NoError(t, err)
	b, err := findBase(t.Context(), img, &ClassifyOptions{Known: known})
	require.NoError(t, err)
	require.Equal(t, "node:22@"+string(d), b.Name)
	require.Equal(t, d, b.Digest)
	require.Equal(t, 2, b.Layers)
	require.Equal(t, .95, b.Confidence)

	require.Equal(t, emptyTar, digest.FromBytes(make([]byte, 1024)))
	img.Config.RootFS.DiffIDs = append([]digest.Digest{emptyTar}, ids...)
	require.Nil(t, baseFromKnown(img, KnownImages{emptyTar: "everything"}))

	_, err = ReadKnownImages(strings.NewReader("sha256:12 debian:12"))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	_, err = ReadKnownImages(strings.NewReader(strings.Repeat("a", 1<<17)))
	require.ErrorIs(t, err, boltseal.ErrMalformed)
}

func TestBaseFromAnnotationsAndHistory(t *testing.T) {
	img := typical()
	img.Annotations = map[string]string{v1.AnnotationBaseImageName: "docker.io/library/debian:12", v1.AnnotationBaseImageDigest: "bad"}
	b, err := findBase(t.Context(), img, &ClassifyOptions{})
	require.NoError(t, err)
	require.Equal(t, "docker.io/library/debian:12", b.Name)
	require.Empty(t, b.Digest)
	require.Equal(t, .8, b.Confidence)
	require.Equal(t, 1, b.Layers, "the history knows how many")
	require.Equal(t, .5, b.SplitConfidence)

	img = fake(v1.History{CreatedBy: "base"}, v1.History{CreatedBy: "/bin/sh -c make", Comment: "FROM docker.io/library/alpine:3.20"}, v1.History{CreatedBy: "/bin/sh -c x"})
	b, err = findBase(t.Context(), img, &ClassifyOptions{})
	require.NoError(t, err)
	require.Equal(t, "docker.io/library/alpine:3.20", b.Name)
	require.Equal(t, 1, b.Layers)
}

func TestBaseFromS2I(t *testing.T) {
	img := typical()
	img.Config.Config.Labels = map[string]string{"io.openshift.s2i.build.image": "quay.io/centos7/nodejs-12:latest"}
	b, err := findBase(t.Context(), img, &ClassifyOptions{})
	require.NoError(t, err)
	require.Equal(t, "quay.io/centos7/nodejs-12:latest", b.Name)
	require.Equal(t, .7, b.Confidence)
	require.Equal(t, 1, b.Layers, "the history knows how many")
}

// An image of which nothing tells the base has that of its distribution, if
// the lowest layer brought it and others came on top.
func TestBaseFromDistro(t *testing.T) {
	bazel := v1.History{CreatedBy: "bazel build ...", Author: "Bazel"}
	img := fake(bazel, v1.History{CreatedBy: "bazel build //app", Author: "Bazel"})
	inv := &Inventory{Image: img, Layers: make([]LayerInfo, 2), Distro: &boltseal.Distro{
		ID: "debian", VersionID: "12", Locations: []boltseal.Location{{Layer: string(img.Layers[0].DiffID), Path: "usr/lib/os-release"}},
	}}
	c, err := Classify(t.Context(), inv, nil)
	require.NoError(t, err)
	require.Equal(t, "debian-12", c.Base.Name)
	require.Equal(t, .3, c.Base.Confidence)
	require.Zero(t, c.Base.Layers, "how many layers it has is not known")
	require.Equal(t, Step{Builder: "bazel", Text: "bazel build //app"}, c.Layers[1].Step)

	inv.Distro.Locations[0].Layer = string(img.Layers[1].DiffID)
	c, err = Classify(t.Context(), inv, nil)
	require.NoError(t, err)
	require.Nil(t, c.Base, "the distribution came later")

	img.Annotations = map[string]string{v1.AnnotationBaseImageName: "debian:12-slim"}
	inv.Distro.Locations[0].Layer = string(img.Layers[0].DiffID)
	c, err = Classify(t.Context(), inv, nil)
	require.NoError(t, err)
	require.Equal(t, "debian:12-slim", c.Base.Name)
}

func TestBuildpacks(t *testing.T) {
	img := fake(v1.History{CreatedBy: "a"}, v1.History{CreatedBy: "b"}, v1.History{CreatedBy: "c"}, v1.History{CreatedBy: "d"}, v1.History{CreatedBy: "e"})
	id := func(s string) string { return string(digest.FromString(s)) }
	ref := "index.docker.io/paketobuildpacks/run@" + id("run")
	img.Config.Config.Labels = map[string]string{labelLifecycle: `{"app":[{"sha":"` + id("d") + `"}],"buildpacks":[{"key":"x","layers":{"jre":{"sha":"` + id("c") + `"}}}],
		"launcher":{"sha":"` + id("e") + `"},"config":{"sha":""},"runImage":{"topLayer":"` + id("b") + `","reference":"` + ref + `","image":"paketobuildpacks/run:base"}}`}
	b, err := findBase(t.Context(), img, &ClassifyOptions{})
	require.NoError(t, err)
	require.Equal(t, "paketobuildpacks/run:base", b.Name)
	require.Equal(t, id("run"), string(b.Digest))
	require.Equal(t, 2, b.Layers)
	var kinds []Kind
	for _, c := range classify(img, nil, b) {
		kinds = append(kinds, c.Kind)
		require.Equal(t, .95, c.Confidence)
	}
	require.Equal(t, []Kind{KindBase, KindBase, KindDependencies, KindApplication, KindTool}, kinds)
}

func TestBaseFromProvenance(t *testing.T) {
	img := typical()
	subject := `"subject":[{"digest":{"sha256":"` + img.Digest.Encoded() + `"}}]`
	node := `{"uri":"pkg:docker/node@22?platform=linux%2Famd64","digest":{"sha256":"` + digest.FromString("node").Encoded() + `"}}`
	frontend := `{"uri":"pkg:docker/docker/dockerfile@1"},{"uri":"https://example.com/x.tar"}`
	for name, tt := range map[string]struct {
		statement string
		want      string
		err       error
	}{
		"v0.2":          {`{` + subject + `,"predicate":{"materials":[` + frontend + `,` + node + `,` + node + `]}}`, "node:22", nil},
		"v1":            {`{` + subject + `,"predicate":{"buildDefinition":{"resolvedDependencies":[` + node + `]}}}`, "node:22", nil},
		"several":       {`{` + subject + `,"predicate":{"materials":[` + node + `,{"uri":"pkg:docker/golang@1.25"}]}}`, "", nil},
		"another image": {`{"subject":[{"digest":{"sha256":"00"}}],"predicate":{"materials":[` + node + `]}}`, "", boltseal.ErrMalformed},
		"no JSON":       {`{`, "", boltseal.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			img.Attestations = []Attestation{{
				PredicateType: "https://slsa.dev/provenance/v1", Digest: digest.FromString(tt.statement), Size: int64(len(tt.statement)),
				Blob: func(context.Context) (io.ReadCloser, error) {
					return io.NopCloser(strings.NewReader(tt.statement)), nil
				},
			}}
			b, err := findBase(t.Context(), img, &ClassifyOptions{})
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, b.Name)
			require.Equal(t, 1, b.Layers, "the history still tells how many layers")
			if tt.want != "" {
				require.Equal(t, .9, b.Confidence)
				require.Equal(t, digest.FromString("node"), b.Digest)
			}
			img.Attestations[0].Digest = digest.FromString("other")
			_, err = findBase(t.Context(), img, &ClassifyOptions{})
			require.ErrorIs(t, err, boltseal.ErrMalformed)
			img.Attestations[0].Size = 5 << 20
			_, err = findBase(t.Context(), img, &ClassifyOptions{})
			require.ErrorIs(t, err, boltseal.ErrLimit)
		})
	}
}

func FuzzClassify(f *testing.F) {
	f.Add("/bin/sh -c #(nop)  CMD [\"x\"]", "FROM a", "ko", `{"app":[{"sha":"sha256:00"}]}`, []byte(`{"subject":[],"predicate":{"materials":[{"uri":"pkg:docker/a@1"}]}}`))
	f.Add("|1 A=b /bin/sh -c apt-get -y install x", "buildkit.dockerfile.v0", "", "", []byte(`{}`))
	f.Add(`COPY ["a", "/etc"] # buildkit`, "store paths: [", "Jib", "null", []byte(`null`))
	f.Fuzz(func(t *testing.T, createdBy, comment, author, label string, provenance []byte) {
		img := fake(v1.History{CreatedBy: createdBy, Comment: comment, Author: author}, v1.History{CreatedBy: createdBy, EmptyLayer: true}, v1.History{CreatedBy: comment})
		img.Config.Config.Labels = map[string]string{labelLifecycle: label}
		_, _ = parseProvenance(provenance, img.Digest)
		b, _ := findBase(t.Context(), img, &ClassifyOptions{})
		for _, c := range classify(img, nil, b) {
			if c.Confidence < 0 || c.Confidence > 1 {
				t.Fatal(c)
			}
			if len(c.Step.Text) > 600 || strings.ContainsRune(c.Step.Text, '\n') {
				t.Fatalf("%q", c.Step.Text)
			}
		}
	})
}
