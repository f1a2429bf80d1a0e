package sbom

import "github.com/boltseal/boltseal"

// Analyzers returns the default set, in the order in which their joins must
// run: the release first, since packages are named after it; then the package
// managers; then the languages; ownership last. Each is safe for concurrent use.
func Analyzers() []boltseal.FileAnalyzer {
	return []boltseal.FileAnalyzer{
		GoBinary(),
		NPM(),
		// ownership goes last
	}
}
