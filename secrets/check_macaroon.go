package secrets

import (
	"bytes"
	"encoding/binary"

	"github.com/boltseal/boltseal"
)

// checkPyPI checks that what follows pypi- is a macaroon.
func checkPyPI(tok []byte) boltseal.Verdict {
	return hard(macaroon(decodeBase64(bytes.TrimPrefix(tok, []byte("pypi-")))))
}

// macaroon reports whether raw is a macaroon in libmacaroons' format 2: the
// byte 2, a section with location and identifier, sections of caveats, an empty
// one, and a signature of 32 bytes. A packet is a type, a length and data, the
// numbers as varints; type 0 ends a section.
func macaroon(raw []byte) bool {
	const end, location, identifier, verification, signature = 0, 1, 2, 4, 6
	if len(raw) == 0 || raw[0] != 2 {
		return false
	}
	raw = raw[1:]
	packet := func() (kind uint64, data []byte, ok bool) {
		kind, n := binary.Uvarint(raw)
		if n <= 0 {
			return 0, nil, false
		}
		raw = raw[n:]
		if kind == end {
			return kind, nil, true
		}
		size, n := binary.Uvarint(raw)
		if n <= 0 || size > uint64(len(raw)-n) {
			return 0, nil, false
		}
		data = raw[n:][:size]
		raw = raw[n:][size:]
		return kind, data, true
	}
	for section := 0; ; section++ {
		last, named := uint64(0), false
		for {
			kind, _, ok := packet()
			if !ok || kind != end && (kind <= last || kind != location && kind != identifier && kind != verification) {
				return false
			}
			if kind == end {
				break
			}
			last, named = kind, named || kind == identifier
		}
		switch {
		case last == 0 && section > 0: // the empty section ends the caveats
			kind, data, ok := packet()
			return ok && kind == signature && len(data) == 32 && len(raw) == 0
		case !named:
			return false
		}
	}
}
