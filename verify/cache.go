package verify

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// verdicts remembers which tokens are active, and who is asking about which.
type verdicts struct {
	ttl  time.Duration
	size int

	mu    sync.Mutex
	calls map[[sha256.Size]byte]*list.Element
	queue *list.List // of entries, the oldest first: all live equally long, so the oldest ends first
}

type entry struct {
	hash [sha256.Size]byte
	call *call[Token]
}

func newVerdicts(ttl time.Duration, size int) *verdicts {
	return &verdicts{ttl: ttl, size: size, calls: map[[sha256.Size]byte]*list.Element{}, queue: list.New()}
}

// join returns a call that is young enough, finished or not, or a new one, which the caller has to finish.
func (v *verdicts) join(hash [sha256.Size]byte, began time.Time) (c *call[Token], mine bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.calls[hash]; e != nil {
		if c := of(e).call; before(began, c.until) {
			return c, false
		}
		v.remove(e)
	}
	if v.queue.Len() >= v.size {
		v.remove(v.queue.Front())
	}
	c = newCall[Token](began)
	c.until = began.Add(v.ttl)
	v.calls[hash] = v.queue.PushBack(entry{hash, c})
	return c, true
}

// finish tells all who wait, and keeps the verdict if it is "active". Who takes it judges the token's end.
func (v *verdicts) finish(hash [sha256.Size]byte, c *call[Token], t Token, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.value, c.err = t, err
	// It may have been pushed out, and another may have taken its place.
	if e := v.calls[hash]; err != nil && e != nil && of(e).call == c {
		v.remove(e)
	}
	close(c.done)
}

func (v *verdicts) remove(e *list.Element) {
	v.queue.Remove(e)
	delete(v.calls, of(e).hash)
}

func of(e *list.Element) entry {
	return e.Value.(entry) //nolint:forcetypeassert // the queue holds nothing else
}
