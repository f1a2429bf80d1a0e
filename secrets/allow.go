package secrets

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// Allow says that certain findings do not count, and why. All fields that are
// set must fit; one of Fingerprint, Rule and Path is required, and a reason always.
type Allow struct {
	Fingerprint string `json:"fingerprint,omitempty" yaml:"fingerprint,omitempty"`
	// Rule and Path are patterns: "*" is anything but a slash, "**" anything. Path
	// fits the file's path, or the path with the members of archives as
	// [boltseal.Location.String] writes it, "lib/a.jar!config.yml". Places
	// that are no files have paths too: "config:Env[NAME]", "history[2]".
	Rule string `json:"rule,omitempty" yaml:"rule,omitempty"`
	Path string `json:"path,omitempty" yaml:"path,omitempty"`
	// Reason is for those who read the report.
	Reason string `json:"reason" yaml:"reason"`
	// Expires is the day, YYYY-MM-DD in UTC, from which on the findings are reported again.
	Expires string `json:"expires,omitempty" yaml:"expires,omitempty"`
}

// check says what is wrong with an entry.
func (a *Allow) check() error {
	switch {
	case strings.TrimSpace(a.Reason) == "":
		return fmt.Errorf("no reason: say why these findings do not count: %w", boltseal.ErrMalformed)
	case a.Fingerprint == "" && a.Rule == "" && a.Path == "":
		return fmt.Errorf("neither fingerprint nor rule nor path: it would allow everything: %w", boltseal.ErrMalformed)
	case a.Expires != "":
		if _, err := time.Parse(time.DateOnly, a.Expires); err != nil {
			return fmt.Errorf("expires %q: want YYYY-MM-DD: %w", a.Expires, boltseal.ErrMalformed)
		}
	}
	return nil
}

func (a *Allow) expired(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, a.Expires)
	return a.Expires != "" && (err != nil || !now.Before(day))
}

// fits reports whether the entry speaks of a finding at one of its places.
func (a *Allow) fits(f *boltseal.Finding, l boltseal.Location) bool {
	if a.Fingerprint != "" && a.Fingerprint != f.Fingerprint || a.Rule != "" && !glob(a.Rule, f.Rule) {
		return false
	}
	l.Line, l.Offset, l.Layer = 0, 0, ""
	return a.Path == "" || glob(a.Path, l.Path) || len(l.Member) > 0 && glob(a.Path, l.String())
}

// ApplyAllow sets Suppressed on the findings of secrets that the entries allow.
// A finding with several places is allowed if each of them is: one copy in a test
// folder does not excuse another one. Entries that have expired suppress nothing, and say
// so in the finding's evidence. What it returns are the entries that fit
// no finding: they can go.
func ApplyAllow(findings []boltseal.Finding, entries []Allow, now time.Time) (unused []Allow) {
	used := make([]bool, len(entries))
	for i := range findings {
		f := &findings[i]
		if f.Kind != boltseal.KindSecret {
			continue
		}
		places := f.Locations
		if len(places) == 0 {
			places = []boltseal.Location{{}}
		}
		all := true
		var reasons, late []string
		for _, l := range places {
			allowed := false
			for k := range entries {
				e := &entries[k]
				if !e.fits(f, l) {
					continue
				}
				used[k] = true
				switch {
				case e.expired(now):
					late = appendNew(late, "the entry that allowed it expired on "+e.Expires)
				default:
					allowed = true
					reasons = appendNew(reasons, e.Reason)
				}
			}
			all = all && allowed
		}
		switch {
		case all && f.Suppressed == "":
			f.Suppressed = "allowed: " + strings.Join(reasons, "; ")
		case !all:
			for _, text := range late {
				f.Evidence = append(slices.Clip(f.Evidence), boltseal.Evidence{Detail: text})
			}
		}
	}
	for k := range entries {
		if !used[k] {
			unused = append(unused, entries[k])
		}
	}
	return unused
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
