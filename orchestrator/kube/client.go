package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// client sends plain requests: what comes back is decoded as a dump's JSON is.
type client struct {
	http *http.Client
	base *url.URL
	opt  Options
}

func newClient(conf *rest.Config, opt *Options) (*client, error) {
	c := &client{}
	if opt != nil {
		c.opt = *opt
	}
	if c.opt.PageSize <= 0 {
		c.opt.PageSize = 500
	}
	if c.opt.PageBytes == 0 {
		c.opt.PageBytes = 256 << 20
	}
	if c.opt.Objects == 0 {
		c.opt.Objects = 1_000_000
	}
	var err error
	if c.base, _, err = rest.DefaultServerUrlFor(conf); err != nil {
		return nil, fmt.Errorf("kube: %w", err)
	}
	if c.http, err = rest.HTTPClientFor(conf); err != nil {
		return nil, fmt.Errorf("kube: %w", err)
	}
	return c, nil
}

// statusError is a refusal of the API server.
type statusError struct {
	code    int
	message string
}

func (e *statusError) Error() string { return e.message }

func hasCode(err error, code int) bool {
	var s *statusError
	return errors.As(err, &s) && s.code == code
}

// get sends one request; the caller closes the body.
func (c *client) get(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var s metav1.Status
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(data, &s) != nil || s.Message == "" {
		s.Message = resp.Status
	}
	return nil, &statusError{resp.StatusCode, s.Message}
}

// resourcePath returns the URL path of a resource.
func resourcePath(k orchestrator.Kind, version, namespace string) string {
	p := "/apis/" + k.Group + "/" + version
	if k.Group == "" {
		p = "/api/" + version
	}
	if namespace != "" {
		p += "/namespaces/" + namespace
	}
	return p + "/" + k.Resource
}

// page is a part of a list.
type page struct {
	Metadata metav1.ListMeta   `json:"metadata"`
	Items    []json.RawMessage `json:"items"`
}

// listed is a whole list.
type listed struct {
	items    []json.RawMessage
	version  string // of the API, served
	coverage orchestrator.Coverage
	err      error // behind Failed and Truncated
}

// list reads a resource to its end, in pages. A page that comes too late for
// the snapshot it belongs to (410 Gone) starts the list again.
func (c *client) list(ctx context.Context, k orchestrator.Kind, namespace string) (l listed) {
	for _, version := range append([]string{k.Version}, k.Older...) {
		l = c.listVersion(ctx, k, version, namespace)
		if l.coverage.State != orchestrator.NotServed {
			break
		}
	}
	return l
}

func (c *client) listVersion(ctx context.Context, k orchestrator.Kind, version, namespace string) listed {
	const restarts = 4
	path := resourcePath(k, version, namespace)
	for range restarts {
		l, again := c.pages(ctx, path)
		if !again {
			l.version = version
			return l
		}
	}
	err := fmt.Errorf("%s: the list was outdated %d times before its end", path, restarts)
	return listed{coverage: orchestrator.Coverage{State: orchestrator.Failed, Reason: err.Error()}, err: err}
}

func (c *client) pages(ctx context.Context, path string) (l listed, again bool) {
	query := url.Values{"limit": {strconv.Itoa(c.opt.PageSize)}}
	for {
		p, err := c.page(ctx, path, query)
		switch {
		case err == nil:
		case hasCode(err, http.StatusGone):
			return listed{}, true
		case hasCode(err, http.StatusForbidden):
			return listed{coverage: orchestrator.Coverage{State: orchestrator.Forbidden, Reason: err.Error()}}, false
		case hasCode(err, http.StatusNotFound):
			return listed{coverage: orchestrator.Coverage{State: orchestrator.NotServed}}, false
		default:
			l.coverage = orchestrator.Coverage{State: orchestrator.Failed, Reason: err.Error()}
			l.err = fmt.Errorf("list %s: %w", path, err)
			return l, false
		}
		l.items = append(l.items, p.Items...)
		if len(l.items) > c.opt.Objects {
			l.items = l.items[:c.opt.Objects]
			l.coverage = orchestrator.Coverage{State: orchestrator.Truncated, Reason: fmt.Sprintf("more than %d objects", c.opt.Objects)}
			l.err = fmt.Errorf("list %s: %w of %d objects: raise Options.Objects", path, boltseal.ErrLimit, c.opt.Objects)
			return l, false
		}
		if p.Metadata.Continue == "" {
			l.coverage = orchestrator.Coverage{State: orchestrator.Listed, ResourceVersion: p.Metadata.ResourceVersion}
			return l, false
		}
		query.Set("continue", p.Metadata.Continue)
	}
}

func (c *client) page(ctx context.Context, path string, query url.Values) (p page, err error) {
	body, err := c.get(ctx, path, query)
	if err != nil {
		return p, err
	}
	defer body.Close()
	limited := &io.LimitedReader{R: body, N: c.opt.PageBytes}
	if err := json.NewDecoder(limited).Decode(&p); err != nil {
		if limited.N <= 0 {
			return p, fmt.Errorf("page: %w of %d bytes: lower Options.PageSize or raise PageBytes", boltseal.ErrLimit, c.opt.PageBytes)
		}
		return p, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	return p, nil
}

// minor asks for the server's version; 0 if it does not say.
func (c *client) minor(ctx context.Context) int {
	body, err := c.get(ctx, "/version", nil)
	if err != nil {
		return 0
	}
	defer body.Close()
	var v struct {
		Minor string `json:"minor"`
	}
	if json.NewDecoder(io.LimitReader(body, 64<<10)).Decode(&v) != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(v.Minor, "+"))
	return n
}

// gvk is the kind in the version that was served.
func (l *listed) gvk(k orchestrator.Kind) schema.GroupVersionKind {
	gvk := k.GroupVersionKind
	gvk.Version = l.version
	return gvk
}
