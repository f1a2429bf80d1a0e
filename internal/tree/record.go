package tree

import "github.com/boltseal/boltseal"

// Record is what one layer holds, apart from the bytes: enough to fold it onto
// any other. It is a pure function of the layer and the analyzers.
type Record struct {
	DiffID  string
	Blobs   []string // digests of the blobs it was read from and verified with
	Bytes   int64    // of the regular files' contents
	Size    int64    // of the tar
	Files   int      // regular files and hard links
	Entries Entries
	Marks   Entries // whiteouts and opaque marks
	Results []FileResults
	Notes   []boltseal.Skip // about the layer as a whole and its entries
}

// FileResults is what was found in one file, in the order of the entries.
type FileResults struct {
	Entry uint32
	Path  string
	boltseal.Results
}
