package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
)

// openSource opens a directory of OSV exports.
func openSource(ctx context.Context, from, spool string, c *console) (src fs.FS, cleanup func(), err error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		return nil, nil, fmt.Errorf("%s is not a directory", from)
	}
	return os.DirFS(from), func() {}, nil
}
