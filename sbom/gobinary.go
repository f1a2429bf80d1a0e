package sbom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// GoBinary finds the modules that were linked into Go programs, from the build
// information that cmd/link leaves in ELF, PE and Mach-O files (package
// debug/buildinfo describes it). The program itself, each module and the
// standard library become embedded packages; the program depends on the others.
//
// The file is read as a stream, and only its writable segments are searched. A
// reader that can seek is spared the rest. Programs of Go before 1.18 keep the
// information behind pointers, which needs such a reader.
func GoBinary() boltseal.FileAnalyzer { return goBinary{} }

type goBinary struct{}

func (goBinary) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/gobinary", Version: 2, Doc: "modules linked into Go programs"}
}

func (goBinary) Wants(name string, d fs.DirEntry) bool { return wantsExecutable(name, d) }

func (goBinary) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	head, err := f.Head(4096)
	if err != nil {
		return err
	}
	exe, ok := parseExecutable(head)
	if !ok {
		return nil
	}
	found, err := findBuildInfo(ctx, f.Reader(), exe)
	if len(found) > 1 {
		p.Note(fmt.Sprintf("%d different records of Go build information; the modules of all are listed", len(found)))
	}
	for _, info := range found {
		if err := goPackages(info, p); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, errPointers):
		p.Skip("built by Go before 1.18, whose build information can only be read from a source that can seek: scan an uncompressed archive or a directory")
		return nil
	case err != nil:
		return &boltseal.Error{Op: "read Go build information", Location: boltseal.Location{Path: f.Path}, Err: err}
	case len(found) == 0 && exe.upx:
		p.Skip("packed with UPX: what it holds is unknown")
	}
	return nil
}

// goPackages reports what the build information names.
func goPackages(info rawBuildInfo, p *boltseal.Pass) error {
	mods, bad := parseModInfo(info.modules)
	at := fmt.Sprintf("Go build information at offset %d, %s", info.offset, info.goVersion)
	var needs []string
	add := func(name, version, detail string, confidence float64) {
		pkg := boltseal.Package{
			Type: "golang", Name: name, Version: version, State: boltseal.StateEmbedded,
			Evidence: []boltseal.Evidence{{Technique: boltseal.TechniqueBinary, Detail: detail, Confidence: confidence}},
		}
		pkg.PURL = purl.Of(&pkg)
		p.Package(pkg)
	}
	for _, d := range mods.deps {
		detail, confidence := at, 1.0
		if d.replaced != "" {
			detail += "; replaces " + d.replaced
		}
		if d.local != "" {
			detail += "; built from " + d.local + ", whose version is not recorded"
			confidence = 0.5
		}
		add(d.path, d.version, detail, confidence)
		needs = append(needs, d.path)
	}
	if v := stdlibVersion(info.goVersion); v != "" {
		add("stdlib", v, at, 1)
		needs = append(needs, "stdlib")
	} else {
		p.Note(fmt.Sprintf("standard library of unknown version: built by %.80q", info.goVersion))
	}
	if name := mods.main.path; name != "" {
		version, detail := mods.mainVersion()
		confidence := 1.0
		if detail != "" {
			detail, confidence = at+"; "+detail, 0.8
		} else {
			detail = at
		}
		add(name, version, detail, confidence)
		p.Results.Packages[len(p.Results.Packages)-1].DependsOn = needs
	}
	if bad > 0 {
		return fmt.Errorf("build information of Go: %d of its lines: %w", bad, boltseal.ErrMalformed)
	}
	return nil
}
