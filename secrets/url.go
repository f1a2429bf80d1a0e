package secrets

import (
	"bytes"
	"net/url"
	"strings"
)

// userinfo looks for a password in the URL whose "://" stands at p:
// scheme://user:password@host, RFC 3986 section 3.2.1.
func (v *view) userinfo(p int) {
	h := &v.set.handlers
	if h.url < 0 && h.gitURL < 0 {
		return
	}
	scheme := p
	for scheme > 0 && p-scheme < 24 && (letter(v.data[scheme-1]) || digit(v.data[scheme-1]) || v.data[scheme-1] == '+' || v.data[scheme-1] == '-') {
		scheme--
	}
	start := p + len("://")
	n := v.forward(h.userinfo, start, longestValue)
	at := start + n
	if at >= len(v.data) || v.data[at] != '@' || scheme == p || n < 2 {
		return
	}
	text := v.data[start:at]
	user, pass, ok := bytes.Cut(text, []byte(":"))
	if !ok || len(pass) == 0 {
		return
	}
	host := v.data[at+1 : min(len(v.data), at+1+longestValue)]
	end := bytes.IndexFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' || r == '[' || r == ']' || r == '$' || r == '{' || r == '}')
	})
	if end >= 0 {
		host = host[:end]
	}
	v.work += n + len(host)
	secret, err := url.PathUnescape(string(pass))
	if err != nil {
		secret = string(pass)
	}
	if len(host) == 0 || len(secret) < 3 || reference([]byte(secret)) || strings.ContainsAny(secret, "{}<>") || weakPair(string(user), secret) || bytes.ContainsAny(user, "{<[/?#") {
		return // the authority ends at a slash, and brackets are those of a syntax
	}
	if exampleHost(string(host)) && !chosen([]byte(secret)) || len(secret) < 32 && string(v.data[scheme:p]) == "dotenv" {
		return // documentation; dotenv's keys are longer
	}
	rule := h.url
	if file := v.name(); h.gitURL >= 0 && (strings.HasSuffix(file, ".git-credentials") || strings.HasSuffix(file, "git/credentials")) {
		rule = h.gitURL
	}
	if rule < 0 {
		return
	}
	where := span{start + len(user) + 1, at}
	v.offerWith(offer{rule: rule, span: where, token: []byte(secret), secret: []byte(secret)}, func(c *Candidate) {
		c.Parts = append(c.Parts, Part{Name: "scheme", Value: string(v.data[scheme:p])}, Part{Name: "user", Value: string(user)}, Part{Name: "host", Value: string(host)})
		if reservedHost(string(host)) {
			c.rate(lower(lower(c.Severity)), "the host is reserved or this machine")
		}
	})
}

// chosen reports whether a password is one that somebody chose to keep others
// out, not to show where a password stands.
func chosen(pass []byte) bool { return len(pass) >= 8 && password(pass, true, true) }

// weakPair recognises user information that documentation writes.
func weakPair(user, pass string) bool {
	switch strings.ToLower(pass) {
	case "password", "pass", "passwd", "pwd", "pw", "secret", "x-oauth-basic", "token", "key", "p", "port", "foo", "bar", "***", "xxx", "123", "1234", "test", "user",
		"somepassword", "authpassword", "userpassword", "opensesame", "open sesame": // the last is RFC 7617's
		return true
	}
	switch plain := strings.NewReplacer("/", "", "?", "", "^", "", " ", "").Replace(strings.ToLower(pass)); plain {
	case "password", "pasword", "mypass": // written so to test how URLs escape
		return true
	}
	return strings.EqualFold(user, pass) && len(pass) < 8 || strings.Trim(pass, "*.xX_-") == ""
}

// reservedHost reports whether a host is this machine, or one that RFC 2606 and
// RFC 6761 reserve for documentation.
func reservedHost(host string) bool {
	host = strings.ToLower(host)
	switch host {
	case "localhost", "127.0.0.1", "0.0.0.0", "[", "host", "hostname", "server":
		return true
	}
	return exampleHost(host) || strings.HasSuffix(host, ".localhost")
}

// exampleHost reports whether a host is one that cannot exist.
func exampleHost(host string) bool {
	host = strings.ToLower(host)
	for _, end := range []string{"example", "example.com", "example.org", "example.net", ".test", ".invalid"} {
		if host == end || strings.HasSuffix(host, "."+strings.TrimPrefix(end, ".")) {
			return true
		}
	}
	return false
}
