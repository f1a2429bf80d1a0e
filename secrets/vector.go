package secrets

import "bytes"

// vectorWords are the names of fields that tests of cryptographic functions
// have and configurations have not; the second list's stand in both.
var (
	vectorWords = []string{
		"ciphertext", "plaintext", "peerpublickey", "\"aad\"", "\"msg\"", "\"ct\"", "suite_id", "tcid", "testgroups", "test vector", "testvector", "cavs", "encapsulated",
		"ikm", "okm", "exporter", "expected",
	}
	keyWords = []string{"nonce", "publickey", "public_key", "sharedsecret", "shared_secret", "\"iv\"", "signature", "digest", "seed"}
)

// vectorBytes is how far before and after a value its fellows are looked for.
const vectorBytes = 768

// vector reports whether the value at s is part of a test vector: the fields
// round it are the inputs and results of a cryptographic function, which are
// published for everybody to compute again.
func (v *view) vector(s span) bool {
	text := bytes.ToLower(v.data[max(0, s.start-vectorBytes):min(len(v.data), s.end+vectorBytes)])
	v.work += len(text)
	strong, weak := 0, 0
	for _, w := range vectorWords {
		if bytes.Contains(text, []byte(w)) {
			strong++
		}
	}
	for _, w := range keyWords {
		if bytes.Contains(text, []byte(w)) {
			weak++
		}
	}
	return strong >= 2 || strong == 1 && weak >= 2
}
