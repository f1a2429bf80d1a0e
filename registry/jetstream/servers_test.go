package jetstream_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// natsServer is a process of a cluster.
type natsServer struct {
	url  string
	dir  string
	env  []string
	cmd  *exec.Cmd
	t    testing.TB
	name string
}

func (s *natsServer) run() {
	s.cmd = exec.Command(os.Args[0], "-test.run=^$")
	s.cmd.Env = append(os.Environ(), s.env...)
	s.cmd.Stderr = os.Stderr
	require.NoError(s.t, s.cmd.Start())
}

func (s *natsServer) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func startServers(t testing.TB, n int) []*natsServer {
	t.Helper()
	var list []*natsServer
	var routes []string
	ports := freePorts(t, 2*n)
	for i := range n {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[n+i]))
	}
	for i := range n {
		s := &natsServer{t: t, dir: filepath.Join(t.TempDir(), fmt.Sprint(i)), url: fmt.Sprintf("nats://127.0.0.1:%d", ports[i]), name: fmt.Sprint("n", i)}
		s.env = []string{"BOLTSEAL_TEST_ROLE=server", "BOLTSEAL_TEST_DIR=" + s.dir, "BOLTSEAL_TEST_NAME=" + s.name, fmt.Sprintf("BOLTSEAL_TEST_PORT=%d", ports[i])}
		if n > 1 {
			s.env = append(s.env, fmt.Sprintf("BOLTSEAL_TEST_CLUSTER=%d", ports[n+i]), "BOLTSEAL_TEST_ROUTES="+strings.Join(routes, ","))
		}
		s.run()
		t.Cleanup(s.kill)
		list = append(list, s)
	}
	for _, s := range list {
		require.Eventually(t, func() bool {
			nc, err := nats.Connect(s.url)
			if err != nil {
				return false
			}
			defer nc.Close()
			js, err := natsjs.New(nc)
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = js.AccountInfo(ctx)
			}
			return err == nil
		}, time.Minute, 100*time.Millisecond, "the server is not ready")
	}
	return list
}

func freePorts(t testing.TB, n int) (ports []int) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func runServer() {
	port := func(name string) (n int) { _, _ = fmt.Sscan(os.Getenv(name), &n); return n }
	o := &server.Options{ServerName: os.Getenv("BOLTSEAL_TEST_NAME"), Host: "127.0.0.1", Port: port("BOLTSEAL_TEST_PORT"), JetStream: true,
		StoreDir: os.Getenv("BOLTSEAL_TEST_DIR"), SyncAlways: true, NoLog: true}
	if c := port("BOLTSEAL_TEST_CLUSTER"); c != 0 {
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: c}
		o.Routes = server.RoutesFromStr(os.Getenv("BOLTSEAL_TEST_ROUTES"))
	}
	s, err := server.NewServer(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	s.Start()
	s.WaitForShutdown()
}
