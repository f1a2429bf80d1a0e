// Package version orders versions by the rules of the ecosystem they come from.
//
//	s, ok := version.SchemeFor("Debian:12")         // the rules that an OSV ecosystem uses
//	c, err := s.Compare("1.0~rc1-1", "1.0-1")       // -1
//	key, err := s.AppendKey(nil, "1:2.30.2-1")      // bytes.Compare on keys is Compare on versions
//
// Every order is total, and all of it is in the key: a key is a string of bytes
// whose order under [bytes.Compare] is the order of the versions, so that a
// table of bounds can be searched without parsing or allocating anything. The
// empty key sorts below the key of every version and serves as OSV's
// introduced "0".
//
// Numbers have no upper bound. Versions are at most [MaxLen] bytes long; what
// is longer, or is no version by the rules of its scheme, is an error that
// wraps [boltseal.ErrMalformed], never a guess and never a panic. All
// functions are safe for concurrent use.
package version
