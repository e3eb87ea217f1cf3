//go:build allocations

package memory

import (
	"testing"

	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/test/allocations"
)

// TestAllocations has a row in memory cost none.
func TestAllocations(t *testing.T) {
	m := New(10<<20, false, statuslist.Config{})
	h, row := credential(1)
	if _, err := m.ReadRow(t.Context(), h, row); err != nil {
		t.Fatal(err)
	}
	allocations.Compare(t, 0, func() {
		if _, ok := m.Row(h); !ok {
			t.Error("the row is not in memory")
		}
	})
}
