package secrets

import (
	"context"
	"io"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

// container is a file format that holds other content. The engine asks the
// containers in order, for every file and member, before it scans it raw.
type container struct {
	name string
	// match looks at the name and up to 4096 bytes of the start. It is called
	// for every file: it must be cheap.
	match func(name string, head []byte) bool
	// open hands everything inside to f. It calls one of data's Reader, Bytes
	// and ReaderAt, once. It scans the bytes themselves too, with f.bytes and c
	// as it is, where they may hold plain text. What it leaves out it reports
	// with f.skip; an error does so for the rest.
	open func(ctx context.Context, f feeder, c content, data boltseal.Content) error
}

// feeder is how a container gives its content back to the engine. It is not
// safe for concurrent use. Calls may nest: what is fed may be a container.
type feeder interface {
	// reader scans a stream, bytes what is in memory. The content is c itself,
	// c.member(name) or c.decoded(step, offset, line). An error is the
	// reader's own, the context's, or wraps ErrLimit where nesting or the
	// bytes, members or matches allowed for the whole file are used up; what was found is kept.
	reader(ctx context.Context, c content, r io.Reader) error
	bytes(ctx context.Context, c content, data []byte) error
	// value scans something whose name is known: an environment variable, a key
	// of a Secret. It is judged like an assignment and scanned like bytes.
	value(ctx context.Context, c content, name string, value []byte) error
	// match reports what a rule with ByPlace found. The candidate needs Rule's
	// ID, Token, and what differs from the rule; Start and End are offsets in c.
	match(c content, rule string, m *Candidate)
	// skip reports something of c that was not looked at, and why.
	skip(c content, reason string)
	// spend counts bytes of members; it fails for ever once they are used up.
	spend(n int) error
	// decompressors are those that the caller gave.
	decompressors() map[string]decode.Decompressor
}

// containers returns the formats that hold other content, in the order in
// which they are tried.
func containers() []container {
	return []container{
		gitPack, gitLoose, keystores, databases, archives, classFiles, pythonFiles, dexFiles, wideText,
		pgpassFiles, keytabFiles, jenkinsFiles, terraformFiles, helmReleases, manifests,
	}
}
