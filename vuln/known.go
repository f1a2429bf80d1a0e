package vuln

import "github.com/boltseal/boltseal"

// statement is what one source says about one package: an advisory and the
// status and ratings of its affected entry.
type statement struct {
	advisory int
	extra    int  // see row
	os       bool // of a distribution, whose own rating counts
}

// known is a statement as decoded, once per reading of [DB.Match]: the binaries
// of one source package, and the copies of one library, share it.
type known struct {
	rec        advRecord
	public     Advisory
	status     string // see [DB.extra]
	discounted bool   // says nothing of a vulnerability
	authority  int
	severity   boltseal.Severity
	score      float64
	ratedBy    string
	chances
}

func (s *matcher) about(q statement) *known {
	if k, ok := s.known[q]; ok {
		return k
	}
	db := s.db
	k := &known{rec: db.advisory(q.advisory), status: db.extra(row{extra: q.extra})}
	s.known[q] = k
	if k.discounted = discounts(&k.rec, k.status) != ""; k.discounted {
		return k
	}
	k.authority = db.authority(&k.rec)
	k.public = db.public(&k.rec)
	k.chances.join(db, []int{k.rec.id}, k.rec.aliases, k.rec.upstream, k.rec.related)
	k.rate(db, q)
	return k
}
