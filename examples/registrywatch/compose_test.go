package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/boltseal/boltseal/examples/internal/cli"
)

// TestCompose reads compose.yaml as far as it speaks of this program and of NATS:
// every command line is one that the program takes, and the servers sync.
func TestCompose(t *testing.T) {
	raw, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	type service struct {
		Entrypoint, Command, Volumes []string
		Image                        string
		Environment                  map[string]string
	}
	var file struct {
		Services map[string]service
		Configs  map[string]struct{ Content string }
		Volumes  map[string]any
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	ended, cancel := context.WithCancel(t.Context())
	cancel() // what is wrong with a command line is found before anything is done
	ours := 0
	for name, s := range file.Services {
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			require.Contains(t, file.Volumes, volume, name)
		}
		switch {
		case len(s.Entrypoint) > 0 && s.Entrypoint[0] == "registrywatch":
			ours++
			env := map[string]string{}
			for k, v := range s.Environment {
				env[k] = strings.NewReplacer("${NATS_PASSWORD:?}", "secret", "${REGISTRYWATCH_NATS_KEY:?}", strings.Repeat("0", 64)).Replace(v)
			}
			var out, problems bytes.Buffer
			status := run(ended, s.Command, &cli.Console{Name: tool, Out: &out, Err: &problems, Env: func(k string) string { return env[k] }})
			require.NotEqual(t, cli.ExitUsage, status, "%s: %s", name, problems.String())
			require.NotContains(t, problems.String(), "nats:", name)
		case strings.HasPrefix(s.Image, "nats:"):
			t.Setenv("NATS_NAME", s.Environment["NATS_NAME"])
			t.Setenv("NATS_PASSWORD", "secret")
			conf := filepath.Join(t.TempDir(), "nats.conf")
			require.NoError(t, os.WriteFile(conf, []byte(strings.ReplaceAll(file.Configs["nats"].Content, "$$", "$")), 0o600))
			o, err := server.ProcessConfigFile(conf)
			require.NoError(t, err)
			require.True(t, o.SyncAlways && o.JetStream)
			require.Equal(t, name, o.ServerName)
			require.Equal(t, "secret", o.Password)
			require.Len(t, o.Routes, 3)
		}
	}
	require.Equal(t, 3, ours, "two monitors and a worker")
}
