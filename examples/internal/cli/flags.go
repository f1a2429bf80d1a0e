package cli

import (
	"flag"
	"io"
	"os"
	"path/filepath"

	"github.com/boltseal/boltseal"
)

// NewFlagSet returns a set of flags that prints nothing: [Console.Usage] does.
func NewFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// Parse takes flags before, between and after the other arguments, which it
// returns. What follows "--" is no flag.
func Parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// Severity is a flag's value: a severity, nil where the flag is not given.
func Severity(to **boltseal.Severity) func(string) error {
	return func(s string) error {
		v, err := boltseal.ParseSeverity(s)
		*to = &v
		return err
	}
}

// InUserCache returns a path in the user's cache directory, "" if there is none.
func InUserCache(name string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "boltseal", name)
}
