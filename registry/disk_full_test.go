//go:build linux

package registry_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/registry"
)

// TestDiskFull uses a store on a small disk of its own, which it fills and frees
// at random moments. A step that finds it full fails, and has done nothing; with
// room again, it is done.
func TestDiskFull(t *testing.T) {
	dir := os.Getenv("BOLTSEAL_TEST_DISK")
	if dir == "" { // a disk of a few megabytes, in a process that may mount one
		cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$", "-test.v")
		cmd.Env = append(os.Environ(), "BOLTSEAL_TEST_DISK="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 77 {
			t.Skip("no user namespaces here")
		}
		require.NoError(t, err, "%s", out)
		t.Logf("%s", out)
		return
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		fmt.Println(err)
		os.Exit(77)
	}
	filler := filepath.Join(dir, "filler")
	fill := func(leave int64) {
		var st syscall.Statfs_t
		require.NoError(t, syscall.Statfs(dir, &st))
		f, err := os.Create(filler)
		require.NoError(t, err)
		if n := int64(st.Bavail)*st.Bsize - leave; n > 0 {
			require.NoError(t, syscall.Fallocate(int(f.Fd()), 0, 0, n))
		}
		require.NoError(t, f.Close())
	}
	s, err := registry.OpenStore(t.Context(), filepath.Join(dir, "store"))
	require.NoError(t, err)
	w := &world{Name: "0", Fixed: map[string]map[string]int{"p1": {"CVE-1": 3}}}
	_, err = s.Evaluate(t.Context(), w)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(11, 11))
	want := map[string]digest.Digest{}
	full := 0
	for round := range 25 {
		var pkgs []boltseal.Package
		for i := range 200 { // most of them new, so that the file grows
			pkgs = append(pkgs, pkg(fmt.Sprint("p", rng.IntN(50)), rng.IntN(6)), pkg(fmt.Sprint("new-", round, "-", i), 1))
		}
		d := digest.FromString(fmt.Sprint(round))
		tag := fmt.Sprint("t", rng.IntN(20))
		next := w.Next(fmt.Sprint(round+1), func(n *world) { n.Fix(fmt.Sprint("p", rng.IntN(50)), fmt.Sprint("CVE-", rng.IntN(9)), rng.IntN(7)) })
		steps := []func() error{
			func() error { _, err := s.Put(d, registry.Inventory{Packages: pkgs}, w); return err },
			func() error {
				_, err := s.Apply(registry.Listing{Repository: "r/x", Tags: map[string]registry.Listed{tag: {Digest: d, Images: []digest.Digest{d}}}})
				return err
			},
			func() error { _, err := s.Fold(t.Context()); return err },
			func() error { _, err := s.Evaluate(t.Context(), next); return err },
		}
		for _, step := range steps {
			if rng.IntN(2) == 0 {
				fill(rng.Int64N(40_000))
			}
			err := step()
			if err != nil {
				require.ErrorIs(t, err, syscall.ENOSPC)
				full++
				require.NoError(t, s.Verify(t.Context(), w), "what failed has done nothing")
			}
			if removed := os.Remove(filler); removed != nil {
				require.ErrorIs(t, removed, os.ErrNotExist)
			}
			if err != nil {
				require.NoError(t, step(), "there is room again")
			}
		}
		w, want["r/x:"+tag] = next, d
		if round%10 == 9 { // and it opens again
			require.NoError(t, s.Close())
			s, err = registry.OpenStore(t.Context(), filepath.Join(dir, "store"))
			require.NoError(t, err)
		}
	}
	whole(t, s, w, want)
	require.NoError(t, s.Close())
	require.Greater(t, full, 5)
	t.Logf("%d steps found the disk full", full)
}
