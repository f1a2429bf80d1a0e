package sbom

import (
	"fmt"

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
		GoBinary(),
		NPM(),
		Python(),
		Java(),
		Owner(),
	}
}

// room returns an error once the results of one file have reached their limit.
func room(p *boltseal.Pass) error {
	if n := len(p.Results.Packages) + len(p.Results.Findings) + len(p.Results.Facts); n >= p.Limits.FileResults {
		return fmt.Errorf("%w: %d results from one file; raise Limits.FileResults", boltseal.ErrLimit, n)
	}
	return nil
}
