package report

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/boltseal/boltseal"
)

// cve is an advisory's ID that ends in a CVE's: DEBIAN-CVE-…, GLAD-…-CVE-….
var cve = regexp.MustCompile(`^.*-(CVE-[0-9]{4}-[0-9]{4,})$`)

// label returns a finding's rule as a person looks it up, and its title, empty
// if it adds nothing.
func label(f *boltseal.Finding, name string) (rule, title string) {
	rule, title = Clean(f.Rule), Clean(f.Title)
	if m := cve.FindStringSubmatch(rule); m != nil {
		rule = m[1]
	}
	for _, said := range []string{rule, Clean(f.Rule)} {
		if title == said || strings.HasPrefix(title, said+" in ") && strings.HasSuffix(name, strings.TrimPrefix(title, said+" in ")) {
			title = ""
		}
	}
	return rule, title
}

// plural writes "1 layer", "2 layers".
func plural(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return fmt.Sprintf("%d %sies", n, one[:len(one)-1])
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// size writes bytes in decimal units, as registries do: 999 B, 28.1 MB.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		if f /= 1000; f < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// short returns the head of a digest that people compare by eye.
func short(digest string) string {
	_, hex, ok := strings.Cut(digest, ":")
	if !ok {
		hex = digest
	}
	return hex[:min(12, len(hex))]
}

// base says which image this one was built on, and how sure that is.
func base(b *boltseal.ReportBase) string {
	name := cmp.Or(b.Name, b.Digest, "of unknown name")
	switch {
	case b.Layers == 1:
		name += ", the lowest layer"
	case b.Layers > 1:
		name += fmt.Sprintf(", the lowest %d layers", b.Layers)
	}
	return fmt.Sprintf("%s (%.0f%% sure: %s)", name, b.Confidence*100, b.Evidence)
}

// webLink returns the URL of a reference that a browser may follow, or nil:
// never javascript: or file:, which an advisory may hold as well.
func webLink(ref string) *url.URL {
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil
	}
	return u
}
