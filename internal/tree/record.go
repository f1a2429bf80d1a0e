package tree

import (
	"fmt"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/internal/wire"
)

// Record is what one layer holds, apart from the bytes: enough to fold it onto
// any other. It is a pure function of the layer and the analyzers.
type Record struct {
	DiffID   string
	Encoding string   // of the blob it was read from
	Blobs    []string // digests of the blobs it was read from and verified with
	Bytes    int64    // of the regular files' contents
	Size     int64    // of the tar
	Files    int      // regular files and hard links
	Entries  Entries
	Marks    Entries // whiteouts and opaque marks
	Results  []FileResults
	Findings []boltseal.Finding // about the layer as a whole
	Notes    []boltseal.Skip    // about the layer as a whole and its entries
}

// FileResults is what was found in one file, in the order of the entries.
type FileResults struct {
	Entry uint32
	Path  string
	boltseal.Results
}

// Marshal writes the record; see package wire for the form.
func (r *Record) Marshal() []byte { return wire.Marshal(r, len(r.Entries.Data)+len(r.Marks.Data)) }

// ParseRecord reads what Marshal wrote. Anything else, of another version or
// damaged, is an error that wraps [boltseal.ErrMalformed]. Entries and marks are
// not looked at: see [Record.Check].
func ParseRecord(b []byte) (*Record, error) {
	r := &Record{}
	if err := wire.Unmarshal(b, r); err != nil {
		return nil, err
	}
	next := int64(0)
	for i := range r.Results {
		if e := int64(r.Results[i].Entry); e < next || e >= int64(r.Entries.N) {
			return nil, fmt.Errorf("results of a layer record: %w", boltseal.ErrMalformed)
		}
		next = int64(r.Results[i].Entry) + 1
	}
	return r, nil
}

// Check reads all entries and marks of a parsed record. A record must be checked
// before it is given to [Squash.Apply], not before [Restore].
func (r *Record) Check() error {
	if err := r.Entries.check(false); err != nil {
		return err
	}
	return r.Marks.check(true)
}
