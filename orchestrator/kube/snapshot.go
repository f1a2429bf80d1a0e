package kube

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/orchestrator"
)

// Options adjust what is read of a cluster. Nil and the zero value are ready to
// use.
type Options struct {
	// Namespaces restricts the reader to some namespaces; what lies in none is
	// then not asked for.
	Namespaces []string
	// ConfigMaps reads all of them; without it only aws-auth, coredns and
	// extension-apiserver-authentication in kube-system.
	ConfigMaps bool

	PageSize  int   // objects a request; default 500
	PageBytes int64 // of one answer; default 256 MiB
	Objects   int   // of one kind; default 1,000,000

	// Load adjusts what is kept of the objects; its Complete and Minor are not
	// used.
	Load orchestrator.LoadOptions
}

// Snapshot lists everything that a snapshot holds, kind after kind. What is
// forbidden is no error: the snapshot's coverage says so. A list that broke off
// or hit a limit is in the error, with what was read in the snapshot.
//
// Lists of different kinds are not of the same moment: the resource version of
// each is in its coverage.
func Snapshot(ctx context.Context, conf *rest.Config, opt *Options) (*orchestrator.Snapshot, error) {
	c, err := newClient(conf, opt)
	if err != nil {
		return nil, err
	}
	b := c.builder(ctx)
	var errs []error
	for _, k := range c.opt.kinds() {
		for _, ns := range c.scopes(k) {
			l := c.list(ctx, k, ns)
			if ctx.Err() != nil {
				return b.Snapshot(), errors.Join(append(errs, ctx.Err())...)
			}
			errs = append(errs, take(b, k, ns, &l)...)
		}
	}
	if !c.opt.ConfigMaps && len(c.opt.Namespaces) == 0 {
		errs = append(errs, c.namedConfigMaps(ctx, b)...)
	}
	return b.Snapshot(), errors.Join(errs...)
}

func (c *client) builder(ctx context.Context) *orchestrator.Builder {
	load := c.opt.Load
	load.Complete = false
	load.Minor = c.minor(ctx)
	b := orchestrator.NewBuilder(&load)
	b.Live()
	return b
}

// scopes are the namespaces to list a kind in; empty is all at once.
func (c *client) scopes(k orchestrator.Kind) []string {
	if k.Namespaced && len(c.opt.Namespaces) > 0 {
		return c.opt.Namespaces
	}
	return []string{""}
}

// take puts a list into a snapshot.
func take(b *orchestrator.Builder, k orchestrator.Kind, namespace string, l *listed) (errs []error) {
	b.Cover(k.GroupResource(), namespace, l.coverage)
	if l.err != nil {
		errs = append(errs, l.err)
	}
	for i, item := range l.items {
		if err := b.AddJSON(item, l.gvk(k), boltseal.Location{}); err != nil {
			errs = append(errs, err)
		}
		l.items[i] = nil
	}
	return errs
}

// namedConfigMaps reads the ConfigMaps that matter by name.
func (c *client) namedConfigMaps(ctx context.Context, b *orchestrator.Builder) (errs []error) {
	for _, name := range configMaps {
		path := "/api/v1/namespaces/" + systemNamespace + "/configmaps/" + name
		body, err := c.get(ctx, path, nil)
		if hasCode(err, http.StatusNotFound) || hasCode(err, http.StatusForbidden) {
			continue // ConfigMaps as a whole are not asked for
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var raw json.RawMessage
		err = json.NewDecoder(io.LimitReader(body, c.opt.PageBytes)).Decode(&raw)
		body.Close()
		if err == nil {
			err = b.AddJSON(raw, schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, boltseal.Location{})
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
