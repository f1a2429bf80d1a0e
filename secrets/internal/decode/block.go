package decode

import "bytes"

// nextBlock finds a literal or folded block scalar, YAML 1.2.2, 8.1: a key whose value is
// "|" or ">" and stands in the lines below, indented.
func nextBlock(data []byte, from, to int) int {
	for from < to {
		i := bytes.Index(data[from:min(to+2, len(data))], []byte(": "))
		if i < 0 {
			return -1
		}
		if from += i; from >= to {
			return -1
		}
		if from+2 < len(data) && (data[from+2] == '|' || data[from+2] == '>') && blockHeader(data[from+3:]) > 0 {
			return from
		}
		from++
	}
	return -1
}

// blockHeader returns the length of what follows the indicator, line break included, or 0.
func blockHeader(b []byte) int {
	for i := range min(len(b), 6) {
		switch c := b[i]; {
		case c == '\n':
			return i + 1
		case c == '+', c == '-', c == '\r', c == ' ', c >= '1' && c <= '9':
		default:
			return 0
		}
	}
	return 0
}

// indent counts the blanks that a line begins with; a list's dash is one.
func indent(line []byte, dash bool) (n int) {
	for n < len(line) && (line[n] == ' ' || dash && line[n] == '-' && n+1 < len(line) && line[n+1] == ' ') {
		n++
	}
	return n
}

func blockBounds(data []byte, at int) (lo, hi int) {
	lo = bytes.LastIndexByte(data[max(0, at-token):at], '\n') + 1 + max(0, at-token)
	outer := indent(data[lo:at], true)
	hi = at + 3 + blockHeader(data[at+3:])
	for hi < len(data) && hi-lo < window {
		end := bytes.IndexByte(data[hi:min(len(data), lo+window)], '\n') + 1
		if end == 0 {
			end = min(len(data), lo+window) - hi
		}
		line := data[hi : hi+end]
		if n := indent(line, false); n <= outer && len(bytes.TrimSpace(line)) > 0 {
			break
		}
		hi += end
	}
	return lo, hi
}

// Unblock writes "key: |" and the indented lines below it as "key: value". The
// lines of a folded block are joined by blanks.
func Unblock(b []byte) []byte {
	head, body, ok := bytes.Cut(b, []byte{'\n'})
	colon := bytes.LastIndex(head, []byte(": "))
	if !ok || colon < 0 || len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	folded := bytes.IndexByte(head[colon:], '>') >= 0
	out := append(make([]byte, 0, len(b)), bytes.TrimLeft(head[:colon+2], " -")...)
	inner := -1
	for line := range bytes.Lines(body) {
		text := bytes.TrimRight(line, "\r\n")
		if inner < 0 && len(bytes.TrimSpace(text)) > 0 {
			inner = indent(text, false)
		}
		out = append(out, text[min(len(text), max(inner, 0), indent(text, false)):]...)
		if folded {
			out = append(out, ' ')
		} else {
			out = append(out, '\n')
		}
	}
	return out
}
