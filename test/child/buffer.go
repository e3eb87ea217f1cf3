//go:build unix

package child

import (
	"bytes"
	"sync"
)

// Buffer takes the output of what runs beside the test, which may read it meanwhile.
type Buffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	discard bool
}

// Discard keeps nothing from now on.
func (b *Buffer) Discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.discard = true
}

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.discard {
		return len(p), nil
	}
	return b.text.Write(p)
}

// String is all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
