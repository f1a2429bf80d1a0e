package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
)

// natsServer runs one server of a cluster: natsserver NAME DIR PORT CLUSTERPORT ROUTES.
func natsServer() {
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	a := os.Args[1:]
	s, err := server.NewServer(&server.Options{
		ServerName: a[0], StoreDir: a[1], Host: "127.0.0.1", Port: number(a[2]), JetStream: true, SyncAlways: true, NoLog: true,
		Username: "watch", Password: "secret",
		Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: number(a[3])}, Routes: server.RoutesFromStr(a[4]),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	s.Start()
	s.WaitForShutdown()
}

// process is a program of the cluster, which may be killed and started again.
type process struct {
	name string
	args []string
	env  []string
	log  string // file
	cmd  *exec.Cmd
}

func (p *process) start(t testing.TB) {
	t.Helper()
	program, err := exec.LookPath(p.name) // as TestMain put it there
	require.NoError(t, err)
	p.cmd = exec.Command(program, p.args...)
	p.cmd.Env = append(os.Environ(), p.env...)
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	require.NoError(t, p.cmd.Start())
	require.NoError(t, log.Close())
}

func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// end interrupts the process, which must end well.
func (p *process) end(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	err := p.cmd.Wait()
	raw, _ := os.ReadFile(p.log)
	require.NoError(t, err, "%s", raw[max(0, len(raw)-2000):])
	p.cmd = nil
}

// cluster is a registry, three NATS servers, two monitors of one store and two workers.
type cluster struct {
	t                  testing.TB
	dir, host, natsURL string
	nats               [3]*process
	monitors, workers  [2]*process
	addresses          [2]string // of the monitors
	osv, db, store     string
}

// freePorts are free now.
func freePorts(t testing.TB, n int) (ports []string) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		ports = append(ports, port)
	}
	return ports
}

// slowRegistry is a real registry behind a proxy that takes its time for blobs,
// so that whoever reads an image is killed in the middle.
func slowRegistry(t testing.TB, delay time.Duration) string {
	kind := registryserver.Distribution2
	if _, err := exec.LookPath("docker-registry"); err != nil {
		kind = registryserver.Olareg
	}
	behind, err := url.Parse("http://" + registryserver.Start(t, kind, registryserver.Options{}).Host)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256") {
			time.Sleep(delay)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return strings.TrimPrefix(front.URL, "http://")
}

func startCluster(t testing.TB, host, repos string) *cluster {
	c := &cluster{t: t, dir: t.TempDir(), host: host}
	c.osv, c.db, c.store = filepath.Join(c.dir, "osv"), filepath.Join(c.dir, "a.db"), filepath.Join(c.dir, "fleet.db")
	require.NoError(t, os.Mkdir(c.osv, 0o755))
	c.advisory("1.json", zlib)
	ports := freePorts(t, 8)
	var urls, routes []string
	for i := range 3 {
		urls, routes = append(urls, "nats://watch:secret@127.0.0.1:"+ports[i]), append(routes, "nats://127.0.0.1:"+ports[3+i])
	}
	c.natsURL = strings.Join(urls, ",")
	start := func(p *process) *process {
		p.log = filepath.Join(c.dir, "log-"+strings.ReplaceAll(p.name+fmt.Sprint(len(p.args), p.args[len(p.args)-1]), "/", "_"))
		p.start(t)
		t.Cleanup(p.kill)
		return p
	}
	for i := range 3 {
		name := fmt.Sprint("n", i)
		p := &process{name: "natsserver", args: []string{name, filepath.Join(c.dir, name), ports[i], ports[3+i], strings.Join(routes, ",")}}
		p.log = filepath.Join(c.dir, "log-"+name)
		p.start(t)
		t.Cleanup(p.kill)
		c.nats[i] = p
	}
	env := []string{"REGISTRYWATCH_NATS=" + c.natsURL, "REGISTRYWATCH_NATS_KEY=0123456789abcdef0123456789abcdef"}
	for i := range 2 {
		c.addresses[i] = "127.0.0.1:" + ports[6+i]
		c.monitors[i] = start(&process{name: "registrywatch", env: env, args: []string{"run", "-registry", host, "-repos", repos, "-db", c.db, "-store", c.store,
			"-nats-replicas", "3", "-interval", "2s", "-listen", c.addresses[i]}})
		c.workers[i] = start(&process{name: "registrywatch", env: env, args: []string{"worker", "-registry", host, "-workers", fmt.Sprint(1 + i)}})
	}
	return c
}

// advisory adds a document to the database, which is replaced at once.
func (c *cluster) advisory(name, text string) {
	require.NoError(c.t, os.WriteFile(filepath.Join(c.osv, name), []byte(text), 0o600))
	require.NoError(c.t, buildDB(context.Background(), c.osv, c.db+".new"))
	require.NoError(c.t, os.Rename(c.db+".new", c.db))
}

// get asks a monitor; an empty answer is none.
func (c *cluster) get(monitor int, path string) string {
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + c.addresses[monitor] + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(raw)
}

// leader is the monitor that watches; -1 if none does now.
func (c *cluster) leader() int {
	for i := range c.monitors {
		if strings.Contains(c.get(i, "/metrics"), "boltseal_registry_leader 1\n") {
			return i
		}
	}
	return -1
}

// logs are the ends of what the programs wrote.
func (c *cluster) logs() string {
	var out strings.Builder
	files, _ := filepath.Glob(filepath.Join(c.dir, "log-*"))
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		fmt.Fprintf(&out, "== %s\n%s\n", f, raw[max(0, len(raw)-1500):])
	}
	return out.String()
}

// until waits for a leader that knows so many images, and answers.
func (c *cluster) until(images int, ok func(p *report.Fleet) bool) {
	c.t.Helper()
	var p report.Fleet
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		i := c.leader()
		if i < 0 {
			continue
		}
		p = report.Fleet{}
		if json.Unmarshal([]byte(c.get(i, "/status.json")), &p) == nil && p.Images == images && (ok == nil || ok(&p)) {
			return
		}
	}
	c.t.Fatalf("never %d images: %+v\n%s", images, p, c.logs())
}

// stop ends all programs of ours, and compares the store with a full
// recomputation, and its events with those of the stream.
func (c *cluster) stop() {
	c.t.Helper()
	for _, list := range [][2]*process{c.monitors, c.workers} {
		for _, p := range list {
			p.end(c.t)
		}
	}
	program, err := exec.LookPath("registrywatch")
	require.NoError(c.t, err)
	out, err := exec.Command(program, "verify", "-store", c.store, "-db", c.db).CombinedOutput()
	require.NoError(c.t, err, "%s", out)
	raw, err := exec.Command(program, "events", "-store", c.store).Output()
	require.NoError(c.t, err)
	nc, err := nats.Connect(c.natsURL)
	require.NoError(c.t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(c.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := js.Stream(ctx, "boltseal-events")
	require.NoError(c.t, err)
	told := map[string]int{}
	for n := uint64(1); n <= s.CachedInfo().State.LastSeq; n++ {
		m, err := s.GetMsg(ctx, n)
		require.NoError(c.t, err)
		told[m.Header.Get("Nats-Msg-Id")]++
	}
	for line := range bytes.Lines(raw) {
		var m registry.Message
		require.NoError(c.t, json.Unmarshal(line, &m))
		require.Equal(c.t, 1, told[m.ID], "event %d", m.Sequence)
	}
	cmd := exec.Command(program, "dead", "-nats", c.natsURL)
	dead, err := cmd.Output()
	require.NoError(c.t, err)
	require.Empty(c.t, string(dead))
}

// TestCluster has monitors and workers over three NATS servers read a real
// registry, kills a worker in the middle of an image, a NATS server, and the
// monitor that watches. Nothing is lost.
func TestCluster(t *testing.T) {
	host := slowRegistry(t, 150*time.Millisecond)
	const n = 20
	require.NoError(t, pushImages(t.Context(), host, n))
	c := startCluster(t, host, "team-0/app-0,team-0/app-1")
	require.Eventually(t, func() bool { return c.leader() >= 0 }, time.Minute, 50*time.Millisecond, "nobody leads")
	time.Sleep(500 * time.Millisecond)
	c.workers[1].kill()
	c.nats[2].kill()
	c.workers[1].start(t)
	first := c.leader()
	c.monitors[first].kill()
	require.Equal(t, "waits for its turn\n", c.get(1-first, "/healthz"))
	require.Empty(t, c.get(1-first, "/"))
	c.monitors[first].start(t)
	c.nats[2].start(t)
	c.until(n, nil)
	require.NotEqual(t, -1, c.leader())

	c.advisory("2.json", openssl)
	want := holders(host, "alpine", "openssl", n)
	require.NotEmpty(t, want)
	c.until(n, func(p *report.Fleet) bool {
		for _, i := range p.Issues {
			if i.Rule == "ALPINE-CVE-2026-1000" {
				require.ElementsMatch(t, want, i.Names)
				return true
			}
		}
		return false
	})
	c.stop()
}

// TestClusterRounds kills at random moments, while images are pushed and
// advisories change. BOLTSEAL_ROUNDS says how often; 30 by default.
func TestClusterRounds(t *testing.T) {
	if os.Getenv("BOLTSEAL_LONG") == "" {
		t.Skip("minutes: set BOLTSEAL_LONG")
	}
	rounds := 30
	if s := os.Getenv("BOLTSEAL_ROUNDS"); s != "" {
		_, err := fmt.Sscan(s, &rounds)
		require.NoError(t, err)
	}
	if _, err := exec.LookPath("docker-registry"); err != nil {
		t.Skip("no docker-registry, and olareg has no catalog")
	}
	host := slowRegistry(t, 100*time.Millisecond)
	require.NoError(t, pushImages(t.Context(), host, 1))
	c := startCluster(t, host, "team-*/*")
	c.until(1, nil)
	to, err := registry.Open(host, nil)
	require.NoError(t, err)
	defer to.Close()
	done := map[string]int{}
	images := 1
	for round := range rounds {
		for img := range registrytest.Images(uint64(100+round), 3) {
			img.Repository = fmt.Sprintf("team-%d/app-%d", round%3, round+1)
			_, err := img.Push(t.Context(), to)
			require.NoError(t, err)
			images++
		}
		if round%5 == 4 {
			c.advisory(fmt.Sprint(round, ".json"), strings.ReplaceAll(openssl, "2026-1000", fmt.Sprint("2026-2", round)))
		}
		time.Sleep(rand.N(3 * time.Second))
		var what string
		var victims []*process
		switch n := rand.IntN(20); {
		case n < 7:
			what, victims = "worker", []*process{c.workers[rand.IntN(2)]}
		case n < 12:
			what, victims = "NATS server", []*process{c.nats[rand.IntN(3)]}
		case n < 18:
			if i := c.leader(); i >= 0 {
				what, victims = "leader", []*process{c.monitors[i]}
			}
		case n == 18:
			what, victims = "all NATS servers", c.nats[:]
		default:
			what, victims = "everything", append(append(c.nats[:len(c.nats):3], c.monitors[:]...), c.workers[:]...)
		}
		var wg sync.WaitGroup
		for _, p := range victims {
			wg.Go(p.kill)
		}
		wg.Wait()
		for _, p := range victims {
			p.start(t)
		}
		done[what]++
		c.until(images, nil)
	}
	c.stop()
	t.Logf("%d rounds, %d images: %v", rounds, images, done)
}
