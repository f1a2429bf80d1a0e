package sbom

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/boltseal/boltseal"
)

// Analyzers returns the default set, in the order in which their joins must
// run: the release first, since packages are named after it; then the package
// managers; then the languages; ownership last. Each is safe for concurrent use.
func Analyzers() []boltseal.FileAnalyzer {
	return []boltseal.FileAnalyzer{
		OSRelease(),
		Dpkg(),
		APK(),
		RPM(),
		ALPM(),
		GoBinary(),
		RustBinary(),
		NPM(),
		Python(),
		Java(),
		Gem(),
		Composer(),
		NuGet(),
		Bitnami(),
		NestedRoots(),
		Owner(),
	}
}

// Bounds on what one record may grow into; real ones stay far below.
const (
	// pathGrowth bounds the length of a package's paths together, as a multiple
	// of its record, where directories are stored once and repeated in every
	// path. Real packages stay below 2.
	pathGrowth = 8
	maxPaths   = 1 << 20 // files of one package
	maxNames   = 1 << 16 // names in one relationship field
)

// grow makes room for the packages of a database in which each record has the
// mark once, but never for more than its size makes likely.
func grow(p *boltseal.Pass, data []byte, mark string) {
	const record = 256 // bytes; real ones are seldom shorter
	n := min(bytes.Count(data, []byte(mark)), len(data)/record, p.Limits.FileResults)
	p.Results.Packages = slices.Grow(p.Results.Packages, n)
}

// room returns an error once the results of one file have reached their limit.
func room(p *boltseal.Pass) error {
	if n := len(p.Results.Packages) + len(p.Results.Findings) + len(p.Results.Facts); n >= p.Limits.FileResults {
		return fmt.Errorf("%w: %d results from one file; raise Limits.FileResults", boltseal.ErrLimit, n)
	}
	return nil
}
