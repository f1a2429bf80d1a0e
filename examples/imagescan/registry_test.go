package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/registryserver"
)

// TestDistribution pulls from Debian's docker-registry, with and without TLS and
// a login, as a user's machine does: the certificate from the system, the
// password from Docker's configuration.
func TestDistribution(t *testing.T) {
	program, err := exec.LookPath("imagescan") // as TestMain put it there
	require.NoError(t, err)
	dir := t.TempDir()
	demo := writeLayout(t, dir)
	idx, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	img, err := idx.Image(demo)
	require.NoError(t, err)

	for _, tt := range []struct {
		name       string
		tls, login bool
	}{{"plain", false, false}, {"TLS", true, false}, {"login", false, true}, {"TLS and login", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := registryserver.Start(t, registryserver.Distribution2, registryserver.Options{TLS: tt.tls, Login: tt.login})
			r := &account{dir: t.TempDir(), host: server.Host}
			ref, err := name.ParseReference(server.Host + "/shop/front:1.4")
			require.NoError(t, err)
			opts := []remote.Option{remote.WithTransport(&http.Transport{TLSClientConfig: server.TLS})}
			if tt.login {
				opts = append(opts, remote.WithAuth(&authn.Basic{Username: registryserver.User, Password: registryserver.Password}))
			}
			require.NoError(t, remote.Write(ref, img, opts...))

			scan := func(env ...string) (stdout, stderr string, status int) {
				var out, said bytes.Buffer
				cmd := exec.CommandContext(t.Context(), program, "-cache=", "-o", "json", ref.Name())
				cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "XDG_CACHE_HOME=" + r.dir}, env...)
				cmd.Stdout, cmd.Stderr = &out, &said
				if err := cmd.Run(); err != nil {
					var exit *exec.ExitError
					require.True(t, errors.As(err, &exit), err)
				}
				return out.String(), said.String(), cmd.ProcessState.ExitCode()
			}
			stdout, stderr, status := scan("SSL_CERT_FILE="+server.CertFile, "DOCKER_CONFIG="+r.config(registryserver.Password))
			require.Equal(t, cli.ExitIncomplete, status, "npm and Maven advisories of the snapshot are old")
			got, err := boltseal.ReadReport(bytes.NewReader([]byte(stdout)))
			require.NoError(t, err, stderr)
			require.Equal(t, demo.String(), got.Image.Digest)
			require.NotEmpty(t, got.Findings)

			if tt.tls {
				stdout, stderr, status = scan("DOCKER_CONFIG=" + r.config(registryserver.Password))
				require.Equal(t, cli.ExitIncomplete, status)
				require.Empty(t, stdout)
				require.Contains(t, stderr, "certificate", "nobody vouches for it")
			}
			if tt.login {
				stdout, stderr, status = scan("SSL_CERT_FILE="+server.CertFile, "DOCKER_CONFIG="+r.config("hunter2"))
				require.Equal(t, cli.ExitIncomplete, status)
				require.Empty(t, stdout)
				require.Regexp(t, "(?i)unauthorized|permission", stderr)
				require.NotContains(t, stderr, "hunter2")
			}
		})
	}
}

// account is a user's machine, as far as a registry is concerned.
type account struct{ dir, host string }

// config writes a login as Docker keeps it, and returns its directory.
func (d *account) config(password string) string {
	dir := filepath.Join(d.dir, password)
	auth := base64.StdEncoding.EncodeToString([]byte(registryserver.User + ":" + password))
	b, _ := json.Marshal(map[string]any{"auths": map[string]any{d.host: map[string]string{"auth": auth}}})
	_ = os.MkdirAll(dir, 0o700)
	_ = os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600)
	return dir
}
