package registrytest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
)

// Fleet is a made-up fleet of images, the same for the same numbers. Names are
// spread as they are in real fleets: few are in most images, most in few.
type Fleet struct {
	Seed     uint64
	Images   int
	Packages int // in each image
	Names    int // to choose from; 0 means 20,000
	Versions int // of each name; 0 means 5
}

// Name returns the n-th package name, the most frequent first.
func (f Fleet) Name(n int) string { return "package-" + strconv.Itoa(n) }

// Digest returns the n-th image's digest.
func (f Fleet) Digest(n int) digest.Digest {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, f.Seed), uint64(n))
	return digest.NewDigestFromBytes(digest.SHA256, sum(b))
}

func sum(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

// All yields the images and what they hold. The slice is used again.
func (f Fleet) All() iter.Seq2[digest.Digest, []boltseal.Package] {
	names, versions := f.Names, f.Versions
	if names <= 0 {
		names = 20_000
	}
	if versions <= 0 {
		versions = 5
	}
	return func(yield func(digest.Digest, []boltseal.Package) bool) {
		distro := &boltseal.Distro{ID: "debian", VersionID: "12", Codename: "bookworm"}
		all := make([]boltseal.Package, names*versions)
		for i := range all {
			name, version := f.Name(i/versions), strconv.Itoa(i%versions+1)
			all[i] = boltseal.Package{Type: "deb", Namespace: "debian", Name: name, Version: version, Arch: "amd64", Distro: distro,
				PURL: fmt.Sprintf("pkg:deb/debian/%s@%s?arch=amd64&distro=debian-12", name, version)}
		}
		rng := rand.New(rand.NewPCG(f.Seed, 0x626f6c74))
		pkgs := make([]boltseal.Package, f.Packages)
		for n := range f.Images {
			for i := range pkgs {
				// log-uniform ranks: Zipf's law with exponent 1
				rank := int(math.Exp(rng.Float64()*math.Log(float64(names)))) - 1
				pkgs[i] = all[min(rank, names-1)*versions+rng.IntN(versions)]
			}
			if !yield(f.Digest(n), pkgs) {
				return
			}
		}
	}
}
