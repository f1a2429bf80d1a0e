package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/vuln"
	"github.com/boltseal/boltseal/vuln/snapshot"
)

// advisories are the database of a scan, and where it came from.
type advisories struct {
	db       *vuln.DB
	from     string
	snapshot bool // the few that the program embeds
}

// osvExport is OSV.dev's bulk export (google.github.io/osv.dev/data).
const osvExport = "https://osv-vulnerabilities.storage.googleapis.com"

func (a *advisories) close() { a.db.Close() }

// openAdvisories opens the database at path: a file, or a directory of OSV
// exports, which is read whole. Without a path it takes the one in the user's
// cache, else the snapshot inside the program.
func openAdvisories(ctx context.Context, path string, c *cli.Console) (*advisories, error) {
	if path == "" {
		cached := cli.InUserCache(databaseFile)
		db, err := vuln.Open(cached)
		switch {
		case err == nil:
			return &advisories{db, cached, false}, nil
		case cached != "" && !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w; build it again with imagescan db build", err)
		}
		db, err = snapshot.Open()
		if err != nil {
			return nil, err
		}
		return &advisories{db, "the snapshot inside imagescan", true}, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("advisory database: %w; imagescan db build makes one", err)
	case !info.IsDir():
		db, err := vuln.Open(path)
		if err != nil {
			return nil, err
		}
		return &advisories{db, path, false}, nil
	}
	c.Remark("reading the advisories in %s; imagescan db build does this once for all scans", path)
	b, _, err := vuln.Encode(ctx, []fs.FS{os.DirFS(path)}, nil)
	if err != nil {
		return nil, err
	}
	db, err := vuln.Load(b)
	if err != nil {
		return nil, err
	}
	return &advisories{db, path, false}, nil
}

const databaseFile = "advisories.db"
