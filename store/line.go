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
	// nobodys is for what is done for no caller: authentication, without which nobody can revoke, and times of use.
	nobodys
	// common is for the rest.
	common
	classes
)

const (
	// maxWaiting is how many may wait in one class. More are refused at once: who would wait longer than a caller does
	// only makes all others wait, too. A thousand changes take a SQLite file about a second.
	maxWaiting = 512
	// maxShare is how many of those in one class, waiting or not, may be of one caller.
	maxShare = maxWaiting / 4
)

// Why nobody more is let in, for the log; the answer says the same in its own words.
var (
	errFull  = errors.New("too many wait for the database already")
	errShare = errors.New("the caller has taken up its share of the places in the line for the database")
)

// slowDown is about how long the refusal of who has taken up its share is kept back. Somebody who asks again at once, as a
// flood does, would otherwise keep the processors so busy with refusals that all others wait for those.
const slowDown = time.Second

// line lets in as many at once as there are connections, and the others in the order of their classes and of their
// coming: the pool of database/sql hands a free connection to any of those who wait.
type line struct {
	within *line // another to wait in afterwards, for the connections that both share; nil: none

	mu      sync.Mutex
	free    int
	waiting [classes]list.List // of *waiter
	shares  map[place]int      // how many of each caller are in the line or past it
}

// waiter is somebody in the line. Ready is closed when it is let in.
type waiter struct {
	ready chan struct{}
	place place
}

// place is what counts as one caller in a class.
type place struct {
	class class
	share token.Share
}

func newLine(connections int) *line { return &line{free: connections, shares: map[place]int{}} }

// placeOf counts the owner as one caller, whatever number of tokens it makes. Where rights are taken away it counts the
// credential, so that one which was stolen does not hold off its owner who revokes it.
func placeOf(c class, s token.Share) place {
	if c != revoking {
		s.Token = 0
	} else if s.Token != 0 {
		s = token.Share{Token: s.Token}
	}
	return place{c, s}
}

// enter waits until there is a connection for the caller. Leave has to be called when it is free again.
func (l *line) enter(ctx context.Context, c class) (leave func(), err error) {
	leaveThis, err := l.enterThis(ctx, c)
	if err != nil || l.within == nil {
		return leaveThis, err
	}
	leaveOther, err := l.within.enter(ctx, c)
	if err != nil {
		leaveThis()
		return nil, err
	}
	return func() { leaveOther(); leaveThis() }, nil
}

func (l *line) enterThis(ctx context.Context, c class) (leave func(), err error) {
	w := &waiter{make(chan struct{}), placeOf(c, token.ShareOf(ctx))}
	element, err := l.join(w)
	if err != nil {
		if errors.Is(err, errShare) {
			sleep(ctx, slowDown/2+rand.N(slowDown)) //nolint:gosec // a pause is no secret
		}
		return nil, err
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		if l.giveUp(w, element) {
			return nil, ctx.Err()
		}
	}
	return func() { l.leave(w.place) }, nil
}

// join lets the waiter in if there is room and nobody before it, and else puts it at the end of its class.
func (l *line) join(w *waiter) (*list.Element, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := &l.waiting[w.place.class]
	switch someones := w.place.share != (token.Share{}); {
	case someones && l.shares[w.place] >= maxShare:
		return nil, token.Wrap(token.Overloaded, errShare)
	case queue.Len() >= maxWaiting:
		return nil, token.Wrap(token.Overloaded, errFull)
	}
	l.shares[w.place]++
	element := queue.PushBack(w)
	l.letIn()
	return element, nil
}

// letIn gives what is free to whoever is first. It is called under the lock.
func (l *line) letIn() {
	for c := range l.waiting {
		for queue := &l.waiting[c]; l.free > 0 && queue.Len() > 0; l.free-- {
			close(queue.Remove(queue.Front()).(*waiter).ready) //nolint:forcetypeassert // nothing else is put in
		}
	}
}

// giveUp takes the waiter out of the line; it is false if it was let in meanwhile.
func (l *line) giveUp(w *waiter, element *list.Element) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-w.ready:
		return false
	default:
	}
	l.waiting[w.place.class].Remove(element)
	l.forget(w.place)
	return true
}

func (l *line) leave(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(p)
	l.free++
	l.letIn()
}

// forget is called under the lock.
func (l *line) forget(p place) {
	if l.shares[p]--; l.shares[p] == 0 {
		delete(l.shares, p)
	}
}
