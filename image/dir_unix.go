//go:build unix

package image

import (
	"os"
	"syscall"
)

// openFlags are those of open(2) for reading what may no longer be a file.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY
