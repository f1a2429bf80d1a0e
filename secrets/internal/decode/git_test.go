package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

// repository makes a repository with a file that grows and shrinks over 60
// commits, a commit that nothing leads to, and a binary blob.
const repository = `
git init -q $FORMAT r; cd r
git symbolic-ref HEAD refs/heads/main
{
i=0; while [ $i -lt 60 ]; do
  printf 'commit refs/heads/main\ncommitter n <e@example.com> %d +0000\ndata <<E\ncommit %d\nE\n' $((1700000000+i)) $i
  printf 'M 100644 inline growing\ndata <<E\n'; seq $i $((i+900)); printf 'line of %d\nE\n' $i
  printf 'M 100644 inline d/f%d\ndata <<E\n%d\nE\n' $i $i
  i=$((i+1))
done
printf 'commit refs/heads/main\ncommitter n <e@example.com> 1700000100 +0000\ndata 5\nzeros\nM 100644 inline zeros\ndata 300000\n'; head -c 300000 /dev/zero
printf '\ncommit refs/heads/lost\ncommitter n <e@example.com> 1700000200 +0000\ndata 4\nlost\nfrom refs/heads/main\nM 100644 inline lost\ndata 4\nlost\n'
printf 'tag v1\nfrom refs/heads/main\ntagger n <e@example.com> 1700000300 +0000\ndata 5\na tag\n'
} | git -c fastimport.unpackLimit=100000 fast-import --quiet
`

// gitDir runs the script and returns the repository's folder.
func gitDir(t testing.TB, format, script string) string {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-ec", repository+script+"\ngit update-ref -d refs/heads/lost || true")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "FORMAT="+format)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(dir, "r")
}

// objects is what git says is in the repository: type and content by ID.
func objects(t testing.TB, dir string) map[string]string {
	cmd := exec.Command("git", "cat-file", "--batch", "--batch-all-objects")
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err)
	all := map[string]string{}
	for r := bufio.NewReader(bytes.NewReader(out)); ; {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return all
		}
		var id, kind string
		var size int
		_, err = fmt.Sscan(line, &id, &kind, &size)
		require.NoError(t, err)
		data := make([]byte, size+1)
		_, err = io.ReadFull(r, data)
		require.NoError(t, err)
		all[id] = kind + " " + string(data[:size])
	}
}

func free(int) error { return nil }

func packFile(t testing.TB, dir string) *os.File {
	packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	require.NoError(t, err)
	require.Len(t, packs, 1)
	f, err := os.Open(packs[0])
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestPackOfGit(t *testing.T) {
	for _, c := range []struct {
		name, format, script string
		idSize               int
	}{
		{"offsets", "", "git repack -q -adf --depth=50 --window=50", 20},
		{"ids", "", "git config repack.useDeltaBaseOffset false; git repack -q -adf", 20},
		{"sha256", "--object-format=sha256", "git repack -q -adf", 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := gitDir(t, c.format, c.script)
			want := objects(t, dir)
			f := packFile(t, dir)
			info, err := f.Stat()
			require.NoError(t, err)
			p, err := OpenPack(f, info.Size(), c.idSize, GitLimits{}, free)
			require.NoError(t, err)
			require.Equal(t, len(want), p.Objects())
			p.Skip = func(o string, err error) { t.Errorf("%s: %v", o, err) }
			deltas := 0
			for _, e := range p.entries {
				if e.kind >= packOffset {
					deltas++
				}
			}
			require.Greater(t, deltas, 50)
			for range 2 { // the second walk knows the IDs
				got := map[string]string{}
				require.NoError(t, p.Walk(func(o *GitObject) error {
					got[o.ID] = o.Type + " " + string(o.Data)
					return nil
				}))
				require.Equal(t, want, got)
			}
			for id, content := range want {
				o, err := p.Get(id)
				require.NoError(t, err)
				require.True(t, content == o.Type+" "+string(o.Data))
			}
			o, err := p.Get(strings.Repeat("0", 2*c.idSize))
			require.NoError(t, err)
			require.Nil(t, o)

			p.limits.Object = 100_000 // zeros is larger
			large := 0
			require.NoError(t, p.Walk(func(o *GitObject) error {
				data, err := io.ReadAll(o.Content())
				require.NoError(t, err)
				require.True(t, want[o.ID] == o.Type+" "+string(data))
				if o.Reader != nil {
					large++
				}
				return nil
			}))
			require.Equal(t, 1, large)
			stop := errors.New("enough")
			require.ErrorIs(t, p.Walk(func(o *GitObject) error { return stop }), stop)
		})
	}
}

func TestPackLimits(t *testing.T) {
	f := packFile(t, gitDir(t, "", "git repack -q -adf --depth=50 --window=50"))
	info, err := f.Stat()
	require.NoError(t, err)
	p, err := OpenPack(f, info.Size(), 20, GitLimits{Chain: 3}, free)
	require.NoError(t, err)
	skipped, shown := 0, 0
	p.Skip = func(_ string, err error) { skipped++ }
	require.NoError(t, p.Walk(func(*GitObject) error { shown++; return nil }))
	require.Positive(t, skipped)
	require.Equal(t, p.Objects(), skipped+shown)

	_, err = OpenPack(f, info.Size(), 20, GitLimits{Objects: 10}, free)
	require.ErrorIs(t, err, boltseal.ErrLimit)

	full := errors.New("no more")
	spent := 0
	_, err = OpenPack(f, info.Size(), 20, GitLimits{}, func(n int) error {
		if spent += n; spent > 1000 {
			return full
		}
		return nil
	})
	require.ErrorIs(t, err, full)

	cut, err := OpenPack(f, info.Size()/2, 20, GitLimits{}, free)
	require.ErrorIs(t, err, boltseal.ErrMalformed)
	require.Positive(t, cut.Objects())
	require.NoError(t, cut.Walk(func(*GitObject) error { return nil }))
}

func TestStreamPack(t *testing.T) {
	dir := gitDir(t, "", "git repack -q -adf --depth=50 --window=50")
	want := objects(t, dir)
	whole, added := map[string]bool{}, ""
	require.NoError(t, StreamPack(packFile(t, dir), 20, free, func(o *GitObject) error {
		data, err := io.ReadAll(o.Content())
		if o.Type == "delta" {
			added += string(data)
		} else {
			whole[o.Type+" "+string(data)] = true
		}
		return err
	}))
	missing := 0
	for _, content := range want {
		if !whole[content] {
			missing++
		}
	}
	require.Positive(t, len(whole))
	require.Less(t, missing, len(want))
	require.NotEmpty(t, added)
}

func TestLooseOfGit(t *testing.T) {
	dir := gitDir(t, "", "")
	want := objects(t, dir)
	seen := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, ".git"), func(name string, d os.DirEntry, err error) error {
		id, ok := IsLoose(filepath.ToSlash(name))
		if !ok {
			return err
		}
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		o, err := Loose(id, f)
		require.NoError(t, err)
		data, err := io.ReadAll(o.Content())
		require.NoError(t, err)
		require.True(t, want[id] == o.Type+" "+string(data))
		seen++
		return nil
	}))
	require.Equal(t, len(want), seen)
}

func TestCommitsAndTrees(t *testing.T) {
	dir := gitDir(t, "", "")
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	all := objects(t, dir)
	c, ok := ParseCommit([]byte(strings.TrimPrefix(all[git("rev-parse", "HEAD")], "commit ")))
	require.True(t, ok)
	require.Equal(t, git("rev-parse", "HEAD^{tree}"), c.Tree)
	require.Equal(t, []string{git("rev-parse", "HEAD~1")}, c.Parents)
	require.Equal(t, git("log", "-1", "--format=%ct"), fmt.Sprint(c.Time))
	var names []string
	require.NoError(t, ParseTree([]byte(strings.TrimPrefix(all[c.Tree], "tree ")), 20, func(e TreeEntry) {
		require.Equal(t, git("rev-parse", "HEAD:"+e.Name), e.ID)
		require.Equal(t, e.Name == "d", e.Dir)
		names = append(names, e.Name)
	}))
	require.Equal(t, strings.Fields(git("ls-tree", "--name-only", "HEAD")), names)
}

func FuzzPack(f *testing.F) {
	dir := gitDir(f, "", "rm -rf .git; git init -q; git config user.name n; git config user.email e@example.com; seq 1 50 > a; git add a; git commit -qm 1; seq 2 52 > a; git commit -qam 2; git gc -q")
	data, err := os.ReadFile(packFile(f, dir).Name())
	require.NoError(f, err)
	require.Less(f, len(data), 4096)
	f.Add(data)
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x30x\x9c\x03\x00\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		spent := 0
		spend := func(n int) error {
			if spent += n; spent > 64<<20 {
				return boltseal.ErrLimit
			}
			return nil
		}
		p, _ := OpenPack(bytes.NewReader(data), int64(len(data)), 20, GitLimits{Object: 1 << 20}, spend)
		if p != nil {
			skipped, shown := 0, 0
			p.Skip = func(string, error) { skipped++ }
			if p.Walk(func(o *GitObject) error {
				shown++
				if len(o.ID) != 40 || o.Type == "" {
					t.Fatalf("%+v", o)
				}
				ParseCommit(o.Data)
				ParseTree(o.Data, 20, func(TreeEntry) {})
				return nil
			}) == nil && skipped+shown != p.Objects() {
				t.Fatalf("%d skipped, %d shown of %d", skipped, shown, p.Objects())
			}
		}
		StreamPack(bytes.NewReader(data), 20, spend, func(o *GitObject) error {
			_, err := io.Copy(io.Discard, io.LimitReader(o.Content(), 1<<20))
			return err
		})
		if o, err := Loose("", bytes.NewReader(data)); err == nil {
			io.Copy(io.Discard, io.LimitReader(o.Content(), 1<<20))
		}
	})
}
