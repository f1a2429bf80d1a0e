package vuln

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/boltseal/boltseal"
)

// maxFeed bounds a feed's inflated size. CISA's catalogue is 2 MB, EPSS 12 MB.
const maxFeed = 256 << 20

// openFeed returns the content of a feed, inflated if it is gzipped, that ends
// in an [boltseal.ErrLimit] past maxFeed.
func openFeed(r io.Reader) (*bufio.Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := br.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
		}
		br = bufio.NewReaderSize(&cappedReader{zr, maxFeed}, 64<<10)
		return br, nil
	}
	return bufio.NewReaderSize(&cappedReader{br, maxFeed}, 64<<10), nil
}

// cappedReader fails, rather than ends, when its input is too long.
type cappedReader struct {
	r    io.Reader
	left int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		// A last byte decides between an input that ends here and one too long.
		var one [1]byte
		n, err := io.ReadFull(c.r, one[:])
		if n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("%w: more than %d bytes", boltseal.ErrLimit, int64(maxFeed))
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// feedDate reads the date of a feed in any of the forms that are in use.
func feedDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
