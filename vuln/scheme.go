package vuln

import (
	"strings"

	"github.com/boltseal/boltseal/vuln/version"
)

// schemeBounds is the slice of the bounds table that belongs to one ordering.
type schemeBounds struct {
	scheme   version.Scheme
	name     string
	first, n int
}

// ecoRange is the slice of the package table that belongs to one ecosystem.
type ecoRange struct{ scheme, first, n int }

func schemeByName(name string) (version.Scheme, bool) {
	for s := version.Unordered; ; s++ {
		n := s.String()
		if n == name {
			return s, true
		}
		if strings.HasPrefix(n, "scheme(") {
			return version.Unordered, false
		}
	}
}

// position finds where a version stands. Ordered is false if the version has
// no place in the order.
func (db *DB) position(scheme int, v string, s *scratch) (p position, ordered bool) {
	b := db.schemes[scheme]
	key, err := b.scheme.AppendKey(s.key[:0], v)
	if err != nil {
		return position{}, false
	}
	s.key = key
	lo, hi, buf := db.keys.search(b.first, b.n, key, s.buf)
	s.buf = buf
	return position{lo - b.first + 1, hi - b.first + 1}, true
}

// scratch is reused from package to package, so that a miss allocates nothing.
type scratch struct {
	key, buf, name []byte
}
