package secrets

// handlerNeedles are what the handlers written by hand hang on.
func handlerNeedles() (out []needle) {
	add := func(do action, arg int, after []set, words ...string) {
		for _, w := range words {
			n := needle{literal: w, fold: true, before: anyByte(), after: after, action: do, arg: arg}
			if len(after) == 0 {
				n.after = anyByte()
			}
			out = append(out, n)
		}
	}
	// Short words count only where a name ends.
	end := mustSet("=:\"'`\\\\ \t<>)\\],_-")
	add(tryAssignment, 0, nil, "pass", "secret", "token", "cred", "senha", "kennwort", "identified by")
	add(tryAssignment, 0, []set{end}, "key", "pwd", "auth", "salt")
	add(tryURL, 0, nil, "://")
	add(tryPEM, 0, nil, "-begin ", "- begin ")
	add(tryHeader, 0, nil, "basic ", "bearer ")
	add(tryCommand, 0, nil, "sshpass", "curl ", "mysql ", "mysqldump ", "docker login")
	add(tryDocker, 0, nil, "\"auths\"")
	return out
}

// mustSet parses a class that stands in this package's own text.
func mustSet(text string) set {
	s, err := parseSet(text)
	if err != nil {
		panic(err)
	}
	return s
}

func allBut(bytes string) set {
	s := anyByte()[0]
	for i := range len(bytes) {
		s[bytes[i]>>6] &^= 1 << (bytes[i] & 63)
	}
	return s
}

// handlers holds the numbers of what the handlers use of a rule set; -1 for
// rules that are switched off.
type handlers struct {
	name, userinfo, token, single, double, back, bare, word int // classes

	password, key, url, gitURL, basic, bearer, command, docker int // rules
}

func (c *compiler) handlers() {
	h := &c.RuleSet.handlers
	*h = handlers{
		name: c.class(mustSet("0-9A-Za-z_.$-")), userinfo: c.class(mustSet("!#-&(-;=?A-Z\\[\\]^_a-{|}~\x80-\xff")),
		token:  c.class(mustSet("0-9A-Za-z+/=_.~-")),
		single: c.class(allBut("'\n")), double: c.class(allBut("\"\n")), back: c.class(allBut("`\n")),
		bare: c.class(mustSet("!#-&(-_a-~")), word: c.class(mustSet("!#-%*+./0-9:=?@A-Z\\\\^_a-z~-")),
	}
	for id, to := range map[string]*int{
		"generic-password": &h.password, "generic-key": &h.key, "url-userinfo": &h.url, "git-credentials": &h.gitURL,
		"basic-header": &h.basic, "bearer-header": &h.bearer, "curl-user": &h.command, "docker-auth": &h.docker,
	} {
		if i, ok := c.index[id]; ok {
			*to = i
		} else {
			*to = -1
		}
	}
}
