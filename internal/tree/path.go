package tree

import "bytes"

// Clean makes a path relative, without empty components, "." and "..", which
// stops at the root. The root itself is the empty path. Escaped is set if the
// path was absolute or had a "..". It returns p or a part of it where nothing
// changes.
func Clean(p []byte) (cleaned []byte, escaped bool) {
	for len(p) > 0 && p[0] == '/' {
		p, escaped = p[1:], true
	}
	for len(p) > 1 && p[0] == '.' && p[1] == '/' {
		for p = p[2:]; len(p) > 0 && p[0] == '/'; {
			p = p[1:]
		}
	}
	for len(p) > 0 && p[len(p)-1] == '/' {
		p = p[:len(p)-1]
	}
	if clean(p) {
		return p, escaped
	}
	var out []byte
	for part := range bytes.SplitSeq(p, []byte{'/'}) {
		switch string(part) {
		case "", ".":
		case "..":
			escaped = true
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
		default:
			if len(out) > 0 {
				out = append(out, '/')
			}
			out = append(out, part...)
		}
	}
	return out, escaped
}

// clean reports whether p has no empty, "." or ".." component.
func clean(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	for {
		i := bytes.IndexByte(p, '/')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		switch len(part) {
		case 0:
			return false
		case 1:
			if part[0] == '.' {
				return false
			}
		case 2:
			if part[0] == '.' && part[1] == '.' {
				return false
			}
		}
		if i < 0 {
			return true
		}
		p = p[i+1:]
	}
}
