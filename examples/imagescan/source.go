package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/vuln"
)

// openSource opens OSV exports: a directory as it is, a URL by a mirror in the
// user's cache, so that the next build fetches only what has changed.
func openSource(ctx context.Context, from string, c *cli.Console) (fs.FS, error) {
	if strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://") {
		dir := cli.InUserCache(filepath.Join("osv", boltseal.Fingerprint(from)))
		if dir == "" {
			return nil, fmt.Errorf("a URL: there is no user cache to mirror it in; set XDG_CACHE_HOME, or download it and give the directory")
		}
		shown := "the export" // whose address may hold a password
		if u, err := url.Parse(from); err == nil {
			shown = u.Redacted()
		}
		c.Remark("fetching %s to %s", shown, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if err := vuln.Fetch(ctx, from, dir, nil); err != nil {
			return nil, err
		}
		return os.DirFS(dir), nil
	}
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a directory", from)
	}
	return os.DirFS(from), nil
}
