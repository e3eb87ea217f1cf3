package verify

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// maxRefusal is how long a refusal is repeated at most.
const maxRefusal = time.Second

// hash stands for a secret: the caches hold none.
type hash [sha256.Size]byte

// calls remembers questions by what they were about. All live equally long, so the oldest has to make room, however
// often it was of use: who finds one has to Peek, not to Get.
type calls = simplelru.LRU[hash, *call[Token]]

// verdicts remembers what was said about tokens a moment ago, and who is asking about which. What is not active has
// places of its own, so that who sends many tokens that do not work pushes out none that works.
type verdicts struct {
	ttl time.Duration

	mu      sync.Mutex
	active  *calls // and those that are not answered yet
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

// join returns a call that is young enough, finished or not, or a new one, which the caller has to finish.
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

// finish tells all who wait, and keeps a verdict. Who takes an active one judges the token's end.
func (v *verdicts) finish(h hash, c *call[Token], t Token, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.value, c.err = t, err
	// It may have been pushed out, and another may have taken its place.
	if known, _ := v.active.Peek(h); err != nil && known == c {
		v.active.Remove(h)
	}
	if errors.Is(err, ErrInvalid) {
		c.until = c.started.Add(min(v.ttl, maxRefusal))
		v.refused.Add(h, c)
	}
	close(c.done)
}
