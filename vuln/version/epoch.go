package version

import "strings"

// HasEpoch reports whether a deb, rpm or alpm version states its epoch.
func HasEpoch(v string) bool {
	epoch, _, ok := strings.Cut(v, ":")
	return ok && digits(epoch) == len(epoch)
}

// CutEpoch splits the key of a deb, rpm or alpm version behind its epoch. The
// version of a source RPM as binary packages record it (SOURCERPM) has no
// epoch, and the one it had is not known to be 0: such a version is compared by
// rest alone, with the rest of the bound. Keys of other schemes, and the empty
// key, are all rest.
func (s Scheme) CutEpoch(key []byte) (epoch, rest []byte) {
	if len(key) == 0 || s != Deb && s != RPM && s != Alpm {
		return nil, key
	}
	n := 1 + int(key[0])
	if key[0] == 255 && len(key) >= 3 {
		n = 3 + int(key[1])<<8 + int(key[2])
	}
	n = min(n, len(key))
	return key[:n], key[n:]
}
