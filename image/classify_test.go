package image

import (
	"testing"

	digest "github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// The entries are of the form that each builder's source writes.
func TestParseStep(t *testing.T) {
	for _, tt := range []struct {
		h    v1.History
		want Step
	}{
		{v1.History{CreatedBy: "/bin/sh -c #(nop) ADD file:4b1be1de1a1e5aa6 in / "}, Step{Builder: "docker", Verb: "ADD", Text: "file:4b1be1de1a1e5aa6 in /"}},
		{v1.History{CreatedBy: `/bin/sh -c #(nop)  CMD ["bash"]`}, Step{Builder: "docker", Verb: "CMD", Text: `["bash"]`}},
		{v1.History{CreatedBy: "/bin/sh -c apt-get update \t&& apt-get install -y curl"}, Step{Builder: "docker", Verb: "RUN", Text: "apt-get update && apt-get install -y curl"}},
		{v1.History{CreatedBy: "|2 A=1 B=two words /bin/sh -c make"}, Step{Builder: "docker", Verb: "RUN", Text: "make"}},
		{v1.History{CreatedBy: "RUN /bin/sh -c npm ci # buildkit", Comment: "buildkit.dockerfile.v0"}, Step{Builder: "buildkit", Verb: "RUN", Text: "npm ci"}},
		{v1.History{CreatedBy: "RUN |1 V=3 /bin/sh -c go build ./... # buildkit", Comment: "buildkit.dockerfile.v0"}, Step{Builder: "buildkit", Verb: "RUN", Text: "go build ./..."}},
		{v1.History{CreatedBy: `CMD ["nginx"]`, Comment: "buildkit.dockerfile.v0"}, Step{Builder: "buildkit", Verb: "CMD", Text: `["nginx"]`}},
		{v1.History{CreatedBy: "/bin/sh -c #(nop) COPY file:ab12 in /etc/app.conf", Comment: "FROM docker.io/library/alpine:3.20"}, Step{Builder: "buildah", Verb: "COPY", Text: "file:ab12 in /etc/app.conf", From: "docker.io/library/alpine:3.20"}},
		{v1.History{CreatedBy: "COPY . /src", Author: "kaniko"}, Step{Builder: "kaniko", Verb: "COPY", Text: ". /src"}},
		{v1.History{CreatedBy: "ko build ko://example.com/cmd/shop", Author: "ko", Comment: "go build output, at /ko-app/shop"}, Step{Builder: "ko", Text: "go build output, at /ko-app/shop"}},
		{v1.History{CreatedBy: "jib-maven-plugin:3.4.0", Author: "Jib", Comment: "classes"}, Step{Builder: "jib", Text: "classes"}},
		{v1.History{CreatedBy: "apko", Author: "apko"}, Step{Builder: "apko", Text: "apko"}},
		{v1.History{Comment: "store paths: ['/nix/store/abc-hello']"}, Step{Builder: "nix", Text: "store paths: ['/nix/store/abc-hello']"}},
		{v1.History{CreatedBy: "Layer: 'jre', Created by buildpack: paketo-buildpacks/bellsoft-liberica@10.4.0"}, Step{Builder: "buildpacks", Text: "Layer: 'jre', Created by buildpack: paketo-buildpacks/bellsoft-liberica@10.4.0"}},
		{v1.History{CreatedBy: "bazel build ..."}, Step{Builder: "bazel", Text: "bazel build ..."}},
		{v1.History{}, Step{}},
	} {
		require.Equal(t, tt.want, parseStep(tt.h), tt.h.CreatedBy)
	}
}

func TestPurpose(t *testing.T) {
	for text, want := range map[string]Kind{
		"RUN apt-get -y -q install curl": KindOSPackages, "RUN set -ex; apk --no-cache add git": KindOSPackages, "RUN (microdnf install -y jq)": KindOSPackages,
		"RUN apt-get install -y nodejs && npm ci": KindOSPackages, "RUN npm ci --omit=dev": KindDependencies, "RUN pip install -r requirements.txt": KindDependencies,
		"RUN mvn dependency:go-offline": KindDependencies, "RUN make -j4": KindApplication, "RUN cat makefile": "", "RUN curl -L https://x | tar xz": KindRuntime,
		"COPY ./app /app": KindApplication, "COPY --chown=1:1 nginx.conf /etc/nginx/": KindConfig, `COPY ["a b", "/etc"]`: KindConfig, "ADD rootfs.tar.xz /": KindBase,
		"ADD file:1 in /": KindBase, "COPY": "", "WORKDIR /app": KindConfig, "CMD x": "",
	} {
		got, _ := parseStep(v1.History{CreatedBy: text}).purpose()
		require.Equal(t, want, got, text)
	}
}

// fake has one layer for each history entry that is not empty.
func fake(history ...v1.History) *Image {
	img := &Image{Digest: digest.FromString("manifest")}
	for _, h := range history {
		if !h.EmptyLayer {
			d := digest.FromString(h.CreatedBy)
			img.Layers = append(img.Layers, Layer{Index: len(img.Layers), DiffID: d})
			img.Config.RootFS.DiffIDs = append(img.Config.RootFS.DiffIDs, d)
		}
	}
	img.Config.History = history
	return img
}

func typical() *Image {
	return fake(
		v1.History{CreatedBy: "# debian.sh --arch 'amd64' out/ 'bookworm'", Comment: "debuerreotype 0.15"},
		v1.History{CreatedBy: `/bin/sh -c #(nop)  CMD ["bash"]`, EmptyLayer: true},
		v1.History{CreatedBy: "RUN /bin/sh -c apt-get install -y nodejs # buildkit", Comment: "buildkit.dockerfile.v0"},
		v1.History{CreatedBy: "RUN /bin/sh -c npm ci # buildkit", Comment: "buildkit.dockerfile.v0"},
		v1.History{CreatedBy: "COPY . /app # buildkit", Comment: "buildkit.dockerfile.v0"},
		v1.History{CreatedBy: "COPY x /etc/x # buildkit", Comment: "buildkit.dockerfile.v0"},
		v1.History{CreatedBy: `CMD ["node"]`, Comment: "buildkit.dockerfile.v0", EmptyLayer: true},
	)
}

func TestClassify(t *testing.T) {
	inv := &Inventory{Image: typical()}
	for _, s := range []LayerStats{
		{Entries: 9000, Files: 6000, Brought: map[string]int{"deb": 88}},
		{Entries: 900, Files: 600, Brought: map[string]int{"deb": 12}},
		{Entries: 4000, Files: 3000, Brought: map[string]int{"npm": 300}},
		{Entries: 40, Files: 30},
		{},
	} {
		inv.Layers = append(inv.Layers, LayerInfo{Stats: s, Verified: true})
	}
	c, err := Classify(t.Context(), inv, nil)
	require.NoError(t, err)
	require.Equal(t, 1, c.Base.Layers)
	require.Equal(t, .5, c.Base.Confidence)
	var kinds []Kind
	for _, l := range c.Layers {
		kinds = append(kinds, l.Kind)
		require.NotEmpty(t, l.Evidence)
		require.InDelta(t, .7, l.Confidence, .3)
	}
	require.Equal(t, []Kind{KindBase, KindOSPackages, KindDependencies, KindApplication, KindMetadata}, kinds)
	require.Contains(t, c.Layers[1].Evidence[0].Detail, "12 deb packages")
	require.InDelta(t, .95, c.Layers[1].Confidence, 1e-9, "the history agrees")

	inv.Layers[4].Verified = false
	c, err = Classify(t.Context(), inv, nil)
	require.NoError(t, err)
	require.Equal(t, KindConfig, c.Layers[4].Kind, "what was not read is not empty")

	inv.Image.Config.History = inv.Image.Config.History[2:]
	c, err = Classify(t.Context(), inv, nil)
	require.NoError(t, err)
	require.Nil(t, c.Base)
	require.Equal(t, KindBase, c.Layers[0].Kind)
	require.Equal(t, KindUnknown, c.Layers[3].Kind, "history and layers do not fit")

	var r boltseal.Report
	r.Image, r.Layers = &boltseal.ReportImage{}, make([]boltseal.ReportLayer, 5)
	c.Apply(&r)
	require.Equal(t, "base", r.Layers[0].Kind)
	require.True(t, r.Layers[0].FromBase)
}
