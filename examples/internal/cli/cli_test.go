package cli

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boltseal/boltseal"
)

func TestFlagsStandAnywhere(t *testing.T) {
	for _, tt := range []struct {
		args, rest []string
		quiet      bool
	}{
		{[]string{"-q", "a"}, []string{"a"}, true},
		{[]string{"a", "-q", "b"}, []string{"a", "b"}, true},
		{[]string{"a", "--", "-q"}, []string{"a", "-q"}, false},
		{[]string{"-q", "--", "--", "a"}, []string{"--", "a"}, true},
		{nil, nil, false},
	} {
		fs := NewFlagSet("x")
		quiet := fs.Bool("q", false, "")
		rest, err := Parse(fs, tt.args)
		require.NoError(t, err)
		require.Equal(t, tt.rest, rest, tt.args)
		require.Equal(t, tt.quiet, *quiet, tt.args)
	}
	_, err := Parse(NewFlagSet("x"), []string{"a", "-nope"})
	require.ErrorContains(t, err, "-nope")
}

func TestSeverityIsNilUntilGiven(t *testing.T) {
	var v *boltseal.Severity
	require.Error(t, Severity(&v)("terrible"))
	require.NoError(t, Severity(&v)("high"))
	require.Equal(t, boltseal.SeverityHigh, *v)
}

func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out.json")
	o := Outputs{Formats: []string{"table", "json"}}
	for arg, says := range map[string]string{"xml": "want one of table, json", "json=": "no file name"} {
		require.ErrorContains(t, o.Add(arg), says)
	}
	render := func(w io.Writer, format string) error { _, err := io.WriteString(w, format+"\n"); return err }
	var out, remarks bytes.Buffer
	c := &Console{Name: "test", Out: &out, Err: &remarks}
	require.NoError(t, o.Write(c, render))
	require.Equal(t, "table\n", out.String(), "the first format, where none is asked for")

	require.NoError(t, o.Add("json="+file))
	require.NoError(t, o.Add("table=-"))
	require.ErrorContains(t, o.Add("json"), "cannot both go to stdout")
	require.ErrorContains(t, o.Add("table="+file), "cannot both go to "+file)
	out.Reset()
	require.NoError(t, o.Write(c, render))
	require.Equal(t, "table\n", out.String())
	require.Equal(t, "test: wrote "+file+"\n", remarks.String())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "json\n", string(b))
}

// A file that cannot be written whole stays as it was, and nothing lies beside it.
func TestWriteFileWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	require.NoError(t, os.WriteFile(file, []byte("before"), 0o600))
	broken := errors.New("broken")
	err := WriteFile(file, func(w io.Writer) error { io.WriteString(w, "half"); return broken })
	require.ErrorIs(t, err, broken)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "before", string(b))
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, list, 1)

	err = WriteFile(filepath.Join(dir, "none", "a"), func(io.Writer) error { return nil })
	require.ErrorContains(t, err, filepath.Join(dir, "none", "a"))
	require.NotContains(t, err.Error(), "a.", "the temporary file is nobody's business")
}

// Reports may hold secrets: a file stays as private as it was, and links stay
// links, such as /dev/stdout.
func TestWriteFileKeepsWhatItIs(t *testing.T) {
	dir := t.TempDir()
	text := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }
	file, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(file, []byte("before"), 0o600))
	require.NoError(t, WriteFile(file, text))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	require.NoError(t, os.WriteFile(file, []byte("before"), 0o600))
	if err := os.Symlink("a", link); err != nil {
		t.Skip("no links here: ", err)
	}
	require.NoError(t, WriteFile(link, text))
	info, err = os.Lstat(link)
	require.NoError(t, err)
	require.Equal(t, os.ModeSymlink, info.Mode().Type())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "new", string(b))
}

func TestConsole(t *testing.T) {
	var out, errs bytes.Buffer
	env := map[string]string{}
	c := &Console{Name: "test", Out: &out, Err: &errs, Env: func(k string) string { return env[k] }}
	require.Equal(t, ExitOK, c.Usage(flag.ErrHelp, "the help"))
	require.Equal(t, "the help", out.String())
	require.Equal(t, ExitUsage, c.Usage(errors.New("no \x1b[2Jflag"), ""))
	require.Equal(t, ExitIncomplete, c.Fail(errors.New("failed")))
	c.Remark("%d things", 3)
	c.Quiet = true
	c.Remark("not said")
	require.NotContains(t, errs.String(), "\x1b")
	require.Contains(t, errs.String(), "Run test -h for help.\ntest: failed\ntest: 3 things\n")
	require.NotContains(t, errs.String(), "not said")
	require.False(t, c.Color(), "no terminal")

	_, fixed, err := c.Now()
	require.NoError(t, err)
	require.False(t, fixed)
	env["SOURCE_DATE_EPOCH"] = "86400"
	at, fixed, err := c.Now()
	require.NoError(t, err)
	require.True(t, fixed)
	require.Equal(t, time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), at)
	env["SOURCE_DATE_EPOCH"] = "-1"
	_, _, err = c.Now()
	require.ErrorContains(t, err, "SOURCE_DATE_EPOCH")
}
