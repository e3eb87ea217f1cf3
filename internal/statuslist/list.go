package statuslist

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/internal/fresh"
)

// list is one status list. A change only raises the version, and is recorded with the new version: a change of a token
// in changed, a change of anything else, or of too many tokens, in anything. The published snapshot has the version up
// to which it contains all changes. Changes with a later version must be read into a new snapshot, which replaces it;
// if that read fails, their versions are still later. Nothing is read or signed under the lock, and only one update
// runs at a time.
type list struct {
	number  int64
	updates fresh.Readings[string]

	mu       sync.Mutex
	version  int64
	changed  map[int64]int64 // by the Seq of the token
	anything int64
	snapshot snapshot
}

// snapshot and its array are immutable, so that they can be used without the lock.
type snapshot struct {
	version int64                // 0: nothing was read yet
	age     func() time.Duration // how long ago the last full read began
	entries
	ending time.Time // when the first of the entries ends that will; zero: none
	signed string
	issued time.Time // `iat` of what is signed
}

// newList returns a list that has not been read yet.
func newList(number int64) *list {
	return &list{number: number, version: 1, anything: 1, changed: map[int64]int64{}}
}

// tell records the change of the token with this Seq, or of anything if it is 0.
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

// state returns the snapshot, and whether it contains every change.
func (l *list) state() (s snapshot, current bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapshot, l.snapshot.version == l.version
}

// begin returns the snapshot, the start of the next one, and the changes to read into it.
func (l *list) begin() (old, next snapshot, changed []int64, anything bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next = l.snapshot
	next.version = l.version
	return l.snapshot, next, slices.Sorted(maps.Keys(l.changed)), l.anything > l.snapshot.version
}

// publish replaces the snapshot.
func (l *list) publish(s snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshot = s
	maps.DeleteFunc(l.changed, func(_, version int64) bool { return version <= s.version })
}
