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

	"github.com/boltseal/boltseal"
)

// FetchOptions are the options of [Fetch].
type FetchOptions struct {
	// Ecosystems to fetch, without releases ("Debian", "Go"). Default: all that
	// the export lists in ecosystems.txt.
	Ecosystems []string
	// Client makes the requests. Default: [http.DefaultClient].
	Client *http.Client
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
	f := fetcher{client: o.Client, max: o.MaxBytes}
	if f.client == nil {
		f.client = http.DefaultClient
	}
	if f.max <= 0 {
		f.max = maxZipBytes
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
}

func (f *fetcher) get(ctx context.Context, url, etag string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := f.client.Do(req)
	if err != nil {
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
	return resp, nil
}

// list reads ecosystems.txt: one name per line. Releases ("Debian:12") are
// parts of their ecosystem's zip, and [EMPTY] holds what was withdrawn.
func (f *fetcher) list(ctx context.Context, url string) ([]string, error) {
	resp, err := f.get(ctx, url, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
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
	tmp, err := os.CreateTemp(dir, ".all-*.zip")
	if err != nil {
		return err
	}
	n, err := io.Copy(tmp, io.LimitReader(resp.Body, f.max+1))
	if err == nil && n > f.max {
		err = fmt.Errorf("GET %s: %w: more than %d bytes", resp.Request.URL.Redacted(), boltseal.ErrLimit, f.max)
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	if e := resp.Header.Get("ETag"); e != "" {
		return publish(tag, []byte(e))
	}
	return nil
}
