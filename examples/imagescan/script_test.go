package main

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"imagescan": main})
}

// TestScript runs the command lines in testdata/script, each in an empty
// directory, with an empty cache and the snapshot that the program carries.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("BOLTSEAL_UPDATE") != "",
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			_, err := os.Stat(shared("data/images"))
			return cond == "shared" && err == nil || cond == "amd64" && runtime.GOARCH == "amd64", nil
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			env.Setenv("IMAGES", shared("data/images"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": clitest.Status},
	})
}

// shared finds what lies beside the project.
func shared(name string) string {
	dir := os.Getenv("BOLTSEAL_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	abs, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return name
	}
	return abs
}

// TestRegistry pulls from a registry: an image put there whole, by tag and by
// digest, and one that is not there.
func TestRegistry(t *testing.T) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")

	dir := t.TempDir()
	demo := writeLayout(t, dir)
	idx, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	img, err := idx.Image(demo)
	require.NoError(t, err)
	ref, err := name.ParseReference(host+"/shop/front:1.4", name.Insecure)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))

	for _, name := range []string{host + "/shop/front:1.4", "docker://" + host + "/shop/front@" + demo.String()} {
		r, code := scanJSON(t, "-cache=", name)
		require.Equal(t, cli.ExitIncomplete, code, "npm and Maven advisories of the snapshot are old")
		require.Equal(t, demo.String(), r.Image.Digest)
		require.NotEmpty(t, r.Findings)
	}
	var c recorder
	require.Equal(t, cli.ExitIncomplete, run(t.Context(), []string{"-cache=", host + "/shop/front:none"}, c.console()))
	require.Contains(t, c.err.String(), "shop/front")
	require.Empty(t, c.out.String())
}
