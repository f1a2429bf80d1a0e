package registry

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/boltseal/boltseal"
)

// A component is a package as far as advisories are concerned: two packages with
// the same fields here have the same findings, in whatever image they lie. A
// fleet of a million images has a few hundred thousand of them; each is matched
// once per change of the advisories that speak of it.

// appendIdentity appends what makes a component the one that it is.
func appendIdentity(b []byte, p *boltseal.Package) []byte {
	e := encoder(b)
	e.uint(1) // form
	for _, s := range []string{p.Type, p.Namespace, p.Name, p.Version, p.Arch, p.Source.Name, p.Source.Version, p.Module, p.Vendor} {
		e.string(s)
	}
	e.uint(uint64(p.State))
	e.string(p.OwnedBy)
	e.distro(p.Distro)
	return e
}

// hashKey is what a component, or a family of them, is looked up by.
func hashKey(identity []byte) []byte {
	sum := sha256.Sum256(identity)
	return sum[:16]
}

func (e *encoder) distro(d *boltseal.Distro) {
	if d == nil {
		return
	}
	e.uint(1)
	for _, s := range []string{d.ID, d.VersionID, d.Codename, d.Variant, d.CPE} {
		e.string(s)
	}
	e.strings(d.IDLike)
	e.strings(d.Repositories)
}

func (d *decoder) distro() *boltseal.Distro {
	if d.uint() != 1 {
		return nil
	}
	out := &boltseal.Distro{}
	for _, f := range []*string{&out.ID, &out.VersionID, &out.Codename, &out.Variant, &out.CPE} {
		*f = d.string()
	}
	out.IDLike, out.Repositories = d.strings(), d.strings()
	return out
}

// A family is what many components have in common, and is stored once: a delta
// reads thousands of components, and to touch a page of the file costs more than
// all that is done with what is on it.

func encodeFamily(p *boltseal.Package) []byte {
	var e encoder
	e.uint(0) // form: no component's
	for _, s := range []string{p.Type, p.Namespace, p.Arch, p.Vendor} {
		e.string(s)
	}
	e.distro(p.Distro)
	return e
}

func decodeFamily(b []byte) (boltseal.Package, error) {
	d := decoder{rest: b}
	d.bad = d.uint() != 0
	p := boltseal.Package{Type: d.string(), Namespace: d.string(), Arch: d.string(), Vendor: d.string(), Distro: d.distro()}
	return p, d.err("family of components")
}

// encodeMember is what a component has of its own, at a row whose key mostly
// ends in the component's name.
func encodeMember(family uint32, key string, p *boltseal.Package) []byte {
	var e encoder
	e.uint(uint64(family))
	if strings.HasSuffix(key, p.Name) {
		e.uint(uint64(len(p.Name)) + 1)
	} else {
		e.uint(0)
		e.string(p.Name)
	}
	e.string(p.Version)
	if p.State == 0 && p.Source == (boltseal.Source{}) && p.Module == "" && p.OwnedBy == "" {
		return e // what is missing at the end reads as empty
	}
	e.uint(uint64(p.State))
	for _, s := range []string{p.Source.Name, p.Source.Version, p.Module, p.OwnedBy} {
		e.string(s)
	}
	return e
}

// components reads components in one transaction.
type components struct {
	member, finding, family, row *bolt.Bucket
	families                     map[uint32]boltseal.Package
}

func newComponents(tx *bolt.Tx) *components {
	return &components{
		member: tx.Bucket(bucketComponent), finding: tx.Bucket(bucketFinding), family: tx.Bucket(bucketFamily), row: tx.Bucket(bucketRow),
		families: map[uint32]boltseal.Package{},
	}
}

// decode reads a component, but for its package URL.
func (c *components) decode(row, raw []byte) (*boltseal.Package, error) {
	d := decoder{rest: raw}
	number := uint32(d.uint())
	family, ok := c.families[number]
	if !ok {
		stored := c.family.Get(be32(number))
		if stored == nil {
			return nil, fmt.Errorf("store: component %x: %w: it has no family", row, boltseal.ErrMalformed)
		}
		var err error
		if family, err = decodeFamily(stored); err != nil {
			return nil, err
		}
		c.families[number] = family
	}
	p := family
	key := row[:max(0, len(row)-5)]
	switch n := d.uint(); {
	case n == 0:
		p.Name = d.string()
	case n-1 > uint64(len(key)):
		d.bad = true
	default:
		p.Name = string(key[len(key)-int(n-1):])
	}
	p.Version, p.State = d.string(), boltseal.State(d.uint())
	p.Source = boltseal.Source{Name: d.string(), Version: d.string()}
	p.Module, p.OwnedBy = d.string(), d.string()
	return &p, d.err("component")
}

// at reads the component at a row, but for its package URL, and what is known of it.
func (c *components) at(row []byte) (*boltseal.Package, []state, error) {
	raw := c.member.Get(row)
	if raw == nil {
		return nil, nil, fmt.Errorf("store: component %x: %w: it is missing", row, boltseal.ErrMalformed)
	}
	p, err := c.decode(row, raw)
	if err != nil {
		return nil, nil, err
	}
	list, err := decodeStates(c.finding.Get(row))
	return p, list, err
}

// rowOf is where a component stands: all versions of a package next to each
// other, so that what one advisory speaks of lies on few pages of the file.
func rowOf(key string, n uint32) []byte {
	b := append(make([]byte, 0, len(key)+5), key...)
	return binary.BigEndian.AppendUint32(append(b, 0), n)
}

func numberOf(row []byte) uint32 { return binary.BigEndian.Uint32(row[len(row)-4:]) }

// encodeAddress is what leads from a component's number to its row.
func encodeAddress(row []byte, purl string) []byte {
	var e encoder
	e.string(string(row))
	e.string(purl)
	return e
}

// address returns a component's row, and its package URL. Both are valid as long
// as the transaction.
func address(rows *bolt.Bucket, n uint32) (row, purl []byte, err error) {
	d := decoder{rest: rows.Get(be32(n))}
	row, purl = d.bytes(), d.bytes()
	if len(row) < 5 {
		d.bad = true
	}
	return row, purl, d.err(fmt.Sprintf("component %d", n))
}
