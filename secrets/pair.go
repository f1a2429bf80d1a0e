package secrets

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	pairLines = 5    // lines above and below in which another half is looked for
	pairBytes = 4096 // and bytes, at most
)

// vicinity returns where the other half of a match may stand: five lines above
// to five below, or the object in braces round it.
func (c *Candidate) vicinity() (lo, hi int) {
	floor, ceiling := max(0, c.Start-pairBytes), min(len(c.Text), c.End+pairBytes)
	lo = c.Start
	for n := 0; lo > floor; lo-- {
		if c.Text[lo-1] == '\n' {
			if n++; n > pairLines {
				break
			}
		}
	}
	hi = c.End
	for n := 0; hi < ceiling; hi++ {
		if c.Text[hi] == '\n' {
			if n++; n > pairLines {
				break
			}
		}
	}
	opening, closing := c.brace(c.Start-1, floor-1, -1, '{', '}'), c.brace(c.End, ceiling, 1, '}', '{')
	if opening >= 0 && closing >= 0 {
		return min(lo, opening), max(hi, closing)
	}
	return lo, hi
}

// brace returns where the brace stands that closes what is open at p, in steps
// up to the end, or -1.
func (c *Candidate) brace(p, end, step int, closes, opens byte) int {
	for depth := 0; p != end; p += step {
		switch c.Text[p] {
		case opens:
			depth++
		case closes:
			if depth--; depth < 0 {
				return p
			}
		}
	}
	return -1
}

// half is a text that may be the other half of a match.
type half struct{ start, end int }

// halves yields the runs of class between least and most bytes long that stand
// in the vicinity and are not part of a longer word, nearest first to last.
func (c *Candidate) halves(class set, least, most int, yield func(half) bool) {
	lo, hi := c.vicinity()
	word := class
	for _, r := range [...][2]byte{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}} {
		word.addRange(r[0], r[1])
	}
	for i := lo; i < hi; {
		if !class.has(c.Text[i]) {
			i++
			continue
		}
		end := i
		for end < hi && class.has(c.Text[end]) {
			end++
		}
		whole := (i == 0 || !word.has(c.Text[i-1])) && (end == len(c.Text) || !word.has(c.Text[end]))
		if n := end - i; whole && n >= least && n <= most && (end <= c.Start || i >= c.End) && !yield(half{i, end}) {
			return
		}
		i = end
	}
}

// find returns the nearest run that suits, those first before which, on the
// same line, one of the words stands.
func (c *Candidate) find(class string, least, most int, suits func([]byte) bool, words ...string) (best half, ok bool) {
	bytesOf, err := parseSet(classes[class[0]])
	if err != nil {
		return half{}, false
	}
	score := 1 << 30
	c.halves(bytesOf, least, most, func(h half) bool {
		if !suits(c.Text[h.start:h.end]) {
			return true
		}
		distance := h.start - c.End
		if h.end <= c.Start {
			distance = c.Start - h.end
		}
		if !c.named(h, words) {
			distance += 1 << 20
		}
		if distance < score {
			best, ok, score = h, true, distance
		}
		return true
	})
	return best, ok
}

// named reports whether one of the words stands before h, on its line and at
// most 64 bytes away.
func (c *Candidate) named(h half, words []string) bool {
	before := c.Text[max(0, h.start-64):h.start]
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i:]
	}
	before = bytes.ToLower(before)
	for _, w := range words {
		if bytes.Contains(before, []byte(w)) {
			return true
		}
	}
	return false
}

// join adds a half that was found: the pair is a secret, and one step worse.
func (c *Candidate) join(name string, h half) {
	c.Parts = append(c.Parts, Part{Name: name, Value: string(c.Text[h.start:h.end]), Secret: true, Start: h.start, End: h.end})
	c.Kind, c.Confidence = KindSecret, ConfidenceHigh
	if c.Severity < critical {
		c.Severity++
	}
	c.Notes = append(c.Notes, "both halves stand together")
}

// alone lowers a half whose other half is not near.
func (c *Candidate) alone() bool {
	c.rate(low, "its secret half does not stand near it")
	c.Confidence = ConfidenceMedium
	return true
}

// pairRun looks for a secret half of n bytes of a class.
func pairRun(class string, n int, words ...string) refinement {
	return pairOf(class, n, n, (*Candidate).alone, words...)
}

// pairOnly is pairRun for ids that are public: alone they are no finding.
func pairOnly(class string, n int, words ...string) refinement {
	return pairOf(class, n, n, func(*Candidate) bool { return false }, words...)
}

// pairBase64 looks for a secret half in base 64.
func pairBase64(least, most int, words ...string) refinement {
	return pairOf("b", least, most, (*Candidate).alone, words...)
}

func pairOf(class string, least, most int, otherwise refinement, words ...string) refinement {
	return func(c *Candidate) bool {
		h, ok := c.find(class, least, most, random, words...)
		if !ok {
			return otherwise(c)
		}
		c.join("secret", h)
		return true
	}
}

// random reports whether a half looks drawn at random: it has digits and
// letters, and no byte makes up a third of it.
func random(text []byte) bool {
	var count [256]int
	digits, letters := 0, 0
	for _, b := range text {
		if count[b]++; count[b] > max(3, len(text)/3) {
			return false
		}
		switch {
		case b >= '0' && b <= '9':
			digits++
		case b|0x20 >= 'a' && b|0x20 <= 'z':
			letters++
		}
	}
	return digits > 0 && letters > 0
}

// awsSecret reports whether 40 characters of base 64 may be a secret access
// key: both cases and digits, and no path.
func awsSecret(text []byte) bool {
	var digit, lower, upper, slash int
	for _, b := range text {
		switch {
		case b >= '0' && b <= '9':
			digit++
		case b >= 'a' && b <= 'z':
			lower++
		case b >= 'A' && b <= 'Z':
			upper++
		case b == '/':
			slash++
		}
	}
	return len(text) == 40 && digit > 0 && lower > 3 && upper > 3 && slash < 5 && random(text)
}

// pairAWS looks for the secret half of an access key and, for temporary keys,
// the session token; the account stands in the key's ID.
func pairAWS(c *Candidate) bool {
	return !awsProfile(c) && pairAccessKey(c)
}

// pairAWSProfile is pairAWS for the credentials files of AWS's own tools.
func pairAWSProfile(c *Candidate) bool {
	return awsProfile(c) && pairAccessKey(c)
}

func awsProfile(c *Candidate) bool {
	return isFile(c.Path, ".aws/credentials", "credentials") && bytes.IndexByte(c.Text[:c.Start], '[') >= 0
}

func pairAccessKey(c *Candidate) bool {
	if account, ok := awsAccount(c.Token); ok {
		c.Parts = append(c.Parts, Part{Name: "account", Value: account})
	}
	secret, ok := c.find("b", 40, 40, awsSecret, "secret")
	if !ok {
		return c.alone()
	}
	c.join("secret access key", secret)
	if bytes.HasPrefix(c.Token, []byte("ASIA")) {
		session, ok := c.find("b", 100, 2000, random, "token")
		if !ok {
			c.rate(low, "its session token does not stand near it")
			return true
		}
		c.Parts = append(c.Parts, Part{Name: "session token", Value: string(c.Text[session.start:session.end]), Secret: true, Start: session.start, End: session.end})
		c.rate(medium, "it expires")
	}
	return true
}

// awsAccount reads the number of the account out of an access key's ID: bits 1
// to 40 of the base 32 behind the prefix, since 2019. Older IDs, whose fifth
// character is I or J, hold none.
func awsAccount(id []byte) (string, bool) {
	if len(id) != 20 || id[4] == 'I' || id[4] == 'J' {
		return "", false
	}
	raw := decodeBase32(id[4:])
	if len(raw) < 8 {
		return "", false
	}
	n := binary.BigEndian.Uint64(raw) >> 23 & (1<<40 - 1)
	return fmt.Sprintf("%012d", n), n < 1e12
}

// quayRobot looks for the name of the robot that a password is for.
func quayRobot(c *Candidate) bool {
	lo, hi := c.vicinity()
	text := string(c.Text[lo:hi])
	for i := strings.IndexByte(text, '+'); i >= 0; {
		start, end := i, i+1
		for start > 0 && robotByte(text[start-1]) {
			start--
		}
		for end < len(text) && robotByte(text[end]) {
			end++
		}
		if i-start >= 2 && end-i > 2 {
			c.Parts = append(c.Parts, Part{Name: "robot", Value: text[start:end]})
			c.Kind = KindSecret
			return true
		}
		next := strings.IndexByte(text[i+1:], '+')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return secretName(c)
}

func robotByte(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_' }
