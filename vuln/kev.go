package vuln

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/boltseal/boltseal"
)

// KEV is one entry of CISA's catalogue of known exploited vulnerabilities.
type KEV struct {
	CVE        string
	Name       string
	Added      time.Time // when it was listed
	Due        time.Time // when federal agencies must have acted; zero if not stated
	Ransomware bool      // known to be used in ransomware campaigns
}

// ReadKEV reads the catalogue as CISA publishes it in JSON
// (known_exploited_vulnerabilities.json, catalogue schema 1.0), plain or
// gzipped, and calls each for every entry, in order. Released is the date of
// the catalogue, where it stands before or behind its entries. An entry without
// a CVE or a date is [boltseal.ErrMalformed]; entries before it were delivered.
// An error of each ends the reading and is returned as it is; one of r is wrapped
// and not malformed.
func ReadKEV(r io.Reader, each func(KEV) error) (released time.Time, err error) {
	src := &source{r: r}
	br, err := openFeed(src)
	if err != nil {
		return released, fmt.Errorf("read KEV: %w", cmp.Or(src.err, err))
	}
	dec := json.NewDecoder(br)
	bad := func(err error) error {
		if src.err != nil {
			return fmt.Errorf("read KEV: offset %d: %w", dec.InputOffset(), src.err)
		}
		if errors.Is(err, boltseal.ErrLimit) {
			return fmt.Errorf("read KEV: %w", err)
		}
		return fmt.Errorf("read KEV: offset %d: %w: %w", dec.InputOffset(), boltseal.ErrMalformed, err)
	}
	if err := expect(dec, '{'); err != nil {
		return released, bad(err)
	}
	listed := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return released, bad(err)
		}
		switch key {
		case "dateReleased":
			var s string
			if err := dec.Decode(&s); err != nil {
				return released, bad(err)
			}
			released, _ = feedDate(s)
		case "vulnerabilities":
			listed = true
			if err := expect(dec, '['); err != nil {
				return released, bad(err)
			}
			for dec.More() {
				k, err := nextKEV(dec)
				if err != nil {
					return released, bad(err)
				}
				if err := each(k); err != nil {
					return released, err
				}
			}
			if err := expect(dec, ']'); err != nil {
				return released, bad(err)
			}
		default:
			var skip json.RawMessage
			if err := dec.Decode(&skip); err != nil {
				return released, bad(err)
			}
		}
	}
	if err := expect(dec, '}'); err != nil {
		return released, bad(err)
	}
	if !listed {
		return released, bad(errors.New(`no list "vulnerabilities": not CISA's catalogue`))
	}
	return released, nil
}

// source remembers why its reader failed, to tell a broken transfer from a
// broken feed.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func nextKEV(dec *json.Decoder) (KEV, error) {
	var in struct {
		CVE        string `json:"cveID"`
		Name       string `json:"vulnerabilityName"`
		Added      string `json:"dateAdded"`
		Due        string `json:"dueDate"`
		Ransomware string `json:"knownRansomwareCampaignUse"`
	}
	if err := dec.Decode(&in); err != nil {
		return KEV{}, err
	}
	added, ok := feedDate(in.Added)
	if !ok || in.CVE == "" {
		return KEV{}, fmt.Errorf("entry %.40q lacks its cveID or a dateAdded", in.CVE)
	}
	due, _ := feedDate(in.Due)
	return KEV{CVE: in.CVE, Name: in.Name, Added: added, Due: due, Ransomware: in.Ransomware == "Known"}, nil
}

func expect(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("found %.40v, want %v", t, want)
	}
	return nil
}
