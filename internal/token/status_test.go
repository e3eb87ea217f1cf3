package token

import (
	"strings"
	"testing"
)

// TestStatusEntries: numbers that follow each other have entries all over the list, none twice, and another key or another
// list has them elsewhere.
func TestStatusEntries(t *testing.T) {
	const n = 10_000
	key := []byte(strings.Repeat("k", 32))
	taken := make(map[int64]bool, n)
	var low, sameElsewhere, sameNext int
	for i := range int64(n) {
		p := StatusEntryOf(key, i)
		if p.List != 1 || p.Index < 0 || p.Index >= StatusListSize || taken[p.Index] {
			t.Fatalf("%d has the place %+v, taken: %t", i, p, taken[p.Index])
		}
		taken[p.Index] = true
		if p.Index < StatusListSize/2 {
			low++
		}
		if i%50 == 0 && StatusEntryOf([]byte(strings.Repeat("l", 32)), i).Index == p.Index {
			sameElsewhere++
		}
		if next := StatusEntryOf(key, i+StatusListSize); i%50 == 0 && (next.List != 2 || next.Index == p.Index) {
			sameNext++
		}
	}
	if low < n*45/100 || low > n*55/100 {
		t.Errorf("%d of %d places are in the first half", low, n)
	}
	if sameElsewhere > 2 || sameNext > 2 {
		t.Errorf("%d places do not depend on the key, %d not on the list", sameElsewhere, sameNext)
	}
	if p := StatusEntryOf(key, StatusListSize-1); p.List != 1 {
		t.Errorf("the last place of the first list is in list %d", p.List)
	}
	if p := StatusEntryOf(key, 5*StatusListSize); p.List != 6 {
		t.Errorf("the first place of the sixth list is in list %d", p.List)
	}
}
