package secrets

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/boltseal/boltseal"
)

// FindSecrets finds the secrets in a value that something else named: an
// environment variable, a key of a ConfigMap, an annotation. A value of one
// line is judged as what the name was set to, so that the name tells what a
// password is; one of several lines is read as the file of that name.
//
// Findings hold redacted forms only. Matches that an inline mark suppresses are
// left out. An error that wraps [boltseal.ErrLimit] says that a limit was hit:
// what was found so far comes with it.
func (s *Scanner) FindSecrets(ctx context.Context, name string, value []byte) ([]boltseal.Finding, error) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	data := value
	if name != "" && !bytes.ContainsAny(value, "\r\n") {
		data = append(append([]byte(name), '='), value...)
	}
	result, err := s.Bytes(ctx, name, data)
	var out []boltseal.Finding
	for i := range result.Matches {
		if m := &result.Matches[i]; m.Suppressed == "" {
			out = append(out, m.Finding())
		}
	}
	for _, skip := range result.Skipped {
		if !skip.Note {
			err = errors.Join(err, errors.New(skip.Reason))
		}
	}
	return out, err
}
