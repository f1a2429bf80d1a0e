package vuln

import (
	"fmt"
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"

	"github.com/boltseal/boltseal"
)

// maxVector is more than twice the length of the longest vector of CVSS v4.0.
const maxVector = 512

// Score computes a CVSS vector's score: the base score of versions 2.0, 3.0
// and 3.1, and of version 4.0 the score of all metrics given. Cvss is the
// vector's version ("2.0", "3.0", "3.1", "4.0"). A vector without its prefix is
// read as version 2.0, whose vectors have none. The severity is that of
// [boltseal.SeverityFromScore], for version 2.0 too, which has no such table.
//
// A vector that breaks the rules of its version has no score: the error wraps
// [boltseal.ErrMalformed] and the severity is unknown, which is not low.
func Score(vector string) (score float64, severity boltseal.Severity, cvss string, err error) {
	v := strings.TrimSpace(vector)
	if len(v) > maxVector {
		return 0, boltseal.SeverityUnknown, "", fmt.Errorf("CVSS vector %.40q…: %w: longer than %d bytes", v, boltseal.ErrMalformed, maxVector)
	}
	switch {
	case strings.HasPrefix(v, "CVSS:4.0/"):
		cvss = "4.0"
		var c *cvss40.CVSS40
		if c, err = cvss40.ParseVector(v); err == nil {
			score = c.Score()
		}
	case strings.HasPrefix(v, "CVSS:3.1/"):
		cvss = "3.1"
		var c *cvss31.CVSS31
		if c, err = cvss31.ParseVector(v); err == nil {
			score = c.BaseScore()
		}
	case strings.HasPrefix(v, "CVSS:3.0/"):
		cvss = "3.0"
		var c *cvss30.CVSS30
		if c, err = cvss30.ParseVector(v); err == nil {
			score = c.BaseScore()
		}
	case strings.HasPrefix(v, "CVSS:"):
		err = fmt.Errorf("not a version of CVSS that is known")
	default:
		cvss = "2.0"
		v = strings.TrimSuffix(strings.TrimPrefix(v, "("), ")")
		var c *cvss20.CVSS20
		if c, err = cvss20.ParseVector(v); err == nil {
			score = c.BaseScore()
		}
	}
	if err != nil {
		return 0, boltseal.SeverityUnknown, "", fmt.Errorf("CVSS vector %q: %w: %w", v, boltseal.ErrMalformed, err)
	}
	return score, boltseal.SeverityFromScore(score), cvss, nil
}
