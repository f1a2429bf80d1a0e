package secrets

// step is a piece of a compiled program; class is an index into the rule set's
// classes, or -1 for a literal.
type step struct {
	literal  string
	class    int
	min, max int
	secret   bool
}

// program is one straight alternative of a rule, split at the literal that the
// prefilter looks for.
type program struct {
	rule     int
	literal  string
	left     []step // from the literal outward
	right    []step
	inSecret bool // the literal is part of the secret
	braces   bool // the secret is only what stands in braces
	fixed    bool // all tokens have the same length
	// leftBar and rightBar are the bytes that may not stand beside the token.
	leftBar, rightBar set
}

// span is a range of bytes.
type span struct{ start, end int }

// run remembers a stretch of bytes of one class: [lo, hi) belong to it, and
// where closed says so, the byte beyond that end does not. Positions come in
// ascending order, so every byte is classified about once per class, however
// many tokens begin in the same run.
type run struct {
	lo, hi             int
	loClosed, hiClosed bool
	round              uint32 // of the view; what another round remembers is not true any more
}

// forward returns how many bytes from p on, at most most, are of the class.
func (v *view) forward(class, p, most int) int {
	r := &v.runs[class]
	if r.round != v.round || p < r.lo || p > r.hi {
		*r = run{lo: p, hi: p, round: v.round}
	}
	end := min(p+most, len(v.data))
	if r.hi < end && !r.hiClosed {
		s, hi := &v.set.classes[class], r.hi
		for hi < end && s.has(v.data[hi]) {
			hi++
		}
		v.work += hi - r.hi + 1
		r.hi, r.hiClosed = hi, hi < end
	}
	return min(r.hi, end) - p
}

// backward returns how many bytes before p, at most most, are of the class.
func (v *view) backward(class, p, most int) int {
	r := &v.runs[class]
	if r.round != v.round || p < r.lo || p > r.hi {
		*r = run{lo: p, hi: p, round: v.round}
	}
	end := max(p-most, 0)
	if r.lo > end && !r.loClosed {
		s, lo := &v.set.classes[class], r.lo
		for lo > end && s.has(v.data[lo-1]) {
			lo--
		}
		v.work += r.lo - lo + 1
		r.lo, r.loClosed = lo, lo > end
	}
	return p - max(r.lo, end)
}

// try matches a program whose literal stands at p. It returns the token and the
// secret inside it. A token that is glued to others of its kind is one only if
// its length is fixed and its check passes, which the caller sees to: strings
// in binaries touch.
func (v *view) try(g *program, p int) (token, secret span, glued, ok bool) {
	token = span{p, p + len(g.literal)}
	if len(g.left) == 0 && !g.fixed && v.barred(g, p) { // as most are
		return token, secret, true, false
	}
	if g.inSecret {
		secret = token
	} else {
		secret = span{len(v.data), 0}
	}
	for i := range g.left {
		s := &g.left[i]
		n := 0
		if s.class < 0 {
			n = len(s.literal)
			if token.start < n || string(v.data[token.start-n:token.start]) != s.literal {
				return token, secret, false, false
			}
		} else if n = v.backward(s.class, token.start, s.max); n < s.min {
			return token, secret, false, false
		}
		token.start -= n
		if s.secret {
			secret.start, secret.end = token.start, max(secret.end, token.start+n)
		}
	}
	for i := range g.right {
		s := &g.right[i]
		n := 0
		if s.class < 0 {
			n = len(s.literal)
			if len(v.data)-token.end < n || string(v.data[token.end:token.end+n]) != s.literal {
				return token, secret, false, false
			}
		} else if n = v.forward(s.class, token.end, s.max); n < s.min {
			return token, secret, false, false
		}
		if s.secret {
			secret.start, secret.end = min(secret.start, token.end), token.end+n
		}
		token.end += n
	}
	if !g.braces {
		secret = token
	}
	glued = !v.bounded(g, token)
	return token, secret, glued, !glued || g.fixed
}

// bounded reports whether the token's neighbours may stand there.
func (v *view) bounded(g *program, t span) bool {
	if t.end < len(v.data) && g.rightBar.has(v.data[t.end]) {
		return false
	}
	return !v.barred(g, t.start)
}

// barred reports whether a token may not begin at p for what stands before it. A
// letter may be the end of an escape: \n, %3D, \u003d, \x22.
func (v *view) barred(g *program, p int) bool {
	return p > 0 && g.leftBar.has(v.data[p-1]) && !v.escaped(p)
}

// escaped reports whether an escape sequence ends at p.
func (v *view) escaped(p int) bool {
	before := func(n int, c byte) bool { return p >= n && v.data[p-n] == c }
	hexBefore := func(n int) bool {
		for i := 1; i <= n; i++ {
			if p < i || hexValue(v.data[p-i]) < 0 {
				return false
			}
		}
		return true
	}
	switch v.data[p-1] {
	case 'n', 't', 'r', 'f', 'b', 'v', '0':
		if before(2, '\\') {
			return true
		}
	}
	return hexBefore(2) && (before(3, '%') || before(3, 'x') && before(4, '\\')) ||
		hexBefore(4) && before(5, 'u') && before(6, '\\')
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
