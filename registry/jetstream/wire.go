package jetstream

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// job is what is asked for.
type job struct {
	Ref string `json:"ref"` // host/repository@digest
}

// result is what came of it.
type result struct {
	Error     string             `json:"error,omitempty"`
	Inventory registry.Inventory `json:"inventory"`
	Distros   []*boltseal.Distro `json:"distros,omitempty"`
	Distro    []int              `json:"distro,omitempty"` // of each package, from 1; 0 is none
}

const maxResult = 256 << 20 // bytes, unpacked

// pack writes what the monitor needs of an inventory: what decides which
// advisories concern a package.
func pack(inv registry.Inventory) ([]byte, error) {
	r := result{Inventory: inv}
	r.Inventory.Packages = make([]boltseal.Package, len(inv.Packages))
	numbers := map[*boltseal.Distro]int{nil: 0}
	for i, p := range inv.Packages {
		n, ok := numbers[p.Distro]
		if !ok {
			r.Distros = append(r.Distros, p.Distro)
			n = len(r.Distros)
			numbers[p.Distro] = n
		}
		r.Distro = append(r.Distro, n)
		r.Inventory.Packages[i] = boltseal.Package{
			PURL: p.PURL, Type: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version, Arch: p.Arch,
			Source: p.Source, Module: p.Module, Vendor: p.Vendor, State: p.State, OwnedBy: p.OwnedBy,
		}
	}
	return r.encode()
}

func (r result) encode() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(r); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// unpack reads what pack wrote. The bytes come from another process.
func unpack(raw []byte) (registry.Inventory, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return registry.Inventory{}, fmt.Errorf("result: %w: %w", boltseal.ErrMalformed, err)
	}
	body, err := io.ReadAll(io.LimitReader(z, maxResult+1))
	if err != nil {
		return registry.Inventory{}, fmt.Errorf("result: %w: %w", boltseal.ErrMalformed, err)
	}
	if len(body) > maxResult {
		return registry.Inventory{}, fmt.Errorf("result: %w: more than %d bytes", boltseal.ErrLimit, maxResult)
	}
	var r result
	if err := json.Unmarshal(body, &r); err != nil {
		return registry.Inventory{}, fmt.Errorf("result: %w: %w", boltseal.ErrMalformed, err)
	}
	if r.Error != "" {
		return registry.Inventory{}, failure(r.Error)
	}
	if len(r.Distro) != len(r.Inventory.Packages) {
		return registry.Inventory{}, fmt.Errorf("result: %w: %d packages, %d distributions", boltseal.ErrMalformed, len(r.Inventory.Packages), len(r.Distro))
	}
	for i, n := range r.Distro {
		if n < 0 || n > len(r.Distros) {
			return registry.Inventory{}, fmt.Errorf("result: %w: distribution %d of %d", boltseal.ErrMalformed, n, len(r.Distros))
		}
		if n > 0 {
			r.Inventory.Packages[i].Distro = r.Distros[n-1]
		}
	}
	return r.Inventory, nil
}

// failure is the reason that a worker gave.
type failure string

func (f failure) Error() string { return string(f) }

// digestOf returns the digest that a name ends with.
func digestOf(ref string) (digest.Digest, error) {
	d := digest.Digest(ref[strings.LastIndexByte(ref, '@')+1:])
	if err := d.Validate(); err != nil {
		return "", fmt.Errorf("image %.300q: %w: host/repository@digest is meant", ref, boltseal.ErrMalformed)
	}
	return d, nil
}

// key is the name of a result: the digest and the analysis.
func (q *Queue) key(d digest.Digest) string {
	sum := sha256.Sum256([]byte(q.Analyzers))
	return d.Algorithm().String() + "-" + d.Encoded() + "." + hex.EncodeToString(sum[:8])
}

func part(d digest.Digest) string { return d.Algorithm().String() + "-" + d.Encoded() }
