package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// as is a context in which something is done for the caller with this token of this user.
func as(ctx context.Context, user, seq int64) context.Context {
	return context.WithValue(ctx, token.ShareKey{}, token.Share{UserID: user, Token: seq})
}

// waitingIn is how many wait in a class.
func (l *line) waitingIn(c class) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[c].Len()
}

// queue has a caller wait in the line and then do something. It returns when the caller waits.
func queue(ctx context.Context, t *testing.T, l *line, tasks *sync.WaitGroup, c class, do func()) {
	t.Helper()
	before := l.waitingIn(c)
	tasks.Go(func() {
		leave, err := l.enter(ctx, c)
		if err != nil {
			t.Error(err)
			return
		}
		do()
		leave()
	})
	for l.waitingIn(c) == before {
	}
}

func TestLineGoesByClassAndThenByComing(t *testing.T) {
	l := newLine(1)
	leave, err := l.enter(t.Context(), common)
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	var order []int // one at a time writes it
	for i, c := range []class{common, nobodys, revoking, common, nobodys, revoking} {
		queue(t.Context(), t, l, &tasks, c, func() { order = append(order, i) })
	}
	leave()
	tasks.Wait()
	if want := []int{2, 5, 1, 4, 0, 3}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v", order, want)
	}
	if l.free != 1 || len(l.shares) != 0 {
		t.Errorf("in the end %d connections are free and shares are %v", l.free, l.shares)
	}
}

// fill has callers wait until the line refuses one, and returns how many there are.
func fill(ctx context.Context, t *testing.T, l *line, c class) (n int) {
	t.Helper()
	for ; n <= 2*maxWaiting; n++ {
		w := &waiter{make(chan struct{}), placeOf(c, token.ShareOf(ctx))}
		if _, err := l.join(w); err != nil {
			if !errors.Is(err, token.Overloaded) {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("there is no end")
	return n
}

func TestLineIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		class class
		share func(n int64) context.Context // of the n-th caller
		each  []int                         // how many of one after the other get into the line
	}{
		"callers of their own": {common, func(n int64) context.Context { return as(t.Context(), n, n) }, []int{128, 128, 128, 128, 1, 0}},
		"one user's tokens":    {common, func(n int64) context.Context { return as(t.Context(), 7, n) }, []int{128, 0, 0}},
		"revokes by tokens of one user": {
			revoking, func(n int64) context.Context { return as(t.Context(), 7, n) }, []int{128, 128, 128, 128, 1, 0},
		},
		"revokes by one who has no token": {revoking, func(int64) context.Context { return as(t.Context(), 7, 0) }, []int{128, 0}},
		"nobody's":                        {nobodys, func(int64) context.Context { return t.Context() }, []int{maxWaiting + 1, 0}},
	} {
		l := newLine(1)
		for n, want := range c.each {
			if got := fill(c.share(int64(n+1)), t, l, c.class); got != want {
				t.Errorf("%s: %d of caller %d, want %d", name, got, n+1, want)
			}
		}
		other := revoking
		if c.class == revoking {
			other = common
		}
		if got := fill(as(t.Context(), 99, 99), t, l, other); got != maxShare {
			t.Errorf("%s: %d of another class, want %d", name, got, maxShare)
		}
	}
}

// TestLineForgetsWhoGivesUp: neither a place nor a share is lost, whether the caller was let in at the same time or not.
func TestLineForgetsWhoGivesUp(t *testing.T) {
	l := newLine(2)
	var tasks sync.WaitGroup
	for i := range 2000 {
		ctx, cancel := context.WithCancel(as(t.Context(), int64(i%9), int64(i%9)))
		tasks.Go(func() {
			if leave, err := l.enter(ctx, class(i)%classes); err == nil {
				leave()
			} else if !errors.Is(err, context.Canceled) && !errors.Is(err, token.Overloaded) {
				t.Error(err)
			}
		})
		tasks.Go(cancel)
	}
	tasks.Wait()
	if l.free != 2 || len(l.shares) != 0 || l.waitingIn(common)+l.waitingIn(nobodys)+l.waitingIn(revoking) != 0 {
		t.Errorf("in the end %d connections are free and shares are %v", l.free, l.shares)
	}
}
