package image

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/tree"
)

// joinGrace is how long a Join may go on after its context has ended.
const joinGrace = 50 * time.Millisecond

// join finishes the tree and lets the analyzers that need several files look at
// it. One that does not end in time is left behind with the tree that it holds;
// the others start anew on a fresh one.
func (a *analysis) join(ctx context.Context, sq *tree.Squash) *tree.Tree {
	lost := map[int]bool{}
	for {
		t := sq.Finish()
		again := false
		for i, an := range a.analyzers {
			j, ok := an.(boltseal.Joiner)
			if !ok {
				continue
			}
			id := an.Info().ID
			if lost[i] {
				t.Add(&boltseal.Results{Skipped: []boltseal.Skip{{Rule: id, Reason: fmt.Sprintf("Join did not end within %v (Limits.JoinTime)", a.limits.JoinTime)}}})
				continue
			}
			res, err, ended := runJoin(ctx, j, t, a.limits)
			if ctx.Err() != nil {
				return t
			}
			if !ended {
				lost[i], a.hurried, again = true, true, true
				break
			}
			for i := range res.Skipped {
				res.Skipped[i].Rule = cmp.Or(res.Skipped[i].Rule, id)
			}
			if err != nil {
				res.Skipped = append(res.Skipped, boltseal.Skip{Rule: id, Reason: err.Error()})
			}
			t.Add(&res)
		}
		if !again {
			return t
		}
	}
}

// runJoin runs one Join. If it does not end in time, its view is empty from
// then on, and nothing that it does is seen.
func runJoin(ctx context.Context, j boltseal.Joiner, t *tree.Tree, limits boltseal.Limits) (res boltseal.Results, err error, ended bool) {
	ctx, cancel := context.WithTimeout(ctx, limits.JoinTime)
	defer cancel()
	v := &joinView{tree: t}
	p := &boltseal.Pass{Limits: limits}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("the analyzer panicked: %v", r)
			}
		}()
		done <- j.Join(ctx, v, p)
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		grace := time.NewTimer(joinGrace)
		defer grace.Stop()
		select {
		case err = <-done:
		case <-grace.C:
			v.leave()
			return res, nil, false
		}
	}
	// What an analyzer found that gave up for want of time is not all.
	if ctx.Err() != nil && err != nil {
		return res, nil, false
	}
	return p.Results, err, true
}

// joinView is the tree as long as its Join is waited for. A tree's methods are
// not safe for concurrent use, this one's are.
type joinView struct {
	mu   sync.Mutex
	tree *tree.Tree
}

func (v *joinView) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tree = nil
}

func (v *joinView) Packages() (list []*boltseal.Package) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tree != nil {
		list = v.tree.Packages()
	}
	return list
}

func (v *joinView) Facts(kind string) iter.Seq[boltseal.Fact] {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tree == nil {
		return func(func(boltseal.Fact) bool) {}
	}
	return v.tree.Facts(kind)
}

func (v *joinView) Stat(path string) (e boltseal.Entry, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tree != nil {
		e, ok = v.tree.Stat(path)
	}
	return e, ok
}

func (v *joinView) Resolve(path string) (resolved string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tree != nil {
		resolved, ok = v.tree.Resolve(path)
	}
	return resolved, ok
}

func (v *joinView) Distro() (d *boltseal.Distro) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tree != nil {
		d = v.tree.Distro()
	}
	return d
}

// All yields every path of the tree; see [tree.Tree.All].
func (v *joinView) All() iter.Seq2[boltseal.Entry, string] {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tree == nil {
		return func(func(boltseal.Entry, string) bool) {}
	}
	return v.tree.All()
}
