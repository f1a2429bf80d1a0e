package image

import (
	lru "container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Cache keeps what [Analyze] found: a record for each layer, which serves every
// image that has the layer, one for each image, and one for a number of layers
// from the lowest on that images were seen to share. Get returns nil without an
// error for what it does not have. Keys are at most 80 letters, digits and
// hyphens. A value is never changed once it was given to Put or returned by Get,
// neither by the cache nor by its user: both may keep it. Implementations are safe
// for concurrent use.
//
// Records are checked when they are read: a damaged one, and one of another
// version, counts as absent. They are not signed: whoever can write to a cache
// decides what is found.
type Cache interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, value []byte) error
}

// MemoryCache is a [Cache] in memory that forgets what was not used for the
// longest time. Make one with [NewMemoryCache].
type MemoryCache struct {
	mu    sync.Mutex
	max   int64
	size  int64
	order *lru.List // of memoryItem, the last used in front
	items map[string]*lru.Element
}

type memoryItem struct {
	key   string
	value []byte
}

// NewMemoryCache returns a cache of at most maxBytes.
func NewMemoryCache(maxBytes int64) *MemoryCache {
	return &MemoryCache{max: maxBytes, order: lru.New(), items: map[string]*lru.Element{}}
}

// Get implements [Cache].
func (c *MemoryCache) Get(_ context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, nil
	}
	c.order.MoveToFront(e)
	return e.Value.(memoryItem).value, nil
}

// Put implements [Cache]. A value larger than the cache is not kept.
func (c *MemoryCache) Put(_ context.Context, key string, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.remove(e)
	}
	if int64(len(value)) > c.max {
		return nil
	}
	c.items[key] = c.order.PushFront(memoryItem{key, value})
	for c.size += int64(len(value)); c.size > c.max; {
		c.remove(c.order.Back())
	}
	return nil
}

func (c *MemoryCache) remove(e *lru.Element) {
	it := c.order.Remove(e).(memoryItem)
	delete(c.items, it.key)
	c.size -= int64(len(it.value))
}

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
		return "", fmt.Errorf("cache key %.80q: %w: letters, digits and hyphens make one", key, fs.ErrInvalid)
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

// cacheKey digests its parts.
func cacheKey(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return kind + "-" + hex.EncodeToString(h.Sum(nil))
}
