package sbom

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// Python finds the distributions that were installed for Python: the METADATA
// of *.dist-info folders (PyPA "Recording installed projects"), the PKG-INFO of
// *.egg-info folders or files and of unpacked eggs, and those inside zipped
// eggs and wheels. The files a distribution owns (RECORD, installed-files.txt),
// the tool that installed it (INSTALLER) and the place that it came from
// (direct_url.json) are joined to it.
func Python() boltseal.FileAnalyzer { return python{} }

type python struct{}

func (python) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/python", Version: 1, Doc: "Python distributions installed as dist-info or egg"}
}

// pythonRole says what a file means to a distribution.
type pythonRole uint8

const (
	pythonNone pythonRole = iota
	pythonMetadata
	pythonRecord    // RECORD: CSV
	pythonFiles     // installed-files.txt: one path a line
	pythonInstaller // INSTALLER: one word
	pythonDirectURL // direct_url.json
	pythonArchive   // egg or wheel, zipped
)

func pythonRoleOf(name string) pythonRole {
	dir, base := path.Split(name)
	switch base {
	case "METADATA":
		if strings.HasSuffix(dir, ".dist-info/") {
			return pythonMetadata
		}
	case "PKG-INFO":
		if strings.HasSuffix(dir, ".egg-info/") || path.Base(dir) == "EGG-INFO" {
			return pythonMetadata
		}
	case "RECORD", "INSTALLER", "direct_url.json":
		if strings.HasSuffix(dir, ".dist-info/") {
			switch base {
			case "RECORD":
				return pythonRecord
			case "INSTALLER":
				return pythonInstaller
			}
			return pythonDirectURL
		}
	case "installed-files.txt":
		if strings.HasSuffix(dir, ".egg-info/") {
			return pythonFiles
		}
	default:
		switch path.Ext(base) {
		case ".egg-info":
			return pythonMetadata
		case ".egg", ".whl":
			return pythonArchive
		}
	}
	return pythonNone
}

func (python) Wants(name string, _ fs.DirEntry) bool { return pythonRoleOf(name) != pythonNone }

// Bounds of small files beside METADATA.
const (
	pythonHeaderMax = 1 << 20  // headers of METADATA; the description after them is not read
	pythonRecordMax = 8 << 20  // RECORD, and the paths that it stands for
	pythonSmallMax  = 64 << 10 // INSTALLER, direct_url.json
)

func (python) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	fail := func(err error) error {
		if err == nil {
			return nil
		}
		return &boltseal.Error{Op: "read Python distribution", Location: boltseal.Location{Path: f.Path}, Err: err}
	}
	role := pythonRoleOf(f.Path)
	switch role {
	case pythonMetadata:
		pkg, ok, err := readPythonMetadata(f.Reader())
		if ok {
			p.Package(pkg)
		}
		return fail(err)
	case pythonArchive:
		return fail(pythonInArchive(ctx, f, p))
	}
	limit := int64(pythonSmallMax)
	if role == pythonRecord || role == pythonFiles {
		limit = pythonRecordMax
	}
	data, err := io.ReadAll(io.LimitReader(f.Reader(), limit+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(data)) > limit {
		return fail(fmt.Errorf("larger than %d KiB: %w", limit>>10, boltseal.ErrLimit))
	}
	switch role {
	case pythonRecord:
		files, err := parsePythonRecord(data, path.Dir(path.Dir(f.Path)))
		p.Fact(factPythonFiles, []byte(strings.Join(files, "\n")))
		return fail(err)
	case pythonFiles:
		files, err := parseInstalledFiles(data, path.Dir(f.Path))
		p.Fact(factPythonFiles, []byte(strings.Join(files, "\n")))
		return fail(err)
	case pythonInstaller:
		if name := bytes.TrimSpace(data); len(name) > 0 && len(name) <= 100 {
			p.Fact(factPythonInstaller, name)
		}
	case pythonDirectURL:
		origin, err := parseDirectURL(data)
		if origin != "" {
			p.Fact(factPythonOrigin, []byte(origin))
		}
		return fail(err)
	}
	return nil
}

// pythonInArchive looks into a zipped egg or wheel.
func pythonInArchive(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	head, err := f.Head(4)
	if err != nil || string(head) != "PK\x03\x04" {
		return err
	}
	r, size, err := f.ReaderAt()
	if err != nil {
		return err
	}
	w := newZipWalk(ctx, p, f.Path)
	return w.walk(r, size, nil, func(m *zipMember) error {
		name := m.name()
		if pythonRoleOf(name) != pythonMetadata || strings.Count(name, "/") != 1 {
			return nil
		}
		body, err := m.open()
		if err != nil {
			return err
		}
		pkg, ok, err := readPythonMetadata(body)
		if ok {
			if strings.HasSuffix(f.Path, ".whl") {
				pkg.State = boltseal.StateEmbedded // carried along, not importable
			}
			pkg.Locations = []boltseal.Location{m.location()}
			p.Package(pkg)
		}
		m.close(body)
		return err
	})
}
