// Package spool keeps a stream in a file of a directory that the caller gave, so
// that it can be read at any place.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is a stream's bytes. It is gone once closed and, where the system can
// delete open files, also when the process dies.
type File struct {
	f    *os.File
	size int64
	left string // name still to be removed
}

// Copy reads r to its end into a new file of dir. The file does not survive an
// error.
func Copy(ctx context.Context, dir string, r io.Reader) (*File, error) {
	f, err := os.CreateTemp(dir, "boltseal-*.spool")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &File{f: f}
	if os.Remove(f.Name()) != nil {
		s.left = f.Name()
	}
	s.size, err = io.Copy(f, readerFunc(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(b)
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), s.Close())
	}
	return s, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// ReadAt reads from any place; it is safe for concurrent use.
func (s *File) ReadAt(b []byte, off int64) (int, error) { return s.f.ReadAt(b, off) }

// Size returns the number of bytes.
func (s *File) Size() int64 { return s.size }

// Close closes and removes the file.
func (s *File) Close() error {
	err := s.f.Close()
	if s.left != "" {
		err = errors.Join(err, os.Remove(s.left))
	}
	return err
}
