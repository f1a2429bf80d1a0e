// Package secretstest makes credentials that look real and open nothing, for
// tests of scanners, rules and pipelines:
//
//	s, err := secretstest.New("github-pat", 1)   // the same for the same seed
//	for _, p := range s.Placed() { … }           // in the syntaxes of files
//	for _, m := range s.NearMisses() { … }       // what must not be reported
//	for _, n := range secretstest.Negatives(1) { … }
//
// Nothing in this package's source is a credential: tokens are put together at
// run time from a shape, a seeded generator and, where the issuer has one, a
// checksum. They are shared by nobody, and a test can plant them without
// setting off the scanners of a code host.
//
// The checksums are computed by code of this package, not by that of package
// secrets, so that a mistake in one shows.
package secretstest
