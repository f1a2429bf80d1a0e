package secrets

import "github.com/boltseal/boltseal"

func jwtFamilies() []Rule {
	const (
		signed = `"eyJ" u8+ "." u8+ "." u16+`
		revoke = "the signing service: end the session, or replace the signing key"
	)
	return []Rule{
		{ID: "jwt", Title: "JSON Web Token", Program: signed, Generic: true, Confidence: ConfidenceMedium, Severity: medium, Refine: jwtRefine(checkJWT), Revoke: revoke},
		{ID: "jwt-none", Title: "unsigned JSON Web Token", Program: `"eyJ" u8+ "." u8+ "."`, Right: `[0-9A-Za-z_-]`, Generic: true, Confidence: ConfidenceMedium, Severity: low, Refine: jwtRefine(checkJWTNone), Revoke: "the service must not accept it"},
		{ID: "jwe", Title: "encrypted JSON Web Token", Program: `"eyJ" u8+ "." u0..1024 "." u8+ "." u1+ "." u8+`, Generic: true, Kind: KindEncrypted, Severity: low, Refine: defined(checkJWE), Revoke: revoke},
	}
}

// jwtRefine makes a refinement of a check of JSON Web Tokens, which also reads
// when the token ends and who made it.
func jwtRefine(check func([]byte) boltseal.Verdict) refinement {
	return func(c *Candidate) bool {
		if check(c.Token) != boltseal.VerdictPass {
			return false
		}
		j, _ := parseJWT(c.Token)
		if j.text("sub") == "1234567890" && j.text("name") == "John Doe" {
			return false // the sample of jwt.io, in whichever algorithm
		}
		c.Verdict = boltseal.VerdictPass
		c.Expires = j.expiry()
		if issuer := j.text("iss"); issuer != "" {
			c.Parts = append(c.Parts, Part{Name: "issuer", Value: issuer})
		}
		return true
	}
}

// endless raises tokens of service accounts that never expire.
func endless(c *Candidate) bool {
	if c.Expires.IsZero() {
		c.rate(critical, "it does not expire")
	}
	return true
}

// checkAnonymous accepts the tokens of Supabase that web pages are given.
func checkAnonymous(tok []byte) boltseal.Verdict {
	j, ok := parseJWT(tok)
	return hard(ok && j.signed && j.text("role") == "anon")
}
