package secrets

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/boltseal/boltseal"
)

// wholeBytes bounds the files of credentials that are read as a whole.
const wholeBytes = 16 << 20

// credentialFile is a file whose name or first bytes say that it holds
// credentials, and how. It is scanned like any other file too.
func credentialFile(name string, match func(name string, head []byte) bool, read func(f feeder, c content, b []byte)) container {
	return container{name: name, match: match, open: func(ctx context.Context, f feeder, c content, data boltseal.Content) error {
		b, rest, err := upTo(wholeBytes, data)
		if err != nil {
			return err
		}
		if rest != nil {
			f.skip(c, name+" file of more than "+strconv.Itoa(wholeBytes)+" bytes: scanned as text only")
			return f.reader(ctx, c, rest)
		}
		read(f, c, b)
		return f.bytes(ctx, c, b)
	}}
}

func baseNamed(names ...string) func(string, []byte) bool {
	return func(name string, _ []byte) bool { return slices.Contains(names, path.Base(name)) }
}

// pgpassFiles are PostgreSQL's password files (libpq, "The Password File"):
// hostname:port:database:username:password, with backslashes before colons.
var pgpassFiles = credentialFile("pgpass", baseNamed(".pgpass", "pgpass.conf"), func(f feeder, c content, b []byte) {
	at := 0
	for line := range bytes.Lines(b) {
		start := at
		at += len(line)
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		fields, from := []string{""}, 0
		for i := 0; i < len(text); i++ {
			switch {
			case text[i] == '\\' && i+1 < len(text):
				i++
				fields[len(fields)-1] += string(text[i])
			case text[i] == ':' && len(fields) < 5:
				fields, from = append(fields, ""), i+1
			default:
				fields[len(fields)-1] += string(text[i])
			}
		}
		if len(fields) == 5 && fields[4] != "" && !placeholder([]byte(fields[4]), true) {
			f.match(c, "pgpass", &Candidate{
				Token: []byte(fields[4]), Name: fields[3], Start: start + from, End: start + len(text),
				Parts: []Part{{Name: "host", Value: fields[0]}, {Name: "user", Value: fields[3]}},
			})
		}
	}
})

// keytabFiles are Kerberos' key tables (MIT Kerberos, "Keytab file format", version 2).
var keytabFiles = credentialFile("keytab", func(name string, head []byte) bool {
	return len(head) > 16 && head[0] == 5 && head[1] == 2 && head[2] == 0 && head[3] == 0
}, func(f feeder, c content, b []byte) {
	for at := 2; at+4 <= len(b); {
		size := int(int32(binary.BigEndian.Uint32(b[at:])))
		at += 4
		if size < 0 { // a hole
			at -= size
			if size < -len(b) {
				return
			}
			continue
		}
		if size == 0 || size > len(b)-at {
			return
		}
		if principal, key, ok := keytabEntry(b[at : at+size]); ok {
			f.match(c, "keytab", &Candidate{Token: key, Name: principal, Start: at, End: at + size, Verdict: boltseal.VerdictPass})
		}
		at += size
	}
})

func keytabEntry(e []byte) (principal string, key []byte, ok bool) {
	take := func() []byte {
		if len(e) < 2 || int(binary.BigEndian.Uint16(e)) > len(e)-2 {
			e = nil
			return nil
		}
		n := 2 + int(binary.BigEndian.Uint16(e))
		out := e[2:n]
		e = e[n:]
		return out
	}
	if len(e) < 2 {
		return "", nil, false
	}
	count := int(binary.BigEndian.Uint16(e))
	e = e[2:]
	if count == 0 || count > 16 {
		return "", nil, false
	}
	realm := string(take())
	var parts []string
	for range count {
		parts = append(parts, string(take()))
	}
	if len(e) < 4+4+1+2 {
		return "", nil, false
	}
	e = e[4+4+1+2:] // name type, time, version, key type
	key = take()
	return strings.Join(parts, "/") + "@" + realm, key, len(key) >= 8
}

// jenkinsFiles hold the first password of a Jenkins server, or the key under which
// the keys are that its credentials are encrypted with: 256 digits.
var jenkinsFiles = credentialFile("jenkins", baseNamed("initialAdminPassword", "master.key"), func(f feeder, c content, b []byte) {
	text := bytes.TrimSpace(b)
	if path.Base(c.name()) == "master.key" {
		if len(text) == 256 && hexLike(text) && !monotone(text) {
			f.match(c, "jenkins-master-key", &Candidate{Token: text, End: len(text)})
		}
		return
	}
	if _, err := hex.DecodeString(string(text)); err == nil && len(text) == 32 {
		f.match(c, "jenkins-admin", &Candidate{Token: text, End: len(text)})
	}
})

// terraformFiles are Terraform's states, which hold the values that the
// configuration calls sensitive, in the clear.
var terraformFiles = credentialFile("tfstate", func(name string, _ []byte) bool {
	return strings.HasSuffix(name, ".tfstate") || strings.HasSuffix(name, ".tfstate.backup")
}, func(f feeder, c content, b []byte) {
	var state struct {
		Outputs map[string]struct {
			Value     any
			Sensitive bool
		}
		Resources []struct {
			Module, Mode, Type, Name string
			Instances                []struct {
				Attributes map[string]any
				Sensitive  []any `json:"sensitive_attributes"`
			}
		}
	}
	if json.Unmarshal(b, &state) != nil {
		return
	}
	left := mostMatches
	tell := func(address string, v any) {
		text, ok := v.(string)
		if left--; left < 0 || !ok || len(text) < 6 || placeholder([]byte(text), true) {
			return
		}
		quoted, _ := json.Marshal(text)
		m := &Candidate{Token: []byte(text), Name: address}
		if at := bytes.Index(b, quoted); at >= 0 {
			m.Start, m.End = at+1, at+len(quoted)-1
		}
		f.match(c, "tfstate", m)
	}
	for name, o := range state.Outputs {
		if o.Sensitive {
			tell("output."+name, o.Value)
		}
	}
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			for _, name := range sensitiveNames(i.Sensitive) {
				tell(r.Type+"."+r.Name+"."+name, i.Attributes[name])
			}
		}
	}
})

// sensitiveNames reads the paths of sensitive attributes: a list of lists of steps, of which
// those with one step are told.
func sensitiveNames(list []any) (names []string) {
	for _, p := range list {
		steps, _ := p.([]any)
		if len(steps) != 1 {
			continue
		}
		step, _ := steps[0].(map[string]any)
		if name, ok := step["value"].(string); ok && step["type"] == "get_attr" {
			names = append(names, name)
		}
	}
	return names
}
