package secrets

import "bytes"

// pem looks at an armoured block whose BEGIN stands behind the dash at p. What
// it holds is decided by the rules for its label.
func (v *view) pem(p int) {
	if p < v.pemSeen {
		return
	}
	for n := 0; n < 4 && p > 0 && v.data[p-1] == '-'; n++ {
		p--
	}
	begin := bytes.Index(v.data[p:min(len(v.data), p+16)], []byte("BEGIN "))
	if begin < 0 {
		return
	}
	start, label := p, p+begin+len("BEGIN ")
	dashes := bytes.IndexByte(v.data[label:min(len(v.data), label+64)], '-')
	if dashes < 0 || !bytes.HasPrefix(v.data[label+dashes:], []byte("----")) {
		return
	}
	name := string(bytes.TrimSpace(v.data[label : label+dashes]))
	var rules []int
	for _, l := range v.set.labels {
		if l.label == name {
			rules = append(rules, l.rule)
		}
	}
	if len(rules) == 0 {
		return
	}
	// The block ends at the next dashes that say so, and before another begins.
	// Where those are is remembered: many blocks may begin before them.
	from, far := label+dashes, min(len(v.data), start+v.opts.reach)
	if v.pemEnd < from {
		lo := min(max(from, v.pemSearched), far)
		i := bytes.Index(v.data[lo:far], []byte("-END "))
		if i < 0 {
			v.work += far - lo
			v.pemSearched = max(lo, far-len("-END "))
			return
		}
		v.work += i
		v.pemEnd, v.pemSearched = lo+i, lo+i
	}
	if v.pemEnd < from || v.pemEnd > far {
		return
	}
	end := v.pemEnd - from
	if next := bytes.Index(v.data[from:v.pemEnd], []byte("-BEGIN ")); next >= 0 {
		v.work += next
		return
	}
	stop := from + end + len("-END ")
	if tail := bytes.Index(v.data[stop:min(len(v.data), stop+80)], []byte("----")); tail >= 0 {
		stop += tail + len("----")
		for stop < len(v.data) && v.data[stop] == '-' && stop < start+v.opts.reach {
			stop++
		}
	}
	block, ok := parsePEM(v.data[start:stop])
	v.pemSeen = stop
	if !ok {
		return
	}
	for _, r := range rules {
		v.offer(offer{rule: r, span: span{start, stop}, token: block.der, secret: block.der, anchor: "-----BEGIN " + name + "-----"})
	}
}
