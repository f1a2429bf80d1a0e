package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
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
