package vuln

import (
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

func parseRating(s string) Rating {
	kind, value, _ := strings.Cut(s, "=")
	return Rating{Type: kind, Value: value}
}

// rate sets the severity of a match. For a distribution's package its own word
// decides, elsewhere the newest version of CVSS; a rating of the affected entry
// comes before one of the whole advisory. Ratings that cannot be read are
// passed over: no rating is not a low one.
func (s *matcher) rate(m *Match, h hit, a *advRecord, os bool) {
	list := m.Advisory.Ratings
	if h.extra > 0 {
		var own []Rating
		for _, f := range strings.Split(s.db.strings.at(h.extra-1), "\x00") {
			if strings.HasPrefix(f, "CVSS_") {
				own = append(own, parseRating(f))
			}
		}
		list = append(own, list...)
		m.Advisory.Ratings = list
	}
	for _, words := range [...]bool{os, !os} {
		for _, r := range list {
			if strings.HasPrefix(r.Type, "CVSS_") == words {
				continue
			}
			if score, sev, ok := r.severity(); ok {
				m.Severity, m.Score, m.RatedBy = sev, score, m.Advisory.Source+" "+r.Type
				return
			}
		}
	}
}

// severity reads one rating.
func (r Rating) severity() (score float64, sev boltseal.Severity, ok bool) {
	if !strings.HasPrefix(r.Type, "CVSS_") {
		sev, err := boltseal.ParseSeverity(r.Value)
		return 0, sev, err == nil && sev != boltseal.SeverityUnknown
	}
	if score, err := strconv.ParseFloat(r.Value, 64); err == nil { // some sources state the score alone
		sev = boltseal.SeverityFromScore(score)
		return score, sev, sev != boltseal.SeverityUnknown
	}
	score, sev, _, err := Score(r.Value)
	return score, sev, err == nil
}
