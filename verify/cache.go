package verify

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxRefusal is the longest time for which a rejection is cached.
const maxRefusal = time.Second

// hash stands for a secret: the caches contain no secrets.
type hash [sha256.Size]byte

// calls caches requests by token. All live equally long, so the oldest is evicted, however often it was used: use Peek,
// not Get.
type calls = simplelru.LRU[hash, *call[Token]]

// verdicts caches recent verdicts and the requests under way. Inactive tokens have a separate cache, so that a flood of
// invalid tokens evicts no valid one.
type verdicts struct {
	ttl time.Duration

	mu      sync.Mutex
	active  *calls // and those under way
	refused *calls
}

func newVerdicts(ttl time.Duration, size int) (*verdicts, error) {
	active, err := simplelru.NewLRU[hash, *call[Token]](size, nil)
	if err != nil {
		return nil, err
	}
	refused, err := simplelru.NewLRU[hash, *call[Token]](size, nil)
	return &verdicts{ttl: ttl, active: active, refused: refused}, err
}

// join returns a call that is young enough, finished or not, or a new one, which the caller must finish.
func (v *verdicts) join(h hash, began time.Time) (c *call[Token], mine bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, known := range []*calls{v.refused, v.active} {
		if c, ok := known.Peek(h); ok && before(began, c.until) {
			return c, false
		}
	}
	c = newCall[Token](began)
	c.until = began.Add(v.ttl)
	v.active.Add(h, c)
	return c, true
}

// finish wakes all waiters, and caches a verdict. The reader of an active one must check the token's expiry.
func (v *verdicts) finish(h hash, c *call[Token], t Token, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.value, c.err = t, err
	// It may have been evicted and replaced by another.
	if known, _ := v.active.Peek(h); err != nil && known == c {
		v.active.Remove(h)
	}
	if errors.Is(err, ErrInvalid) {
		c.until = c.started.Add(min(v.ttl, maxRefusal))
		v.refused.Add(h, c)
	}
	close(c.done)
}
