package remote

import (
	"io"
)

const resumes = 5 // broken connections that one blob survives

// blob is a download that goes on where its connection broke.
type blob struct {
	open func(from int64) (io.ReadCloser, error)
	body io.ReadCloser
	n    int64 // bytes delivered
	size int64 // bytes expected
	left int   // resumes left
}

func newBlob(size int64, open func(from int64) (io.ReadCloser, error)) (*blob, error) {
	body, err := open(0)
	if err != nil {
		return nil, err
	}
	return &blob{open: open, body: body, size: size, left: resumes}, nil
}

// Read returns the next bytes. A stream that ends early, with or without an
// error, is opened again from there.
func (b *blob) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.n += int64(n)
	if err == nil || b.n >= b.size || b.left == 0 {
		return n, err
	}
	b.left--
	body, again := b.open(b.n)
	if again != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	_ = b.body.Close() // it is broken already
	b.body = body
	return n, nil
}

func (b *blob) Close() error { return b.body.Close() }
