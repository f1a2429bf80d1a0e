package secrets

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/boltseal/boltseal"
	"github.com/boltseal/boltseal/secrets/internal/decode"
)

const (
	keystoreBytes      = 8 << 20
	keystoreIterations = 100_000 // of a password's derivation, in sum over all tries
)

// keystores are Java's, Bouncy Castle's and PKCS #12 key stores. Those whose password everybody
// knows are as good as a key in the clear; those without keys hold trust and are
// no finding.
var keystores = container{
	name:  "keystore",
	match: func(_ string, head []byte) bool { return decode.KeystoreHead(head) },
	open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		b, rest, err := upTo(keystoreBytes, data)
		if err != nil {
			return err
		}
		if rest == nil {
			keystore(f, c, b)
			return f.bytes(ctx, c, b)
		}
		f.skip(c, fmt.Sprintf("key store of more than %d bytes: %v", keystoreBytes, boltseal.ErrLimit))
		return f.reader(ctx, c, rest)
	},
}

func keystore(f feeder, c content, b []byte) {
	k, err := decode.ParseKeystore(b, keystoreIterations)
	if err != nil || !k.Keys {
		return // not a key store after all
	}
	rule := "jks"
	if k.Format == "pkcs12" {
		rule = "pkcs12"
	}
	m := &Candidate{Token: b, End: len(b)}
	if len(k.Aliases) > 0 {
		m.Parts = append(m.Parts, Part{Name: "alias", Value: strings.Join(k.Aliases[:min(len(k.Aliases), 8)], ", ")})
	}
	left := keystoreIterations
	for _, password := range keystorePasswords(c.name()) {
		if left -= max(k.Iterations, 1); left < 0 {
			f.skip(c, fmt.Sprintf("not all well-known passwords were tried on a key store of %d iterations: %v", k.Iterations, boltseal.ErrLimit))
			break
		}
		if k.Opens(password) {
			m.Severity = boltseal.SeverityHigh
			m.Notes = append(m.Notes, "it opens with a password that everybody knows, or with its own name")
			m.Verdict = boltseal.VerdictPass
			break
		}
	}
	f.match(c, rule, m)
}

// keystorePasswords are tried on every key store, at most eight.
func keystorePasswords(name string) []string {
	base := path.Base(name)
	all := []string{"", "changeit", "changeme", "password", "secret", "123456", strings.TrimSuffix(base, path.Ext(base))}
	slices.Sort(all[1:])
	return slices.Compact(all)
}

// upTo returns the content if it has at most n bytes, and else a reader of it all.
func upTo(n int64, data boltseal.Content) (whole []byte, rest io.Reader, err error) {
	r := data.Reader()
	b, err := io.ReadAll(io.LimitReader(r, n+1))
	if err != nil || int64(len(b)) <= n {
		return b, nil, err
	}
	return nil, io.MultiReader(bytes.NewReader(b), r), nil
}
