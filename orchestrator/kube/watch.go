package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// Update is a cluster after changes.
type Update struct {
	Snapshot *orchestrator.Snapshot
	// Dirty says what the answers of before may be wrong about; in the first
	// update it is everything, and not listed.
	Dirty Dirty
}

// How long changes are collected before an update, and how long to wait before
// trying again what was refused or broke off.
const (
	collect      = 200 * time.Millisecond
	retryBroken  = time.Second
	retryRefused = 30 * time.Second
)

// Watch yields a snapshot once everything was listed, and another one after
// each burst of changes; updates that change nothing are not given. A kind that
// becomes forbidden is unknown from then on, and its objects are gone from the
// snapshot: that shows when its stream ends, as the API server lets one that is
// open run on. ConfigMaps that are read by name are read once. The error concerns
// one list or object: watching goes on. Breaking the loop, or the end of the
// context, ends it.
func Watch(ctx context.Context, conf *rest.Config, opt *Options) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		c, err := newClient(conf, opt)
		if err != nil {
			yield(Update{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		events := make(chan event, 256)
		waiting := 0
		for _, k := range c.opt.kinds() {
			for _, ns := range c.scopes(k) {
				waiting++
				wg.Go(func() { c.follow(ctx, k, ns, events) })
			}
		}
		b := c.builder(ctx)
		if !c.opt.ConfigMaps && len(c.opt.Namespaces) == 0 {
			for _, err := range c.namedConfigMaps(ctx, b) {
				if ctx.Err() != nil || !yield(Update{}, err) {
					return
				}
			}
		}
		snap, first := b.Snapshot(), true
		var batch []event
		var timer <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-events:
				if e.err != nil && !yield(Update{}, e.err) {
					return
				}
				if e.list != nil && e.first {
					waiting--
				}
				if e.list != nil || e.object != nil {
					batch = append(batch, e)
				}
				if timer == nil && waiting == 0 {
					timer = time.After(collect)
				}
				continue
			case <-timer:
				timer = nil
			}
			next, dirty, errs := apply(snap, batch, &c.opt.Load, first)
			batch = nil
			for _, err := range errs {
				if !yield(Update{}, err) {
					return
				}
			}
			if (first || !dirty.empty()) && !yield(Update{next, dirty}, nil) {
				return
			}
			snap, first = next, false
		}
	}
}

// event is a new list of a kind, or a change of one object.
type event struct {
	kind      orchestrator.Kind
	namespace string // of the list
	list      *listed
	first     bool
	gvk       schema.GroupVersionKind
	object    json.RawMessage
	deleted   bool
	err       error
}

// follow lists a resource and watches it from there, for as long as the context
// lasts.
func (c *client) follow(ctx context.Context, k orchestrator.Kind, namespace string, out chan<- event) {
	send := func(e event) bool {
		select {
		case out <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	last := orchestrator.NotAsked
	for first := true; ctx.Err() == nil; first = false {
		l := c.list(ctx, k, namespace)
		state, gvk := l.coverage.State, l.gvk(k)
		// What stays refused is no news.
		if first || state == orchestrator.Listed || state != last {
			if !send(event{kind: k, namespace: namespace, list: &l, first: first, err: l.err}) {
				return
			}
		}
		last = state
		if state != orchestrator.Listed {
			wait := retryRefused
			if state == orchestrator.Failed {
				wait = retryBroken
			}
			sleep(ctx, wait)
			continue
		}
		version := l.coverage.ResourceVersion
		for ctx.Err() == nil {
			started := time.Now()
			err := c.watch(ctx, resourcePath(k, l.version, namespace), &version, func(o json.RawMessage, deleted bool) bool {
				return send(event{kind: k, namespace: namespace, gvk: gvk, object: o, deleted: deleted})
			})
			if err != nil {
				break // list again
			}
			if time.Since(started) < retryBroken {
				sleep(ctx, retryBroken)
			}
		}
		sleep(ctx, collect)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// watch reads changes until the server ends the stream, keeping the version up
// to date. An error asks for a new list.
func (c *client) watch(ctx context.Context, path string, version *string, change func(json.RawMessage, bool) bool) error {
	body, err := c.get(ctx, path, url.Values{"watch": {"true"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {*version}})
	if err != nil {
		return err
	}
	defer body.Close()
	limited := &io.LimitedReader{R: body}
	dec := json.NewDecoder(limited)
	for {
		limited.N = c.opt.PageBytes // of one event
		var e struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := dec.Decode(&e); err == io.EOF && limited.N > 0 {
			return nil
		} else if err != nil {
			return err
		}
		var o struct {
			Code     int               `json:"code"`
			Message  string            `json:"message"`
			Metadata metav1.ObjectMeta `json:"metadata"`
		}
		if err := json.Unmarshal(e.Object, &o); err != nil {
			return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
		}
		switch e.Type {
		case "ADDED", "MODIFIED", "DELETED":
			if !change(e.Object, e.Type == "DELETED") {
				return nil
			}
		case "BOOKMARK":
		default: // ERROR: 410 Gone, most often
			return &statusError{max(o.Code, http.StatusInternalServerError), o.Message}
		}
		*version = o.Metadata.ResourceVersion
	}
}
