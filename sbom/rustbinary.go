package sbom

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/purl"
)

// RustBinary finds the crates that were linked into Rust programs built with
// cargo-auditable, from the list in their section ".dep-v0": a zlib stream of
// JSON, described by cargo-auditable's PARSING.md. Distributions and many
// release builds use it; a program built by cargo alone names no crate.
//
// The file is read as a stream. PE and Mach-O say at their start where the
// section is; in an ELF file the read-only segments are searched for a list.
func RustBinary() boltseal.FileAnalyzer { return rustBinary{} }

type rustBinary struct{}

func (rustBinary) Info() boltseal.Info {
	return boltseal.Info{ID: "sbom/rustbinary", Version: 1, Doc: "crates linked into Rust programs built with cargo-auditable"}
}

func (rustBinary) Wants(name string, d fs.DirEntry) bool { return wantsExecutable(name, d) }

func (rustBinary) AnalyzeFile(ctx context.Context, f *boltseal.File, p *boltseal.Pass) error {
	head, err := f.Head(4096)
	if err != nil {
		return err
	}
	exe, ok := parseExecutable(head)
	if !ok || len(exe.audit) == 0 {
		return nil
	}
	list, err := findCrates(ctx, f.Reader(), exe.audit)
	if err != nil {
		return &boltseal.Error{Op: "read list of crates", Location: boltseal.Location{Path: f.Path}, Err: err}
	}
	if list == nil {
		return nil
	}
	return readCrates(list, p)
}

// crate is one entry of the list.
type crate struct {
	name, version, source string
	build                 bool   // used while building, not linked
	needs                 []byte // JSON array of indexes in the list
}

// Far above what any program was linked from.
const (
	maxCrates     = 100_000
	maxCrateEdges = 1 << 20
)

// readCrates reports what the list names. What only ran while the program was
// built is not in it.
func readCrates(list []byte, p *boltseal.Pass) error {
	list, err := validJSON(list)
	if err != nil {
		return fmt.Errorf("list of crates: %w", err)
	}
	var crates []crate
	format := "0"
	for key, value := range jsonObject(list) {
		switch key {
		case "format":
			format = string(value)
		case "packages":
			crates = nil
			for element := range jsonArray(value) {
				if len(crates) == maxCrates {
					return fmt.Errorf("list of crates: %w: more than %d", boltseal.ErrLimit, maxCrates)
				}
				crates = append(crates, parseCrate(element))
			}
		}
	}
	bad, edges := 0, 0
	for _, c := range crates {
		switch {
		case c.build:
			continue
		case c.name == "" || c.version == "":
			bad++
			continue
		}
		if err := room(p); err != nil {
			return err
		}
		evidence := boltseal.Evidence{Technique: boltseal.TechniqueBinary, Detail: "cargo-auditable's section " + auditSection, Confidence: 1}
		if c.source != "crates.io" {
			evidence.Detail += fmt.Sprintf("; built from source %q: crates.io may know another crate by this name", c.source)
			evidence.Confidence = .5
		}
		if format == "0" {
			evidence.Detail += "; a list of format 0, which may name crates that were not linked"
			evidence.Confidence = min(evidence.Confidence, .8)
		}
		pkg := boltseal.Package{Type: "cargo", Name: c.name, Version: c.version, State: boltseal.StateEmbedded, Evidence: []boltseal.Evidence{evidence}}
		pkg.DependsOn = []string{}
		for index := range jsonArray(c.needs) {
			if edges++; edges > maxCrateEdges {
				return fmt.Errorf("list of crates: %w: more than %d dependencies", boltseal.ErrLimit, maxCrateEdges)
			}
			if i, err := strconv.Atoi(string(index)); err != nil || i < 0 || i >= len(crates) {
				bad++
			} else if to := crates[i]; !to.build && to.name != "" {
				pkg.DependsOn = append(pkg.DependsOn, to.name)
			}
		}
		pkg.PURL = purl.Of(&pkg)
		p.Package(pkg)
	}
	if bad > 0 {
		return fmt.Errorf("list of crates: %d of its entries: %w", bad, boltseal.ErrMalformed)
	}
	return nil
}

func parseCrate(element []byte) crate {
	var c crate
	for key, value := range jsonObject(element) {
		switch key {
		case "name":
			c.name = jsonString(value)
		case "version":
			c.version = jsonString(value)
		case "source":
			c.source = jsonString(value)
		case "kind":
			c.build = jsonString(value) == "build"
		case "dependencies":
			c.needs = value
		}
	}
	return c
}
