package secrets

import (
	"bytes"
	"encoding/base64"
)

// header looks at credentials behind the word Basic or Bearer (RFC 7617, RFC
// 6750) at p, of which length bytes are the word and a space.
func (v *view) header(p, length int) {
	before := bytes.ToLower(v.data[max(0, p-32):p])
	i := bytes.LastIndex(before, []byte("authorization"))
	if i < 0 {
		return
	}
	for _, c := range before[i+len("authorization"):] {
		if !bytes.ContainsRune([]byte(" \t:=\"'\\,`>([]"), rune(c)) {
			return
		}
	}
	h := &v.set.handlers
	start := p + length
	n := v.forward(h.token, start, 4096)
	token := v.data[start : start+n]
	if n < 8 || n >= 4096 {
		return
	}
	s := span{start, start + n}
	if v.data[p]|0x20 == 'b' && v.data[p+1]|0x20 == 'a' {
		if h.basic < 0 {
			return
		}
		plain, err := base64.RawStdEncoding.DecodeString(string(bytes.TrimRight(token, "=")))
		user, pass, ok := bytes.Cut(plain, []byte(":"))
		if err != nil || !ok || len(pass) < 3 || !printable(plain) || reference(pass) || weakPair(string(user), string(pass)) {
			return
		}
		v.offerWith(offer{rule: h.basic, span: s, token: pass, secret: pass}, func(c *Candidate) {
			c.Parts = append(c.Parts, Part{Name: "user", Value: string(user)})
		})
		return
	}
	if h.bearer >= 0 && n >= 20 && randomKey(token[:min(n, 200)]) {
		v.offer(offer{rule: h.bearer, span: s, token: token, secret: token})
	}
}
