package boltseal

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"time"
)

// File is one regular file as an analyzer sees it: a name, what a directory
// listing says of it, and its content on request.
type File struct {
	// Path is slash-separated, relative to the root, clean, and has no leading
	// slash. It is the path as it stands in the layer: a link in its parents is
	// not resolved.
	Path string
	Info fs.FileInfo
	Content
}

// Content gives access to a file's bytes. A driver reads each file at most
// once, whatever its analyzers ask for, and not at all if they ask nothing.
// Everything it returns is valid until AnalyzeFile returns, and none of it may
// be modified.
type Content interface {
	// Head returns the first n bytes, fewer if the file is shorter, and at most
	// 4096. It costs nothing beyond them.
	Head(n int) ([]byte, error)
	// Reader returns a stream from the first byte on. Stopping early is cheap.
	// Reader or Bytes is called once per analyzer and file, not both.
	Reader() io.Reader
	// Bytes returns the whole content, shared with the other analyzers, or an
	// error that wraps [ErrLimit] if it is larger than Limits.FileBytes.
	Bytes() ([]byte, error)
	// ReaderAt returns random access to the content, and its size: directly
	// where the source can seek, else through Bytes and under its limit.
	ReaderAt() (io.ReaderAt, int64, error)
}

// NewFile returns a File over bytes in memory, for analysing content that lies
// in no file system, and for tests.
func NewFile(name string, mode fs.FileMode, data []byte) *File {
	return &File{Path: name, Info: memInfo{name, mode, int64(len(data))}, Content: memContent(data)}
}

type memContent []byte

func (m memContent) Head(n int) ([]byte, error) { return m[:min(n, len(m), 4096)], nil }
func (m memContent) Reader() io.Reader          { return bytes.NewReader(m) }
func (m memContent) Bytes() ([]byte, error)     { return m, nil }
func (m memContent) ReaderAt() (io.ReaderAt, int64, error) {
	return bytes.NewReader(m), int64(len(m)), nil
}

// memInfo describes a file in memory. It is an [fs.DirEntry] too, so that it can
// be given to [FileAnalyzer.Wants].
type memInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i memInfo) Name() string               { return path.Base(i.name) }
func (i memInfo) Size() int64                { return i.size }
func (i memInfo) Mode() fs.FileMode          { return i.mode }
func (i memInfo) Type() fs.FileMode          { return i.mode.Type() }
func (i memInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i memInfo) ModTime() time.Time         { return time.Time{} }
func (i memInfo) IsDir() bool                { return i.mode.IsDir() }
func (i memInfo) Sys() any                   { return nil }
