package secretstest

import "strings"

// Bodies returns the pieces of the credential that are secret: what follows its
// prefix, the runs of its shape, the lines of a key. A tool that shows any five
// bytes of one in a row shows too much. There are none for identifiers and for
// headers of encrypted files.
func (s Sample) Bodies() []string {
	if s.Public {
		return nil
	}
	var out []string
	rest := s.Token
	for i, p := range s.parts {
		if p.literal != "" {
			rest = strings.TrimPrefix(rest, p.literal)
			continue
		}
		n := p.min
		if i+1 < len(s.parts) && s.parts[i+1].literal != "" && p.max > p.min {
			n = max(n, strings.Index(rest, s.parts[i+1].literal))
		}
		if i+1 == len(s.parts) {
			n = len(rest)
		}
		out, rest = append(out, rest[:n]), rest[n:]
	}
	if len(s.parts) == 0 { // what every token of the family begins with
		head := map[string]int{"eyJ": 12, "ops": 12, "SUA": 4, "glc": 12, "snt": 12, "cmV": 8, "pyp": 30, "PuT": 24, "{AQ": 13}
		rest = rest[min(head[rest[:min(3, len(rest))]], len(rest)):]
	}
	for _, run := range strings.FieldsFunc(rest, func(r rune) bool { return !strings.ContainsRune(digits+letters+"+/=_-", r) }) {
		if len(run) >= 16 && !strings.Contains(run, "-----") && strings.ContainsAny(run, digits) {
			out = append(out, run)
		}
	}
	if s.Other != "" {
		out = append(out, s.Other)
	}
	long := out[:0]
	for _, run := range out {
		if len(run) >= 5 {
			long = append(long, run)
		}
	}
	return long
}
