package secrets

import (
	"bytes"
	"path"
	"strings"

	"github.com/boltseal/boltseal"
)

// refinement is the type of [Rule.Refine].
type refinement = func(c *Candidate) bool

// defined makes a refinement of a check that says whether the token is of the
// family at all: one that fails is left to other rules.
func defined(check func([]byte) boltseal.Verdict) refinement {
	return func(c *Candidate) bool {
		v := check(c.Token)
		if v == boltseal.VerdictPass {
			c.Verdict = v
		}
		return v != boltseal.VerdictFail
	}
}

// each runs refinements in order, until one drops the candidate.
func each(refinements ...refinement) refinement {
	return func(c *Candidate) bool {
		for _, r := range refinements {
			if !r(c) {
				return false
			}
		}
		return true
	}
}

// within keeps candidates near whose match, up to size bytes before and after
// it, one of the words stands, in any case.
func within(size int, words ...string) refinement {
	return func(c *Candidate) bool { return c.near(size, words...) }
}

// inFile keeps candidates in files of one of the names, or whose path ends so.
func inFile(names ...string) refinement {
	return func(c *Candidate) bool { return isFile(c.Path, names...) }
}

func isFile(name string, names ...string) bool {
	name = strings.ToLower(name)
	for _, n := range names {
		if path.Base(name) == n || strings.HasSuffix(name, "/"+n) {
			return true
		}
	}
	return false
}

// near reports whether one of the words, in lower case, stands near the match.
func (c *Candidate) near(size int, words ...string) bool {
	text := bytes.ToLower(c.Text[max(0, c.Start-size):min(len(c.Text), c.End+size)])
	for _, w := range words {
		if bytes.Contains(text, []byte(w)) {
			return true
		}
	}
	return false
}

// varied keeps tokens whose bodies hold digits and letters, in both cases if
// the family has both: words and names have not.
func varied(bothCases bool) refinement {
	return func(c *Candidate) bool {
		var digit, lower, upper bool
		for _, b := range c.Secret {
			digit = digit || b >= '0' && b <= '9'
			lower = lower || b >= 'a' && b <= 'z'
			upper = upper || b >= 'A' && b <= 'Z'
		}
		return digit && (lower && upper || !bothCases && (lower || upper))
	}
}

// notWrapped drops what is one line of a longer text in base 64: a token that
// fills its line, next to a line as long.
func notWrapped(c *Candidate) bool {
	size := c.End - c.Start
	run := func(text []byte) bool {
		text = bytes.TrimSuffix(text, []byte("\r"))
		return len(text) >= size && len(bytes.TrimFunc(text[:size], isBase64)) == 0
	}
	if i := bytes.LastIndexByte(c.Text[:c.Start], '\n'); i >= 0 && len(bytes.TrimSpace(c.Text[i:c.Start])) == 0 {
		prev := c.Text[:i]
		if j := bytes.LastIndexByte(prev, '\n'); run(bytes.TrimLeft(prev[j+1:], " \t")) {
			return false
		}
	}
	if rest := c.Text[c.End:]; len(rest) > 0 && (rest[0] == '\n' || rest[0] == '\r') {
		next := bytes.TrimLeft(rest, "\r\n \t")
		if j := bytes.IndexByte(next, '\n'); j >= 0 {
			next = next[:j]
		}
		return !run(next)
	}
	return true
}

func isBase64(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+/-_=", r)
}

// rate sets the severity and says why.
func (c *Candidate) rate(s boltseal.Severity, note string) {
	c.Severity = s
	c.Notes = append(c.Notes, note)
}

// decodes keeps tokens that are base 64 of so many bytes, behind a prefix.
func decodes(prefix string, least int) refinement {
	return func(c *Candidate) bool {
		text := bytes.TrimRight(bytes.TrimPrefix(c.Token, []byte(prefix)), "=")
		return len(decodeBase64(text[:len(text)&^3])) >= least // some are cut
	}
}

// secretName keeps values whose name does not say that they are public.
func secretName(c *Candidate) bool {
	words := strings.FieldsFunc(strings.ToLower(c.Name), func(r rune) bool { return strings.ContainsRune("_-. /:", r) })
	for _, w := range words {
		switch w {
		case "sid", "id", "url", "uri", "hash", "sha", "sha1", "sha256", "digest", "checksum", "md5", "commit", "revision", "version", "path", "file", "etag", "name", "host", "public":
			return false
		}
	}
	return !strings.HasSuffix(c.Name, "Sid") && !strings.HasSuffix(c.Name, "Id") && !strings.HasSuffix(c.Name, "ID")
}
