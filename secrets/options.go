package secrets

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/boltseal/boltseal"
)

// Options say how to scan. The zero value, and nil, are ready to use.
type Options struct {
	// Rules replaces the built-in ones; see [Families] and [Compile].
	Rules *RuleSet
	// Salt keys the fingerprints. Use one per project, keep it secret, and
	// fingerprints stay the same over scans; without one they are random for
	// every call of New or NewScanner: then nothing can be cached, nor compared
	// with yesterday's.
	Salt []byte
	// IgnoreMarks lets inline marks ("boltseal:allow") count for nothing:
	// whoever writes the content can write them.
	IgnoreMarks bool
	// Decompress opens formats of compression that the standard library does
	// not know, by name: "xz", "zstd", "lz4". Files in those that are not given
	// are reported as skipped.
	Decompress map[string]func(io.Reader) (io.ReadCloser, error)
	// Verifier, if any, is asked about every secret that a [Scanner] finds. An
	// analyzer does not ask: its results are cached.
	Verifier Verifier
	// Now tells the time, against which the expiry that a token states is held; nil
	// for the clock. With a fixed one the same content gives the same result for ever.
	Now func() time.Time
	// Limits bound what one file may cost; nil for the defaults. An analyzer
	// takes those of its driver instead.
	Limits *boltseal.Limits
}

// builtin is compiled once, by whoever needs it first.
var builtin = sync.OnceValues(func() (*RuleSet, error) { return Compile(Families()) })

// Default returns the built-in rules, compiled.
func Default() *RuleSet {
	s, err := builtin()
	if err != nil {
		panic(err) // tests see to it that they compile
	}
	return s
}

// settle applies the defaults.
func (o *Options) settle() *settings {
	s := &settings{marks: true, containers: containers(), block: block, reach: reach}
	if o != nil {
		s.set, s.salt, s.marks = o.Rules, o.Salt, !o.IgnoreMarks
	}
	s.now = time.Now
	if o != nil {
		s.decompress = o.Decompress
		if o.Now != nil {
			s.now = o.Now
		}
	}
	if s.set == nil {
		s.set = Default()
	}
	if len(s.salt) == 0 {
		s.salt = make([]byte, 32)
		rand.Read(s.salt) // never fails
	}
	s.buffers.New = func() any {
		b := make([]byte, 2*s.reach+stride+s.block)
		return &b
	}
	return s
}

// digest identifies what results depend on, without telling the salt.
func (s *settings) digest() string {
	m := newMAC(s.salt)
	fmt.Fprintf(m, "options\x00%s\x00%t\x00%q", s.set.digest, s.marks, slices.Sorted(maps.Keys(s.decompress)))
	return hex.EncodeToString(m.Sum(nil)[:16])
}
