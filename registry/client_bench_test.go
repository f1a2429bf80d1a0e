package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

// BenchmarkSweep looks at 1,000 tags in 100 repositories, nothing of which has
// changed, and does the same requests by net/http alone in between. The registry
// runs in a process of its own: the CPU time is the client's.
func BenchmarkSweep(b *testing.B) {
	const repos, tags, workers = 100, 10, 16
	server := registryserver.Start(b, registryserver.Distribution3, registryserver.Options{})
	c := open(b, server, registry.Options{})
	for i := range repos {
		repo := fmt.Sprintf("team-%d/app", i)
		m := pushImage(b, c, repo, "t0", repo)
		for j := 1; j < tags; j++ {
			require.NoError(b, c.PushManifest(b.Context(), repo, fmt.Sprintf("t%d", j), m))
		}
	}
	ours := func() {
		g, ctx := errgroup.WithContext(b.Context())
		g.SetLimit(workers)
		for i := range repos {
			g.Go(func() error {
				repo := fmt.Sprintf("team-%d/app", i)
				for tag, err := range c.Tags(ctx, repo) {
					if err == nil {
						_, err = c.Resolve(ctx, repo, tag)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(b, g.Wait())
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	raw := &http.Client{Transport: t}
	bare := func() {
		g, ctx := errgroup.WithContext(b.Context())
		g.SetLimit(workers)
		for i := range repos {
			g.Go(func() error {
				base := fmt.Sprintf("http://%s/v2/team-%d/app/", server.Host, i)
				var list struct{ Tags []string }
				if err := do(ctx, raw, http.MethodGet, base+"tags/list?n=100", &list); err != nil {
					return err
				}
				for _, tag := range list.Tags {
					if err := do(ctx, raw, http.MethodHead, base+"manifests/"+tag, nil); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(b, g.Wait())
	}
	ours()
	bare()
	var mine, floor time.Duration
	for b.Loop() {
		start := cpu(b)
		bare()
		middle := cpu(b)
		ours()
		floor += middle - start
		mine += cpu(b) - middle
	}
	b.ReportMetric(float64(mine)/float64(floor), "x-net/http")
	b.ReportMetric(float64(mine.Microseconds())/float64(b.N)/(repos*(tags+1)), "CPU-µs/request")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFirstIndex reads the manifest and the configuration of each of 1,000
// tags (10,000 with BOLTSEAL_LONG), and does the same requests by net/http alone
// in between.
func BenchmarkFirstIndex(b *testing.B) {
	const tags, workers = 10, 16
	images := 1_000
	if os.Getenv("BOLTSEAL_LONG") != "" {
		images = 10_000
	}
	server := registryserver.Start(b, registryserver.Distribution3, registryserver.Options{})
	c := open(b, server, registry.Options{})
	repos := map[string]bool{}
	push, ctx := errgroup.WithContext(b.Context())
	push.SetLimit(workers)
	for img := range registrytest.Images(1, images) {
		repos[img.Repository] = true
		push.Go(func() error {
			_, err := img.Push(ctx, c)
			return err
		})
	}
	require.NoError(b, push.Wait())
	each := func(of func(ctx context.Context, repo string) error) func() {
		return func() {
			g, ctx := errgroup.WithContext(b.Context())
			g.SetLimit(workers)
			for repo := range repos {
				g.Go(func() error { return of(ctx, repo) })
			}
			require.NoError(b, g.Wait())
		}
	}
	ours := each(func(ctx context.Context, repo string) error {
		for tag, err := range c.Tags(ctx, repo) {
			if err != nil {
				return err
			}
			m, err := c.Manifest(ctx, repo, tag)
			if err != nil {
				return err
			}
			r, err := c.Blob(ctx, repo, *m.Config)
			if err != nil {
				return err
			}
			var config v1.Image
			if err := errors.Join(json.NewDecoder(r).Decode(&config), r.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	raw := &http.Client{Transport: t}
	bare := each(func(ctx context.Context, repo string) error {
		base := "http://" + server.Host + "/v2/" + repo + "/"
		var list struct{ Tags []string }
		if err := do(ctx, raw, http.MethodGet, base+"tags/list?n=100", &list); err != nil {
			return err
		}
		for _, tag := range list.Tags {
			var m v1.Manifest
			if err := do(ctx, raw, http.MethodGet, base+"manifests/"+tag, &m); err != nil {
				return err
			}
			var config v1.Image
			if err := do(ctx, raw, http.MethodGet, base+"blobs/"+m.Config.Digest.String(), &config); err != nil {
				return err
			}
		}
		return nil
	})
	ours()
	bare()
	var mine, floor, mineCPU, floorCPU time.Duration
	for b.Loop() {
		start, at := cpu(b), time.Now()
		bare()
		middle, then := cpu(b), time.Now()
		ours()
		floor, floorCPU = floor+then.Sub(at), floorCPU+middle-start
		mine, mineCPU = mine+time.Since(then), mineCPU+cpu(b)-middle
	}
	n := float64(b.N * images)
	b.ReportMetric(n/mine.Seconds(), "images/s")
	b.ReportMetric(n/floor.Seconds(), "net/http-images/s")
	b.ReportMetric(100*float64(floor)/float64(mine), "%-of-net/http")
	b.ReportMetric(float64(mineCPU)/float64(floorCPU), "x-CPU")
	b.ReportMetric(float64(mineCPU.Microseconds())/n, "CPU-µs/image")
	b.ReportMetric(0, "ns/op")
}

func do(ctx context.Context, c *http.Client, method, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json")
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(body, into)
}
