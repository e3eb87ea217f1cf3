// Package allocations compares how often a piece of work allocates memory with a committed bound. That figure is the same
// on every machine, unlike a time; but the race detector changes it, so that `make allocations` runs these tests without.
package allocations

import (
	"runtime/debug"
	"testing"
)

// headRoom is a thirtieth of a bound: what a new version of Go or of a library may bring.
const headRoom = 30

// Compare fails if work allocates more often than the bound says.
func Compare(t *testing.T, bound int, work func()) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which empties pools
	least := testing.AllocsPerRun(200, work)
	for range 4 { // something in the background may have allocated meanwhile
		least = min(least, testing.AllocsPerRun(200, work))
	}
	if got := int(least); got > bound+bound/headRoom {
		t.Errorf("%d allocations, and the bound is %d. Profile with -memprofile -memprofilerate 1 to see where they are; "+
			"if they must be, renew the bound in the table of this test", got, bound)
	} else if got < bound {
		t.Logf("%d allocations, and the bound is %d: it can be lowered", got, bound)
	}
}
