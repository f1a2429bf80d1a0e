//go:build unix

package bare

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time of this process so far, on all cores together.
func CPU() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
