package sbom

import (
	"bytes"
	"strings"
)

// nextStanza cuts the first paragraph off a control file (deb822(5)):
// paragraphs end at a line that holds nothing but white space.
func nextStanza(data []byte) (stanza, rest []byte) {
	for i := 0; i < len(data); {
		end := bytes.IndexByte(data[i:], '\n')
		if end < 0 {
			return data, nil
		}
		if data[i] <= ' ' && len(bytes.TrimSpace(data[i:i+end])) == 0 {
			return data[:i], data[i+end+1:]
		}
		i += end + 1
	}
	return data, nil
}

// nextField cuts the first field off a paragraph. The value has its
// continuation lines, each with its leading blank; comments and lines that are
// no field are passed over. key is nil at the end.
func nextField(stanza []byte) (key, value, rest []byte) {
	for len(stanza) > 0 {
		line, after, _ := bytes.Cut(stanza, []byte{'\n'})
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
			stanza = after
			continue
		}
		end := len(stanza) - len(after)
		for end < len(stanza) && (stanza[end] == ' ' || stanza[end] == '\t') {
			nl := bytes.IndexByte(stanza[end:], '\n')
			if nl < 0 {
				end = len(stanza)
				break
			}
			end += nl + 1
		}
		return bytes.TrimSpace(line[:colon]), bytes.TrimSpace(stanza[colon+1 : end]), stanza[end:]
	}
	return nil, nil, nil
}

// relations reads the names of a relationship field (Debian Policy 7.1):
// versions, architectures and profiles are dropped, ":any" too. Alternatives
// stay joined by "|".
func relations(list []string, field string) []string {
	if field == "" {
		return list
	}
	if list == nil {
		list = make([]string, 0, min(1+strings.Count(field, ","), maxNames))
	}
	for rel := range strings.SplitSeq(field, ",") {
		if len(list) == maxNames {
			break
		}
		if strings.IndexByte(rel, '|') < 0 {
			if name := relationName(rel); name != "" {
				list = append(list, name)
			}
			continue
		}
		var names strings.Builder
		for alt := range strings.SplitSeq(rel, "|") {
			if name := relationName(alt); name != "" {
				if names.Len() > 0 {
					names.WriteByte('|')
				}
				names.WriteString(name)
			}
		}
		if names.Len() > 0 {
			list = append(list, names.String())
		}
	}
	return list
}

func relationName(s string) string {
	s = strings.TrimLeft(s, " \t\r\n")
	if i := strings.IndexAny(s, " \t\r\n([<:"); i >= 0 {
		s = s[:i]
	}
	return s
}
