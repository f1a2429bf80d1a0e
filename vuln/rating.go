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

// rate sets the severity of a statement. For a distribution's package its own word
// decides, elsewhere the newest version of CVSS; a rating of the affected entry
// comes before one of the whole advisory. Ratings that cannot be read are
// passed over: no rating is not a low one.
func (k *known) rate(db *DB, q statement) {
	list := k.public.Ratings
	if q.extra > 0 {
		var own []Rating
		for _, f := range strings.Split(db.strings.at(q.extra-1), "\x00") {
			if strings.HasPrefix(f, "CVSS_") {
				own = append(own, parseRating(f))
			}
		}
		list = append(own, list...)
		k.public.Ratings = list
	}
	for _, words := range [...]bool{q.os, !q.os} {
		for _, r := range list {
			if strings.HasPrefix(r.Type, "CVSS_") == words {
				continue
			}
			if score, sev, ok := r.severity(); ok {
				k.severity, k.score, k.ratedBy = sev, score, k.public.Source+" "+r.Type
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
