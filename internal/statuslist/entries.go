package statuslist

import (
	"maps"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// entries are the statuses of a list, and those of them that end by the clock.
type entries struct {
	array array
	ends  map[int64]time.Time // of entries that are not invalid yet, by their indexes
}

func newEntries() entries { return entries{newArray(), map[int64]time.Time{}} }

func (e entries) clone() entries { return entries{slices.Clone(e.array), maps.Clone(e.ends)} }

// set sets what a standing says at a time.
func (e entries) set(s token.Standing, now time.Time) {
	status := statusOf(s, now)
	e.array.set(s.Entry.Index, status)
	if s.EndsAt.IsZero() || status == invalid {
		delete(e.ends, s.Entry.Index)
	} else {
		e.ends[s.Entry.Index] = s.EndsAt
	}
}

// end sets those whose time is over.
func (e entries) end(now time.Time) {
	for index, end := range e.ends {
		if !now.Before(end) {
			e.array.set(index, invalid)
			delete(e.ends, index)
		}
	}
}

// ending is the first end that is still to come, zero if none is.
func (e entries) ending() (first time.Time) {
	for _, end := range e.ends {
		if first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}
