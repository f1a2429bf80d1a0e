package secrets

import (
	"bytes"
	"slices"
	"strings"
)

// judge offers an assignment to the rules for names, and to the generic ones.
func (v *view) judge(a assignment) {
	value := unescape(a.raw)
	if len(value) < 4 || reference(value) {
		return
	}
	v.work += len(value)
	var flat string
	var around nearby
	claimed := false
	for i := range v.set.assigned {
		g := &v.set.assigned[i]
		if len(value) < g.shortest || len(value) > g.longest || !g.fits(v, value) {
			continue
		}
		r := &v.set.rules[g.rule]
		if flat == "" {
			flat = flatName(a.name)
		}
		if len(r.Names) > 0 && !endsIn(flat, r.Names) || len(r.Names) == 0 && !around.has(v, r.Context, a.name, a.value.start) {
			continue
		}
		claimed = v.offer(offer{rule: g.rule, span: a.value, token: value, secret: value, name: string(a.name)}) || claimed
	}
	h := &v.set.handlers
	switch {
	case claimed:
	case h.key >= 0 && randomKey(value) && nameMeans(string(a.name)) == meansKey && !(hexLike(value) && v.vector(a.value)):
		v.generic(h.key, a, value)
	case h.password >= 0 && password(value, a.quoted, a.plain) && nameMeans(string(a.name)) == meansPassword:
		v.generic(h.password, a, value)
	}
}

// generic offers a value to a generic rule. In a file that holds nothing but an
// environment the name says more.
func (v *view) generic(rule int, a assignment, value []byte) {
	v.offerWith(offer{rule: rule, span: a.value, token: value, secret: value, name: string(a.name)}, func(c *Candidate) {
		name := v.name()
		base := name[strings.LastIndexByte(name, '/')+1:]
		if base == ".env" || strings.HasPrefix(base, ".env.") || strings.HasSuffix(base, ".env") {
			c.Confidence = min(c.Confidence, ConfidenceMedium)
		}
	})
}

// fits reports whether a value has one of the rule's shapes.
func (g *assigned) fits(v *view, value []byte) bool {
	for _, shape := range g.shapes {
		if v.whole(shape, value) {
			return true
		}
	}
	return len(g.shapes) == 0
}

// whole matches steps against all of a value.
func (v *view) whole(shape []step, value []byte) bool {
	at := 0
	for i := range shape {
		s := &shape[i]
		if s.class < 0 {
			if !bytes.HasPrefix(value[at:], []byte(s.literal)) {
				return false
			}
			at += len(s.literal)
			continue
		}
		class, n := &v.set.classes[s.class], 0
		for n < s.max && at+n < len(value) && class.has(value[at+n]) {
			n++
		}
		v.work += n
		if n < s.min {
			return false
		}
		at += n
	}
	return at == len(value)
}

// flatName is a name in lower case without separators.
func flatName(name []byte) string {
	out := make([]byte, 0, len(name))
	for _, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			out = append(out, c|0x20)
		case c != '_' && c != '-' && c != '.' && c != '$':
			out = append(out, c)
		}
	}
	return string(out)
}

func endsIn(flat string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(flat, n) })
}

// meaning is what a name says of its value.
type meaning uint8

const (
	meansNothing meaning = iota
	meansPassword
	meansKey
)

// nameMeans judges a name by its words: the last one that matters says what
// the value is, and another one after it says that it is something else: a
// password's length, a token's type, a secret's name.
func nameMeans(name string) meaning {
	if name == "PWD" || name == "$PWD" || name == "OLDPWD" {
		return meansNothing // the working directory, in a shell
	}
	words := nameWords(name)
	found := meansNothing
	for i, w := range words {
		switch {
		case strings.HasSuffix(w, "password"), strings.HasSuffix(w, "passwd"), strings.HasSuffix(w, "passwort"), strings.HasSuffix(w, "pwd"),
			w == "pass", w == "passphrase", w == "passcode", w == "kennwort", w == "senha", w == "dbpass", w == "userpass", w == "rootpass", w == "mypass", w == "adminpass":
			found = meansPassword
		case strings.HasSuffix(w, "secret"), w == "token", w == "authtoken", w == "accesstoken", w == "apitoken", w == "credential", w == "credentials", w == "cred", w == "creds",
			strings.HasSuffix(w, "apikey"), w == "secretkey", w == "accesskey", w == "privatekey", w == "authkey", w == "masterkey", w == "secrets" && i == len(words)-1:
			found = meansKey
		case (w == "key" || w == "keys" || w == "salt") && i > 0 && keyWord(words[i-1]), w == "auth" && i > 0 && i == len(words)-1:
			found = meansKey
		case w == "by" && i == 1 && words[0] == "identified":
			found = meansPassword
		case found != meansNothing && !neutralWord(w):
			return meansNothing
		case misleading(w) && found == meansNothing:
			if i+1 < len(words) && (words[i+1] == "token" || words[i+1] == "key") {
				return meansNothing
			}
		}
	}
	return found
}

// keyWord reports whether "key" behind the word means something secret.
func keyWord(w string) bool {
	switch w {
	case "api", "access", "secret", "private", "encryption", "encrypt", "signing", "sign", "auth", "master", "account", "storage", "shared", "client", "service",
		"app", "application", "license", "ssh", "deploy", "crypto", "cipher", "aes", "des", "hmac", "jwt", "session", "cookie", "admin", "root", "server", "security",
		"secure", "consumer", "subscription", "integration", "webhook", "project", "write", "ingest", "data", "token", "password", "nonce", "base", "credential", "login":
		return true
	}
	return false
}

// neutralWord reports whether a word behind the one that matters leaves its
// meaning as it is.
func neutralWord(w string) bool {
	switch w {
	case "value", "val", "str", "string", "text", "plain", "plaintext", "base64", "b64", "raw", "prod", "production", "dev", "development", "test", "testing", "staging", "stage",
		"default", "old", "new", "current", "live", "primary", "secondary", "main", "data", "master", "user", "admin", "root", "db", "database", "base", "key", "keys":
		return true
	}
	for i := range len(w) {
		if w[i] < '0' || w[i] > '9' {
			return len(w) > 1 && w[0] == 'v' && w[1] >= '0' && w[1] <= '9'
		}
	}
	return true
}

// misleading reports whether a word makes the token or key behind it a public one.
func misleading(w string) bool {
	switch w {
	case "public", "hashed", "csrf", "xsrf", "next", "page", "continuation", "cancel", "cancellation", "pagination", "primary", "foreign", "partition", "sort", "sync",
		"cache", "i18n", "translation", "lookup", "syntax", "lexer", "parser", "current", "previous", "start", "end", "begin", "row", "purchase", "update", "device", "subject", "hash", "idempotency", "shortcut", "arrow", "hot":
		return true
	}
	return false
}

// nameWords splits a name at separators and changes of case, in lower case:
// dbUser_PASSWORD2 is db, user, password, 2.
func nameWords(name string) (words []string) {
	start := 0
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
		start = end
	}
	kind := func(c byte) int {
		switch {
		case c >= 'a' && c <= 'z':
			return 1
		case c >= 'A' && c <= 'Z':
			return 2
		case c >= '0' && c <= '9':
			return 3
		}
		return 0
	}
	for i := range len(name) {
		k := kind(name[i])
		if i > start {
			switch prev := kind(name[i-1]); {
			case k == prev && k != 2, k == 1 && prev == 2 && i-1 == start:
			case k == 2 && prev == 2:
				if i+1 < len(name) && kind(name[i+1]) == 1 && !(i+2 == len(name) && name[i+1] == 's') {
					flush(i) // the last capital of an acronym begins a word
				}
			case k == 1 && prev == 2:
			default:
				flush(i)
			}
		}
		if k == 0 {
			start = i + 1
		}
	}
	flush(len(name))
	return words
}
