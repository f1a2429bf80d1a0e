package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// analyzer does what its func says.
type analyzer struct {
	id  string
	run func(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error
}

func (a analyzer) Info() boltseal.Info            { return boltseal.Info{ID: a.id} }
func (a analyzer) Wants(string, fs.DirEntry) bool { return true }
func (a analyzer) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	return a.run(ctx, f, p)
}

// body hands out its bytes in one buffer that the next call overwrites, as
// readers of archives do.
type body struct {
	data  []byte
	buf   []byte
	fail  error // at the end, instead of io.EOF
	calls int   // of Chunk
	seek  bool
}

func (b *body) Peek(n int) ([]byte, error) { return b.data[:min(n, len(b.data))], nil }

func (b *body) Chunk() ([]byte, error) {
	b.calls++
	for i := range b.buf {
		b.buf[i] = '!'
	}
	if len(b.data) == 0 {
		if b.fail != nil {
			return nil, b.fail
		}
		return nil, io.EOF
	}
	if b.buf == nil {
		b.buf = make([]byte, 10_000)
	}
	n := copy(b.buf, b.data)
	b.data = b.data[n:]
	return b.buf[:n], nil
}

func (b *body) Abandon() { b.buf = nil }

func (b *body) ReaderAt() io.ReaderAt {
	if b.seek {
		return bytes.NewReader(b.data)
	}
	return nil
}

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func run(ctx context.Context, b *body, size int, limits boltseal.Limits, list ...boltseal.FileAnalyzer) (Outcome, error) {
	var set []int
	for i := range list {
		set = append(set, i)
	}
	info := boltseal.NewFile("dir/f", 0o644, make([]byte, size)).Info
	return New(list, limits.WithDefaults()).Run(ctx, "dir/f", info, b, set)
}

// ways are all that an analyzer can ask for.
var ways = map[string]func(f *boltseal.File) ([]byte, error){
	"Reader": func(f *boltseal.File) ([]byte, error) { return io.ReadAll(f.Reader()) },
	"Bytes":  func(f *boltseal.File) ([]byte, error) { return f.Bytes() },
	"ReaderAt": func(f *boltseal.File) ([]byte, error) {
		at, size, err := f.ReaderAt()
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.NewSectionReader(at, 0, size))
	},
}

// Every mix of two analyzers sees the same bytes, which are read once.
func TestEverybodySeesTheContent(t *testing.T) {
	for _, size := range []int{0, 1, Small, Small + 1, 1_000_000} {
		want := content(size)
		for first, a := range ways {
			for second, b := range ways {
				for _, seek := range []bool{false, true} {
					see := func(id string, way func(*boltseal.File) ([]byte, error)) analyzer {
						return analyzer{id, func(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
							head, err := f.Head(100)
							if err != nil || !bytes.Equal(head, want[:min(100, size)]) {
								return fmt.Errorf("head: %w", err)
							}
							got, err := way(f)
							if err == nil && !bytes.Equal(got, want) {
								err = errors.New("other bytes")
							}
							p.Fact(id, nil)
							return err
						}}
					}
					src := &body{data: want, seek: seek}
					out, err := run(t.Context(), src, size, boltseal.Limits{}, see("t/1", a), see("t/2", b))
					require.NoError(t, err)
					require.Empty(t, out.Skipped, "%d bytes: %s, %s", size, first, second)
					require.Len(t, out.Facts, 2)
					require.Equal(t, "dir/f", out.Facts[0].Location.Path)
					require.LessOrEqual(t, src.calls, size/10_000+2)
				}
			}
		}
	}
}

// Who stops early, asks for nothing, or asks twice, harms nobody.
func TestEarlyEnds(t *testing.T) {
	want := content(1_000_000)
	src := &body{data: want}
	sum := 0
	out, err := run(t.Context(), src, len(want), boltseal.Limits{},
		analyzer{"t/head", func(_ context.Context, f *boltseal.File, _ *boltseal.Pass) error { _, err := f.Head(4); return err }},
		analyzer{"t/some", func(_ context.Context, f *boltseal.File, _ *boltseal.Pass) error {
			_, err := io.ReadFull(f.Reader(), make([]byte, 15_000))
			return err
		}},
		analyzer{"t/all", func(_ context.Context, f *boltseal.File, _ *boltseal.Pass) error {
			b, err := io.ReadAll(f.Reader())
			sum = len(b)
			return err
		}},
		analyzer{"t/twice", func(_ context.Context, f *boltseal.File, _ *boltseal.Pass) error {
			if _, err := io.ReadFull(f.Reader(), make([]byte, 10)); err != nil {
				return err
			}
			_, err := f.Bytes()
			return err
		}},
	)
	require.NoError(t, err)
	require.Equal(t, len(want), sum)
	require.Len(t, out.Skipped, 1)
	require.Equal(t, "t/twice", out.Skipped[0].Rule)
	require.Contains(t, out.Skipped[0].Reason, "once")

	src = &body{data: want}
	_, err = run(t.Context(), src, len(want), boltseal.Limits{}, analyzer{"t/none", func(context.Context, *boltseal.File, *boltseal.Pass) error { return nil }})
	require.NoError(t, err)
	require.Zero(t, src.calls, "nothing is read for nobody")
}

// A file that ends early, cannot be read on, or is too large to be held.
func TestContentThatFails(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{1000, 1_000_000} {
		for way, read := range ways {
			for _, fail := range []error{nil, broken} {
				src := &body{data: content(size / 2), fail: fail}
				_, err := run(t.Context(), src, size, boltseal.Limits{}, analyzer{"t/x", func(_ context.Context, f *boltseal.File, _ *boltseal.Pass) error {
					_, err := read(f)
					return err
				}})
				if size > Small && way == "Reader" && fail == nil {
					require.NoError(t, err, "a stream just ends: whoever counts the bytes says so")
					continue
				}
				require.Error(t, err, "%d %s", size, way)
				if fail != nil && size > Small {
					require.ErrorIs(t, err, broken)
				}
			}
		}
	}
	out, err := run(t.Context(), &body{data: content(1_000_000)}, 1_000_000, boltseal.Limits{FileBytes: 999_999}, analyzer{"t/x", func(_ context.Context, f *boltseal.File, _ *boltseal.Pass) error {
		_, err := f.Bytes()
		if !errors.Is(err, boltseal.ErrLimit) {
			return errors.New("no limit")
		}
		return err
	}})
	require.NoError(t, err)
	require.Contains(t, out.Skipped[0].Reason, "Limits.FileBytes")
	require.False(t, out.Transient)
}

// Results are cut at the limit, and every one gets its place.
func TestResults(t *testing.T) {
	out, err := run(t.Context(), &body{data: []byte("x")}, 1, boltseal.Limits{FileResults: 3}, analyzer{"t/x", func(_ context.Context, _ *boltseal.File, p *boltseal.Pass) error {
		for range 2 {
			p.Package(boltseal.Package{Name: "p"})
			p.Finding(boltseal.Finding{Locations: []boltseal.Location{{Line: 7}}})
			p.Fact("k", []byte("v"))
		}
		p.Distro(boltseal.Distro{})
		p.Skip("a part")
		p.Note("a remark")
		return nil
	}})
	require.NoError(t, err)
	require.Len(t, out.Packages, 2)
	require.Len(t, out.Findings, 1)
	require.Empty(t, out.Facts)
	require.Equal(t, []boltseal.Location{{Path: "dir/f", Line: 7}}, out.Findings[0].Locations)
	require.Equal(t, "dir/f", out.Packages[0].Locations[0].Path)
	require.Equal(t, "dir/f", out.Distros[0].Locations[0].Path)
	require.Len(t, out.Skipped, 3)
	require.Equal(t, boltseal.Skip{Path: "dir/f", Rule: "t/x", Reason: "a part"}, out.Skipped[0])
	require.True(t, out.Skipped[1].Note)
	require.Contains(t, out.Skipped[2].Reason, boltseal.ErrLimit.Error())
}

// Those that hang or panic are given up on, in time, and say nothing.
func TestHangAndPanic(t *testing.T) {
	for _, size := range []int{1000, 1_000_000} {
		synctest.Test(t, func(t *testing.T) {
			free := make(chan struct{})
			hang := analyzer{"t/hang", func(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
				p.Package(boltseal.Package{Name: "never seen"})
				r := f.Reader()
				_, _ = r.Read(make([]byte, 1))
				<-free
				if _, err := io.ReadAll(r); size > Small && err == nil {
					panic("it still has the content")
				}
				return nil
			}}
			fault := analyzer{"t/panic", func(_ context.Context, _ *boltseal.File, p *boltseal.Pass) error {
				p.Package(boltseal.Package{Name: "kept"})
				panic("on purpose")
			}}
			waits := analyzer{"t/waits", func(ctx context.Context, _ *boltseal.File, _ *boltseal.Pass) error {
				<-ctx.Done()
				return ctx.Err()
			}}
			limits := boltseal.Limits{FileTime: time.Second}
			start := time.Now()
			out, err := run(t.Context(), &body{data: content(size)}, size, limits, hang, fault, waits)
			require.NoError(t, err)
			require.LessOrEqual(t, time.Since(start), 2*(time.Second+grace), "small files one by one, large ones together")
			require.True(t, out.Transient)
			require.Len(t, out.Packages, 1)
			require.Equal(t, "kept", out.Packages[0].Name)
			reasons := map[string]string{}
			for _, s := range out.Skipped {
				reasons[s.Rule] = s.Reason
			}
			require.Contains(t, reasons["t/hang"], "did not end within 1s")
			require.Contains(t, reasons["t/waits"], "did not end within 1s")
			require.Contains(t, reasons["t/panic"], "on purpose")

			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			start = time.Now()
			_, err = run(ctx, &body{data: content(size)}, size, limits, hang, waits)
			require.ErrorIs(t, err, context.Canceled)
			require.LessOrEqual(t, time.Since(start), 100*time.Millisecond+grace)
			close(free)
			synctest.Wait() // no goroutine is left, or the bubble does not end
		})
	}
}
