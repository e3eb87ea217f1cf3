package memory

import (
	"sync"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/tokenwright/tokenwright/internal/token"
)

// rows are those of the credentials that were used lately, a bounded number. Absence is never kept, so that a fresh
// token works everywhere at once. A row is forgotten when it changes, and one that was read before a change is not put
// in after it.
type rows struct {
	limit int

	mu      sync.Mutex
	kept    *simplelru.LRU[token.Hash, token.Identity]
	bySeq   map[int64]token.Hash
	changes atomic.Uint64 // how many were told; counted under the lock
}

func newRows(limit int) *rows {
	r := &rows{limit: limit, bySeq: map[int64]token.Hash{}}
	gone := func(_ token.Hash, id token.Identity) { delete(r.bySeq, id.Token.Seq) }
	r.kept, _ = simplelru.NewLRU(max(limit, 1), gone) // which fails below 1 only
	return r
}

func (r *rows) get(h token.Hash) (token.Identity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept.Get(h)
}

// fill returns what read returns, and keeps it unless something changed since it began.
func (r *rows) fill(h token.Hash, read reader) (token.Identity, error) {
	before := r.changes.Load()
	id, err := read()
	if err == nil && id.Token != nil {
		r.put(h, id, before)
	}
	return id, err
}

func (r *rows) put(h token.Hash, id token.Identity, before uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit > 0 && r.changes.Load() == before {
		r.kept.Add(h, id)
		r.bySeq[id.Token.Seq] = h
	}
}

// changed forgets the row of a token, or all rows.
func (r *rows) changed(c token.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes.Add(1)
	if c.Token == 0 {
		r.kept.Purge()
	} else if h, ok := r.bySeq[c.Token]; ok {
		r.kept.Remove(h)
	}
}
