package secrets

import (
	"bytes"
	"strings"
)

// An assignment is a name, a separator and a value, in any of the syntaxes of
// configuration, code and command lines:
//
//	NAME=v  name: v  name := v  name => v  "name": "v"  name ?= v  name ||= v
//	<name>v</name>  <x name="v">  <key>name</key><string>v</string>
//	export NAME=v  setenv NAME v  ENV NAME v  -e NAME=v  --name v  --name=v
//	define('NAME', 'v')  #define NAME "v"  set("name", "v")  name("v")
//	name = var string = "v"  name: str = "v"  {"name": "NAME", "value": "v"}
//	IDENTIFIED BY 'v'  WITH PASSWORD 'v'  machine h login u password v
type assignment struct {
	name   []byte
	value  span   // in the view's data, without quotes
	quoted bool   // the value stood in quotes
	plain  bool   // the line is one of a configuration: it has nothing but the assignment
	raw    []byte // the value as it stands
}

const (
	longestValue  = 512
	longestSpaces = 32
)

// assign looks for an assignment to the name in which the word stands.
func (v *view) assign(p, length int) {
	if p < v.assigned { // in the name, or the value, that was looked at last
		return
	}
	h := &v.set.handlers
	left := v.backward(h.name, p, longestName)
	right := v.forward(h.name, p+length, longestName)
	name := span{p - left, p + length + right}
	if left >= longestName || right >= longestName || name == v.named {
		return
	}
	v.named = name // several words stand in one
	a, ok := v.assignment(name.start, name.end)
	if !ok {
		return
	}
	v.assigned = a.value.start
	v.judge(a)
}

// assignment parses what surrounds the name in data[start:end].
func (v *view) assignment(start, end int) (a assignment, ok bool) {
	name := v.data[start:end]
	for len(name) > 0 && (name[len(name)-1] == '-' || name[len(name)-1] == '.') {
		name = name[:len(name)-1] // of -> and sentences
		end--
	}
	a.name = bytes.TrimRight(name, " ")
	cur := cursor{data: v.data[:min(len(v.data), end+2048)], at: end}
	v.work += len(name) + longestSpaces
	element := start > 0 && (v.data[start-1] == '<' || v.data[start-1] == ':') && cur.peek() == '>'
	if element {
		cur.at++
		return v.element(a, &cur)
	}
	if cur.skip("</key>") || cur.skip("</name>") { // of a property list, of Hadoop and Jenkins
		cur.white()
		if cur.skip("<string>") || cur.skip("<value>") {
			return v.element(a, &cur)
		}
		return a, false
	}
	if start > 0 && v.data[start-1] == ':' && bytes.Contains(v.lineBefore(start), []byte("arn:")) {
		return a, false // a resource's name
	}
	if text := cur.data[end:]; len(text) > 1 && (text[0] == '\'' || text[0] == '"') && text[1] == ')' {
		return a, false // the last argument: what follows is the call's value
	}
	closed := cur.quotes()
	cur.spaces()
	switch {
	case closed && cur.value(): // {"name": "NAME", "value": "v"}, - name: NAME
	case !closed && cur.nameValue():
		a.plain = true
	case cur.separator():
	case cur.skip("("):
		cur.spaces()
		if c := cur.peek(); c != '"' && c != '\'' && c != '`' {
			return a, false
		}
	case closed && v.listed(start, end) && cur.skip(","):
		cur.white()
		if c := cur.peek(); c != '"' && c != '\'' && c != '`' && c != '\\' {
			return a, false
		}
	case !closed && cur.at > end && v.spaced(start, name):
		a.plain = true
	case !closed && cur.at > end && cur.typed():
	default:
		return a, false
	}
	return v.valueAt(a, &cur, start)
}

// account reports whether a line of SQL is about users, whom it may identify by a password.
func account(line []byte) bool {
	line = bytes.ToLower(line)
	return bytes.Contains(line, []byte("user")) || bytes.Contains(line, []byte("role")) || bytes.Contains(line, []byte("grant"))
}

// listed reports whether a quoted name may be one of several values, and is not
// the value of another name.
func (v *view) listed(start, end int) bool {
	before := bytes.TrimRight(bytes.TrimRight(v.lineBefore(start), "\"'`\\"), " \t")
	closing := end < len(v.data) && bytes.IndexByte([]byte("\"'`\\"), v.data[end]) >= 0
	if n := len(before); n > 1 && before[n-1] == '[' && (letter(before[n-2]) || digit(before[n-2])) { // an index: what follows is another value
		return false
	}
	return closing && (len(before) == 0 || before[len(before)-1] != ':' && before[len(before)-1] != '=')
}

// lineBefore returns what stands on the line before p, at most lineBytes. The
// last line end is remembered: positions come in ascending order.
func (v *view) lineBefore(p int) []byte {
	from := max(0, p-lineBytes)
	lo := from
	if p < v.lineKnown {
		v.lineStart = 0
	}
	if v.lineKnown > from && v.lineKnown <= p {
		lo = v.lineKnown
	}
	if i := bytes.LastIndexByte(v.data[lo:p], '\n'); i >= 0 {
		v.lineStart = lo + i + 1
	}
	v.lineKnown = p
	v.work += p - lo
	return v.data[min(max(from, v.lineStart), p):p]
}

// lineBytes is how much of a line before a name is looked at.
const lineBytes = 256

// spaced reports whether a space separates the name at p from its value: a
// flag does, and some words at the start of a line.
func (v *view) spaced(p int, name []byte) bool {
	if bytes.HasPrefix(name, []byte("--")) || name[0] == '-' && len(name) > 3 {
		return true
	}
	line := v.lineBefore(p)
	if len(name) > 2 && bytes.EqualFold(name[len(name)-2:], []byte("by")) && account(line) || len(name) == 8 && bytes.EqualFold(name, []byte("password")) && bytes.Contains(bytes.ToUpper(line), []byte("WITH ")) {
		return true
	}
	line = bytes.TrimSpace(line)
	first, _, _ := bytes.Cut(line, []byte(" "))
	if len(first) > 11 {
		return bytes.Contains(line, []byte("login "))
	}
	switch strings.ToLower(string(first)) {
	case "env", "arg", "set", "setenv", "export", "#define", "machine", "default", "login", "setx", "password", "requirepass", "masterauth":
		return true
	}
	return bytes.Contains(line, []byte("login "))
}

// element reads the text of an XML element.
func (v *view) element(a assignment, cur *cursor) (assignment, bool) {
	cur.white()
	cur.skip("<![CDATA[")
	start := cur.at
	n := bytes.IndexByte(cur.data[start:min(len(cur.data), start+longestValue)], '<')
	if n < 0 {
		n = bytes.Index(cur.data[start:min(len(cur.data), start+longestValue)], []byte("]]>"))
	}
	if n <= 0 {
		return a, false
	}
	a.raw = bytes.TrimSpace(bytes.TrimSuffix(cur.data[start:start+n], []byte("]]>")))
	a.value = span{start, start + len(a.raw)}
	a.quoted, a.plain = true, true
	return a, len(a.raw) > 0
}

// valueAt reads the value that the cursor stands at, of the name at p.
func (v *view) valueAt(a assignment, cur *cursor, p int) (assignment, bool) {
	cur.spaces()
	if cur.block() { // of YAML
		a.plain = true
	}
	cur.prefix()
	quote, escaped := cur.quote()
	if quote != 0 {
		return v.quotedValue(a, cur.at, quote, escaped)
	}
	if cur.compared { // with a number, or another variable
		return a, false
	}
	return v.bareValue(a, cur.at, p)
}

// quotedValue reads to the closing quote on the same line. An escaped one
// opened with a backslash, and closes so.
func (v *view) quotedValue(a assignment, start int, quote byte, escaped bool) (assignment, bool) {
	h := &v.set.handlers
	class := h.single
	switch quote {
	case '"':
		class = h.double
	case '`':
		class = h.back
	}
	at := start
	for {
		at += v.forward(class, at, longestValue+1)
		if at-start > longestValue || at >= len(v.data) || v.data[at] != quote {
			return a, false
		}
		slashes := 0
		for at-slashes > start && v.data[at-slashes-1] == '\\' {
			slashes++
		}
		v.work++
		if escaped && slashes > 0 {
			at -= slashes
			break
		}
		if !escaped && slashes%2 == 0 {
			break
		}
		at++
	}
	a.raw, a.value, a.quoted = v.data[start:at], span{start, at}, true
	return a, at > start
}

// bareValue reads a value without quotes: if there is nothing but the assignment on
// the line, to the end of it, else to what ends it in code.
func (v *view) bareValue(a assignment, start, p int) (assignment, bool) {
	h := &v.set.handlers
	if start >= len(v.data) || bytes.IndexByte([]byte("{[(<>;,&|"), v.data[start]) >= 0 {
		return a, false // the beginning of an expression
	}
	most := v.forward(h.bare, start, longestValue+1)
	if most == 0 || most > longestValue {
		return a, false
	}
	lead := bytes.TrimSpace(v.lineBefore(p))
	first, rest, _ := bytes.Cut(lead, []byte(" "))
	switch string(first) {
	case "export", "ENV", "ARG", "env", "set", "-", "-e", "setenv":
		lead = bytes.TrimSpace(rest)
	}
	flag := a.name[0] == '-' || endsInFlag(lead) // of a command: the value ends at a space
	a.plain = a.plain || flag || len(lead) == 0
	n := most
	if !a.plain {
		n = v.forward(h.word, start, longestValue)
	}
	text := v.data[start:min(len(v.data), start+n+longestSpaces)]
	if !a.plain && n < len(text) && (text[n] == '{' || text[n] == '(') {
		return a, false // a literal of a type, a call
	}
	if after := bytes.TrimLeft(text[n:], " \t"); len(after) > 0 && !flag { // nothing that belongs to an expression may follow
		if a.plain = a.plain && (after[0] == '\n' || after[0] == '\r' || after[0] == '#'); !a.plain && (after[0] == '(' || bytes.IndexByte(text[:n], '{') > 0) {
			return a, false
		}
	}
	if i := nextParameter(text[:n]); i > 0 {
		n = i
	}
	for n > 0 && !a.plain && (text[n-1] == '.' || text[n-1] == ':') {
		n-- // the end of a sentence
	}
	a.raw, a.value = text[:n], span{start, start + n}
	return a, n > 0
}

// nextParameter returns where the next name and value of a query or form begin
// in a value, or -1.
func nextParameter(value []byte) int {
	at := bytes.IndexByte(value, '&')
	if at <= 0 {
		return -1
	}
	rest := value[at+1:]
	eq := bytes.IndexByte(rest, '=')
	if eq <= 1 || !identifier(string(rest[:eq])) {
		return -1
	}
	return at
}

// endsInFlag reports whether a name that follows is the argument of a flag that
// sets variables.
func endsInFlag(line []byte) bool {
	for _, f := range [...]string{"-e", "--env", "--build-arg", "-D", "--set"} {
		if rest, ok := bytes.CutSuffix(line, []byte(f)); ok && (len(rest) == 0 || rest[len(rest)-1] == ' ' || rest[len(rest)-1] == '\t') {
			return true
		}
	}
	return false
}
