package secrets

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/boltseal/boltseal"
)

// saltBytes is the length of a salt that is made here, and minSalt what a given
// one has at least.
const saltBytes, minSalt = 32, 16

// LoadSalt reads the salt of a project from a file, for [Options].Salt. Where
// there is no such file, and create is set, it makes one of 32 random bytes that only its
// owner can read, and the folders above it; of two that do so at once, one
// wins and both have the same salt.
func LoadSalt(file string, create bool) ([]byte, error) {
	salt, err := os.ReadFile(file)
	switch {
	case err == nil && len(salt) >= minSalt:
		return salt, nil
	case err == nil:
		return nil, fmt.Errorf("%s: a salt of %d bytes, want %d or more: %w", file, len(salt), minSalt, boltseal.ErrMalformed)
	case !create || !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	salt = make([]byte, saltBytes)
	rand.Read(salt) // never fails
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".salt.*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(salt)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
}
