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

// class is how urgent it is to whoever waits in a [line]; the lower goes first.
type class int

const (
	// revoking is for changes that take rights away. What is flooding the server must not hold off its own revocation.
	revoking class = iota
	// nobodys is for what is done for no known caller: authentication, without which nobody can revoke, and times of use.
	nobodys
	// common is for the rest.
	common
	classes
)

// most is how many may wait in each class. More are refused at once: who would wait longer than a caller does only
// makes all others wait, too. A thousand changes take a SQLite file about a second, and four thousand look-ups half of
// one.
var most = [classes]int{revoking: 512, nobodys: 4096, common: 512}

const (
	// ownersPart of the places is what one owner gets at most.
	ownersPart = 4
	// patient is how often a class lets the ones before it go first.
	patient = 8
)

// slowDown is about how long the refusal of who has taken up its share is kept back. Somebody who asks again at once,
// as a flood does, would otherwise keep the processors so busy with refusals that all others wait for those.
const slowDown = time.Second

// Why somebody is sent away, for the log; the answer says the same in its own words.
var (
	errShare = errors.New("the caller has taken up its share of the places in the line for the database")
	errFull  = errors.New("too many wait in the line for the database")
)

// line lets in as many at once as there are connections. The others wait: the pool of database/sql would hand a free
// connection to any of them.
//
// A class goes before the next, which has a turn now and then all the same. Within a class the owners take turns,
// within an owner its credentials, and those of one credential stand in a queue. Where there is no place left, the
// newcomer gets one of whoever has most of them, unless that is itself. So nobody is held off by another's flood, nor
// by one of their own tokens.
type line struct {
	within *line // another to wait in afterwards, for the connections that both share; nil: none

	mu      sync.Mutex
	free    int
	waiting [classes]group[token.Share, *owner]
	passed  [classes]int // how often others went before, since the class had a turn
}

// owner is those who wait for one owner, in a queue (of *waiter) for each credential.
type owner = group[int64, *list.List]

// waiter is somebody in the line.
type waiter struct {
	class class
	share token.Share
	place *list.Element // in the queue of its credential
	done  chan error    // gets nil when it is let in, or why it is not
}

func newLine(connections int) *line { return &line{free: connections} }

// enter waits until there is a connection for the caller. Leave has to be called when it is free again. Who has waited
// in one line goes first in the one within.
func (l *line) enter(ctx context.Context, c class) (leave func(), err error) {
	if err := l.wait(ctx, c); err != nil {
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

func (l *line) wait(ctx context.Context, c class) error {
	w := &waiter{class: c, share: token.ShareOf(ctx), done: make(chan error, 1)}
	l.join(w)
	select {
	case err := <-w.done:
		if err != nil {
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

// join puts the waiter into the line, and lets in whoever is first.
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

// refuse sends away the last of those whom the owner's largest credential has waiting.
func (l *line) refuse(o *owner, why error) {
	w := o.largest().Back().Value.(*waiter) //nolint:forcetypeassert // nothing else is put in
	l.remove(w)
	w.done <- token.Wrap(token.Overloaded, why)
}

// letIn gives what is free to whoever is first. It is called under the lock.
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

// giveUp takes the waiter out of the line, unless it was let in or sent away meanwhile.
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

// ownerOf is whose the share is, whatever the credential.
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
