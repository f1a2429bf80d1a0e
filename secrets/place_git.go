package secrets

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// gitLoose is an object of a git repository in a file of its own.
var gitLoose = container{
	name: "git object",
	match: func(name string, head []byte) bool {
		_, ok := decode.IsLoose(name)
		return ok && len(head) > 2 && head[0] == 0x78
	},
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		id, _ := decode.IsLoose(c.name())
		o, err := decode.Loose(id, &cancelled{ctx, data.Reader()})
		if err != nil || o.Type == "tree" {
			return err
		}
		m := &memberReader{f: f, r: o.Content()}
		return f.reader(ctx, c.member(o.Type+" "+shortID(id)), m)
	},
}

// gitPack is a pack of git objects. Blobs are located by the first commit that
// has them and the path they have in it, if both are in the pack; what no
// commit leads to is scanned all the same.
var gitPack = container{
	name: "git pack",
	match: func(_ string, head []byte) bool {
		return bytes.HasPrefix(head, []byte("PACK\x00\x00\x00\x02")) || bytes.HasPrefix(head, []byte("PACK\x00\x00\x00\x03"))
	},
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		spend := func(n int) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f.spend(n)
		}
		show := func(part content, o *decode.GitObject) error {
			if o.Type == "tree" {
				return nil
			}
			m := &memberReader{f: f, r: o.Reader}
			var err error
			if o.Reader != nil {
				err = f.reader(ctx, part, m)
			} else {
				err = f.bytes(ctx, part, o.Data)
			}
			return settle(ctx, f, part, m, err)
		}
		r, size, err := data.ReaderAt()
		if errors.Is(err, boltseal.ErrLimit) {
			f.skip(c, "deltas of a pack that is too large to hold: only what they add was scanned")
			return decode.StreamPack(data.Reader(), 20, spend, func(o *decode.GitObject) error {
				return show(c.member(o.Type+" "+o.ID), o)
			})
		}
		if err != nil {
			return err
		}
		h := &history{commits: map[string]decode.Commit{}}
		p, err := h.pack(r, size, 20, spend, func(object string, err error) { f.skip(c.member(object), err.Error()) })
		if p == nil {
			return err
		}
		if serr := spend(0); serr != nil {
			return serr
		}
		places := h.places(ctx)
		werr := p.Walk(func(o *decode.GitObject) error {
			part := c.member(o.Type + " " + shortID(o.ID))
			if at, ok := places[o.ID]; ok {
				part.loc.Member = append(slices.Clip(c.loc.Member), shortID(at.commit), at.path)
			}
			return show(part, o)
		})
		return errors.Join(err, werr)
	},
}

// shortID is how people write an object's ID.
func shortID(id string) string { return id[:min(12, len(id))] }

// history is what the commits and trees of a repository say of its blobs.
type history struct {
	idSize  int
	commits map[string]decode.Commit
	packs   []*decode.Pack
	loose   func(id string) (*decode.GitObject, error) // nil: there are none
}

// pack adds a pack and its commits. A damaged one comes with the error.
func (h *history) pack(r io.ReaderAt, size int64, idSize int, spend func(int) error, skip func(string, error)) (*decode.Pack, error) {
	h.idSize = idSize
	p, err := decode.OpenPack(r, size, idSize, decode.GitLimits{}, spend)
	if p == nil {
		return nil, err
	}
	p.Skip = skip
	if werr := p.Walk(h.commit); werr != nil {
		return p, errors.Join(err, werr)
	}
	p.Skip = func(string, error) {} // the next walk has nothing new to say
	h.packs = append(h.packs, p)
	return p, err
}

// commit notes a commit.
func (h *history) commit(o *decode.GitObject) error {
	if o.Type == "commit" {
		if c, ok := decode.ParseCommit(o.Data); ok {
			h.commits[o.ID] = c
		}
	}
	return nil
}

// blobPlace is where a blob came into the repository.
type blobPlace struct{ commit, path string }

// mostPlaces bounds how many blobs are named.
const mostPlaces = 2_000_000

// places finds the first commit of each blob, by the committers' clocks, and its
// path there. Every tree is read once.
func (h *history) places(ctx context.Context) map[string]blobPlace {
	ids := slices.SortedFunc(maps.Keys(h.commits), func(a, b string) int {
		return cmp.Or(cmp.Compare(h.commits[a].Time, h.commits[b].Time), cmp.Compare(a, b))
	})
	out := map[string]blobPlace{}
	seen := map[string]bool{}
	for _, commit := range ids {
		type dir struct{ id, path string }
		stack := []dir{{h.commits[commit].Tree, ""}}
		for len(stack) > 0 && ctx.Err() == nil && len(out) < mostPlaces {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if seen[top.id] {
				continue
			}
			seen[top.id] = true
			o, err := h.get(top.id)
			if err != nil || o == nil || o.Type != "tree" {
				continue // its blobs are scanned, and have no name
			}
			decode.ParseTree(o.Data, h.idSize, func(e decode.TreeEntry) {
				path := e.Name
				if top.path != "" {
					path = top.path + "/" + e.Name
				}
				switch _, named := out[e.ID]; {
				case e.Link || len(path) > 4096:
				case e.Dir && !seen[e.ID]:
					stack = append(stack, dir{e.ID, path})
				case !e.Dir && !named:
					out[e.ID] = blobPlace{commit, path}
				}
			})
		}
	}
	return out
}

func (h *history) get(id string) (*decode.GitObject, error) {
	for _, p := range h.packs {
		if o, err := p.Get(id); o != nil || err != nil {
			return o, err
		}
	}
	if h.loose != nil {
		return h.loose(id)
	}
	return nil, fmt.Errorf("git object %s is not there", id)
}
