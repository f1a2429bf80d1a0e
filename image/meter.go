package image

import (
	"context"
	"hash"
	"io"

	"github.com/boltseal/boltseal"
)

// meter counts and hashes what is read through it, and ends with the context.
type meter struct {
	ctx      context.Context
	r        io.Reader
	n        int64
	max      int64 // what there should be; -1 is unknown
	hash     hash.Hash
	observer *boltseal.Observer
	item     string
	// The bytes from keepFrom to keepTo, not included, are kept.
	keepFrom, keepTo int64
	kept             []byte
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	if m.max >= 0 && int64(len(p)) > m.max+1-m.n { // one byte more shows that it is too long
		if m.n > m.max {
			return 0, io.EOF
		}
		p = p[:m.max+1-m.n]
	}
	n, err := m.r.Read(p)
	if from, to := max(m.n, m.keepFrom), min(m.n+int64(n), m.keepTo); from < to {
		m.kept = append(m.kept, p[from-m.n:to-m.n]...)
	}
	m.n += int64(n)
	if m.hash != nil {
		m.hash.Write(p[:n])
	}
	m.observer.Step(m.item, int64(n))
	return n, err
}
