// Package fresh says how new an answer is. [Trust] says until when what is kept in memory may be used, and [Readings]
// lets callers share a reading that is new enough for all of them.
//
// It knows time and the moments at which a feed of changes was heard. It must not know what is kept in memory, the
// database, or how the feed works. internal/memory and internal/statuslist call it; the store's feed tells it, by
// internal/memory.
package fresh

import (
	"context"
	"sync"
	"time"
)

const (
	// TrustFor is how long memory may be used after the sending of the last heartbeat that was heard. The guarantee to
	// callers is one second; the difference is for a check that is already on its way.
	TrustFor = 700 * time.Millisecond
	// idleAfter is for how long memory has to be left alone before heartbeats cease, each of which costs the database a
	// transaction id and a lock that all its announcements share.
	idleAfter = time.Second
)

// Trust says whether what is in memory may be used. If no other process changes the store, it always may. Else changes
// come through a feed, and a heartbeat that comes back through it says that every change which was committed before its
// sending has been told: memory may be used for [TrustFor] from that moment on, unless the feed is lost meanwhile.
type Trust struct {
	shared    bool
	stopwatch func() time.Duration

	mu     sync.Mutex
	losses int           // of the feed; what was sent before the last one says nothing
	lost   bool          // no heartbeat was heard since the last loss
	heard  time.Duration // sending of the last heartbeat that was heard
	relied time.Duration // when it was asked for last
	next   chan struct{} // closed when a heartbeat is heard, or the feed is lost
}

// NewTrust returns one that trusts nothing yet if other processes change the store, too. The stopwatch never goes back.
func NewTrust(shared bool, stopwatch func() time.Duration) *Trust {
	return &Trust{shared: shared, stopwatch: stopwatch, lost: true, next: make(chan struct{})}
}

// Holds reports whether memory may be used now. Where it is asked, heartbeats are sent.
func (t *Trust) Holds() bool {
	holds, _ := t.ask()
	return holds
}

// Await is Holds for what costs more to read than a heartbeat: it waits for the next one if one is to come.
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

// ask tells how it is, and what to wait for if that may be about to change.
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

// Sending marks the moment before a heartbeat is sent. What it returns is to be called when that one has come back; nil
// says that nobody relies on memory, so that none is needed.
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

// Lost says that changes may have been missed: nothing is trusted before a heartbeat is heard that was sent later.
func (t *Trust) Lost() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.losses++
	t.set(true)
}

// set ends the waiting for how it will be, under the lock.
func (t *Trust) set(lost bool) {
	t.lost = lost
	close(t.next)
	t.next = make(chan struct{})
}
