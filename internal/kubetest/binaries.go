package kubetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// KubernetesVersion is that of the servers.
const KubernetesVersion = "v1.36.3"

// programs are built from module servers, each under its own name.
var programs = []struct{ name, path string }{
	{"etcd", "go.etcd.io/etcd/server/v3"},
	{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
	{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
}

// errNotBuilt says that the programs are not in the cache.
var errNotBuilt = errors.New("kube-apiserver, kube-controller-manager and etcd are not built: run `go run ./build` in internal/kubetest (about 10 minutes on 2 cores)")

// source returns the folder of module servers.
func source() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "servers")
}

// Dir returns where the programs are cached: a folder of the user's cache, named
// after the versions in servers/go.sum, of Go, and the platform.
func Dir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(source(), name))
		if err != nil {
			return "", err
		}
		h.Write(data)
	}
	return filepath.Join(cache, "boltseal", "kubetest", hex.EncodeToString(h.Sum(nil)[:8])), nil
}

// find returns the folder with all programs in it.
func find() (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	for _, p := range programs {
		if _, err := os.Stat(filepath.Join(dir, p.name)); errors.Is(err, fs.ErrNotExist) {
			return "", errNotBuilt
		} else if err != nil {
			return "", err
		}
	}
	return dir, nil
}

// Build builds the programs that the cache lacks.
func Build(ctx context.Context) (dir string, err error) {
	if dir, err = Dir(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	version := "k8s.io/component-base/version"
	flags := fmt.Sprintf("-s -w -X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=36", version, KubernetesVersion, version, version)
	for _, p := range programs {
		out := filepath.Join(dir, p.name)
		if _, err := os.Stat(out); err == nil {
			continue
		}
		tmp := fmt.Sprintf("%s.%d", out, os.Getpid())
		cmd := exec.CommandContext(ctx, "go", "build", "-o", tmp, "-ldflags", flags, p.path)
		cmd.Dir = source()
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			os.Remove(tmp)
			return "", fmt.Errorf("build %s: %w", p.name, err)
		}
		if err := os.Rename(tmp, out); err != nil {
			return "", err
		}
	}
	return dir, nil
}
