package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/boltseal/boltseal"
)

// Decoder walks the top level of a JSON document, so that a document is never
// held as a whole, and a bad record costs that record.
type Decoder struct {
	*json.Decoder
	Limits boltseal.Limits
	found  int
}

// NewDecoder bounds what is read by limits.FileBytes.
func NewDecoder(r io.Reader, limits *boltseal.Limits) *Decoder {
	l := limits.WithDefaults()
	return &Decoder{Decoder: json.NewDecoder(&limited{r: r, left: l.FileBytes, max: l.FileBytes}), Limits: l}
}

// Object calls member for each member of the object that follows; member reads
// the value.
func (d *Decoder) Object(member func(key string) error) error {
	if err := d.open('{'); err != nil {
		return err
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return malformed(err)
		}
		key, _ := t.(string)
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return malformed(err)
}

// Array calls element for each element of the array that follows. A null stands
// for an empty array.
func (d *Decoder) Array(element func() error) error {
	if err := d.open('['); err != nil {
		if errors.Is(err, errNull) {
			return nil
		}
		return err
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return malformed(err)
}

var errNull = errors.New("null")

func (d *Decoder) open(want json.Delim) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return malformed(err)
	case t == nil:
		return fmt.Errorf("%w: %w at byte %d where %q should be", boltseal.ErrMalformed, errNull, d.InputOffset(), want.String())
	case t != want:
		return fmt.Errorf("%w: %v at byte %d where %q should be", boltseal.ErrMalformed, t, d.InputOffset(), want.String())
	}
	return nil
}

// Value reads the next value. A value of a wrong type leaves its field empty;
// only broken JSON is an error.
func (d *Decoder) Value(v any) error {
	err := d.Decode(v)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return nil
	}
	return malformed(err)
}

// Skip passes over the next value.
func (d *Decoder) Skip() error { return d.Value(&ignored{}) }

// Count counts a result and fails at one too many.
func (d *Decoder) Count() error {
	if d.found++; d.found > d.Limits.FileResults {
		return fmt.Errorf("%w: more than %d packages: raise Limits.FileResults", boltseal.ErrLimit, d.Limits.FileResults)
	}
	return nil
}

type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

func malformed(err error) error {
	switch {
	case err == nil, errors.Is(err, boltseal.ErrLimit):
		return err
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", boltseal.ErrMalformed, err)
	}
	return err
}

// limited fails past its limit, where io.LimitedReader would seem to end.
type limited struct {
	r         io.Reader
	left, max int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		n, err := l.r.Read(one[:])
		if n > 0 {
			return 0, fmt.Errorf("%w: the document is larger than %d bytes: raise Limits.FileBytes", boltseal.ErrLimit, l.max)
		}
		return 0, err
	}
	if int64(len(b)) > l.left {
		b = b[:l.left]
	}
	n, err := l.r.Read(b)
	l.left -= int64(n)
	return n, err
}
