package secrets

import (
	"slices"

	"github.com/boltseal/boltseal"
)

// content says what the bytes are that a scan is given.
type content struct {
	// loc is the file, with the members of nested archives so far. The offset
	// of a match is added to it.
	loc boltseal.Location
	// via names the decodings that led from there to these bytes, outermost
	// first: "base64", "gzip".
	via []string
	// fixed is set for decoded bytes: matches in them are reported at loc, which
	// is where the encoded span stands.
	fixed bool
	// opened is set for the content that a container was given: it is not asked
	// again for the same bytes.
	opened bool
	// stride is how many bytes of the file each of these stands for; 0 is one.
	stride int64
	// depth counts members and decodings alike.
	depth int
	place place
}

// place is a circumstance that matters to a severity.
type place uint8

const (
	placeFile  place = iota // an ordinary file
	placeImage              // configuration, labels or history of an image: whoever may pull it reads it
)

// name is the path by which rules and handlers judge the content.
func (c *content) name() string {
	if n := len(c.loc.Member); n > 0 {
		return c.loc.Member[n-1]
	}
	return c.loc.Path
}

// offset is where byte n of the content stands in the file.
func (c *content) offset(n int64) int64 { return c.loc.Offset + n*max(c.stride, 1) }

// member is the content of a file inside an archive c.
func (c content) member(name string) content {
	c.loc.Member = append(slices.Clip(c.loc.Member), name)
	c.loc.Offset, c.loc.Line, c.fixed, c.opened, c.stride = 0, 0, false, false, 0
	c.depth++
	return c
}

// decoded is what the bytes at offset and line of c mean when decoded.
func (c content) decoded(step string, offset int64, line int) content {
	c.via = append(slices.Clip(c.via), step)
	if !c.fixed {
		c.loc.Offset, c.loc.Line, c.fixed = c.offset(offset), line, true
	}
	c.opened = false
	c.depth++
	return c
}
