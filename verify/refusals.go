package verify

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// maxRefusal is how long a refusal is repeated at most.
const maxRefusal = time.Second

// refusals remembers which tokens are not active, apart from [verdicts], so that who sends many that do not work pushes
// out none that works.
type refusals struct {
	ttl  time.Duration
	size int

	mu    sync.Mutex
	known map[[sha256.Size]byte]*list.Element
	queue *list.List // of refusals, the oldest first
}

type refusal struct {
	hash  [sha256.Size]byte
	until time.Time
	err   error
}

func newRefusals(ttl time.Duration, size int) *refusals {
	return &refusals{ttl: min(ttl, maxRefusal), size: size, known: map[[sha256.Size]byte]*list.Element{}, queue: list.New()}
}

// find returns why the token was refused a moment ago, nil if it was not.
func (r *refusals) find(hash [sha256.Size]byte, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.known[hash]
	if e == nil {
		return nil
	}
	if known := e.Value.(refusal); before(now, known.until) { //nolint:forcetypeassert // the queue holds nothing else
		return known.err
	}
	r.remove(e)
	return nil
}

// keep counts from when the question was asked, as [call] does.
func (r *refusals) keep(hash [sha256.Size]byte, asked time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.known[hash]; e != nil {
		r.remove(e)
	}
	if r.queue.Len() >= r.size {
		r.remove(r.queue.Front())
	}
	r.known[hash] = r.queue.PushBack(refusal{hash, asked.Add(r.ttl), err})
}

func (r *refusals) remove(e *list.Element) {
	r.queue.Remove(e)
	delete(r.known, e.Value.(refusal).hash) //nolint:forcetypeassert // see find
}
