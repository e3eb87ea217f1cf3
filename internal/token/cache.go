package token

import (
	"container/list"
	"sync"
	"time"
)

// Change names what was changed. The zero Change is anything: an account or an environment, on which many tokens depend.
type Change struct {
	Token int64 // Seq of a token, and
	List  int64 // the status list that it has a place in, 0 if it has none
	User  int64 // id of a user
}

// Follower hears of changes that any process made. A [Cache] is one.
type Follower interface {
	// Changed tells of a change after its commit.
	Changed(c Change)
	// Sending marks the moment before a heartbeat is sent through the feed of changes.
	Sending() Mark
	// Heard tells that this heartbeat came back: every change committed before its sending has been told.
	Heard(m Mark)
	// Lost tells that changes may have been missed.
	Lost()
}

// Mark is a moment on the clock of one process that never goes back.
type Mark time.Duration

// trustFor is how long a cache may be used after the sending of the last heartbeat that was heard. The guarantee to
// callers is one second; the difference is for a check that is already on its way.
const trustFor = 700 * time.Millisecond

// Cache keeps credentials' rows, never verdicts: state, expiry and owner are judged at every use. It never keeps
// absence, so that a fresh token works everywhere at once. It holds a bounded number of rows and gives up the one that
// was not used for longest.
//
// In one process a row is forgotten after the commit of a change and before its answer, and a row that was read before
// that moment is not put in afterwards. Among several processes a feed tells of changes, and the cache answers only
// while it is known to be at most [trustFor] old.
type Cache struct {
	limit     int
	stopwatch func() time.Duration

	mu      sync.Mutex
	rows    map[Hash]*list.Element // of *cached
	bySeq   map[int64]Hash
	order   *list.List // most recently used first
	changes uint64     // how many changes were told; a row that was read before the last one may be old
	fed     bool       // changes by others come through a feed
	heard   Mark       // sending of the last heartbeat that was heard
	lost    bool
}

type cached struct {
	hash Hash
	id   Identity
}

// NewCache returns a cache of at most limit rows. Fed says that other processes change the store too, and that the
// cache follows their changes; without hearing any it answers nothing.
func NewCache(limit int, fed bool) *Cache {
	return &Cache{
		limit: limit, stopwatch: stopwatch(), fed: fed, lost: fed,
		rows: map[Hash]*list.Element{}, bySeq: map[int64]Hash{}, order: list.New(),
	}
}

// get returns the row of the credential, false if it has to be read.
func (c *Cache) get(h Hash) (Identity, bool) {
	if c == nil {
		return Identity{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.rows[h]
	if !ok || !c.trusted() {
		return Identity{}, false
	}
	c.order.MoveToFront(element)
	return entry(element).id, true
}

// follows reports whether the changes of all processes are told, with at most [trustFor] of delay.
func (c *Cache) follows() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trusted()
}

// trusted is asked under the lock.
func (c *Cache) trusted() bool {
	return !c.fed || !c.lost && c.stopwatch()-time.Duration(c.heard) < trustFor
}

// reading is called before a row is read; put takes what it returned.
func (c *Cache) reading() uint64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// put keeps a row that was read, unless something changed since then.
func (c *Cache) put(h Hash, id Identity, reading uint64) {
	if c == nil || id.Token == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != reading || c.rows[h] != nil {
		return
	}
	c.rows[h] = c.order.PushFront(&cached{h, id})
	c.bySeq[id.Token.Seq] = h
	if c.order.Len() > c.limit {
		c.remove(c.order.Back())
	}
}

// remove is called under the lock.
func (c *Cache) remove(element *list.Element) {
	gone := entry(element)
	c.order.Remove(element)
	delete(c.rows, gone.hash)
	delete(c.bySeq, gone.id.Token.Seq)
}

func entry(element *list.Element) *cached { return element.Value.(*cached) } //nolint:forcetypeassert // nothing else is put in

// Changed forgets the row of a token, or all rows.
func (c *Cache) Changed(change Change) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	if change.Token == 0 {
		c.clear()
		return
	}
	if h, ok := c.bySeq[change.Token]; ok {
		c.remove(c.rows[h])
	}
}

// clear is called under the lock.
func (c *Cache) clear() {
	clear(c.rows)
	clear(c.bySeq)
	c.order.Init()
}

// Sending implements [Follower].
func (c *Cache) Sending() Mark { return Mark(c.stopwatch()) }

// Heard implements [Follower].
func (c *Cache) Heard(m Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard, c.lost = max(c.heard, m), false
}

// Lost forgets everything and answers nothing until a heartbeat is heard that was sent later.
func (c *Cache) Lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.lost = true
	c.clear()
}

// Len is how many rows are kept.
func (c *Cache) Len() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}
