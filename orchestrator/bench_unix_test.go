//go:build unix

package orchestrator_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/orchestrator"
	"github.com/boltseal/boltseal/orchestrator/orchestratortest"
)

// cpu is what the program has used so far, in all its threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is the largest heap seen while f runs, in bytes.
func heap(f func()) uint64 {
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var peak uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	return <-most
}

// BenchmarkLoad reads 50,000 objects from a file.
func BenchmarkLoad(b *testing.B) {
	for name, write := range map[string]func(*orchestratortest.World, io.Writer) error{
		"yaml": (*orchestratortest.World).WriteYAML,
		"json": (*orchestratortest.World).WriteJSON,
	} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			objects := func() int {
				w := orchestratortest.New(1, orchestratortest.Objects(51_000))
				f, err := os.Create(filepath.Join(dir, "objects."+name))
				require.NoError(b, err)
				require.NoError(b, write(w, f))
				require.NoError(b, f.Close())
				return len(w.Objects)
			}()
			debug.FreeOSMemory()
			info, err := os.Stat(filepath.Join(dir, "objects."+name))
			require.NoError(b, err)
			b.SetBytes(info.Size())
			start, n, most := cpu(), 0, uint64(0)
			for b.Loop() {
				var snap *orchestrator.Snapshot
				most = max(most, heap(func() {
					snap, err = orchestrator.Load(context.Background(), os.DirFS(dir), nil)
				}))
				require.NoError(b, err)
				require.NotEmpty(b, snap.Deployments)
				n++
			}
			b.ReportMetric((cpu()-start).Seconds()/float64(n), "cpu-s/op")
			b.ReportMetric(float64(objects), "objects")
			b.ReportMetric(float64(most)/1e6, "peak-MB")
		})
	}
}

// scale is the world of 2,000 service accounts.
func scale(b *testing.B) (*orchestratortest.World, *orchestrator.Snapshot) {
	w := orchestratortest.New(1, orchestratortest.Size{ServiceAccounts: 2000, Roles: 1200, Bindings: 2300, Workloads: 1000})
	s, err := w.Snapshot()
	require.NoError(b, err)
	return w, s
}

func BenchmarkNewAccess(b *testing.B) {
	_, s := scale(b)
	for b.Loop() {
		orchestrator.NewAccess(s)
	}
}

func BenchmarkCan(b *testing.B) {
	w, s := scale(b)
	a := orchestrator.NewAccess(s)
	var who []orchestrator.Subject
	for sub := range a.Subjects() {
		who = append(who, sub)
	}
	requests := []orchestrator.Request{
		{Verb: "get", Resource: "configmaps", Namespace: "team-1", Name: "config-1"},
		{Verb: "list", Resource: "secrets", Namespace: "team-2"},
		{Verb: "create", Group: "apps", Resource: "deployments", Namespace: "team-3"},
		{Verb: "get", Resource: "pods", Subresource: "log", Namespace: "team-4"},
		{Verb: "get", Path: "/metrics"},
		{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: w.Chains[0].Steps[0].Namespace, Name: w.Chains[0].Steps[0].Name},
	}
	i, granted := 0, 0
	for b.Loop() {
		if a.Can(who[i%len(who)], requests[i%len(requests)]).Answer == orchestrator.Granted {
			granted++
		}
		i++
	}
	b.ReportMetric(float64(granted)/float64(i)*100, "%granted")
}

func BenchmarkWhoCan(b *testing.B) {
	_, s := scale(b)
	a := orchestrator.NewAccess(s)
	n := 0
	for b.Loop() {
		n = 0
		for range a.WhoCan(orchestrator.Request{Verb: "get", Resource: "configmaps", Namespace: "team-1"}) {
			n++
		}
	}
	b.ReportMetric(float64(n), "grants")
}

// BenchmarkMillionRules indexes a million rules, all of them everybody's, and
// asks for one that is not among them.
func BenchmarkMillionRules(b *testing.B) {
	s := millionRules(b)
	b.Run("NewAccess", func(b *testing.B) {
		for b.Loop() {
			orchestrator.NewAccess(s)
		}
	})
	b.Run("Can", func(b *testing.B) {
		a := orchestrator.NewAccess(s)
		for b.Loop() {
			if d := a.Can(orchestrator.User("ann"), orchestrator.Request{Verb: "get", Resource: "nothing"}); d.Answer != orchestrator.NotGranted {
				b.Fatal(fmt.Sprint(d))
			}
		}
	})
}
