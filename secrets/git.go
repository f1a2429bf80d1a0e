package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// Git scans the whole history of a git repository: every object that is in it, also those
// that no branch leads to any more, and the repository's own files (configuration,
// logs, hooks), by its format alone: git itself is not run. The tree holds a working tree
// with its .git folder, or a bare repository. Files of a working tree are not
// scanned; [Scanner.FS] does that.
//
// Results come one for each object or file that has any. A location's Path is
// that of the repository's folder, or of the file in it; for a blob, Member holds
// the first commit that has it and its path there. Memory grows with the number of
// objects, not with their size; [boltseal.Limits] ArchiveBytes bounds what is inflated for one
// pack, twice.
//
// An error concerns one object, file or pack, and comes with what was found in
// it. Other repositories that objects are borrowed from (alternates) are
// reported as skipped.
func (s *Scanner) Git(ctx context.Context, tree fs.FS) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		g := &gitScan{Scanner: s, tree: tree, yield: yield}
		err := g.scan(ctx)
		if err != nil && !errors.Is(err, errEnough) {
			yield(Result{}, &boltseal.Error{Op: "scan git history", Location: boltseal.Location{Path: g.dir}, Err: err})
		}
		for _, c := range g.close {
			c.Close()
		}
	}
}

// errEnough says that the caller has seen enough.
var errEnough = errors.New("enough")

type gitScan struct {
	*Scanner
	tree    fs.FS
	dir     string // of the repository in tree
	yield   func(Result, error) bool
	history history
	close   []io.Closer
	loose   []string // IDs
}

func (g *gitScan) scan(ctx context.Context) error {
	if err := g.find(); err != nil {
		return err
	}
	g.history = history{idSize: g.idSize(), commits: map[string]decode.Commit{}, loose: g.looseObject}
	var packs []string
	var files []string
	err := fs.WalkDir(g.tree, g.dir, func(name string, d fs.DirEntry, err error) error {
		id, loose := decode.IsLoose(name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return g.result(Result{}, fmt.Errorf("scan git history: %w", err))
		case !d.Type().IsRegular():
		case loose && path.Base(path.Dir(path.Dir(name))) == "objects":
			g.loose = append(g.loose, id)
		case strings.HasSuffix(name, ".pack"):
			packs = append(packs, name)
		case strings.HasSuffix(name, "info/alternates"):
			return g.result(Result{Skipped: []boltseal.Skip{{Path: name, Reason: "objects that are borrowed from another repository"}}}, nil)
		case path.Dir(name) == path.Join(g.dir, "objects/pack"): // indexes
		default:
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range packs {
		if err := g.open(ctx, name); err != nil {
			return err
		}
	}
	for _, id := range g.loose {
		if o, err := g.looseObject(id); err == nil && o.Type == "commit" {
			g.history.commit(o)
		}
	}
	places := g.history.places(ctx)
	for _, p := range g.history.packs {
		if err := p.Walk(func(o *decode.GitObject) error { return g.object(ctx, o, places) }); err != nil {
			if ctx.Err() != nil || errors.Is(err, errEnough) {
				return err
			}
			if err := g.result(Result{}, err); err != nil {
				return err
			}
		}
	}
	for _, id := range g.loose {
		if err := g.looseScan(ctx, id, places); err != nil {
			return err
		}
	}
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := g.result(g.fsFile(ctx, g.tree, name)); err != nil {
			return err
		}
	}
	return nil
}

// result hands out what there is to tell.
func (g *gitScan) result(r Result, err error) error {
	if (err != nil || len(r.Matches)+len(r.Skipped) > 0) && !g.yield(r, err) {
		return errEnough
	}
	return nil
}

// find tells where the repository is.
func (g *gitScan) find() error {
	for _, dir := range []string{".git", "."} {
		if info, err := fs.Stat(g.tree, path.Join(dir, "objects")); err == nil && info.IsDir() {
			g.dir = dir
			return nil
		}
	}
	if data, err := fs.ReadFile(g.tree, ".git"); err == nil && bytes.HasPrefix(data, []byte("gitdir:")) {
		return fmt.Errorf("the work tree's repository lies elsewhere: scan the folder that its .git file names: %w", errors.ErrUnsupported)
	}
	return fmt.Errorf("no .git folder and no bare repository: %w", fs.ErrNotExist)
}

// idSize reads the hash that the repository uses (git-config, extensions.objectFormat).
func (g *gitScan) idSize() int {
	data, err := fs.ReadFile(g.tree, path.Join(g.dir, "config"))
	if err == nil && len(data) < 1<<20 {
		for line := range bytes.Lines(bytes.ToLower(data)) {
			if key, value, ok := bytes.Cut(line, []byte("=")); ok && string(bytes.TrimSpace(key)) == "objectformat" && string(bytes.TrimSpace(value)) == "sha256" {
				return 32
			}
		}
	}
	return 20
}

// open reads where a pack's objects are, and its commits.
func (g *gitScan) open(ctx context.Context, name string) error {
	f, err := g.tree.Open(name)
	if err != nil {
		return g.result(Result{}, fmt.Errorf("scan git history: %w", err))
	}
	g.close = append(g.close, f)
	r, size, err := randomAccess(f, g.limits.FileBytes)
	if err != nil {
		return g.result(Result{}, &boltseal.Error{Op: "scan git history", Location: boltseal.Location{Path: name}, Err: err})
	}
	var res Result
	spent := int64(0)
	_, err = g.history.pack(r, size, g.history.idSize, func(n int) error {
		if spent += int64(n); spent > 2*g.limits.ArchiveBytes {
			return fmt.Errorf("more than %d bytes in a git pack: %w (Limits.ArchiveBytes)", g.limits.ArchiveBytes, boltseal.ErrLimit)
		}
		return ctx.Err()
	}, func(object string, err error) {
		if len(res.Skipped) < mostSkips {
			res.Skipped = append(res.Skipped, boltseal.Skip{Path: name, Reason: object + ": " + err.Error()})
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		err = &boltseal.Error{Op: "scan git history", Location: boltseal.Location{Path: name}, Err: err}
	}
	return g.result(res, err)
}

// randomAccess reads a file at any place, from memory if it cannot seek.
func randomAccess(f fs.File, most int64) (io.ReaderAt, int64, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if r, ok := f.(io.ReaderAt); ok {
		return r, info.Size(), nil
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("larger than %d bytes, and cannot be read at any place: %w (Limits.FileBytes)", most, boltseal.ErrLimit)
	}
	return bytes.NewReader(data), int64(len(data)), err
}

// object scans one object of a pack.
func (g *gitScan) object(ctx context.Context, o *decode.GitObject, places map[string]blobPlace) error {
	if err := ctx.Err(); err != nil || o.Type == "tree" {
		return err
	}
	res, err := g.Scanner.run(ctx, g.dir, func(sc *scan, c content) error {
		if at, ok := places[o.ID]; ok {
			c.loc.Member = []string{shortID(at.commit), at.path}
		} else {
			c.loc.Member = []string{o.Type + " " + shortID(o.ID)}
		}
		if o.Reader != nil {
			return sc.reader(ctx, c, o.Reader)
		}
		return sc.bytes(ctx, c, o.Data)
	})
	return g.result(res, err)
}

// looseObject reads a loose object that is a commit or a tree whole, and begins
// to read a blob.
func (g *gitScan) looseObject(id string) (*decode.GitObject, error) {
	f, err := g.tree.Open(path.Join(g.dir, "objects", id[:2], id[2:]))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o, err := decode.Loose(id, f)
	if err != nil || o.Type == "blob" {
		return o, err
	}
	const most = 32 << 20
	if o.Data, err = io.ReadAll(io.LimitReader(o.Reader, most)); err == nil {
		o.Reader = nil
	}
	return o, err
}

func (g *gitScan) looseScan(ctx context.Context, id string, places map[string]blobPlace) error {
	f, err := g.tree.Open(path.Join(g.dir, "objects", id[:2], id[2:]))
	if err != nil {
		return g.result(Result{}, fmt.Errorf("scan git history: %w", err))
	}
	defer f.Close()
	o, err := decode.Loose(id, f)
	if err != nil {
		return g.result(Result{}, &boltseal.Error{Op: "scan git history", Location: boltseal.Location{Path: path.Join(g.dir, "objects", id[:2], id[2:])}, Err: err})
	}
	return g.object(ctx, o, places)
}
