package secrets

import (
	"bytes"
	"math"
	"strings"
)

// What follows recognises values that look like secrets and are none, by what
// they are, never by where they stand.

// reference reports whether a value is looked up elsewhere: a variable, a
// template, a call.
func reference(value []byte) bool {
	s := string(value)
	first, last := s[0], s[len(s)-1]
	switch {
	case strings.HasPrefix(s, "${"), strings.HasPrefix(s, "$("), strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "<%"), strings.HasPrefix(s, "#{"),
		strings.HasPrefix(s, "[["), strings.HasPrefix(s, "@{"), strings.HasPrefix(s, "%{"), strings.HasPrefix(s, "@@"), strings.HasPrefix(s, "__") && strings.HasSuffix(s, "__"):
		return true
	case first == '$' && identifier(s[1:]), first == '%' && last == '%', first == '<' && last == '>', first == '[' && last == ']', first == '{' && last == '}',
		first == '(' && last == ')', first == '&', first == '*' && identifier(s[1:]):
		return true
	case templated(s), subscripted(s), strings.HasPrefix(s, "id=") && strings.Contains(s, ","):
		return true
	case strings.HasPrefix(s, "env."), strings.HasPrefix(s, "process.env"), strings.HasPrefix(s, "os.environ"), strings.HasPrefix(s, "os.getenv"), strings.HasPrefix(s, "ENV["),
		strings.HasPrefix(s, "secrets."), strings.HasPrefix(s, "vars."), strings.HasPrefix(s, "var."), strings.HasPrefix(s, "local."), strings.HasPrefix(s, "data."), strings.HasPrefix(s, "module."),
		strings.HasPrefix(s, "vault:"), strings.HasPrefix(s, "ssm:"), strings.HasPrefix(s, "arn:"), strings.HasPrefix(s, "op://"), strings.HasPrefix(s, "ref+"), strings.HasPrefix(s, "secretref:"):
		return true
	case strings.HasPrefix(s, "ENC("), strings.HasPrefix(s, "ENC["), strings.HasPrefix(s, "{cipher}"), strings.HasPrefix(s, "$ANSIBLE_VAULT"), strings.HasPrefix(s, "encrypted:"), strings.HasPrefix(s, "!vault"):
		return true // encrypted; families report those that matter
	}
	return false
}

// identifier reports whether text is a name of a programming language, or
// several joined by dots and arrows.
func identifier(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '$':
		case c == '-' && i+1 < len(s) && s[i+1] == '>', c == '>' && s[i-1] == '-', c == ':' && i+1 < len(s):
		default:
			return false
		}
	}
	return true
}

// placeholder reports whether a secret stands for another one, or for none.
// Of a token with a form of its own, body is what follows its anchor, and only
// what cannot be there by chance counts.
func placeholder(body []byte, formed bool) bool {
	if len(body) > longestValue {
		return false
	}
	if monotone(body) || bytes.HasSuffix(body, []byte("...")) { // cut short by who wrote it down
		return true
	}
	low := bytes.ToLower(body)
	for _, w := range [...]string{"example", "placeholder", "changeme", "change_me", "change-me", "replace_me", "replaceme", "replace-me", "redacted", "xxxxx", "*****", ".....",
		"yourtoken", "yoursecret", "notasecret", "not-a-secret", "0123456789", "abcdefghij", "1234567890"} {
		if bytes.Contains(low, []byte(w)) {
			return true
		}
	}
	if formed {
		return false
	}
	for _, w := range [...]string{"your_", "your-", "yourpass", "yourkey", "xxxx", "****", "....", "<your", "insert_", "insert-", "dummy", "foobar", "notreal", "not-a-real",
		"fakekey", "fake_", "fake-", "todo", "sample", "undefined", "mysecret", "my-secret", "my_secret", "supersecret", "secretkey", "secret_key", "mypassword", "my_password", "my-password",
		"lorem", "test_", "test-", "testkey", "testtoken", "abcdefgh", "12345678", "deadbeef", "1234abcd"} {
		if bytes.Contains(low, []byte(w)) {
			return true
		}
	}
	return false
}

// monotone reports whether a secret has too few different bytes, or climbs or
// repeats too much, to have been drawn.
func monotone(secret []byte) bool {
	var seen set
	distinct, repeat, climb, worst := 0, 1, 1, 1
	for i, c := range secret {
		if !seen.has(c) {
			seen.add(c)
			distinct++
		}
		if i == 0 {
			continue
		}
		if c == secret[i-1] {
			repeat++
		} else {
			repeat = 1
		}
		if c == secret[i-1]+1 {
			climb++
		} else {
			climb = 1
		}
		worst = max(worst, repeat, climb)
	}
	n := len(secret)
	least := 3
	switch {
	case n >= 32:
		least = 8
	case n >= 16:
		least = 6
	case n >= 10:
		least = 5
	}
	return n > 0 && (distinct < least || worst >= max(5, n/4) && n < 64 || worst >= 12)
}

// entropy is Shannon's, in bits per byte.
func entropy(text []byte) float64 {
	var count [256]int
	for _, c := range text {
		count[c]++
	}
	h := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(text))
			h -= p * math.Log2(p)
		}
	}
	return h
}

// commonPairs are the pairs of letters that make up 93 in 100 of those in the
// words of source code and prose, and 39 in 100 of those drawn at random: bit j of row i
// is the pair of the i-th and j-th letter.
var commonPairs = [26]uint32{
	0x1bebd6e, 0x1164911, 0x1e4dd5, 0x164919, 0x1eff97f, 0x1e4931, 0x66191, 0xa4111, 0x2aef87f, 0x0, 0x40111, 0x11c4919, 0x14d113,
	0x13c6d7d, 0x7efd6f, 0x11ec911, 0x100000, 0x13efd7d, 0x11ccd9d, 0x11ed9b5, 0xeb977, 0x111, 0x26191, 0x88010, 0xe8800, 0x10,
}

// wordShare is the share of pairs of neighbouring letters that are common, and
// how many pairs there are. A change from lower to upper case is no pair.
func wordShare(text []byte) (share float64, pairs int) {
	common := 0
	for i := 1; i < len(text); i++ {
		a, b := text[i-1], text[i]
		if !letter(a) || !letter(b) || a >= 'a' && b <= 'Z' {
			continue
		}
		pairs++
		if commonPairs[a&0x1f-1]>>(b&0x1f-1)&1 != 0 {
			common++
		}
	}
	if pairs == 0 {
		return 0, 0
	}
	return float64(common) / float64(pairs), pairs
}

func letter(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// texture counts what a value is made of.
type texture struct{ lower, upper, digits, symbols, spaces, other int }

func textureOf(value []byte) (t texture) {
	for _, c := range value {
		switch {
		case c >= 'a' && c <= 'z':
			t.lower++
		case c >= 'A' && c <= 'Z':
			t.upper++
		case digit(c):
			t.digits++
		case c == ' ' || c == '\t':
			t.spaces++
		case c < ' ' || c > '~':
			t.other++
		default:
			t.symbols++
		}
	}
	return t
}

// randomKey reports whether a value looks drawn: long enough, of the bytes
// keys are made of, and neither words nor a digest of known form.
func randomKey(value []byte) bool {
	t := textureOf(value)
	n := len(value)
	switch {
	case n < 16, n > 256, t.spaces > 0, t.other > 0, t.digits == 0 && (t.lower == 0 || t.upper == 0) || t.lower+t.upper == 0:
		return false
	case t.symbols > n/4, uuidLike(value), notKey(value), describes(value), address(value), pathOfNames(value), keyURI(value), constantOf(value), prose64(value):
		return false
	}
	if share, pairs := wordShare(value); pairs >= 5 && share > 0.75 && pairs*2 > n || pairs >= 5 && share > 0.85 {
		return false
	}
	if t.digits == 0 && n < 32 || t.digits*10 > n*9 {
		return false
	}
	least := 3.5
	if hexLike(value) {
		least = 3.0
	} else if n < 24 {
		least = 3.2
	}
	return entropy(value) >= least
}

// notKey recognises texts of the bytes keys are made of that are none: paths,
// addresses, versions, names, digests with a label, formats, expressions.
func notKey(value []byte) bool {
	s := string(value)
	switch {
	case strings.Contains(s, "://"), strings.Contains(s, "/aws4_request"), strings.HasPrefix(s, "/"), strings.HasPrefix(s, "./"), strings.HasPrefix(s, "~/"), strings.HasPrefix(s, "../"),
		strings.HasPrefix(s, "sha"), strings.HasPrefix(s, "h1:"), strings.HasPrefix(s, "md5"), strings.HasPrefix(s, "data:"), strings.HasPrefix(s, "urn:"), strings.HasPrefix(s, "0x") && len(s) < 20,
		strings.HasPrefix(s, "ssh-"), strings.HasPrefix(s, "pk_"), strings.HasPrefix(s, "MII") && len(s) > 60:
		return true
	case strings.Contains(s, "%s"), strings.Contains(s, "%d"), strings.Contains(s, "%v"), strings.Contains(s, "{}"), strings.Contains(s, "${"), strings.Contains(s, "{{"), strings.Contains(s, "&&"), strings.Contains(s, "||"),
		strings.Contains(s, "=="), strings.ContainsAny(s, "()<>|\\") && !strings.ContainsAny(s, "!@#"), strings.Contains(s, "::"), strings.Contains(s, "->"):
		return !strings.HasSuffix(s, "==") || strings.Count(s, "=") > 2
	}
	slashes, dots, dashes := strings.Count(s, "/"), strings.Count(s, "."), strings.Count(s, "-")+strings.Count(s, "_")
	switch {
	case slashes >= 2 && wordPath(s, '/'), dots >= 2 && !strings.HasPrefix(s, "ey") && wordPath(s, '.'), dashes >= 2 && wordPath(strings.ReplaceAll(s, "_", "-"), '-'):
		return true
	}
	return false
}

// wordPath reports whether most parts of a value, split at a separator, are
// short or words.
func wordPath(s string, sep byte) bool {
	words, parts := 0, 0
	for part := range strings.SplitSeq(s, string(sep)) {
		parts++
		share, pairs := wordShare([]byte(part))
		if len(part) <= 3 || pairs >= 2 && share >= 0.7 && !strings.ContainsAny(part, "0123456789") {
			words++
		}
	}
	return words*3 >= parts*2
}

func hexLike(value []byte) bool {
	for _, c := range value {
		if hexValue(c) < 0 {
			return false
		}
	}
	return true
}

func uuidLike(value []byte) bool {
	return len(value) == 36 && value[8] == '-' && value[13] == '-' && value[18] == '-' && value[23] == '-'
}

// password reports whether a value may be one that a person or a generator
// chose. Passwords have no form, so it must neither be words nor code.
func password(value []byte, quoted, plain bool) bool {
	t := textureOf(value)
	n := len(value)
	switch {
	case n < 6, n > 128, t.spaces > 0, t.other > 0, t.lower+t.upper == 0 && (t.symbols == 0 || t.digits == 0):
		return false
	case t.digits == 0 && t.symbols == 0 && (t.lower == 0 || t.upper == 0 || !quoted && !plain):
		return false
	case !quoted && (indexed(value) || !plain && (t.digits == 0 || identifier(string(value)) || slashed(value))):
		return false
	case uuidLike(value), notPassword(value), describes(value), prose64(value):
		return false
	}
	share, pairs := wordShare(value)
	switch {
	case t.digits == 0 && share >= 0.6 && pairs >= 3: // words, names, titles
		return false
	case t.digits > 0 && t.symbols == 0 && share > 0.7 && identifier(string(value)) && trailing(value) <= 2 && pairs >= 5 && numbers(value) < 3:
		return false // names with a number: Password1, token12
	}
	return true
}

// indexed reports whether a value is an element of something: args[1], m["a"].
func indexed(value []byte) bool {
	i := bytes.IndexByte(value, '[')
	return i > 0 && value[len(value)-1] == ']' && identifier(string(value[:i]))
}

// slashed reports whether a value is names joined by slashes, one of them a word.
func slashed(value []byte) bool {
	words, parts := 0, 0
	for part := range strings.SplitSeq(string(value), "/") {
		if !identifier(part) {
			return false
		}
		if share, pairs := wordShare([]byte(part)); pairs >= 3 && share > 0.75 {
			words++
		}
		parts++
	}
	return words > 0 && parts > 1
}

// numbers is how many runs of digits a value has.
func numbers(value []byte) (n int) {
	for i, c := range value {
		if digit(c) && (i == 0 || !digit(value[i-1])) {
			n++
		}
	}
	return n
}

// trailing is how many digits end a value.
func trailing(value []byte) (n int) {
	for n < len(value) && digit(value[len(value)-1-n]) {
		n++
	}
	return n
}

// notPassword recognises values of names that mean passwords, which are none:
// prompts, keys of translations, types, paths, formats, hashes, options.
func notPassword(value []byte) bool {
	s := strings.ToLower(string(value))
	first, last := s[0], s[len(s)-1]
	switch {
	case notKey(value), strings.HasPrefix(s, "$2"), strings.HasPrefix(s, "$1$"), strings.HasPrefix(s, "$5$"), strings.HasPrefix(s, "$6$"), strings.HasPrefix(s, "$y$"),
		strings.HasPrefix(s, "$argon"), strings.HasPrefix(s, "$pbkdf2"), strings.HasPrefix(s, "pbkdf2"), strings.HasPrefix(s, "{ssha}"), strings.HasPrefix(s, "{sha}"), strings.HasPrefix(s, "$apr1$"):
		return true
	case last == ':' || last == '?' || last == ',' || last == '(' || last == '{' || last == ';' || last == '[' || first == '.' || first == '(' || first == ':' || first == '[' || first == '-' || first == '#' && len(s) < 8 || first == ',' || first == ')' || first == '+' || first == '=' || first == '?' || first == '|':
		return true
	case strings.HasPrefix(s, "^"), strings.Contains(s, "[a-z"), strings.Contains(s, `\w`), strings.Contains(s, `\d`), strings.Contains(s, "();"), strings.Contains(s, "..."), strings.Contains(s, "%2"), strings.Contains(s, "&nbsp"), strings.Contains(s, "function"), strings.Contains(s, "return"):
		return true
	case strings.Contains(s, "password"), strings.Contains(s, "passwd"), strings.Contains(s, "passphrase"), strings.Contains(s, "secret"), strings.Contains(s, "username"), strings.Contains(s, "token"):
		return !strings.ContainsAny(s, "!@#$%^&*") && !longDigits(s)
	}
	switch s {
	case "string", "number", "boolean", "required", "optional", "hidden", "text", "input", "admin", "administrator", "nobody", "public", "private", "default", "unknown", "invalid", "missing", "no-cache", "test123", "abc123", "abc1234", "admin123",
		"qwerty", "letmein", "hunter2", "passw0rd", "secr3t", "utf-8", "sha256", "sha512", "sha-256", "sha1", "base64", "aes256", "aes-256", "md5", "argon2", "bcrypt", "scrypt", "pbkdf2", "iso-8859-1":
		return true
	}
	return dotted(s)
}

// longDigits reports whether there are four digits or more.
func longDigits(s string) bool {
	n := 0
	for i := range len(s) {
		if digit(s[i]) {
			n++
		}
	}
	return n >= 4
}

// dotted reports whether text is a member expression, a file name, a version
// or an address.
func dotted(s string) bool {
	if !strings.Contains(s, ".") {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if !identifier(strings.Trim(part, "-_")) && strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}
