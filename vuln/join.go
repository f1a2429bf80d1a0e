package vuln

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// joinFeeds writes the parts of KEV and EPSS that concern an ID of the
// database.
func (b *builder) joinFeeds(sec *[numSections][]byte, m *meta, ids table) error {
	if b.opts.KEV != nil {
		listed := map[int]KEV{}
		released, err := ReadKEV(b.opts.KEV, func(k KEV) error {
			if i, ok := ids[k.CVE]; ok {
				listed[i] = k
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.KEVDate = date(released)
		for i := range len(ids) {
			k, ok := listed[i]
			if !ok {
				continue
			}
			due := uint32(max(0, dayOf(k.Due)))
			if k.Ransomware {
				due |= 1 << 31
			}
			for _, v := range [...]uint32{uint32(i), uint32(max(0, dayOf(k.Added))), due} {
				sec[secKEV] = binary.LittleEndian.AppendUint32(sec[secKEV], v)
			}
		}
	}
	if b.opts.EPSS != nil {
		type pair struct{ score, percentile float32 }
		scores := map[int]pair{}
		distinct := map[pair]int{}
		scored, err := ReadEPSS(b.opts.EPSS, func(e EPSS) error {
			if i, ok := ids[e.CVE]; ok {
				p := pair{float32(e.Score), float32(e.Percentile)}
				scores[i], distinct[p] = p, 0
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.EPSSDate = date(scored)
		if len(distinct) > math.MaxUint16-1 {
			return fmt.Errorf("EPSS: %d distinct scores, at most %d can be stored", len(distinct), math.MaxUint16-1)
		}
		list := make([]pair, 0, len(distinct))
		for p := range distinct {
			list = append(list, p)
		}
		slices.SortFunc(list, func(x, y pair) int {
			if x.score != y.score {
				return int(math.Copysign(1, float64(x.score-y.score)))
			}
			return int(math.Copysign(1, float64(x.percentile-y.percentile)))
		})
		for i, p := range list {
			distinct[p] = i + 1
			sec[secEPSSTab] = binary.LittleEndian.AppendUint32(sec[secEPSSTab], math.Float32bits(p.score))
			sec[secEPSSTab] = binary.LittleEndian.AppendUint32(sec[secEPSSTab], math.Float32bits(p.percentile))
		}
		sec[secEPSS] = make([]byte, 2*len(ids))
		for i, p := range scores {
			binary.LittleEndian.PutUint16(sec[secEPSS][2*i:], uint16(distinct[p]))
		}
	}
	return nil
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// chances is what KEV and EPSS say of an issue.
type chances struct {
	exploited, due   time.Time
	ransomware       bool
	epss, percentile float64
}

// join adds what they say of any of the IDs: the earliest listing and the
// highest probability count.
func (c *chances) join(db *DB, lists ...[]int) {
	for _, list := range lists {
		for _, id := range list {
			if added, due, ransomware, ok := db.kev(id); ok && (c.exploited.IsZero() || added.Before(c.exploited)) {
				c.exploited, c.due = added, due
				c.ransomware = c.ransomware || ransomware
			}
			if s, p := db.epss(id); s > c.epss {
				c.epss, c.percentile = s, p
			}
		}
	}
}

func (db *DB) kev(id int) (added, due time.Time, ransomware, ok bool) {
	t := db.sec[secKEV]
	lo, hi := 0, len(t)/12
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); u32(t, 3*mid) < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo >= len(t)/12 || u32(t, 3*lo) != id {
		return added, due, false, false
	}
	d := u32(t, 3*lo+2)
	return day(u32(t, 3*lo+1)), day(d &^ (1 << 31)), d>>31 != 0, true
}

func (db *DB) epss(id int) (score, percentile float64) {
	t := db.sec[secEPSS]
	if id < 0 || 2*id+2 > len(t) {
		return 0, 0
	}
	i := int(binary.LittleEndian.Uint16(t[2*id:])) - 1
	if i < 0 || 8*i+8 > len(db.sec[secEPSSTab]) {
		return 0, 0
	}
	round := func(b uint32) float64 {
		f := float64(math.Float32frombits(b))
		if !(f >= 0 && f <= 1) { // the file is not trusted
			return 0
		}
		return math.Round(f*1e5) / 1e5 // both are published with five decimals
	}
	return round(uint32(u32(db.sec[secEPSSTab], 2*i))), round(uint32(u32(db.sec[secEPSSTab], 2*i+1)))
}
