package version

import "strings"

// HasEpoch reports whether a deb, rpm or alpm version states its epoch.
func HasEpoch(v string) bool {
	epoch, _, ok := strings.Cut(v, ":")
	return ok && digits(epoch) == len(epoch)
}
