package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// object offers the innermost JSON object round p to a rule. The same object
// is offered to a rule once.
func (v *view) object(p, rule int) {
	o, ok := v.enclosing(p)
	if !ok || v.objects[rule] == v.base+int64(o.start)+1 {
		return
	}
	if v.objects == nil {
		v.objects = map[int]int64{}
	}
	v.objects[rule] = v.base + int64(o.start) + 1
	text := v.data[o.start:o.end]
	if !json.Valid(text) {
		// An object in a string: its quotes are escaped.
		if text = unescape(text); !json.Valid(text) {
			return
		}
	}
	v.work += len(text)
	v.offer(offer{rule: rule, span: o, token: text, secret: text})
}

// docker offers the credentials of a Docker config: the auth of each registry
// is base64 of user:password, an identitytoken stands for itself.
func (v *view) docker(p int) {
	h := &v.set.handlers
	if h.docker < 0 {
		return
	}
	o, ok := v.enclosing(p)
	if !ok {
		return
	}
	var config struct {
		Auths map[string]struct{ Auth, IdentityToken, Password, Username string }
	}
	text := v.data[o.start:o.end]
	if json.Unmarshal(text, &config) != nil && json.Unmarshal(unescape(text), &config) != nil {
		return
	}
	v.work += len(text)
	for host, a := range config.Auths {
		user, pass, shown := a.Username, a.Password, a.Password
		if plain, err := base64.StdEncoding.DecodeString(a.Auth); err == nil && a.Auth != "" {
			u, s, _ := bytes.Cut(plain, []byte(":"))
			user, pass, shown = string(u), string(bytes.TrimRight(s, "\x00")), a.Auth
		}
		if a.IdentityToken != "" {
			pass, shown = a.IdentityToken, a.IdentityToken
		}
		at := bytes.Index(text, []byte(shown))
		if pass == "" || shown == "" || at < 0 {
			continue
		}
		v.offerWith(offer{rule: h.docker, span: span{o.start + at, o.start + at + len(shown)}, token: []byte(pass), secret: []byte(pass)}, func(c *Candidate) {
			c.Parts = append(c.Parts, Part{Name: "host", Value: host}, Part{Name: "user", Value: user})
		})
	}
}

// regexpBytes is how far round a keyword a regular expression is tried.
const regexpBytes = 2048

// expression tries a rule's regular expression round the keyword at p.
func (v *view) expression(p, rule int) {
	if p < v.tried[rule] {
		return
	}
	re := v.set.regexps[rule]
	lo := max(0, p-regexpBytes)
	text := v.data[lo:min(len(v.data), p+regexpBytes)]
	if v.tried == nil {
		v.tried = map[int]int{}
	}
	v.tried[rule] = p + regexpBytes/2
	v.work += len(text)
	for _, m := range re.FindAllSubmatchIndex(text, 64) {
		group := 2 * v.set.rules[rule].Group
		if m[group] < 0 || m[group] == m[group+1] {
			continue
		}
		token, secret := text[m[0]:m[1]], text[m[group]:m[group+1]]
		v.offer(offer{rule: rule, span: span{lo + m[0], lo + m[1]}, token: token, secret: secret})
	}
}
