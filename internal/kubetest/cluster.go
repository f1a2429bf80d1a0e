package kubetest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Users is how many users without rights there are: case-000 and on.
const Users = 500

// Cluster is a running control plane.
type Cluster struct {
	// Admin is in system:masters.
	Admin *kubernetes.Clientset
	// Config is the administrator's.
	Config *rest.Config
	// CA is the folder with ca.crt and ca.key, which sign client certificates;
	// sa.key and sa.pub, which sign the tokens of service accounts; and the
	// server's own apiserver.crt.
	CA string

	dir   string
	procs []*exec.Cmd
}

// shared is the cluster of one test program.
type shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

var running shared

// Main runs the tests of a package and ends the cluster that they started.
func Main(m *testing.M) int {
	defer func() {
		if running.cluster != nil {
			running.cluster.stop()
		}
	}()
	return m.Run()
}

// Running returns the cluster of this test program, started by the first that
// asks. Without the programs the test skips.
func Running(t testing.TB) *Cluster {
	t.Helper()
	running.once.Do(func() { running.cluster, running.err = start() })
	if errors.Is(running.err, errNotBuilt) {
		t.Skip(running.err)
	}
	if running.err != nil {
		t.Fatal(running.err)
	}
	return running.cluster
}

// As returns the client configuration of one of the users without rights.
func (c *Cluster) As(user string) *rest.Config {
	conf := rest.CopyConfig(c.Config)
	conf.BearerToken = "token-of-" + user
	return conf
}

// Client returns a typed client; errors of configuration end the test.
func Client(t testing.TB, conf *rest.Config) *kubernetes.Clientset {
	t.Helper()
	cs, err := kubernetes.NewForConfig(conf)
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

func start() (c *Cluster, err error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	c = &Cluster{}
	if c.dir, err = os.MkdirTemp("", "kubetest"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	c.CA = c.dir
	if err := writeKeys(c.dir); err != nil {
		return nil, err
	}
	var tokens strings.Builder
	tokens.WriteString("token-of-admin,admin,admin,system:masters\n")
	for i := range Users {
		fmt.Fprintf(&tokens, "token-of-case-%03d,case-%03d,case-%03d\n", i, i, i)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "tokens.csv"), []byte(tokens.String()), 0o600); err != nil {
		return nil, err
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	etcd := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	file := func(name string) string { return filepath.Join(c.dir, name) }
	if err := c.run(bin, "etcd", "--data-dir="+file("etcd"), "--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer, "--unsafe-no-fsync", "--log-level=error"); err != nil {
		return nil, err
	}
	if err := c.run(bin, "kube-apiserver", "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", ports[2]), "--tls-cert-file="+file("apiserver.crt"), "--tls-private-key-file="+file("apiserver.key"),
		"--client-ca-file="+file("ca.crt"), "--token-auth-file="+file("tokens.csv"), "--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction", "--enable-bootstrap-token-auth", "--allow-privileged", "--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+file("sa.pub"), "--service-account-signing-key-file="+file("sa.key"),
		"--etcd-compaction-interval=0", "--v=0"); err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(file("ca.crt"))
	if err != nil {
		return nil, err
	}
	c.Config = &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", ports[2]), BearerToken: "token-of-admin", QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: ca},
	}
	if c.Admin, err = kubernetes.NewForConfig(c.Config); err != nil {
		return nil, err
	}
	if err := c.ready(ports[2], "kube-apiserver", "/readyz"); err != nil {
		return nil, err
	}
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "%s", certificate-authority: "%s"}}]
users: [{name: u, user: {token: token-of-admin}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, c.Config.Host, file("ca.crt"))
	if err := os.WriteFile(file("kubeconfig"), []byte(kubeconfig), 0o600); err != nil {
		return nil, err
	}
	if err := c.run(bin, "kube-controller-manager", "--kubeconfig="+file("kubeconfig"), "--authentication-kubeconfig="+file("kubeconfig"), "--authorization-kubeconfig="+file("kubeconfig"),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", ports[3]), "--leader-elect=false", "--use-service-account-credentials",
		"--service-account-private-key-file="+file("sa.key"), "--root-ca-file="+file("ca.crt"),
		"--cluster-signing-cert-file="+file("ca.crt"), "--cluster-signing-key-file="+file("ca.key"),
		"--concurrent-gc-syncs=5", "--v=0"); err != nil {
		return nil, err
	}
	return c, c.ready(ports[3], "kube-controller-manager", "/healthz")
}

// run starts a program; what it says is in NAME.log.
func (c *Cluster) run(bin, name string, args ...string) error {
	log, err := os.Create(filepath.Join(c.dir, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, log, log
	cmd.SysProcAttr = childOfTest()
	if err := cmd.Start(); err != nil {
		return err
	}
	c.procs = append(c.procs, cmd)
	return nil
}

// ready waits until a server says that it is.
func (c *Cluster) ready(port int, name, path string) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	last := ""
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("https://127.0.0.1:%d%s", port, path), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer token-of-admin")
		if resp, err := client.Do(req); err != nil {
			last = err.Error()
		} else {
			body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			last = resp.Status + ": " + string(body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(c.dir, name+".log"))
	return fmt.Errorf("%s does not get ready: %s\n%s", name, last, log[max(0, len(log)-4000):])
}

func (c *Cluster) stop() {
	for i := len(c.procs) - 1; i >= 0; i-- {
		c.procs[i].Process.Kill()
		c.procs[i].Wait()
	}
	os.RemoveAll(c.dir)
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
