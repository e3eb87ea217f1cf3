//go:build !unix

package server

import "math"

// fileLimit is how many files this process may have open.
func fileLimit() int { return math.MaxInt }
