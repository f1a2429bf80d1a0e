package orchestrator

// document is one piece of a stream: a document, or one item of a List.
type document struct {
	data     []byte // valid until the next one
	yaml     bool
	line     int    // where its content begins, from 1
	first    int    // the line on which data begins
	source   string // what Helm's "# Source:" comment names
	tooLarge bool   // data is cut off
	outer    []byte // of the first item: the List's text before it
	// item says that this is one of a List's items; header that it is the List
	// without them, which comes after the last.
	item, header bool
}

// splitter cuts a stream into documents, so that none but the one at hand is in
// memory. It ends with io.EOF.
type splitter interface {
	next() (document, error)
}
