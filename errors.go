package boltseal

import (
	"errors"
	"fmt"
)

var (
	// ErrLimit says that input was larger than the caller's [Limits] allow.
	// What was read up to there is kept.
	ErrLimit = errors.New("limit exceeded")
	// ErrMalformed says that input breaks its own format.
	ErrMalformed = errors.New("malformed")
)

// Error is an error with the place it happened in.
type Error struct {
	Op       string   // what was being done: "read layer", "parse rpm database"
	Location Location // where
	Err      error
}

// Error writes op: location: cause.
func (e *Error) Error() string {
	loc := e.Location.String()
	switch {
	case loc == "":
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	case e.Location.Layer != "" && e.Location.Path != "":
		return fmt.Sprintf("%s: layer %.19s: %s: %v", e.Op, e.Location.Layer, loc, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, loc, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
