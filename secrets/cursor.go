package secrets

// cursor reads the small syntax between a name and its value.
type cursor struct {
	data     []byte
	at       int
	compared bool // the separator was a comparison
}

func (c *cursor) peek() byte {
	if c.at < len(c.data) {
		return c.data[c.at]
	}
	return 0
}

func (c *cursor) skip(text string) bool {
	if len(c.data)-c.at < len(text) || string(c.data[c.at:c.at+len(text)]) != text {
		return false
	}
	c.at += len(text)
	return true
}

// spaces skips spaces and tabs, white also line ends; both give up early.
func (c *cursor) spaces() {
	for n := 0; n < longestSpaces && (c.peek() == ' ' || c.peek() == '\t'); n++ {
		c.at++
	}
}

func (c *cursor) white() {
	for n := 0; n < 4*longestSpaces; n++ {
		switch c.peek() {
		case ' ', '\t', '\r', '\n':
			c.at++
		case '\\':
			if !c.skip(`\n`) && !c.skip(`\t`) && !c.skip(`\r`) {
				return
			}
		default:
			return
		}
	}
}

// quotes skips what closes a quoted name or an index, and reports whether
// there was any.
func (c *cursor) quotes() bool {
	start := c.at
	for n := 0; n < 4; n++ {
		switch c.peek() {
		case '"', '\'', '`', ']', ')':
			c.at++
		case '\\':
			if c.at+1 < len(c.data) && (c.data[c.at+1] == '"' || c.data[c.at+1] == '\'' || c.data[c.at+1] == '\\') {
				c.at++
				continue
			}
			return c.at > start
		default:
			return c.at > start
		}
	}
	return true
}

// value skips what stands between the name and the value of a pair of members
// or attributes called name and value.
func (c *cursor) value() bool {
	back := c.at
	c.skip(",")
	c.white()
	for n := 0; n < 3 && (c.peek() == '"' || c.peek() == '\'' || c.peek() == '\\'); n++ {
		c.at++
	}
	if c.skip("value") || c.skip("Value") {
		c.quotes()
		c.spaces()
		if c.separator() {
			return true
		}
	}
	c.at = back
	return false
}

// nameValue skips a line end and the member value of YAML.
func (c *cursor) nameValue() bool {
	if c.peek() != '\n' && c.peek() != '\r' {
		return false
	}
	return c.value()
}

// separator skips one separator, and the annotation of a type.
func (c *cursor) separator() bool {
	next := byte(0)
	if c.at+1 < len(c.data) {
		next = c.data[c.at+1]
	}
	switch b := c.peek(); {
	case b == ':' && next == '=', b == '=' && next == '>', b == '-' && next == '>', b == '<' && next == '-', b == '?' && next == '=':
		c.at += 2
	case b == '=':
		c.compared = next == '='
		for n := 0; n < 3 && c.peek() == '='; n++ {
			c.at++
		}
	case b == '|' && next == '|':
		return c.skip("||=")
	case b == ':':
		c.at++
		back := c.at
		c.spaces()
		if !c.typed() {
			c.at = back
		}
	default:
		return false
	}
	return true
}

// typed skips a type and an equals sign: string =, Optional[str] =, [] =.
func (c *cursor) typed() bool {
	back := c.at
	for n := 0; n < 40; n++ {
		switch b := c.peek(); {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '[', b == ']', b == '<', b == '>', b == '?', b == '*', b == '&', b == '_', b == '|', b == ' ':
			c.at++
			continue
		case b == '=' && n > 1:
			c.at++
			if c.peek() != '=' && c.peek() != '>' {
				return true
			}
		}
		break
	}
	c.at = back
	return false
}

// block skips the head of a YAML block scalar and the indentation of its first line.
func (c *cursor) block() bool {
	if b := c.peek(); b != '|' && b != '>' {
		return false
	}
	back := c.at
	c.at++
	if b := c.peek(); b == '-' || b == '+' {
		c.at++
	}
	if !c.skip("\n") && !c.skip("\r\n") {
		c.at = back
		return false
	}
	c.spaces()
	return true
}

// prefix skips the one or two letters before a string literal: r"", b”, @"", f"".
func (c *cursor) prefix() {
	for n := 0; n < 3 && c.at+n < len(c.data); n++ {
		switch c.data[c.at+n] {
		case '"', '\'', '`':
			c.at += n
			return
		case 'r', 'R', 'b', 'B', 'u', 'U', 'f', 'F', '@', '$', 'L', '(', '[':
		default:
			return
		}
	}
}

// quote skips an opening quote and returns it; escaped says that a backslash
// stood before it.
func (c *cursor) quote() (quote byte, escaped bool) {
	for c.peek() == '\\' && c.at+1 < len(c.data) && (c.data[c.at+1] == '\\' || c.data[c.at+1] == '"' || c.data[c.at+1] == '\'') {
		c.at++
		escaped = true
	}
	switch b := c.peek(); b {
	case '"', '\'', '`':
		c.at++
		if c.skip(string([]byte{b, b})) { // three of them
			c.white()
		}
		return b, escaped
	}
	return 0, escaped
}
