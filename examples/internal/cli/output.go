package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Outputs are where a program writes its results to: the values of its flags -o.
type Outputs struct {
	Formats []string // that the program has
	List    []Output
}

// Output is one of them.
type Output struct {
	Format string
	File   string // empty: stdout
}

// Add takes FORMAT or FORMAT=FILE; the file - is stdout.
func (o *Outputs) Add(s string) error {
	format, file, named := strings.Cut(s, "=")
	if !slices.Contains(o.Formats, format) {
		return fmt.Errorf("want one of %s", strings.Join(o.Formats, ", "))
	}
	if named && file == "" {
		return fmt.Errorf("no file name after %s=", format)
	}
	if file == "-" {
		file = ""
	}
	for _, other := range o.List {
		switch {
		case other.File != file:
		case file == "":
			return fmt.Errorf("%s and %s cannot both go to stdout: give one a file, as in -o %s=FILE", other.Format, format, format)
		default:
			return fmt.Errorf("%s and %s cannot both go to %s", other.Format, format, file)
		}
	}
	o.List = append(o.List, Output{format, file})
	return nil
}

// Write has every output rendered, the first format to stdout if none was
// asked for.
func (o *Outputs) Write(c *Console, render func(w io.Writer, format string) error) error {
	list := o.List
	if len(list) == 0 {
		list = []Output{{Format: o.Formats[0]}}
	}
	for _, out := range list {
		fill := func(w io.Writer) error { return render(w, out.Format) }
		if out.File == "" {
			b := bufio.NewWriter(c.Out)
			if err := errors.Join(fill(b), b.Flush()); err != nil {
				return fmt.Errorf("write %s: %w", out.Format, err)
			}
			continue
		}
		if err := WriteFile(out.File, fill); err != nil {
			return fmt.Errorf("write %s: %w", out.Format, err)
		}
		c.Remark("wrote %s", out.File)
	}
	return nil
}

// WriteFile writes a file whole or not at all: beside it first, then renamed. It
// keeps the permissions of a file that exists. What exists and is no regular
// file, such as a pipe or a link (/dev/stdout is one), is written to directly.
func WriteFile(name string, fill func(io.Writer) error) error {
	info, _ := os.Lstat(name)
	if info != nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return err
		}
		return finish(f, fill)
	}
	beside := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		var at *fs.PathError // of a name that nobody knows
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	defer os.Remove(f.Name()) // fails once renamed
	if info != nil {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			f.Close()
			return err
		}
	}
	if err := finish(f, fill); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func finish(f *os.File, fill func(io.Writer) error) error {
	b := bufio.NewWriter(f)
	err := fill(b)
	if err == nil {
		err = b.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
