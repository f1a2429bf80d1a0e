package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// demoLayer is one line of the demo's history, lowest first. Without files it
// is one that leaves no layer.
type demoLayer struct {
	createdBy string
	mediaType string
	files     []demoFile
}

type demoFile struct {
	name string
	data string
	mode int64 // 0: 0644
}

// demoLayers are what a team might have shipped in the summer of 2023. Names,
// versions and formats are real; noise stands in for the packages' contents.
func demoLayers(program []byte) []demoLayer {
	base := []rpm{
		{"almalinux-release", "9.2-1.el9", 0, "almalinux-release"},
		{"bash", "5.1.8-6.el9_1", 0, "bash"},
		{"glibc", "2.34-60.el9", 0, "glibc"},
		{"libxml2", "2.9.13-3.el9_1", 0, "libxml2"},
		{"openssl-libs", "3.0.7-6.el9_2", 1, "openssl"},
	}
	added := []rpm{
		{"curl", "7.76.1-23.el9", 0, "curl"},
		{"libcurl", "7.76.1-23.el9", 0, "curl"},
		{"libwebp", "1.2.0-6.el9_1", 0, "libwebp"},
		{"openssl", "3.0.7-6.el9_2", 1, "openssl"},
	}
	const gz, zst, raw = v1.MediaTypeImageLayerGzip, v1.MediaTypeImageLayerZstd, v1.MediaTypeImageLayer
	return []demoLayer{
		{"/bin/sh -c #(nop) ADD file:7a4f3d0f2c in / ", gz, []demoFile{
			{name: "etc/os-release", data: almaRelease},
			{name: rpmManifest, data: manifest(base)},
			{name: "usr/lib64/libc.so.6", data: noise(4 << 20), mode: 0o755},
		}},
		{`/bin/sh -c #(nop)  CMD ["/bin/bash"]`, "", nil},
		{"RUN /bin/sh -c dnf install -y curl libwebp openssl # buildkit", gz, []demoFile{
			{name: rpmManifest, data: manifest(append(base, added...))},
			{name: "usr/bin/openssl", data: noise(2 << 20), mode: 0o755},
		}},
		{"RUN /bin/sh -c pip install requests==2.19.0 jinja2==3.1.2 pyyaml==5.3 # buildkit", zst, []demoFile{
			pythonPackage("requests", "2.19.0"), pythonPackage("Jinja2", "3.1.2"), pythonPackage("PyYAML", "5.3"),
		}},
		{"RUN /bin/sh -c npm ci --omit=dev # buildkit", gz, []demoFile{
			npmPackage("lodash", "4.17.4"), npmPackage("minimist", "1.2.0"),
			{name: "srv/shop/node_modules/lodash/lodash.js", data: noise(1 << 20)},
		}},
		{"COPY build/ /srv/shop/build/ # buildkit", gz, []demoFile{
			{name: "srv/shop/build/shop.debug", data: noise(3 << 20)},
		}},
		{"COPY shop.war /srv/shop/ # buildkit", raw, []demoFile{
			{name: "srv/shop/shop.war", data: archive("WEB-INF/lib/log4j-core-2.14.1.jar",
				archive("META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties",
					"version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n"))},
		}},
		{"COPY imagescan /usr/local/bin/ # buildkit", zst, []demoFile{{"usr/local/bin/imagescan", string(program), 0o755}}},
		{"RUN /bin/sh -c pip uninstall -y pyyaml && rm -rf /srv/shop/build # buildkit", gz, []demoFile{
			{name: "usr/local/lib/python3.11/site-packages/.wh.PyYAML-5.3.dist-info"},
			{name: "srv/shop/.wh.build"},
		}},
		{"WORKDIR /srv/shop", gz, []demoFile{}},
		{"ENV PATH=/usr/local/bin:/usr/bin:/bin", "", nil},
		{`CMD ["imagescan" "-h"]`, "", nil},
	}
}

// tar writes the layer: parents first, all times the same.
func (l demoLayer) tar(t time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	made := map[string]bool{}
	for _, f := range l.files {
		for i := range f.name {
			if dir := f.name[:i+1]; f.name[i] == '/' && !made[dir] {
				made[dir] = true
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: t}); err != nil {
					return nil, err
				}
			}
		}
		mode := f.mode
		if mode == 0 {
			mode = 0o644
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: mode, Size: int64(len(f.data)), ModTime: t}); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(f.data)); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

const almaRelease = `NAME="AlmaLinux"
VERSION="9.2 (Turquoise Kodkod)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.2"
PLATFORM_ID="platform:el9"
PRETTY_NAME="AlmaLinux 9.2 (Turquoise Kodkod)"
CPE_NAME="cpe:/o:almalinux:almalinux:9::baseos"
`

// rpmManifest is the text form in which images without rpm's database list
// their packages.
const rpmManifest = "var/lib/rpmmanifest/container-manifest-2"

type rpm struct {
	name, version string
	epoch         int
	source        string
}

func manifest(pkgs []rpm) string {
	var b strings.Builder
	for _, p := range pkgs {
		epoch := "(none)"
		if p.epoch > 0 {
			epoch = fmt.Sprint(p.epoch)
		}
		fmt.Fprintf(&b, "%s\t%s\t1688472000\t1688472000\tAlmaLinux\t%s\t1000\t%s\t%d\t%s-%s.src.rpm\n",
			p.name, p.version, epoch, rpmArch(runtime.GOARCH), p.epoch, p.source, p.version)
	}
	return b.String()
}

// rpmArch is what rpm calls an architecture.
func rpmArch(goarch string) string {
	switch goarch {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return goarch
}

func pythonPackage(name, version string) demoFile {
	return demoFile{
		name: "usr/local/lib/python3.11/site-packages/" + name + "-" + version + ".dist-info/METADATA",
		data: "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n",
	}
}

func npmPackage(name, version string) demoFile {
	return demoFile{
		name: "srv/shop/node_modules/" + name + "/package.json",
		data: fmt.Sprintf("{\"name\": %q, \"version\": %q, \"license\": \"MIT\"}\n", name, version),
	}
}

// archive is a zip file of one member.
func archive(name, data string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	m, err := w.Create(name)
	if err == nil {
		m.Write([]byte(data)) // a Buffer takes everything
	}
	w.Close()
	return b.String()
}

// noise is n bytes that do not compress, the same every time.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return string(b)
}
