package store

import (
	"container/list"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// class is the priority of a waiter in a [line]; lower values go first.
type class int

const (
	// revoking is for changes that take rights away. A flooding token must not delay its own revocation.
	revoking class = iota
	// nobodys is for work without a known caller: authentication, without which nobody can revoke.
	nobodys
	// common is for the rest.
	common
	// later is for what nobody waits for: last-use times.
	later
	classes
)

// most is how many may wait in each class. More are rejected at once: a waiter that outlasts its caller's patience only
// delays the others. A thousand changes take a SQLite file about a second, and four thousand lookups half a second.
var most = [classes]int{revoking: 512, nobodys: 4096, common: 512, later: 512}

const (
	// One owner gets at most 1/ownersPart of the places.
	ownersPart = 4
	// patient is how often a class yields to the classes before it.
	patient = 8
)

// slowDown is roughly how long the rejection of a caller that has used up its share is delayed. Otherwise a flood that
// retries at once would keep the processors so busy with rejections that all others have to wait.
const slowDown = time.Second

// The reasons for a rejection in the log; the response has its own wording.
var (
	errShare = errors.New("the caller has used up its share of the queue for the database")
	errFull  = errors.New("the queue for the database is full")
)

// line admits as many callers at once as there are connections. The others wait here, since the pool of database/sql
// would give a free connection to any of them. A class goes before the next, which still gets an occasional turn.
// Within a class the owners take turns, within an owner its credentials, and within a credential it is first come,
// first served. If the line is full, a newcomer takes a place from the owner with the most, unless that is itself. So
// no owner is blocked by another's flood, and no token by another of the same owner.
type line struct {
	within *line // another line to wait in afterwards, for connections shared with it; nil: none

	mu      sync.Mutex
	free    int
	waiting [classes]group[token.Share, *owner]
	passed  [classes]int // how often other classes went first since this one had a turn
}

// owner holds the waiters of one owner, in a queue (of *waiter) for each credential.
type owner = group[int64, *list.List]

// waiter is a caller in the line.
type waiter struct {
	class class
	share token.Share
	place *list.Element // in the queue of its credential
	done  chan error    // receives nil when it is admitted, or the reason if it is not
	work  any           // what others can do along with their own, see [line.along]; nil: nothing
	taken bool          // by somebody who was admitted
}

// errTaken is the outcome for a waiter whose work somebody else does.
var errTaken = errors.New("somebody else does it")

func newLine(connections int) *line { return &line{free: connections} }

// enter waits until there is a connection for the caller, who must call leave to free it. A caller that has waited in
// one line goes first in the line within.
func (l *line) enter(ctx context.Context, c class) (leave func(), err error) {
	return l.enterWith(ctx, c, nil)
}

// enterWith is enter for a caller whose work others may do: then the error is [errTaken].
func (l *line) enterWith(ctx context.Context, c class, work any) (leave func(), err error) {
	if err := l.wait(ctx, c, work); err != nil {
		return nil, err
	}
	if l.within == nil {
		return l.leave, nil
	}
	leaveOther, err := l.within.enter(ctx, revoking)
	if err != nil {
		l.leave()
		return nil, err
	}
	return func() { leaveOther(); l.leave() }, nil
}

func (l *line) wait(ctx context.Context, c class, work any) error {
	w := &waiter{class: c, share: token.ShareOf(ctx), done: make(chan error, 1), work: work}
	l.join(w)
	select {
	case err := <-w.done:
		if err != nil && !w.taken {
			sleep(ctx, slowDown/2+rand.N(slowDown)) //nolint:gosec // a pause is no secret; not all at the same time
		}
		return err
	case <-ctx.Done():
		if err, over := l.giveUp(w); over {
			return err
		}
		return ctx.Err()
	}
}

// join adds the waiter to the line, and admits whoever is first.
func (l *line) join(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(w)
	owners := &l.waiting[w.class]
	own := owners.member(ownerOf(w.share))
	switch {
	case own.size > most[w.class]/ownersPart:
		l.refuse(own, errShare)
	case owners.size > most[w.class]:
		l.refuse(owners.largest(), errFull)
	}
	l.letIn()
}

// refuse rejects the last waiter of the owner's credential with the most waiters.
func (l *line) refuse(o *owner, why error) {
	w := o.largest().Back().Value.(*waiter) //nolint:forcetypeassert // nothing else is put in
	l.remove(w)
	w.done <- token.Wrap(token.Overloaded, why)
}

// letIn gives free connections to whoever is first. It is called under the lock.
func (l *line) letIn() {
	for l.free > 0 {
		c, found := l.turn()
		if !found {
			return
		}
		w := l.waiting[c].next().next().Front().Value.(*waiter) //nolint:forcetypeassert // as in refuse
		l.remove(w)
		l.free--
		w.done <- nil
	}
}

// along takes the work of up to most waiters of the class out of the line, as their turns come, if accept agrees. One
// whose predecessor in the queue of its credential stays, stays.
func (l *line) along(c class, most int, accept func(work any) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	owners := &l.waiting[c]
	for left := owners.size; left > 0 && most > 0; left-- {
		w := owners.next().next().Front().Value.(*waiter) //nolint:forcetypeassert // as in refuse
		if w.work == nil || !accept(w.work) {
			continue
		}
		l.remove(w)
		w.taken = true
		w.done <- errTaken
		most--
	}
}

// turn chooses the class whose turn it is.
func (l *line) turn() (chosen class, found bool) {
	for c := range l.waiting {
		switch {
		case l.waiting[c].size == 0:
		case !found:
			chosen, found = class(c), true
		case l.passed[c] >= patient:
			chosen = class(c)
		default:
			l.passed[c]++
		}
	}
	l.passed[chosen] = 0
	return chosen, found
}

// giveUp removes the waiter from the line, unless it was admitted or rejected meanwhile.
func (l *line) giveUp(w *waiter) (outcome error, over bool) { //nolint:revive // not an error of this function
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case err := <-w.done:
		return err, true
	default:
		l.remove(w)
		return nil, false
	}
}

func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free++
	l.letIn()
}

// ownerOf is the owner whose share the caller uses, whatever its credential.
func ownerOf(s token.Share) token.Share {
	s.Token = 0
	return s
}

// add is called under the lock, as remove is.
func (l *line) add(w *waiter) {
	owners := &l.waiting[w.class]
	own := owners.at(ownerOf(w.share), func() *owner { return new(owner) })
	w.place = own.at(w.share.Token, list.New).PushBack(w)
	own.count(w.share.Token, 1)
	owners.count(ownerOf(w.share), 1)
}

func (l *line) remove(w *waiter) {
	owners := &l.waiting[w.class]
	own := owners.member(ownerOf(w.share))
	own.member(w.share.Token).Remove(w.place)
	own.count(w.share.Token, -1)
	owners.count(ownerOf(w.share), -1)
}
