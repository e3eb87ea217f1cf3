package wire

import "sync"

// buffer is memory for a body that is used again for others.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, maxBuffer)} }}

// maxBuffer is how much memory a buffer keeps: what net/http copies before it sends it. It may still be sending what is
// larger when the Write of an HTTP/2 stream that the client has reset has returned.
const maxBuffer = 4 << 10

// takeBuffer returns an empty buffer, which is to be released.
func takeBuffer() *buffer { return buffers.Get().(*buffer) } //nolint:forcetypeassert // nothing else is in there

func (b *buffer) release() {
	clear(b.bytes) // which may hold a secret
	if b.bytes = b.bytes[:0]; cap(b.bytes) <= maxBuffer {
		buffers.Put(b)
	}
}
