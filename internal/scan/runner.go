// Package scan runs file analyzers over the content of one file at a time. It
// reads each file at most once, whatever the analyzers ask for, and keeps a
// failing or hanging analyzer from harming the rest.
package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/boltseal/boltseal"
)

// Small is up to what size a file is read at once; analyzers get larger ones
// as streams, or whole if they ask. It is the window of a [Body].
const Small = 256 << 10

// headSize is what [boltseal.Content] promises of Head.
const headSize = 4096

// grace is how long an analyzer may go on after its context has ended.
const grace = 50 * time.Millisecond

// Body is the content of a file in a stream.
type Body interface {
	// Peek returns the next n bytes, at most Small, without consuming them.
	Peek(n int) ([]byte, error)
	// Chunk consumes and returns the bytes at hand, and io.EOF at the end.
	Chunk() ([]byte, error)
	// Abandon keeps what Peek and Chunk returned from being overwritten.
	Abandon()
}

// Seekable is a Body that can be read at any place without consuming it.
// ReaderAt returns nil where it cannot.
type Seekable interface {
	Body
	ReaderAt() io.ReaderAt
}

// Runner holds a set of analyzers. It is safe for concurrent use.
type Runner struct {
	analyzers []boltseal.FileAnalyzer
	ids       []string
	limits    boltseal.Limits
	memory    *semaphore.Weighted // of whole large files
}

// New returns a Runner. Limits have their defaults applied.
func New(analyzers []boltseal.FileAnalyzer, limits boltseal.Limits) *Runner {
	r := &Runner{analyzers: analyzers, limits: limits, memory: semaphore.NewWeighted(limits.FileBytes)}
	for _, a := range analyzers {
		r.ids = append(r.ids, a.Info().ID)
	}
	return r
}

// Wants appends to set the numbers of the analyzers that want the file.
func (r *Runner) Wants(set []int, name string, d fs.DirEntry) []int {
	for i, a := range r.analyzers {
		if a.Wants(name, d) {
			set = append(set, i)
		}
	}
	return set
}

// Outcome is what analyzers found in a file.
type Outcome struct {
	boltseal.Results
	// Transient is set if the outcome may differ the next time: an analyzer
	// ran out of time.
	Transient bool
}

// Run has the analyzers of the set look at a file, whose content body reads
// from its first byte. It need not consume it. Analyzers of a large file share
// its stream, and so the time limit: one that hangs costs the others the file.
// The error is that of reading the body, or the context's; an error or panic of
// an analyzer becomes a Skip.
func (r *Runner) Run(ctx context.Context, path string, info fs.FileInfo, body Body, set []int) (Outcome, error) {
	var out Outcome
	j := &job{Runner: r, body: body, size: info.Size(), events: make(chan event, 2*len(set))}
	if j.size <= Small {
		data, err := body.Peek(int(j.size))
		if err != nil {
			return out, err
		}
		if int64(len(data)) < j.size {
			return out, fmt.Errorf("%s: content of %d bytes ends after %d: %w", path, j.size, len(data), io.ErrUnexpectedEOF)
		}
		for _, i := range set { // one by one: they share the bytes
			fileCtx, cancel := context.WithTimeout(ctx, r.limits.FileTime)
			j.wait(fileCtx, j.start(fileCtx, i, path, info, boltseal.NewFile(path, info.Mode(), data).Content))
			cancel()
			j.collect(&out, path)
		}
	} else {
		head, err := body.Peek(headSize)
		if err != nil {
			return out, err
		}
		head = append([]byte(nil), head...)
		fileCtx, cancel := context.WithTimeout(ctx, r.limits.FileTime) // one for all: they go in step
		defer cancel()
		for _, i := range set {
			s := &stream{job: j, head: head, grant: make(chan grant, 1), chunks: make(chan []byte), ack: make(chan struct{}, 1), quit: make(chan struct{})}
			j.start(fileCtx, i, path, info, s)
		}
		err = j.serve(fileCtx)
		j.collect(&out, path)
		if err != nil {
			return out, err
		}
	}
	r.bound(&out, path)
	return out, ctx.Err()
}

// job is one file with all who look at it.
type job struct {
	*Runner
	body   Body
	size   int64
	calls  []*call
	events chan event
}

// call is one analyzer at work.
type call struct {
	analyzer int
	stream   *stream
	state    state
	pass     boltseal.Pass
	err      error
}

type state uint8

const (
	running state = iota
	waiting       // for the stream
	done
	lost // did not end in time; its goroutine may still run
)

type event struct {
	call *call
	want want
}

type want uint8

const (
	wantNothing want = iota // it has returned
	wantStream
	wantBytes
	wantReaderAt
)

func (j *job) start(ctx context.Context, analyzer int, path string, info fs.FileInfo, content boltseal.Content) *call {
	c := &call{analyzer: analyzer}
	if s, ok := content.(*stream); ok {
		s.call, c.stream = c, s
	}
	c.pass.Limits = j.limits
	j.calls = append(j.calls, c)
	a := j.analyzers[analyzer]
	f := &boltseal.File{Path: path, Info: info, Content: content}
	events := j.events
	go func() {
		defer func() {
			if p := recover(); p != nil {
				c.err = fmt.Errorf("the analyzer panicked: %v", p)
			}
			events <- event{c, wantNothing}
		}()
		c.err = a.AnalyzeFile(ctx, f, &c.pass)
	}()
	return c
}

// next returns the next event, or false once the time is over.
func (j *job) next(ctx context.Context) (event, bool) {
	select {
	case e := <-j.events:
		return e, true
	case <-ctx.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case e := <-j.events:
		return e, true
	case <-t.C:
		return event{}, false
	}
}

// wait waits for a call that only ever returns.
func (j *job) wait(ctx context.Context, c *call) {
	for c.state == running {
		e, ok := j.next(ctx)
		if !ok {
			j.lose(ctx.Err())
			return
		}
		if e.call.state != lost {
			e.call.state = done
		}
	}
}

// lose gives up on all calls that have not ended, and tells them why.
func (j *job) lose(why error) {
	for _, c := range j.calls {
		if c.state == done {
			continue
		}
		c.state = lost
		if c.stream != nil {
			c.stream.gone = why
			close(c.stream.quit)
		}
	}
	j.body.Abandon()
}

// collect takes the results of all calls and forgets the calls.
func (j *job) collect(out *Outcome, path string) {
	for _, c := range j.calls {
		id := j.ids[c.analyzer]
		skip := func(reason string) {
			out.Skipped = append(out.Skipped, boltseal.Skip{Path: path, Rule: id, Reason: reason})
		}
		if c.state == lost {
			out.Transient = true
			skip(fmt.Sprintf("the analyzer did not end within %v (Limits.FileTime)", j.limits.FileTime))
			continue
		}
		res := &c.pass.Results
		for i := range res.Skipped {
			if s := &res.Skipped[i]; s.Rule == "" {
				s.Rule = id
			}
		}
		out.Packages = append(out.Packages, res.Packages...)
		out.Findings = append(out.Findings, res.Findings...)
		out.Facts = append(out.Facts, res.Facts...)
		out.Distros = append(out.Distros, res.Distros...)
		out.Skipped = append(out.Skipped, res.Skipped...)
		switch {
		case c.err == nil:
		case errors.Is(c.err, context.DeadlineExceeded), errors.Is(c.err, context.Canceled):
			out.Transient = true
			skip(fmt.Sprintf("the analyzer did not end within %v (Limits.FileTime)", j.limits.FileTime))
		default:
			skip(c.err.Error())
		}
	}
	j.calls = j.calls[:0]
}

// bound applies the limit on results, and tells results where they are from.
func (r *Runner) bound(out *Outcome, path string) {
	left := r.limits.FileResults
	cut := cutTo(&out.Packages, &left)
	cut = cutTo(&out.Findings, &left) || cut
	cut = cutTo(&out.Facts, &left) || cut
	if cut {
		out.Skipped = append(out.Skipped, boltseal.Skip{Path: path, Reason: fmt.Sprintf("results beyond the first %d were dropped: %v", r.limits.FileResults, boltseal.ErrLimit)})
	}
	here := boltseal.Location{Path: path}
	fill := func(list []boltseal.Location) []boltseal.Location {
		if len(list) == 0 {
			return []boltseal.Location{here}
		}
		for i := range list {
			if list[i].Path == "" {
				list[i].Path = path
			}
		}
		return list
	}
	for i := range out.Packages {
		out.Packages[i].Locations = fill(out.Packages[i].Locations)
	}
	for i := range out.Findings {
		out.Findings[i].Locations = fill(out.Findings[i].Locations)
	}
	for i := range out.Distros {
		out.Distros[i].Locations = fill(out.Distros[i].Locations)
	}
	for i := range out.Facts {
		if out.Facts[i].Location.Path == "" {
			out.Facts[i].Location.Path = path
		}
	}
	for i := range out.Skipped {
		if out.Skipped[i].Path == "" {
			out.Skipped[i].Path = path
		}
	}
}

func cutTo[T any](list *[]T, left *int) bool {
	if len(*list) > *left {
		*list = (*list)[:*left]
		*left = 0
		return true
	}
	*left -= len(*list)
	return false
}

// ID returns the ID of the analyzer with that number.
func (r *Runner) ID(i int) string { return r.ids[i] }
