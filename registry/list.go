package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"iter"
	"net/http"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/distribution"
)

const (
	pageSize = 100      // Quay and GHCR give no more, and some refuse to be asked for it
	maxPage  = 32 << 20 // bytes; distribution 2 lists all tags of a repository in one page
	maxNames = 5_000_000
)

// Repositories implements [Client] by the catalog of Docker's Registry API. The
// error wraps [errors.ErrUnsupported] where there is none: most public
// registries have none.
func (r *Remote) Repositories(ctx context.Context) iter.Seq2[string, error] {
	return r.names(ctx, "list repositories", distribution.Request{Path: "_catalog", Query: fmt.Sprintf("n=%d", pageSize)},
		func(page *namesPage) []string { return page.Repositories }, checkRepo)
}

// Tags implements [Client]. Names that break the specification's grammar are
// errors; the rest goes on.
func (r *Remote) Tags(ctx context.Context, repo string) iter.Seq2[string, error] {
	if err := checkRepo(repo); err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return r.names(ctx, "list tags of "+r.Host()+"/"+repo, distribution.Request{Repository: repo, Path: "tags/list", Query: fmt.Sprintf("n=%d", pageSize)},
		func(page *namesPage) []string { return page.Tags },
		func(tag string) error {
			if !tagName.MatchString(tag) {
				return fmt.Errorf("tag %.200q: %w", tag, boltseal.ErrMalformed)
			}
			return nil
		})
}

type namesPage struct {
	Repositories []string `json:"repositories"`
	Tags         []string `json:"tags"`
}

func (r *Remote) names(ctx context.Context, op string, req distribution.Request, of func(*namesPage) []string, check func(string) error) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen := map[uint64]struct{}{}
		seed := maphash.MakeSeed()
		for body, err := range r.pages(ctx, req) {
			var page namesPage
			if err == nil {
				if err = json.Unmarshal(body, &page); err != nil {
					err = fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
				}
			}
			if err != nil {
				if req.Repository == "" && errors.Is(err, fs.ErrNotExist) {
					err = fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
				}
				yield("", fmt.Errorf("%s: %w", op, err))
				return
			}
			for _, name := range of(&page) {
				h := maphash.String(seed, name)
				if _, double := seen[h]; double {
					continue
				}
				if len(seen) == maxNames {
					yield("", fmt.Errorf("%s: %w: more than %d names", op, boltseal.ErrLimit, maxNames))
					return
				}
				seen[h] = struct{}{}
				if err := check(name); err != nil {
					if !yield("", fmt.Errorf("%s: %w", op, err)) {
						return
					}
					continue
				}
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

// pages yields the bodies of a list that goes on where a Link header says (RFC
// 8288, relation "next"). A list that leads back to where it was is an error.
func (r *Remote) pages(ctx context.Context, req distribution.Request) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		seen := map[string]bool{}
		for {
			body, resp, err := r.session.Fetch(ctx, req, maxPage, http.StatusOK)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(body, nil) {
				return
			}
			next, ok := nextLink(resp.Header.Values("Link"))
			if !ok {
				return
			}
			u, err := resp.Request.URL.Parse(next)
			if err != nil {
				yield(nil, fmt.Errorf("next page %.200q: %w: %w", next, boltseal.ErrMalformed, err))
				return
			}
			if seen[u.String()] || len(seen) > maxNames/pageSize {
				yield(nil, fmt.Errorf("next page %.200q: %w: the list leads in a circle", u, boltseal.ErrMalformed))
				return
			}
			seen[u.String()] = true
			req.URL = u
		}
	}
}

// nextLink finds the target of the relation "next".
func nextLink(headers []string) (string, bool) {
	for _, h := range headers {
		for h != "" {
			open := strings.IndexByte(h, '<')
			if open < 0 {
				break
			}
			target, rest, ok := strings.Cut(h[open+1:], ">")
			if !ok {
				break
			}
			params := rest
			if next := strings.IndexByte(rest, '<'); next >= 0 {
				params, h = rest[:next], rest[next:]
			} else {
				h = ""
			}
			for p := range strings.SplitSeq(params, ";") {
				k, v, _ := strings.Cut(strings.Trim(p, " \t,"), "=")
				if strings.EqualFold(strings.TrimSpace(k), "rel") && strings.EqualFold(strings.Trim(strings.TrimSpace(v), `"`), "next") {
					return target, true
				}
			}
		}
	}
	return "", false
}
