package decode

import (
	"bufio"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sort"

	"github.com/boltseal/boltseal"
)

// GitLimits bound what reading a pack may cost. The zero value of a field means its default.
type GitLimits struct {
	Object  int64 // largest object that is held in memory; default 32 MiB
	Chain   int   // longest chain of deltas; default 250, the most that git gc ever wrote
	Objects int   // default 10,000,000
}

func (l *GitLimits) defaults() {
	if l.Object == 0 {
		l.Object = 32 << 20
	}
	if l.Chain == 0 {
		l.Chain = 250
	}
	if l.Objects == 0 {
		l.Objects = 10_000_000
	}
}

// Object types in a pack, beside the four that an object can have.
const (
	packOffset = 6 // a delta on an object before it in the pack
	packRef    = 7 // a delta on an object with an ID
)

// packed is one entry of a pack.
type packed struct {
	at     int64 // where its header begins
	data   int64 // where its zlib stream begins
	size   int64 // inflated
	base   int32 // entry that the delta is on; -1: none, or not known
	id     int32 // in Pack.ids; -1: not known
	kind   byte
	broken bool
}

// Pack is a git pack file, version 2 (gitformat-pack), that can be read at any place.
type Pack struct {
	// Spend is called with the number of bytes of every object that is made,
	// and may end the reading by an error.
	Spend func(n int) error
	// Skip is told of every object that could not be made.
	Skip func(object string, err error)

	r       io.ReaderAt
	size    int64
	idSize  int
	limits  GitLimits
	entries []packed
	refs    map[int32]string // bases of deltas on IDs
	ids     []byte           // idSize bytes each
	byID    []int32          // entries with an ID, in its order
	z       io.ReadCloser
	br      *bufio.Reader
}

// OpenPack reads where the objects of a pack are and checks that their streams
// inflate. idSize is 20, or 32 in repositories with SHA-256. Memory is some 60
// bytes an object. A pack that is damaged is returned with the error: what lies
// before the damage can be read.
func OpenPack(r io.ReaderAt, size int64, idSize int, limits GitLimits, spend func(int) error) (*Pack, error) {
	limits.defaults()
	p := &Pack{r: r, size: size, idSize: idSize, limits: limits, refs: map[int32]string{}, Spend: spend, Skip: func(string, error) {}}
	p.br = bufio.NewReaderSize(nil, 32<<10)
	in := buffer(io.NewSectionReader(r, 0, size))
	count, err := packHeader(in)
	if err != nil {
		return nil, err
	}
	byOffset := map[int64]int32{}
	for n := range count {
		if n >= uint32(limits.Objects) {
			return p, fmt.Errorf("git pack of %d objects: %w of %d", count, boltseal.ErrLimit, limits.Objects)
		}
		e, ref, back, err := packEntry(in, idSize)
		if err != nil {
			return p, fmt.Errorf("git pack: object %d of %d: %w", n+1, count, err)
		}
		switch e.kind {
		case packOffset:
			i, ok := byOffset[e.at-back]
			if !ok {
				return p, malformed("git pack: object at %d is a delta on none", e.at)
			}
			e.base = i
		case packRef:
			p.refs[int32(len(p.entries))] = ref
		}
		if e.size < 0 {
			return p, malformed("git pack: object at %d of size %d", e.at, e.size)
		}
		z, err := p.inflate(in)
		if err != nil {
			return p, malformed("git pack: object at %d: %v", e.at, err)
		}
		got, err := copySpending(io.Discard, z, spend)
		if err != nil || got != e.size {
			if err == nil {
				err = malformed("%d bytes of %d", got, e.size)
			}
			return p, fmt.Errorf("git pack: object at %d: %w", e.at, err)
		}
		byOffset[e.at] = int32(len(p.entries))
		p.entries = append(p.entries, e)
	}
	return p, nil
}

// Objects returns how many objects the pack has.
func (p *Pack) Objects() int { return len(p.entries) }

func packHeader(in *buffered) (count uint32, err error) {
	var b [12]byte
	if _, err := io.ReadFull(in, b[:]); err != nil || string(b[:4]) != "PACK" {
		return 0, malformed("git pack header")
	}
	if v := binary.BigEndian.Uint32(b[4:]); v != 2 && v != 3 {
		return 0, fmt.Errorf("git pack version %d: %w", v, errors.ErrUnsupported)
	}
	return binary.BigEndian.Uint32(b[8:]), nil
}

// packEntry reads an entry's header: what kind it is, its size, and its base: ref,
// or how many bytes back.
func packEntry(in *buffered, idSize int) (e packed, ref string, back int64, err error) {
	e = packed{at: in.pos(), base: -1, id: -1}
	c, err := in.ReadByte()
	if err != nil {
		return e, "", 0, malformed("it is cut off")
	}
	e.kind, e.size = c>>4&7, int64(c&15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if c, err = in.ReadByte(); err != nil || shift > 53 {
			return e, "", 0, malformed("its size")
		}
		e.size |= int64(c&0x7f) << shift
	}
	switch e.kind {
	case 1, 2, 3, 4:
	case packOffset:
		if c, err = in.ReadByte(); err != nil {
			return e, "", 0, malformed("it is cut off")
		}
		for back = int64(c & 0x7f); c&0x80 != 0; {
			if c, err = in.ReadByte(); err != nil || back > 1<<50 {
				return e, "", 0, malformed("its base")
			}
			back = (back+1)<<7 | int64(c&0x7f)
		}
	case packRef:
		id := make([]byte, idSize)
		if _, err := io.ReadFull(in, id); err != nil {
			return e, "", 0, malformed("it is cut off")
		}
		ref = string(id)
	default:
		return e, "", 0, malformed("type %d", e.kind)
	}
	e.data = in.pos()
	return e, ref, back, nil
}

// inflate returns the zlib stream that r begins with; there is one at a time.
func (p *Pack) inflate(r io.Reader) (io.Reader, error) {
	if p.z == nil {
		z, err := zlib.NewReader(r)
		p.z = z
		return z, err
	}
	return p.z, p.z.(zlib.Resetter).Reset(r, nil)
}

func copySpending(w io.Writer, r io.Reader, spend func(int) error) (total int64, err error) {
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Read(buf)
		total += int64(n)
		w.Write(buf[:n])
		if serr := spend(n); serr != nil {
			return total, serr
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, malformed("%v", err)
		}
	}
}

// raw returns an entry's own stream, inflated: an object, or a delta.
func (p *Pack) raw(e *packed) ([]byte, error) {
	if e.size > p.limits.Object {
		return nil, fmt.Errorf("git object of %d bytes: %w of %d", e.size, boltseal.ErrLimit, p.limits.Object)
	}
	z, err := p.stream(e)
	if err != nil {
		return nil, err
	}
	out := make([]byte, e.size)
	if _, err := io.ReadFull(z, out); err != nil {
		return nil, malformed("git object at %d: %v", e.at, err)
	}
	return out, p.Spend(len(out))
}

func (p *Pack) stream(e *packed) (io.Reader, error) {
	p.br.Reset(io.NewSectionReader(p.r, e.data, p.size-e.data))
	return p.inflate(p.br)
}

// whole makes an entry's object and tells its type.
func (p *Pack) whole(i int32, chain int) ([]byte, byte, error) {
	e := &p.entries[i]
	if e.kind < packOffset {
		data, err := p.raw(e)
		return data, e.kind, err
	}
	if e.base < 0 {
		return nil, 0, malformed("git object at %d is a delta on one that is not there", e.at)
	}
	if chain >= p.limits.Chain {
		return nil, 0, fmt.Errorf("git object at %d: chain of deltas: %w of %d", e.at, boltseal.ErrLimit, p.limits.Chain)
	}
	base, kind, err := p.whole(e.base, chain+1)
	if err != nil {
		return nil, 0, err
	}
	data, err := p.delta(e, base)
	return data, kind, err
}

func (p *Pack) delta(e *packed, base []byte) ([]byte, error) {
	d, err := p.raw(e)
	if err != nil {
		return nil, err
	}
	data, err := applyDelta(base, d, p.limits.Object)
	if err != nil {
		return nil, fmt.Errorf("git object at %d: %w", e.at, err)
	}
	return data, p.Spend(len(data))
}

// Walk makes every object once and shows it to visit, in no order that means
// anything; its Data is not to be kept. Objects get their IDs by it. An error of
// visit, or of Spend, ends it; objects that cannot be made are skipped.
func (p *Pack) Walk(visit func(*GitObject) error) error {
	w := &packWalk{Pack: p, visit: visit, waiting: map[string][]int32{}}
	w.plan()
	for i := range p.entries {
		if e := &p.entries[i]; e.kind < packOffset {
			if err := w.show(int32(i), nil, e.kind, 0); err != nil {
				return err
			}
		}
	}
	for i := range p.entries {
		if e := &p.entries[i]; !w.seen[i] && !e.broken {
			p.Skip(fmt.Sprintf("object at %d", e.at), malformed("a delta on an object that is not there"))
		}
	}
	p.sortIDs()
	return nil
}

// mostHeld is how many bytes of bases a walk holds; those that do not fit are
// made again for each delta on them.
const mostHeld = 64 << 20

type packWalk struct {
	*Pack
	visit   func(*GitObject) error
	order   []int32            // deltas, by base
	waiting map[string][]int32 // deltas on IDs
	seen    []bool
	held    int64
}

func (w *packWalk) plan() {
	w.seen = make([]bool, len(w.entries))
	for i := range w.entries {
		if e := &w.entries[i]; e.kind == packOffset || e.kind == packRef && e.base >= 0 {
			w.order = append(w.order, int32(i))
		} else if e.kind == packRef {
			w.waiting[w.refs[int32(i)]] = append(w.waiting[w.refs[int32(i)]], int32(i))
		}
	}
	slices.SortStableFunc(w.order, func(a, b int32) int { return int(w.entries[a].base) - int(w.entries[b].base) })
}

// on returns the deltas on an entry whose ID is known.
func (w *packWalk) on(i int32) []int32 {
	list := slices.Clip(w.byOffset(i))
	id := string(w.id(i))
	for _, k := range w.waiting[id] {
		if w.entries[k].base < 0 && k != i {
			w.entries[k].base = i
			list = append(list, k)
		}
	}
	delete(w.waiting, id)
	return list
}

// byOffset returns the deltas on an entry that name it by its place.
func (w *packWalk) byOffset(i int32) []int32 {
	lo := sort.Search(len(w.order), func(k int) bool { return w.entries[w.order[k]].base >= i })
	hi := lo
	for hi < len(w.order) && w.entries[w.order[hi]].base == i {
		hi++
	}
	return w.order[lo:hi]
}

func (p *Pack) id(i int32) []byte {
	at := int(p.entries[i].id) * p.idSize
	return p.ids[at : at+p.idSize]
}

// show makes entry i, on base, and all that are deltas on it.
func (w *packWalk) show(i int32, base []byte, kind byte, chain int) error {
	e := &w.entries[i]
	w.seen[i] = true
	if chain > w.limits.Chain {
		e.broken = true
		w.Skip(fmt.Sprintf("object at %d", e.at), fmt.Errorf("chain of deltas: %w of %d", boltseal.ErrLimit, w.limits.Chain))
		return w.lose(i)
	}
	o := &GitObject{Type: gitNames[kind], Size: e.size}
	var err error
	switch {
	case base != nil:
		o.Data, err = w.delta(e, base)
		o.Size = int64(len(o.Data))
	case e.size > w.limits.Object && kind == 3:
		err = w.large(i, o)
		if err == nil {
			return nil // too large to be a base
		}
	default:
		o.Data, err = w.raw(e)
	}
	if serr := w.Spend(0); serr != nil {
		return serr
	}
	if err != nil {
		var f failure
		if errors.As(err, &f) {
			return f.error
		}
		e.broken = true
		w.Skip(fmt.Sprintf("object at %d", e.at), err)
		return w.lose(i)
	}
	if o.Data == nil {
		o.Data = []byte{}
	}
	w.name(i, o, kind)
	if err := w.visit(o); err != nil {
		return err
	}
	data := o.Data
	for _, k := range w.on(i) {
		if data == nil {
			if data, _, err = w.whole(i, 0); err != nil {
				return w.Spend(0)
			}
		}
		// Held while those above it are made, unless too much is.
		own := int64(len(data))
		w.held += own
		err := w.show(k, data, kind, chain+1)
		w.held -= own
		if err != nil {
			return err
		}
		if w.held > mostHeld {
			data = nil
		}
	}
	return nil
}

// lose skips the deltas on an object that could not be made.
func (w *packWalk) lose(i int32) error {
	for stack := []int32{i}; len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, k := range w.byOffset(top) {
			if !w.seen[k] {
				w.seen[k], w.entries[k].broken = true, true
				stack = append(stack, k)
				w.Skip(fmt.Sprintf("object at %d", w.entries[k].at), malformed("a delta on an object that was skipped"))
			}
		}
	}
	return w.Spend(0)
}

// large shows a blob that is not held in memory.
func (w *packWalk) large(i int32, o *GitObject) error {
	e := &w.entries[i]
	if e.id < 0 {
		z, err := w.stream(e)
		if err != nil {
			return err
		}
		h := w.hash(o)
		if _, err := copySpending(h, z, w.Spend); err != nil {
			return err
		}
		w.setID(i, h.Sum(nil))
	}
	o.ID = hex.EncodeToString(w.id(i))
	z, err := w.stream(e)
	if err != nil {
		return err
	}
	o.Reader = z
	if err := w.visit(o); err != nil {
		return failure{err}
	}
	return nil
}

func (p *Pack) hash(o *GitObject) hash.Hash {
	h := sha1.New()
	if p.idSize == 32 {
		h = sha256.New()
	}
	fmt.Fprintf(h, "%s %d\x00", o.Type, o.Size)
	return h
}

func (w *packWalk) name(i int32, o *GitObject, kind byte) {
	if w.entries[i].id < 0 {
		h := w.hash(o)
		h.Write(o.Data)
		w.setID(i, h.Sum(nil))
	}
	o.ID = hex.EncodeToString(w.id(i))
}

func (p *Pack) setID(i int32, id []byte) {
	p.entries[i].id = int32(len(p.ids) / p.idSize)
	p.ids = append(p.ids, id...)
}

func (p *Pack) sortIDs() {
	p.byID = p.byID[:0]
	for i := range p.entries {
		if p.entries[i].id >= 0 {
			p.byID = append(p.byID, int32(i))
		}
	}
	slices.SortFunc(p.byID, func(a, b int32) int { return slices.Compare(p.id(a), p.id(b)) })
}

// Get makes the object with an ID, after a Walk has told the IDs. It returns nil
// where the pack has none.
func (p *Pack) Get(id string) (*GitObject, error) {
	want, err := hex.DecodeString(id)
	if err != nil || len(want) != p.idSize {
		return nil, nil
	}
	k, ok := slices.BinarySearchFunc(p.byID, want, func(i int32, id []byte) int { return slices.Compare(p.id(i), id) })
	if !ok {
		return nil, nil
	}
	data, kind, err := p.whole(p.byID[k], 0)
	if err != nil {
		return nil, err
	}
	return &GitObject{ID: id, Type: gitNames[kind], Data: data, Size: int64(len(data))}, nil
}

// StreamPack reads a pack that cannot be read at any place but from its start
// to its end. It shows the objects that are stored whole, without an ID, and of deltas what
// they add: type "delta".
func StreamPack(r io.Reader, idSize int, spend func(int) error, visit func(*GitObject) error) error {
	in := buffer(r)
	count, err := packHeader(in)
	if err != nil {
		return err
	}
	p := &Pack{}
	for n := range count {
		e, _, _, err := packEntry(in, idSize)
		if err != nil {
			return fmt.Errorf("git pack: object %d of %d: %w", n+1, count, err)
		}
		z, err := p.inflate(in)
		if err != nil {
			return malformed("git pack: object at %d: %v", e.at, err)
		}
		o := &GitObject{ID: fmt.Sprintf("at %d", e.at), Type: "delta", Size: e.size}
		if e.kind < packOffset {
			o.Type, o.Reader = gitNames[e.kind], z
		} else {
			d, err := io.ReadAll(io.LimitReader(z, 32<<20))
			if err == nil {
				err = spend(len(d))
			}
			if err != nil {
				return fmt.Errorf("git pack: object at %d: %w", e.at, err)
			}
			o.Data = literals(d)
		}
		if err := visit(o); err != nil {
			return err
		}
		if _, err := copySpending(io.Discard, z, spend); err != nil {
			return fmt.Errorf("git pack: object at %d: %w", e.at, err)
		}
	}
	return nil
}
