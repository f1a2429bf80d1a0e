package sbom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/boltseal/boltseal"
)

// The metadata of language packages is read by exact names, as JavaScript and
// PHP do: package encoding/json would take "Name" for "name", and let it
// overwrite what the package manager saw. The functions below hold no more
// than the input, however many values it has.

const jsonSpace = " \t\r\n"

// validJSON returns the document without a byte order mark, or an error that
// wraps ErrMalformed.
func validJSON(data []byte) ([]byte, error) {
	data = bytes.Trim(bytes.TrimPrefix(data, []byte("\ufeff")), jsonSpace)
	if !json.Valid(data) {
		var ignored json.RawMessage
		return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, json.Unmarshal(data, &ignored))
	}
	return data, nil
}

// jsonObject yields the members of an object in valid JSON, in their order;
// nothing for another value. Of members of one name the last counts.
func jsonObject(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if len(data) == 0 || data[0] != '{' {
			return
		}
		for rest := data[1:]; ; {
			rest = bytes.TrimLeft(rest, jsonSpace+",")
			n := jsonEnd(rest)
			if n == 0 {
				return
			}
			name := jsonString(rest[:n])
			rest = bytes.TrimLeft(rest[n:], jsonSpace+":")
			n = jsonEnd(rest)
			if !yield(name, rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// jsonArray yields the elements of an array in valid JSON; nothing for another
// value.
func jsonArray(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(data) == 0 || data[0] != '[' {
			return
		}
		for rest := data[1:]; ; {
			rest = bytes.TrimLeft(rest, jsonSpace+",")
			n := jsonEnd(rest)
			if n == 0 || !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// jsonEnd returns the length of the value at the start of valid JSON, 0 where
// the list around it ends.
func jsonEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of the list, after a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// jsonString returns a JSON string's value, "" for anything else.
func jsonString(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if plain := raw[1 : len(raw)-1]; bytes.IndexByte(plain, '\\') < 0 && isASCII(plain) {
		return string(plain)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
