package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/boltseal/boltseal"
)

// Scanner finds secrets in what is no image: streams, bytes, trees of files.
// It is safe for concurrent use.
type Scanner struct {
	settings *settings
	limits   boltseal.Limits
}

// NewScanner returns a scanner. Nil options are the defaults.
func NewScanner(o *Options) *Scanner {
	s := &Scanner{settings: o.settle()}
	if o == nil {
		o = &Options{}
	}
	s.limits = o.Limits.WithDefaults()
	s.settings.verifier = o.Verifier
	return s
}

// Result is what one piece of content held.
type Result struct {
	Matches []Match
	// Skipped lists what was not looked at. If there is any that is no note, the
	// absence of matches proves nothing.
	Skipped []boltseal.Skip
}

// Apply adds the result to a report, which is no longer complete if anything was
// skipped.
func (r *Result) Apply(to *boltseal.Report) {
	for i := range r.Matches {
		to.Findings = append(to.Findings, r.Matches[i].Finding())
	}
	for _, s := range r.Skipped {
		to.Skipped = append(to.Skipped, s)
		to.Complete = to.Complete && s.Note
	}
}

// Bytes scans data. The name is its path, as far as it has one: it helps to
// judge what is found. The result comes with the error.
func (s *Scanner) Bytes(ctx context.Context, name string, data []byte) (Result, error) {
	return s.run(ctx, name, func(sc *scan, c content) error { return sc.bytes(ctx, c, data) })
}

// Reader scans what r reads, to its end, in bounded memory; archives within
// are held in memory where they cannot be read as a stream.
func (s *Scanner) Reader(ctx context.Context, name string, r io.Reader) (Result, error) {
	return s.run(ctx, name, func(sc *scan, c content) error { return sc.reader(ctx, c, r) })
}

func (s *Scanner) run(ctx context.Context, name string, scan func(*scan, content) error) (Result, error) {
	sc := s.settings.scan(s.limits)
	err := scan(sc, content{loc: boltseal.Location{Path: name}})
	sc.verify(ctx)
	res := Result{Skipped: sc.skips}
	for _, m := range sc.grouped.order {
		res.Matches = append(res.Matches, *m)
	}
	if err != nil {
		err = &boltseal.Error{Op: "scan for secrets", Location: boltseal.Location{Path: name}, Err: err}
	}
	return res, err
}

// FS scans all regular files of a tree, in lexical order, and yields the result
// of each file that has any. An error concerns one file or folder, whose
// partial result comes with it; the walk goes on. It ends with the context's.
func (s *Scanner) FS(ctx context.Context, tree fs.FS) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		_ = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
			var res Result
			switch {
			case ctx.Err() != nil:
				yield(res, ctx.Err())
				return fs.SkipAll
			case err != nil:
				err = &boltseal.Error{Op: "scan for secrets", Location: boltseal.Location{Path: name}, Err: err}
			case !d.Type().IsRegular():
				return nil
			default:
				res, err = s.fsFile(ctx, tree, name)
			}
			if (err != nil || len(res.Matches)+len(res.Skipped) > 0) && !yield(res, err) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

func (s *Scanner) fsFile(ctx context.Context, tree fs.FS, name string) (Result, error) {
	f, err := tree.Open(name)
	if err != nil {
		return Result{}, fmt.Errorf("scan for secrets: %w", err)
	}
	res, err := s.Reader(ctx, name, f)
	return res, errors.Join(err, f.Close())
}
