//go:build unix

package server

import (
	"math"

	"golang.org/x/sys/unix"
)

// fileLimit is how many files this process may have open. Go has raised the soft limit to the hard one.
func fileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt
	}
	return int(min(uint64(limit.Cur), math.MaxInt)) //nolint:unconvert // it is signed on some systems
}
