package version

import "strings"

// HasEpoch reports whether a deb, rpm or alpm version states its epoch.
func HasEpoch(v string) bool {
	epoch, _, ok := strings.Cut(v, ":")
	return ok && digits(epoch) == len(epoch)
}

// cutEpoch takes the epoch off an rpm or alpm version; "0" where it states none.
func cutEpoch(v string) (epoch, rest string) {
	if n := digits(v); n < len(v) && v[n] == ':' {
		return v[:n], v[n+1:]
	}
	return "0", v
}
