package document

import (
	_ "embed"
	"strings"
)

// The identifiers of the SPDX License List 3.29, one a line: the licences and
// the exceptions that may follow WITH.
var (
	//go:embed licenses.txt
	licenses string
	//go:embed exceptions.txt
	exceptions string
)

// IsLicenseID reports whether s is, to the letter, a licence of the list.
func IsLicenseID(s string) bool { return hasLine(licenses, s) }

func isException(s string) bool { return hasLine(exceptions, s) }

func hasLine(text, s string) bool {
	if s == "" || len(s) > 64 || strings.Contains(s, "\n") {
		return false
	}
	return strings.HasPrefix(text, s+"\n") || strings.Contains(text, "\n"+s+"\n")
}

// IsLicenseExpression reports whether s is an SPDX licence expression (SPDX 2.3
// annex D) that joins listed identifiers by AND, OR or WITH.
func IsLicenseExpression(s string) bool {
	if len(s) > 4096 {
		return false
	}
	tokens := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
	depth, operand := 0, true // operand: one is expected now
	for i, t := range tokens {
		switch t {
		case "(":
			if !operand {
				return false
			}
			depth++
		case ")":
			if operand || depth == 0 {
				return false
			}
			depth--
		case "AND", "OR", "WITH":
			if operand {
				return false
			}
			if t == "WITH" && tokens[i-1] == ")" {
				return false
			}
			operand = true
		default:
			listed := IsLicenseID(t) || IsLicenseID(strings.TrimSuffix(t, "+"))
			if i > 0 && tokens[i-1] == "WITH" {
				listed = isException(t)
			}
			if !operand || !listed {
				return false
			}
			operand = false
		}
	}
	return depth == 0 && !operand
}
