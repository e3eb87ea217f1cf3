package service

import (
	"sync"
	"testing"
)

// TestPublishedOnce makes body, gzip form and entity tag once a version, however many ask at once.
func TestPublishedOnce(t *testing.T) {
	p := newPublished()
	first := p.of(1, "signed")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				again := p.of(1, "signed")
				if &again.body[0] != &first.body[0] || &again.packed[0] != &first.packed[0] || again.etag != first.etag {
					t.Error("made again")
				}
			}
		})
	}
	wg.Wait()
	if other := p.of(2, "signed"); other.etag != first.etag {
		t.Errorf("the same bytes are %s and %s", other.etag, first.etag)
	}
	if next := p.of(1, "signed anew"); string(next.body) != "signed anew" || next.etag == first.etag {
		t.Errorf("after a change: %q, %s", next.body, next.etag)
	}
	for number := range int64(10 * keptVersions) {
		p.of(number, "signed")
	}
	if n := p.versions.Len(); n > keptVersions {
		t.Errorf("%d lists are kept", n)
	}
}
