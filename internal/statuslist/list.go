package statuslist

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/internal/fresh"
)

// list is one status list. A change only raises the version, and is noted with the version that it made: that of a
// token in changed, that of anything else, or of too many tokens, in anything. The snapshot is what is published, with
// the version that is in it. What has a later one has to be read, into another snapshot that takes its place; what a
// reading that failed was to bring in has a later one still. Nothing is read or signed under the lock, and one update
// is under way at a time.
type list struct {
	number  int64
	updates fresh.Readings[string]

	mu       sync.Mutex
	version  int64
	changed  map[int64]int64 // from the Seq of a token
	anything int64
	snapshot snapshot
}

// snapshot is never changed, nor is its array, so that it can be used without the lock.
type snapshot struct {
	version int64                // 0: nothing was read yet
	age     func() time.Duration // how long ago the last reading of all of it began
	array   array
	signed  string
	issued  time.Time // `iat` of what is signed
}

// newList has to be read.
func newList(number int64) *list {
	return &list{number: number, version: 1, anything: 1, changed: map[int64]int64{}}
}

// tell takes the Seq of a token that changed, or 0 for anything.
func (l *list) tell(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
	if seq != 0 && len(l.changed) < toldChanges {
		l.changed[seq] = l.version
		return
	}
	l.anything = l.version
	clear(l.changed)
}

// state returns the snapshot, and whether every change is in it.
func (l *list) state() (s snapshot, current bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapshot, l.snapshot.version == l.version
}

// begin returns the snapshot, the next one, which is to have what changed since then, and what that is.
func (l *list) begin() (old, next snapshot, changed []int64, anything bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next = l.snapshot
	next.version = l.version
	return l.snapshot, next, slices.Sorted(maps.Keys(l.changed)), l.anything > l.snapshot.version
}

// publish has a snapshot take the place of the one before.
func (l *list) publish(s snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshot = s
	maps.DeleteFunc(l.changed, func(_, version int64) bool { return version <= s.version })
}
