package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/internal/clitest"
	"github.com/boltseal/boltseal/internal/registryserver"
	"github.com/boltseal/boltseal/internal/report"
	"github.com/boltseal/boltseal/registry"
	"github.com/boltseal/boltseal/registry/registrytest"
	"github.com/boltseal/boltseal/vuln"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"registrywatch": main, "natsserver": natsServer})
}

// TestScript runs the command lines in testdata/script, each with a registry of
// its own.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("BOLTSEAL_UPDATE") != "",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOST", registryserver.Start(t, registryserver.Olareg, registryserver.Options{}).Host)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": clitest.Status, "push": push, "build": build},
	})
}

// push pushes so many images of registrytest to $HOST: push 20
func push(ts *testscript.TestScript, neg bool, args []string) {
	var n int
	_, err := fmt.Sscan(strings.Join(args, " "), &n)
	ts.Check(err)
	ts.Check(pushImages(context.Background(), ts.Getenv("HOST"), n))
}

func pushImages(ctx context.Context, host string, n int) error {
	r, err := registry.Open(host, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	for img := range registrytest.Images(1, n) {
		img.Team, _, _ = strings.Cut(img.Repository, "/")
		if _, err := img.Push(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// build makes a database out of a directory of OSV documents: build osv a.db
func build(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(buildDB(context.Background(), ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

func buildDB(ctx context.Context, dir, file string) error {
	_, err := vuln.Build(ctx, file, []fs.FS{os.DirFS(dir)}, nil)
	return err
}

const (
	zlib = `{"id":"DSA-6000-1","modified":"2026-06-01T00:00:00Z","summary":"zlib: overflow","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:1.2.13.dfsg-1+deb12u1"}]}]}]}`
	openssl = `{"id":"ALPINE-CVE-2026-1000","modified":"2026-06-02T00:00:00Z","summary":"openssl: remote code execution","upstream":["CVE-2026-1000"],
		"affected":[{"package":{"ecosystem":"Alpine:v3.20","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.3.2-r0"}]}]}]}`
)

// holders are the images of a fleet that hold a source package, by what the
// generator says and without any code of ours that reads images.
func holders(host, distro, source string, n int) (names []string) {
	for img := range registrytest.Images(1, n) {
		for _, p := range img.Packages {
			if img.Distro.ID == distro && (p.Source.Name == source || p.Source.Name == "" && p.Name == source) {
				names = append(names, host+"/"+img.Repository+":"+img.Tag)
				break
			}
		}
	}
	return names
}

// TestNewAdvisory watches real images in a real registry as a process of its own;
// a new advisory arrives, and the right images are named, on the page too.
// BOLTSEAL_FLEET says how many images there are.
func TestNewAdvisory(t *testing.T) {
	n := 40
	if s := os.Getenv("BOLTSEAL_FLEET"); s != "" {
		_, err := fmt.Sscan(s, &n)
		require.NoError(t, err)
	}
	kind := registryserver.Distribution2
	if _, err := exec.LookPath("docker-registry"); err != nil {
		kind = registryserver.Olareg
	}
	server := registryserver.Start(t, kind, registryserver.Options{})
	require.NoError(t, pushImages(t.Context(), server.Host, n))
	dir := t.TempDir()
	osv, db := filepath.Join(dir, "osv"), filepath.Join(dir, "a.db")
	require.NoError(t, os.Mkdir(osv, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(osv, "1.json"), []byte(zlib), 0o600))
	require.NoError(t, buildDB(t.Context(), osv, db))

	repos := map[string]bool{}
	for img := range registrytest.Images(1, n) {
		repos[img.Repository] = true
	}
	program, err := exec.LookPath("registrywatch") // as TestMain put it there
	require.NoError(t, err)
	events := filepath.Join(dir, "events.jsonl")
	start := func() (cmd *exec.Cmd, address func() string) {
		cmd = exec.Command(program, "run", "-registry", server.Host, "-repos", strings.Join(sorted(repos), ","), "-db", db, "-store", filepath.Join(dir, "fleet.db"),
			"-listen", "127.0.0.1:0", "-events", events, "-interval", "1h")
		log, err := os.Create(filepath.Join(dir, "log"))
		require.NoError(t, err)
		cmd.Stderr = log
		require.NoError(t, cmd.Start())
		require.NoError(t, log.Close())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd, func() string {
			raw, err := os.ReadFile(log.Name())
			require.NoError(t, err)
			for line := range strings.Lines(string(raw)) {
				var l struct{ Msg, Address string }
				if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "listening" {
					return "http://" + l.Address
				}
			}
			return ""
		}
	}
	cmd, address := start()
	require.Eventually(t, func() bool { return address() != "" }, 30*time.Second, 10*time.Millisecond)
	url := address()
	get := func(path string) string {
		resp, err := http.Get(url + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(raw)
	}
	told := func(rule string) (list []registry.Message) { // an empty rule means new advisories as such
		raw, _ := os.ReadFile(events)
		for line := range strings.Lines(string(raw)) {
			var m registry.Message
			if json.Unmarshal([]byte(line), &m) == nil && m.Rule == rule && (rule != "" || m.Type == registry.GenerationActivated) {
				list = append(list, m)
			}
		}
		return list
	}
	began := time.Now()
	require.Eventually(t, func() bool { return strings.Contains(get("/metrics"), "boltseal_registry_sweep_lag_seconds") }, 5*time.Minute, 50*time.Millisecond)
	t.Logf("%d images known after %v", n, time.Since(began))
	require.Equal(t, "ok\n", get("/healthz"))
	want := holders(server.Host, "debian", "zlib", n)
	require.Contains(t, get("/metrics"), fmt.Sprintf("boltseal_registry_images %d\n", n))
	require.NotEmpty(t, want)
	shown := func(rule string, want []string) {
		page := waitFor(t, func() string { return get("/") }, rule)
		if out := os.Getenv("BOLTSEAL_SCREENSHOTS"); out != "" {
			require.NoError(t, os.WriteFile(filepath.Join(out, "fleet.html"), []byte(page), 0o600))
		}
		var f report.Fleet
		require.NoError(t, json.Unmarshal([]byte(get("/status.json")), &f))
		for _, i := range f.Issues {
			if i.Rule == rule {
				require.Equal(t, len(want), i.Images)
				require.NotEmpty(t, i.Names)
				for _, name := range i.Names {
					require.Contains(t, page, name)
					if !strings.HasPrefix(name, "and ") {
						require.Contains(t, want, name)
					}
				}
				return
			}
		}
		t.Fatalf("%s is not shown", rule)
	}
	shown("DSA-6000-1", want)
	require.Empty(t, told("DSA-6000-1"), "what was known when an image arrived is no news")

	require.NoError(t, os.WriteFile(filepath.Join(osv, "2.json"), []byte(openssl), 0o600))
	require.NoError(t, buildDB(t.Context(), osv, db))
	began = time.Now()
	require.Eventually(t, func() bool { return len(told("ALPINE-CVE-2026-1000")) > 0 }, 30*time.Second, 5*time.Millisecond)
	t.Logf("told %v after the new database", time.Since(began))
	require.Eventually(t, func() bool { return len(told("")) > 0 }, 30*time.Second, 20*time.Millisecond, "the generation's own event comes last")
	want = holders(server.Host, "alpine", "openssl", n)
	named, whole := map[string]bool{}, true // an event for each package that openssl is built into
	for _, m := range told("ALPINE-CVE-2026-1000") {
		require.Contains(t, []string{"apk:alpine/libcrypto3", "apk:alpine/libssl3"}, m.Package)
		require.Equal(t, "3.3.2-r0", m.Fixed)
		whole = whole && !m.Truncated
		for _, a := range m.Images {
			for _, ref := range a.References {
				named[ref] = true
			}
		}
	}
	require.Subset(t, want, sorted(named))
	if whole {
		require.ElementsMatch(t, want, sorted(named))
	}
	shown("ALPINE-CVE-2026-1000", want)
	out, err := exec.Command(program, "status", "-url", url).Output()
	require.NoError(t, err)
	require.Regexp(t, fmt.Sprintf(`ALPINE-CVE-2026-1000 +unknown +%d `, len(want)), string(out))

	// Interrupted, it ends well, and the store is what it should be.
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
	verified, err := exec.Command(program, "verify", "-store", filepath.Join(dir, "fleet.db"), "-db", db).CombinedOutput()
	require.NoError(t, err, string(verified))

	// A half written database is refused; the one in use stays.
	cmd, address = start()
	require.Eventually(t, func() bool { return address() != "" }, 30*time.Second, 10*time.Millisecond)
	url = address()
	waitFor(t, func() string { return get("/metrics") }, "boltseal_registry_generation_current 1")
	raw, err := os.ReadFile(db)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(db, raw[:len(raw)/2], 0o600))
	require.Eventually(t, func() bool {
		log, err := os.ReadFile(filepath.Join(dir, "log"))
		return err == nil && strings.Contains(string(log), "advisories not renewed")
	}, 30*time.Second, 20*time.Millisecond)
	require.Contains(t, get("/metrics"), "boltseal_registry_generation_current 1")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func waitFor(t *testing.T, get func() string, what string) (page string) {
	t.Helper()
	require.Eventually(t, func() bool { page = get(); return strings.Contains(page, what) }, 30*time.Second, 50*time.Millisecond, what)
	return page
}

// TestRoutes asks for what is not there, or not in that way.
func TestRoutes(t *testing.T) {
	s, err := registry.OpenStore(t.Context(), filepath.Join(t.TempDir(), "store"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	f := &fleet{name: "x", store: s, advisories: &advisories{path: "absent"}, interval: time.Minute, started: time.Now()}
	server := httptest.NewServer(guarded(routes(f, newMetrics(f), nil, slog.New(slog.DiscardHandler))))
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200}, {"GET", "/status.json", 200}, {"GET", "/metrics", 200}, {"GET", "/events", 200}, {"GET", "/events?since=12", 200}, {"HEAD", "/", 200},
		{"GET", "/events?since=x", 400}, {"GET", "/events?since=-1", 400}, {"POST", "/", 405}, {"GET", "/x", 404}, {"GET", "/../etc/passwd", 404}, {"POST", "/hints", 404}, {"GET", "/healthz", 503},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tt.want, resp.StatusCode, "%s %s", tt.method, tt.path)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	}
}
