package registrytest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// Image is a small image that is valid in every respect: two layers, of which
// the lower one is the distribution's with its package database, and the upper
// one an application's.
type Image struct {
	Repository, Tag string
	Distro          boltseal.Distro    // debian or alpine
	Packages        []boltseal.Package // Name and Version, and Source.Name where it is another
	Text            string             // of the application: images with another one have another digest
	Team            string             // label org.opencontainers.image.authors; empty is none
}

// Images yields n images, the same for the same seed, in repositories of ten
// tags. Half of them are Debian 12's, half Alpine 3.20's; their packages have the
// names, sources and versions that these distributions released.
func Images(seed uint64, n int) iter.Seq[Image] {
	deb := func(name, source, version string) boltseal.Package {
		return boltseal.Package{Name: name, Version: version, Source: boltseal.Source{Name: source}}
	}
	debian := []boltseal.Package{
		deb("base-files", "", "12.4+deb12u5"), deb("libc6", "glibc", "2.36-9+deb12u4"), deb("libssl3", "openssl", "3.0.11-1~deb12u2"), deb("zlib1g", "zlib", "1:1.2.13.dfsg-1"),
		deb("libcurl4", "curl", "7.88.1-10+deb12u5"), deb("libxml2", "", "2.9.14+dfsg-1.3~deb12u1"), deb("bash", "", "5.2.15-2+b2"), deb("perl-base", "perl", "5.36.0-7+deb12u1"),
	}
	alpine := []boltseal.Package{
		deb("alpine-baselayout", "", "3.6.5-r0"), deb("musl", "", "1.2.5-r0"), deb("libcrypto3", "openssl", "3.3.1-r3"), deb("libssl3", "openssl", "3.3.1-r3"),
		deb("busybox", "", "1.36.1-r29"), deb("zlib", "", "1.3.1-r1"), deb("libcurl", "curl", "8.9.0-r0"), deb("libxml2", "", "2.12.7-r0"),
	}
	return func(yield func(Image) bool) {
		rng := rand.New(rand.NewPCG(seed, 0x696d6167))
		for i := range n {
			img := Image{Repository: fmt.Sprintf("team-%d/app-%d", i/100, i/10), Tag: fmt.Sprintf("1.%d", i%10), Text: fmt.Sprint(seed, " ", i)}
			from := debian
			img.Distro = boltseal.Distro{ID: "debian", VersionID: "12", Codename: "bookworm", PrettyName: "Debian GNU/Linux 12 (bookworm)"}
			if i%2 == 1 {
				from = alpine
				img.Distro = boltseal.Distro{ID: "alpine", VersionID: "3.20.2", PrettyName: "Alpine Linux v3.20"}
			}
			img.Packages = append(img.Packages, from[:2]...)
			for _, p := range from[2:] {
				if rng.IntN(2) == 0 {
					img.Packages = append(img.Packages, p)
				}
			}
			if !yield(img) {
				return
			}
		}
	}
}

// Push writes the image to a registry and returns its digest.
func (m *Image) Push(ctx context.Context, to registry.Pusher) (digest.Digest, error) {
	base, err := m.base()
	if err != nil {
		return "", err
	}
	files := [][]file{base, {{"srv/app.txt", m.Text}}}
	config := v1.Image{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}}
	config.RootFS.Type = "layers"
	if m.Team != "" {
		config.Config.Labels = map[string]string{"org.opencontainers.image.authors": m.Team}
	}
	manifest := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	push := func(mediaType string, content []byte) (v1.Descriptor, error) {
		d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
		return d, to.PushBlob(ctx, m.Repository, d, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	}
	for _, list := range files {
		raw, err := archive(list)
		if err != nil {
			return "", err
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(raw); err != nil {
			return "", err
		}
		if err := w.Close(); err != nil {
			return "", err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(raw))
		config.History = append(config.History, v1.History{CreatedBy: "registrytest"})
		d, err := push(v1.MediaTypeImageLayerGzip, packed.Bytes())
		if err != nil {
			return "", err
		}
		manifest.Layers = append(manifest.Layers, d)
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	if manifest.Config, err = push(v1.MediaTypeImageConfig, raw); err != nil {
		return "", err
	}
	if raw, err = json.Marshal(manifest); err != nil {
		return "", err
	}
	parsed, err := registry.ParseManifest("", raw)
	if err != nil {
		return "", err
	}
	return parsed.Digest, to.PushManifest(ctx, m.Repository, m.Tag, parsed)
}

type file struct{ name, content string }

// base is the distribution's layer.
func (m *Image) base() ([]file, error) {
	var db strings.Builder
	name := ""
	switch m.Distro.ID {
	case "debian": // deb822, as dpkg(1) keeps it
		name = "var/lib/dpkg/status"
		for _, p := range m.Packages {
			fmt.Fprintf(&db, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nMaintainer: nobody\nDescription: test\n", p.Name, p.Version)
			if p.Source.Name != "" {
				fmt.Fprintf(&db, "Source: %s\n", p.Source.Name)
			}
			db.WriteString("\n")
		}
	case "alpine": // apk-installed(5)
		name = "lib/apk/db/installed"
		for _, p := range m.Packages {
			origin := p.Source.Name
			if origin == "" {
				origin = p.Name
			}
			fmt.Fprintf(&db, "P:%s\nV:%s\nA:x86_64\no:%s\n\n", p.Name, p.Version, origin)
		}
	default:
		return nil, fmt.Errorf("image of %s: want debian or alpine", m.Distro.ID)
	}
	release := fmt.Sprintf("ID=%s\nVERSION_ID=%q\nPRETTY_NAME=%q\n", m.Distro.ID, m.Distro.VersionID, m.Distro.PrettyName)
	if m.Distro.Codename != "" {
		release += "VERSION_CODENAME=" + m.Distro.Codename + "\n"
	}
	return []file{{"etc/os-release", release}, {name, db.String()}}, nil
}

func archive(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		for i, c := range f.name {
			if c == '/' {
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: f.name[:i+1], Mode: 0o755}); err != nil {
					return nil, err
				}
			}
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
