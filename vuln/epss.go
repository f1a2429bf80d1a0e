package vuln

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/boltseal/boltseal"
)

// EPSS is FIRST's estimate for one CVE.
type EPSS struct {
	CVE        string
	Score      float64 // probability of exploitation within 30 days, 0 to 1
	Percentile float64 // share of all CVEs with the same score or a lower one, 0 to 1
}

// ReadEPSS reads the scores as FIRST publishes them in CSV
// (epss_scores-DATE.csv.gz), plain or gzipped, and calls each for every line,
// in order: comments that start with "#" and state score_date, a header
// "cve,epss,percentile", then the lines. A line that is none is
// [boltseal.ErrMalformed]; lines before it were delivered. An error of each
// ends the reading and is returned as it is; one of r is wrapped and not
// malformed.
func ReadEPSS(r io.Reader, each func(EPSS) error) (scored time.Time, err error) {
	src := &source{r: r}
	br, err := openFeed(src)
	if err != nil {
		return scored, fmt.Errorf("read EPSS: %w", cmp.Or(src.err, err))
	}
	header := false
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		switch {
		case src.err != nil && err != nil:
			return scored, fmt.Errorf("read EPSS: line %d: %w", n, src.err)
		case errors.Is(err, boltseal.ErrLimit):
			return scored, fmt.Errorf("read EPSS: %w", err)
		case errors.Is(err, bufio.ErrBufferFull):
			return scored, fmt.Errorf("read EPSS: line %d: %w: longer than 64 KiB", n, boltseal.ErrMalformed)
		case err != nil && err != io.EOF:
			return scored, fmt.Errorf("read EPSS: line %d: %w: %w", n, boltseal.ErrMalformed, err)
		}
		end := err == io.EOF
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0:
		case line[0] == '#':
			if t, ok := scoreDate(line); ok {
				scored = t
			}
		case !header:
			if !bytes.HasPrefix(line, []byte("cve,epss,percentile")) {
				return scored, fmt.Errorf(`read EPSS: line %d: %w: the header is %.60q, want "cve,epss,percentile"`, n, boltseal.ErrMalformed, line)
			}
			header = true
		default:
			e, ok := parseEPSS(line)
			if !ok {
				return scored, fmt.Errorf("read EPSS: line %d: %w: %.60q is no CVE with two numbers from 0 to 1", n, boltseal.ErrMalformed, line)
			}
			if err := each(e); err != nil {
				return scored, err
			}
		}
		if end && !header {
			return scored, fmt.Errorf(`read EPSS: %w: no header "cve,epss,percentile"`, boltseal.ErrMalformed)
		}
		if end {
			return scored, nil
		}
	}
}

func scoreDate(comment []byte) (time.Time, bool) {
	_, rest, ok := bytes.Cut(comment, []byte("score_date:"))
	if !ok {
		return time.Time{}, false
	}
	rest, _, _ = bytes.Cut(rest, []byte(","))
	return feedDate(string(rest))
}

func parseEPSS(line []byte) (e EPSS, ok bool) {
	cve, rest, _ := bytes.Cut(line, []byte(","))
	score, rest, _ := bytes.Cut(rest, []byte(","))
	percentile, _, _ := bytes.Cut(rest, []byte(","))
	if !bytes.HasPrefix(cve, []byte("CVE-")) || len(cve) > 32 {
		return e, false
	}
	var err1, err2 error
	e.CVE = string(cve)
	e.Score, err1 = strconv.ParseFloat(string(score), 64)
	e.Percentile, err2 = strconv.ParseFloat(string(percentile), 64)
	return e, err1 == nil && err2 == nil && share(e.Score) && share(e.Percentile)
}

func share(f float64) bool { return 0 <= f && f <= 1 }
