package jetstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/boltseal/boltseal"
)

const minKey = 16 // bytes

// seal puts a code before a message that only those with the key can make, and
// that holds for this place alone: a result is not taken for another image's.
// Without a key, the message stays as it is.
func (q *Queue) seal(place string, message []byte) []byte {
	if len(q.Key) == 0 {
		return message
	}
	return append(q.code(place, message), message...)
}

// unseal checks what seal wrote.
func (q *Queue) unseal(place string, raw []byte) ([]byte, error) {
	if len(q.Key) == 0 {
		return raw, nil
	}
	if len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], q.code(place, raw[sha256.Size:])) {
		return nil, fmt.Errorf("%w: not sealed with the key of this queue", boltseal.ErrMalformed)
	}
	return raw[sha256.Size:], nil
}

func (q *Queue) code(place string, message []byte) []byte {
	mac := hmac.New(sha256.New, q.Key)
	fmt.Fprintf(mac, "%d:%s:", len(place), place)
	mac.Write(message)
	return mac.Sum(nil)
}
