//go:build allocations

package logline

import (
	"testing"

	"github.com/tokenwright/tokenwright/test/allocations"
)

// TestAllocations has a line of the access log cost none.
func TestAllocations(t *testing.T) {
	h, r := NewText(discard{}, nil), access()
	allocations.Compare(t, 0, func() {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Error(err)
		}
	})
}
