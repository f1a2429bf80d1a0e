package secrets

import "bytes"

// command looks for a password on the command line that the word at p begins,
// or in the flag at p.
func (v *view) command(p, length int) {
	h := &v.set.handlers
	if h.command < 0 || p < v.commanded {
		return
	}
	line := v.data[p:min(len(v.data), p+1024)]
	if i := bytes.IndexByte(line, '\n'); i >= 0 && !(i > 0 && line[i-1] == '\\') {
		line = line[:i]
	}
	word := string(bytes.TrimSpace(bytes.ToLower(v.data[p : p+length])))
	v.work += len(line)
	switch word {
	case "sshpass":
		v.flag(p, line, "-p", false)
	case "curl":
		v.commanded = p + len(line)
		v.flag(p, line, "-u", true)
		v.flag(p, line, "--user", true)
		v.flag(p, line, "--proxy-user", true)
	case "mysql", "mysqldump":
		v.attached(p, line)
	case "docker login":
		v.flag(p, line, "-p", false)
	}
}

// flag offers the argument of a flag; of user:password what follows the colon.
func (v *view) flag(p int, line []byte, name string, pair bool) {
	i := bytes.Index(line, []byte(" "+name))
	if i < 0 {
		return
	}
	at := i + 1 + len(name)
	rest := line[at:]
	if len(rest) == 0 || rest[0] != ' ' && rest[0] != '=' && rest[0] != '\'' && rest[0] != '"' && (len(name) > 2 || !pair) && name != "-p" {
		return
	}
	v.argument(p+at, rest, pair)
}

// attached offers what follows -p without a space.
func (v *view) attached(p int, line []byte) {
	if i := bytes.Index(line, []byte(" -p")); i >= 0 && len(line) > i+3 && line[i+3] != ' ' {
		v.argument(p+i+3, line[i+3:], false)
	}
}

// argument offers the word that text, at p, begins with.
func (v *view) argument(p int, text []byte, pair bool) {
	n := 0
	for n < len(text) && (text[n] == ' ' || text[n] == '=') {
		n++
	}
	var quote byte
	if n < len(text) && (text[n] == '"' || text[n] == '\'') {
		quote = text[n]
		n++
	}
	start := n
	for n < len(text) && n-start <= longestValue {
		c := text[n]
		if quote != 0 && c == quote || quote == 0 && (c <= ' ' || c == '"' || c == '\'' || c == '|' || c == ';' || c == '\\' || c == '`') {
			break
		}
		n++
	}
	value := text[start:n]
	user := []byte(nil)
	if pair {
		var ok bool
		if user, value, ok = bytes.Cut(value, []byte(":")); !ok {
			return
		}
		start += len(user) + 1
	}
	if len(value) < 4 || reference(value) || weakPair(string(user), string(value)) || !password(value, true, true) || bytes.ContainsAny(value, "$<{") {
		return
	}
	v.offerWith(offer{rule: v.set.handlers.command, span: span{p + start, p + start + len(value)}, token: value, secret: value}, func(c *Candidate) {
		if len(user) > 0 {
			c.Parts = append(c.Parts, Part{Name: "user", Value: string(user)})
		}
	})
}
