package secrets

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// longestToken bounds what is decoded as one self-describing token.
const longestToken = 64 << 10

// jwtParts are the decoded header and claims of a compact JWS or JWE.
type jwtParts struct {
	alg, enc string
	parts    int
	signed   bool // the signature is not empty
	claims   map[string]json.RawMessage
}

// parseJWT decodes a compact JWS (three parts) or JWE (five parts) as RFC 7515
// and RFC 7516 write them; ok is false for what is neither.
func parseJWT(tok []byte) (j jwtParts, ok bool) {
	if len(tok) > longestToken {
		return j, false
	}
	parts := bytes.Split(tok, []byte{'.'})
	j.parts = len(parts)
	if j.parts != 3 && j.parts != 5 {
		return j, false
	}
	var header struct{ Alg, Enc string }
	if json.Unmarshal(decodeBase64(parts[0]), &header) != nil || header.Alg == "" {
		return j, false
	}
	j.alg, j.enc = header.Alg, header.Enc
	if j.parts == 5 {
		return j, j.enc != ""
	}
	j.signed = len(parts[2]) > 0
	return j, json.Unmarshal(decodeBase64(parts[1]), &j.claims) == nil
}

// text returns a claim that is a string.
func (j jwtParts) text(name string) (s string) {
	_ = json.Unmarshal(j.claims[name], &s) // another type is as good as none
	return s
}

// expiry returns the claim exp; zero if there is none.
func (j jwtParts) expiry() time.Time {
	var seconds float64
	if json.Unmarshal(j.claims["exp"], &seconds) != nil || seconds <= 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// checkJWT accepts a signed token, whose header names its algorithm.
func checkJWT(tok []byte) boltseal.Verdict {
	j, ok := parseJWT(tok)
	return hard(ok && j.parts == 3 && j.signed && j.alg != "none")
}

// checkJWTNone accepts a token that says it is not signed.
func checkJWTNone(tok []byte) boltseal.Verdict {
	j, ok := parseJWT(tok)
	return hard(ok && j.parts == 3 && !j.signed && j.alg == "none")
}

// checkJWE accepts an encrypted token.
func checkJWE(tok []byte) boltseal.Verdict {
	j, ok := parseJWT(tok)
	return hard(ok && j.parts == 5)
}

// checkServiceRole accepts the tokens of Supabase that bypass row security.
func checkServiceRole(tok []byte) boltseal.Verdict {
	j, ok := parseJWT(tok)
	return hard(ok && j.signed && j.text("role") == "service_role")
}

// checkServiceAccount accepts the tokens of Kubernetes service accounts.
func checkServiceAccount(tok []byte) boltseal.Verdict {
	j, ok := parseJWT(tok)
	return hard(ok && j.signed && bytes.HasPrefix([]byte(j.text("sub")), []byte("system:serviceaccount:")))
}

// checkTrailingJWT returns the check of a prefix (and, where sep is not zero,
// something up to the first sep behind it) followed by a JWT.
func checkTrailingJWT(sep byte) func([]byte) boltseal.Verdict {
	return func(tok []byte) boltseal.Verdict {
		i := bytes.Index(tok, []byte("eyJ"))
		if i < 1 || sep != 0 && tok[i-1] != sep {
			return boltseal.VerdictFail
		}
		return checkJWT(tok[i:])
	}
}

// checkMembers returns the check of a prefix followed by an object in base64
// that has all the named members, up to the first byte of cut if there is one.
func checkMembers(prefix int, cut byte, names ...string) func([]byte) boltseal.Verdict {
	return func(tok []byte) boltseal.Verdict {
		if len(tok) < prefix || len(tok) > longestToken {
			return boltseal.VerdictFail
		}
		body := tok[prefix:]
		if cut != 0 {
			body, _, _ = bytes.Cut(body, []byte{cut})
		}
		return hard(hasMembers(decodeBase64(body), names...))
	}
}

// hasMembers reports whether text is an object that has all the named members.
func hasMembers(text []byte, names ...string) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return false
	}
	for _, n := range names {
		if len(object[n]) == 0 {
			return false
		}
	}
	return true
}

// stringMembers returns the members of an object that are strings; none if
// text is no object.
func stringMembers(text []byte) map[string]string {
	var object map[string]json.RawMessage
	if len(text) > longestToken || json.Unmarshal(text, &object) != nil {
		return nil
	}
	out := map[string]string{}
	for name, raw := range object {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			out[name] = s
		}
	}
	return out
}

// checkObject returns the check of objects with text under all the names: it
// passes or says nothing.
func checkObject(names ...string) func([]byte) boltseal.Verdict {
	return func(object []byte) boltseal.Verdict {
		have := stringMembers(object)
		for _, n := range names {
			if v := have[n]; v == "" || strings.ContainsAny(v[:1], "%$<{") { // of a template
				return boltseal.VerdictUnknown
			}
		}
		return boltseal.VerdictPass
	}
}

// passed keeps candidates that passed their check.
func passed(c *Candidate) bool { return c.Verdict == boltseal.VerdictPass }
