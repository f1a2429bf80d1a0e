package sbom

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// walkImage calls visit for each regular file of each layer of the docker
// archive NAME.docker.tar in $BOLTSEAL_IMAGES.
func walkImage(t *testing.T, name string, visit func(name string, info fs.FileInfo, r io.Reader)) {
	t.Helper()
	dir := os.Getenv("BOLTSEAL_IMAGES")
	if dir == "" {
		t.Skip("BOLTSEAL_IMAGES is not set")
	}
	f, err := os.Open(filepath.Join(dir, name+".docker.tar"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("BOLTSEAL_IMAGES: %v", err)
	}
	require.NoError(t, err)
	defer f.Close()
	for outer := tar.NewReader(f); ; {
		h, err := outer.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		if !strings.HasSuffix(h.Name, "/layer.tar") {
			continue
		}
		for layer := tar.NewReader(outer); ; {
			h, err := layer.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			if h.Typeflag == tar.TypeReg {
				visit(strings.TrimPrefix(h.Name, "./"), h.FileInfo(), layer)
			}
		}
	}
}

// TestLanguagesInImage reads every layer of a real image. For each Go program
// package debug/buildinfo is the oracle, for npm the lock file in the image.
func TestLanguagesInImage(t *testing.T) {
	analyzers := []boltseal.FileAnalyzer{NPM(), Python(), Java()}
	got := make(map[string]map[string]int)
	var lock struct {
		Packages map[string]struct {
			Name, Version string
			Optional      bool // those of other platforms are not there
		}
	}
	programs := 0
	walkImage(t, "big", func(name string, info fs.FileInfo, r io.Reader) {
		var wanted []boltseal.FileAnalyzer
		entry := fs.FileInfoToDirEntry(info)
		for _, a := range analyzers {
			if a.Wants(name, entry) {
				wanted = append(wanted, a)
			}
		}
		isLock := name == "app/package-lock.json"
		isGo := GoBinary().Wants(name, entry)
		if len(wanted) == 0 && !isGo && !isLock {
			return
		}
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		if isLock {
			require.NoError(t, json.Unmarshal(data, &lock))
		}
		if isGo {
			programs++
			compareBuildInfo(t, name, data)
		}
		for _, a := range wanted {
			p := &boltseal.Pass{Limits: (*boltseal.Limits)(nil).WithDefaults()}
			if err := a.AnalyzeFile(context.Background(), boltseal.NewFile(name, info.Mode(), data), p); err != nil {
				t.Log(err)
			}
			for _, s := range p.Results.Skipped {
				t.Log(name, s.Reason)
			}
			for _, pkg := range p.Results.Packages {
				if got[pkg.Type] == nil {
					got[pkg.Type] = make(map[string]int)
				}
				got[pkg.Type][pkg.PURL]++
			}
		}
	})
	require.NotZero(t, programs)
	require.NotEmpty(t, lock.Packages)
	missing, checked := 0, 0
	for at, entry := range lock.Packages {
		i := strings.LastIndex(at, "node_modules/")
		if i < 0 || entry.Optional {
			continue
		}
		checked++
		name := at[i+len("node_modules/"):]
		if entry.Name != "" {
			name = entry.Name
		}
		if got["npm"]["pkg:npm/"+strings.Replace(name, "@", "%40", 1)+"@"+strings.ReplaceAll(entry.Version, "+", "%2B")] == 0 {
			missing++
			t.Log("in the lock file, not found: ", at, entry.Version)
		}
	}
	t.Logf("%d programs looked at; %d npm, %d pypi, %d maven", programs, len(got["npm"]), len(got["pypi"]), len(got["maven"]))
	require.Zero(t, missing)
	require.Greater(t, checked, 1000)
	require.NotEmpty(t, got["pypi"])
	require.NotEmpty(t, got["maven"])
}
