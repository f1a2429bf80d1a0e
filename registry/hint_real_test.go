package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/registry"
)

// TestNotifications has real registries notify a monitor that would otherwise
// look once an hour.
func TestNotifications(t *testing.T) {
	for _, kind := range []registryserver.Kind{registryserver.Distribution2, registryserver.Distribution3} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var handler atomic.Value
			var codes sync.Map
			ear := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				handler.Load().(http.Handler).ServeHTTP(rec, r)
				codes.Store(rec.Code, true)
				w.WriteHeader(rec.Code)
			}))
			t.Cleanup(ear.Close)
			handler.Store(http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }))) // lost: there is no monitor yet
			server := registryserver.Start(t, kind, registryserver.Options{Delete: true, Config: fmt.Sprintf(
				"notifications:\n  endpoints:\n    - {name: monitor, url: %s, headers: {Authorization: [Bearer 0123456789abcdef]}, timeout: 10s, threshold: 100, backoff: 100ms}\n", ear.URL)})
			c := open(t, server, registry.Options{})
			pushImage(t, c, "shop", "1", "ssl=1")
			_, advisories := fixedWorld(&world{Name: "1"})
			m := monitor(t, newStore(t), registry.MonitorOptions{Sources: []registry.Source{{Client: c, Repositories: []string{"shop"}}}, Indexer: reader(c), Advisories: advisories, Interval: time.Hour})
			h, err := m.HintHandler(registry.HintOptions{Authorization: "Bearer 0123456789abcdef"})
			require.NoError(t, err)
			handler.Store(http.Handler(http.HandlerFunc(h.ServeHTTP)))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var got []string
			for e, err := range m.Run(ctx, "test") {
				require.NoError(t, err)
				got = append(got, e.Reference)
				if len(got) == 1 {
					pushImage(t, c, "shop", "2", "ssl=2")
					pushImage(t, c, "elsewhere", "1", "ssl=2")
				}
				if len(got) == 2 {
					break
				}
			}
			require.Equal(t, []string{server.Host + "/shop:1", server.Host + "/shop:2"}, got)
			_, forged := codes.Load(http.StatusUnauthorized)
			_, taken := codes.Load(http.StatusAccepted)
			require.True(t, taken && !forged)
		})
	}
}
