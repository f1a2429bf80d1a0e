package vuln

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// FetchOptions are the options of [Fetch].
type FetchOptions struct {
	// Ecosystems to fetch, without releases ("Debian", "Go"). Default: all that
	// the export lists in ecosystems.txt.
	Ecosystems []string
	// Client makes the requests. Default: [http.DefaultClient].
	Client *http.Client
	// Stall is how long a server may send nothing before it is given up, with an
	// error that wraps [context.DeadlineExceeded]; default one minute. A slow
	// server that goes on sending has all the time that ctx gives it.
	Stall time.Duration
	// MaxBytes bounds one ecosystem's zip; default 2 GiB.
	MaxBytes int64
}

// Fetch mirrors an OSV bulk export (such as
// https://osv-vulnerabilities.storage.googleapis.com) into dir, as
// <Ecosystem>/all.zip, for [Build]. A file whose ETag has not changed is not
// fetched again. Each file is replaced in one step; on error those already
// fetched stay.
func Fetch(ctx context.Context, base, dir string, o *FetchOptions) error {
	if o == nil {
		o = &FetchOptions{}
	}
	f := fetcher{client: o.Client, max: o.MaxBytes, stall: o.Stall}
	if f.client == nil {
		f.client = http.DefaultClient
	}
	if f.max <= 0 {
		f.max = maxZipBytes
	}
	if f.stall <= 0 {
		f.stall = time.Minute
	}
	base = strings.TrimSuffix(base, "/")
	ecosystems := o.Ecosystems
	if len(ecosystems) == 0 {
		list, err := f.list(ctx, base+"/ecosystems.txt")
		if err != nil {
			return fmt.Errorf("fetch advisories: %w", err)
		}
		ecosystems = list
	}
	var errs []error
	for _, e := range ecosystems {
		if !goodName(e) || !filepath.IsLocal(e) || strings.ContainsAny(e, `/\`) {
			errs = append(errs, fmt.Errorf("fetch advisories: ecosystem %q: %w: not a plain name", e, boltseal.ErrMalformed))
			continue
		}
		if err := f.zip(ctx, base+"/"+url.PathEscape(e)+"/all.zip", filepath.Join(dir, e)); err != nil {
			errs = append(errs, fmt.Errorf("fetch advisories of %s: %w", e, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

type fetcher struct {
	client *http.Client
	max    int64
	stall  time.Duration
}

// body is a response that gives up a server which sends nothing.
type body struct {
	io.ReadCloser
	stall  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.timer.Reset(b.stall)
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

func (f *fetcher) get(ctx context.Context, url, etag string) (resp *http.Response, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(f.stall, func() {
		cancel(fmt.Errorf("%w: the server has sent nothing for %v", context.DeadlineExceeded, f.stall))
	})
	defer func() {
		if err != nil {
			timer.Stop()
			cancel(nil)
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	if resp, err = f.client.Do(req); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotModified {
		resp.Body.Close()
		err := fmt.Errorf("GET %s: %s", req.URL.Redacted(), resp.Status)
		if resp.StatusCode == http.StatusNotFound {
			err = fmt.Errorf("%w: %w", err, fs.ErrNotExist)
		}
		return nil, err
	}
	resp.Body = &body{resp.Body, f.stall, timer, cancel}
	return resp, nil
}

// maxListBytes bounds ecosystems.txt, which has about 1 KiB.
const maxListBytes = 1 << 20

// list reads ecosystems.txt: one name per line. Releases ("Debian:12") are
// parts of their ecosystem's zip, and [EMPTY] holds what was withdrawn.
func (f *fetcher) list(ctx context.Context, url string) ([]string, error) {
	resp, err := f.get(ctx, url, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxListBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxListBytes {
		return nil, fmt.Errorf("GET %s: %w: more than %d bytes", resp.Request.URL.Redacted(), boltseal.ErrLimit, maxListBytes)
	}
	var out []string
	for _, e := range strings.Split(string(b), "\n") {
		if e = strings.TrimSpace(e); e != "" && !strings.Contains(e, ":") && e != "[EMPTY]" {
			out = append(out, e)
		}
	}
	return out, nil
}

// zip fetches one all.zip into dir, unless the one there is current.
func (f *fetcher) zip(ctx context.Context, url, dir string) error {
	name, tag := filepath.Join(dir, "all.zip"), filepath.Join(dir, "all.zip.etag")
	etag := ""
	if _, err := os.Stat(name); err == nil {
		if b, err := os.ReadFile(tag); err == nil {
			etag = string(b)
		}
	}
	resp, err := f.get(ctx, url, etag)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err = replace(name, func(w io.Writer) error {
		n, err := io.Copy(w, io.LimitReader(resp.Body, f.max+1))
		if err == nil && n > f.max {
			err = fmt.Errorf("GET %s: %w: more than %d bytes", resp.Request.URL.Redacted(), boltseal.ErrLimit, f.max)
		}
		return err
	})
	if err != nil {
		return err
	}
	if e := resp.Header.Get("ETag"); e != "" {
		return publish(tag, []byte(e))
	}
	return nil
}
