package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/internal/clitest"
	"github.com/boltseal/boltseal/secrets/secretstest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"secretscan": main})
}

// TestScript runs the command lines in testdata/script, each in an empty
// directory with an empty cache. The credentials in them are made when a script runs.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("BOLTSEAL_UPDATE") != "",
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			_, err := exec.LookPath(cond)
			return err == nil, nil
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": clitest.Status, "plant": plant, "silent": silent},
	})
}

// plant writes a line with a made-up credential: plant FILE FAMILY SEED [text round %s]
func plant(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: plant FILE FAMILY SEED [FORMAT]")
	}
	seed, err := strconv.ParseUint(args[2], 10, 64)
	ts.Check(err)
	s, err := secretstest.New(args[1], seed)
	ts.Check(err)
	format := "token %s here"
	if len(args) > 3 {
		format = args[3]
	}
	name := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = fmt.Fprintf(f, format+"\n", s.Token)
	ts.Check(err)
	ts.Check(f.Close())
}

// silent checks that files, or stdout and stderr, hold nothing of a credential
// beyond what its family begins with: silent FAMILY SEED FILE…
func silent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: silent FAMILY SEED FILE…")
	}
	seed, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	s, err := secretstest.New(args[0], seed)
	ts.Check(err)
	body := s.Token[strings.LastIndexByte(s.Token, '_')+1:]
	for _, name := range args[2:] {
		text := ts.ReadFile(name)
		for i := 0; i+5 <= len(body); i++ {
			if strings.Contains(text, body[i:i+5]) {
				ts.Fatalf("%s holds five bytes in a row of the secret", name)
			}
		}
	}
}

// TestImage scans an image that podman, docker or our own test images made:
// secrets in a layer, deleted by a later one, and in the configuration.
func TestImage(t *testing.T) {
	dir := t.TempDir()
	layout := writeImage(t, dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	for range 2 { // the second time from the cache
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"-o", "json", "-fail-on", "low", "oci:" + layout}, &cli.Console{Name: tool, Out: &out, Err: &errs, Env: os.Getenv})
		require.Equal(t, cli.ExitFindings, code, errs.String())
		got := out.String()
		require.Contains(t, got, `"path": "config:Env[TOKEN]"`)
		require.Contains(t, got, `"path": "history[0]"`)
		require.Contains(t, got, `"path": "srv/deleted.txt"`)
		require.Contains(t, got, `"hiddenBy": "sha256:`)
		require.Contains(t, got, `"complete": true`)
	}
}
