package image

import (
	lru "container/list"
	"context"
	"sync"
)

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
