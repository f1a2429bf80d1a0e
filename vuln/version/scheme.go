package version

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/boltseal/boltseal"
)

// Scheme is a set of rules for ordering versions.
type Scheme uint8

const (
	// Unordered versions can be told apart, not compared: commits, build names.
	Unordered Scheme = iota
	Deb              // deb-version(7): Debian, Ubuntu
	RPM              // rpm-version(7): epoch, version, release
	APK              // apk-package(5): Alpine and its relatives
	Alpm             // vercmp(8): Arch Linux
	SemVer           // semver.org 2.0.0, with a leading v and any number of parts accepted
	Go               // go.dev/ref/mod#versions, and toolchain names such as go1.21rc2
	NPM              // node-semver, read loosely
	PEP440           // packaging.python.org version specifiers; older forms sort below all
	Maven            // maven.apache.org/pom.html, version order specification
	RubyGems         // Gem::Version
	NuGet            // learn.microsoft.com/nuget package versioning: four parts
	Packagist        // getcomposer.org/doc/articles/versions.md
	Bitnami          // SemVer without the trailing -N revision of the package
	CRAN             // R's package_version: numbers split at . and -
	Hackage          // Haskell's PVP: numbers split at .
	Pub              // pub.dev: SemVer in which build metadata counts
	schemeCount
)

// Revision is raised whenever any version's key changes. Stored keys of
// another format must not be compared with new ones.
const Revision = 1

// MaxLen is the longest version, in bytes, that has a key. A key is at most
// nine times as long as its version, plus 16 bytes.
const MaxLen = 1024

var schemeNames = [schemeCount]string{
	"unordered", "deb", "rpm", "apk", "alpm", "semver", "go", "npm", "pep440", "maven",
	"rubygems", "nuget", "packagist", "bitnami", "cran", "hackage", "pub",
}

// String returns the lower-case name, which is stable.
func (s Scheme) String() string {
	if s < schemeCount {
		return schemeNames[s]
	}
	return fmt.Sprintf("scheme(%d)", uint8(s))
}

// Compare returns -1, 0 or +1 as a is lower than, equal to or higher than b. It
// allocates nothing for versions of ordinary length.
func (s Scheme) Compare(a, b string) (int, error) {
	var bufA, bufB [192]byte
	ka, err := s.AppendKey(bufA[:0], a)
	if err != nil {
		return 0, err
	}
	kb, err := s.AppendKey(bufB[:0], b)
	if err != nil {
		return 0, err
	}
	return bytes.Compare(ka, kb), nil
}

// Valid reports whether v has a place in the order.
func (s Scheme) Valid(v string) bool {
	var buf [192]byte
	_, err := s.AppendKey(buf[:0], v)
	return err == nil
}

// AppendKey appends the key of v to dst: for all versions a and b,
// bytes.Compare(key(a), key(b)) == Compare(a, b). Versions that are equal have
// the same key however they are written. On error dst is returned as it was:
// [boltseal.ErrMalformed] for what is no version, [errors.ErrUnsupported] for
// schemes without an order.
func (s Scheme) AppendKey(dst []byte, v string) ([]byte, error) {
	n := len(dst)
	if s == Unordered || s >= schemeCount {
		return dst, fmt.Errorf("compare %s versions: %w: they have no order", s, errors.ErrUnsupported)
	}
	if len(v) > MaxLen {
		return dst, fmt.Errorf("%s version %.40q…: %w: longer than %d bytes", s, v, boltseal.ErrMalformed, MaxLen)
	}
	var why string
	switch s {
	case Deb:
		dst, why = appendDeb(dst, v)
	case RPM:
		dst, why = appendRPM(dst, v)
	case APK:
		dst, why = appendAPK(dst, v)
	case Alpm:
		dst, why = appendAlpm(dst, v)
	case SemVer:
		dst, why = appendSemVer(dst, trimV(v), semverOptions{})
	case Go:
		dst, why = appendGo(dst, v)
	case NPM:
		dst, why = appendNPM(dst, v)
	case Bitnami:
		dst, why = appendBitnami(dst, v)
	case Pub:
		dst, why = appendSemVer(dst, trimV(v), semverOptions{build: true})
	case NuGet:
		dst, why = appendSemVer(dst, trimV(v), semverOptions{maxParts: 4, fold: true})
	case PEP440:
		dst, why = appendPEP440(dst, v)
	case Maven:
		dst, why = appendMaven(dst, v)
	case RubyGems:
		dst, why = appendGem(dst, v)
	case Packagist:
		dst, why = appendPackagist(dst, v)
	case CRAN:
		dst, why = appendDotted(dst, v, true)
	case Hackage:
		dst, why = appendDotted(dst, v, false)
	}
	if why != "" {
		return dst[:n], fmt.Errorf("%s version %q: %w: %s", s, v, boltseal.ErrMalformed, why)
	}
	return dst, nil
}
