// Package fresh decides whether data is recent enough. [Trust] decides how long cached data may be used, and [Readings]
// lets callers share a read that is recent enough for all of them. It knows time and when heartbeats of a feed of
// changes were sent and heard. It must not know what is cached, the database, or how the feed works. internal/memory
// and internal/statuslist call it; the store's feed reaches it through internal/memory.
package fresh

import (
	"context"
	"sync"
	"time"
)

const (
	// TrustFor is how long memory may be used after the last heartbeat that was heard had been sent. The guarantee to
	// callers is one second; the difference is for a check that is already under way.
	TrustFor = 700 * time.Millisecond
	// idleAfter is how long memory must be unused before heartbeats stop: each costs the database a transaction id and a
	// lock that all its notifications share.
	idleAfter = time.Second
)

// Trust decides whether cached data may be used. If no other process changes the store, it always may. Otherwise
// changes arrive through a feed. When a heartbeat comes back through it, every change that was committed before it was
// sent has arrived too: memory may be used for [TrustFor] after it was sent, unless the feed is lost meanwhile.
type Trust struct {
	shared    bool
	stopwatch func() time.Duration

	mu     sync.Mutex
	losses int           // of the feed; what was sent before the last one says nothing
	lost   bool          // no heartbeat was heard since the last loss
	heard  time.Duration // sending of the last heartbeat that was heard
	relied time.Duration // when it was last used
	next   chan struct{} // closed when a heartbeat is heard, or the feed is lost
}

// NewTrust returns a Trust that, if other processes change the store too, trusts nothing yet. The stopwatch is
// monotonic.
func NewTrust(shared bool, stopwatch func() time.Duration) *Trust {
	return &Trust{shared: shared, stopwatch: stopwatch, lost: true, next: make(chan struct{})}
}

// Holds reports whether memory may be used now. Calling it keeps heartbeats going.
func (t *Trust) Holds() bool {
	holds, _ := t.ask()
	return holds
}

// Await is Holds for data that costs more to read than a heartbeat: it waits for the next heartbeat if one is coming.
func (t *Trust) Await(ctx context.Context) bool {
	holds, next := t.ask()
	if holds || next == nil {
		return holds
	}
	select {
	case <-next:
	case <-ctx.Done():
	}
	return t.Holds()
}

// ask reports the current state, and what to wait for if it may be about to change.
func (t *Trust) ask() (holds bool, next <-chan struct{}) {
	if !t.shared {
		return true, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.relied = t.stopwatch()
	if t.lost {
		return false, nil
	}
	return t.relied-t.heard < TrustFor, t.next
}

// Sending marks the moment before a heartbeat is sent. The returned function is to be called when it has come back; nil
// means that nobody uses memory, so that no heartbeat is needed.
func (t *Trust) Sending() (heard func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sent := t.stopwatch()
	losses := t.losses
	if sent-t.relied >= idleAfter {
		return nil
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if losses == t.losses {
			t.heard = max(t.heard, sent)
			t.set(false)
		}
	}
}

// Lost reports that changes may have been missed: nothing is trusted until a heartbeat that was sent later comes back.
func (t *Trust) Lost() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.losses++
	t.set(true)
}

// set changes the state and wakes the waiters, under the lock.
func (t *Trust) set(lost bool) {
	t.lost = lost
	close(t.next)
	t.next = make(chan struct{})
}
