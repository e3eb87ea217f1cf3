package server

import (
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// TestStoppingIsNotReady, so that a load balancer sends nothing more while requests in flight finish.
func TestStoppingIsNotReady(t *testing.T) {
	stopping := &Server{}
	stopping.stopping.Store(true)
	if err := stopping.ready(t.Context()); token.KindOf(err) != token.Unavailable {
		t.Errorf("a server that stops is ready: %v", err)
	}
}
