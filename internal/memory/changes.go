package memory

import (
	"slices"

	"github.com/tokenwright/tokenwright/internal/token"
)

// remembered is how many changes are remembered for the reads that are under way.
const remembered = 1024

// changes are the last changes, so that a row which was read while they came can tell whether one concerned it.
type changes struct {
	count uint64 // of all
	last  [remembered]token.Change
}

func (s *changes) add(c token.Change) {
	s.last[s.count%remembered] = c
	s.count++
}

// concern reports whether a row may have changed since there were begun changes, when the read of it began. It reports
// so if there were too many changes to tell.
func (s *changes) concern(id token.Identity, begun uint64) bool {
	if s.count-begun > remembered {
		return true
	}
	owners := ownersOf(id)
	for n := begun; n < s.count; n++ {
		c := s.last[n%remembered]
		if o := ownerOf(c); c.Token == id.Token.Seq || c.Token == 0 && (o.zero() || slices.Contains(owners[:], o)) {
			return true
		}
	}
	return false
}
