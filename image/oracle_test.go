package image

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// lister lists the finished tree, contents hashed, in the form of
// NAME.list: type, mode, size, digest or target, path.
type lister struct{ lines []string }

func (*lister) Info() boltseal.Info            { return boltseal.Info{ID: "test/lister"} }
func (*lister) Wants(string, fs.DirEntry) bool { return true }
func (*lister) AnalyzeFile(_ context.Context, f *boltseal.File, p *boltseal.Pass) error {
	h := sha256.New()
	if _, err := io.Copy(h, f.Reader()); err != nil {
		return err
	}
	p.Fact("sum", h.Sum(nil))
	return nil
}

func (l *lister) Join(_ context.Context, v boltseal.View, _ *boltseal.Pass) error {
	sums := map[string]string{}
	for f := range v.Facts("sum") {
		sums[f.Location.Path] = hex.EncodeToString(f.Data)
	}
	for e, first := range v.(*joinView).All() {
		l.lines = append(l.lines, listLine(e, sums[first]))
	}
	return nil
}

func listLine(e boltseal.Entry, sum string) string {
	kind, size, extra := "f", e.Size, sum
	switch {
	case e.Mode.IsDir():
		kind, size, extra = "d", 0, "-"
	case e.Mode&fs.ModeSymlink != 0:
		kind, size, extra = "l", int64(len(e.Target)), e.Target
	case !e.Mode.IsRegular():
		kind, size, extra = "s", 0, "-"
	}
	mode := uint32(e.Mode.Perm())
	for bit, m := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if e.Mode&m != 0 {
			mode |= bit
		}
	}
	return fmt.Sprintf("%s\t%04o\t%d\t%s\t/%s", kind, mode, size, extra, e.Path)
}

// TestOracle compares the visible tree of real images with what containerd
// unpacks from them.
func TestOracle(t *testing.T) {
	dir := os.Getenv("BOLTSEAL_IMAGES")
	if dir == "" {
		t.Skip("BOLTSEAL_IMAGES is not set: it names the folder that shared/scripts/build-images.sh --oracle filled")
	}
	for _, name := range []string{"small", "deb4", "big"} {
		for _, source := range []string{"oci-archive:%s.oci.tar", "docker-archive:%s.docker.tar"} {
			t.Run(name+"/"+source[:3], func(t *testing.T) {
				if testing.Short() && name != "small" {
					t.Skip("short")
				}
				prefix, file, _ := strings.Cut(fmt.Sprintf(source, name), ":")
				img, err := Open(t.Context(), prefix+":"+filepath.Join(dir, file), nil)
				require.NoError(t, err)
				defer img.Close()
				l := &lister{}
				inv, err := Analyze(t.Context(), img, nil, l)
				require.NoError(t, err)
				require.True(t, inv.Complete, "%v", inv.Skipped)
				compareList(t, filepath.Join(dir, name+".list"), l.lines)
			})
		}
	}
}

func compareList(t *testing.T, list string, got []string) {
	f, err := os.Open(list)
	require.NoError(t, err)
	defer f.Close()
	have := map[string]string{}
	for _, line := range got {
		have[line[strings.LastIndexByte(line, '\t')+1:]] = line
	}
	n, bad := 0, 0
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		c := strings.Split(sc.Text(), "\t")
		if c[0] == "c" || c[0] == "b" || c[0] == "p" {
			c[0], c[3], c[4] = "s", "0", "-"
		}
		size, err := strconv.Atoi(c[3])
		require.NoError(t, err)
		want := fmt.Sprintf("%s\t%s\t%d\t%s\t%s", c[0], c[1], size, c[4], c[5])
		n++
		if have[c[5]] != want {
			if bad++; bad < 20 {
				t.Errorf("want %s\n got %s", want, have[c[5]])
			}
		}
		delete(have, c[5])
	}
	require.NoError(t, sc.Err())
	require.NotZero(t, n)
	for p := range have {
		t.Errorf("not in containerd's tree: %s", have[p])
		break
	}
	require.Empty(t, len(have))
	require.Zero(t, bad)
}
