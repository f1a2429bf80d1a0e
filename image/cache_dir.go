package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// DirCache is a [Cache] in a directory, one file per record, that removes what
// was not used for the longest time. Several processes may share it.
type DirCache struct {
	// Dir is made if it does not exist. It should hold nothing else.
	Dir string
	// MaxBytes bounds the sum of all files; 0 is 1 GiB, negative is no bound.
	MaxBytes int64
}

const (
	cacheSuffix = ".record"
	cacheTemp   = ".tmp-"
)

func (c *DirCache) file(key string) (string, error) {
	if key == "" || len(key) > 80 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("cache key %.80q: %w: want at most 80 lower-case letters, digits and hyphens", key, fs.ErrInvalid)
	}
	return filepath.Join(c.Dir, key+cacheSuffix), nil
}

// Get implements [Cache].
func (c *DirCache) Get(_ context.Context, key string) ([]byte, error) {
	name, err := c.file(key)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		now := time.Now()
		_ = os.Chtimes(name, now, now) // a read-only cache only forgets worse
	}
	return b, err
}

// Put implements [Cache]. The file appears whole or not at all.
func (c *DirCache) Put(_ context.Context, key string, value []byte) error {
	name, err := c.file(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.Dir, cacheTemp)
	if err != nil {
		return err
	}
	_, err = f.Write(value)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return c.prune(name)
}

// prune removes the oldest files while there are too many bytes, and what a
// killed process left behind. The file just written stays.
func (c *DirCache) prune(keep string) error {
	limit := c.MaxBytes
	if limit == 0 {
		limit = 1 << 30
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	sum := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // another process was faster
		}
		switch {
		case strings.HasPrefix(e.Name(), cacheTemp):
			if time.Since(info.ModTime()) > time.Hour {
				_ = os.Remove(filepath.Join(c.Dir, e.Name()))
			}
		case strings.HasSuffix(e.Name(), cacheSuffix):
			files = append(files, info)
			sum += info.Size()
		}
	}
	if limit < 0 || sum <= limit {
		return nil
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if sum <= limit {
			break
		}
		if f.Name() == filepath.Base(keep) {
			continue
		}
		if err := os.Remove(filepath.Join(c.Dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sum -= f.Size()
	}
	return nil
}
