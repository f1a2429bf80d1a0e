//go:build !unix

package image

import "os"

const openFlags = os.O_RDONLY
