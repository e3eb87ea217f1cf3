package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// as is a context in which something is done for the caller with this token of this user.
func as(ctx context.Context, user, seq int64) context.Context {
	return context.WithValue(ctx, token.ShareKey{}, token.Share{UserID: user, Token: seq})
}

func (l *line) waitingIn(c class) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[c].size
}

// occupied is a line whose only connection is in use, and how that ends.
func occupied(t *testing.T) (l *line, leave func()) {
	t.Helper()
	l = newLine(1)
	leave, err := l.enter(t.Context(), common)
	if err != nil {
		t.Fatal(err)
	}
	return l, leave
}

// empty fails the test unless nobody waits and all connections are free.
func empty(t *testing.T, l *line, connections int) {
	t.Helper()
	if l.free != connections {
		t.Errorf("%d connections are free, want %d", l.free, connections)
	}
	for c := range classes {
		if g := &l.waiting[c]; g.size != 0 || len(g.members) != 0 || len(g.order) != 0 {
			t.Errorf("class %d: %d wait, of %d owners", c, g.size, len(g.members))
		}
	}
}

// arrival is somebody who comes to a line.
type arrival struct {
	class       class
	user, token int64
}

// served has all come one after the other to an occupied line, and returns in which order they were let in.
func served(t *testing.T, all []arrival) (order []int) {
	t.Helper()
	l, release := occupied(t)
	var tasks sync.WaitGroup
	for i, a := range all {
		before := l.waitingIn(a.class)
		tasks.Go(func() {
			leave, err := l.enter(as(t.Context(), a.user, a.token), a.class)
			if err != nil {
				t.Error(err)
				return
			}
			order = append(order, i) // one at a time
			leave()
		})
		for l.waitingIn(a.class) == before {
		}
	}
	release()
	tasks.Wait()
	empty(t, l, 1)
	return order
}

func TestLineGoesByClassOwnerAndCredential(t *testing.T) {
	for name, c := range map[string]struct {
		all  []arrival
		want []int
	}{
		"classes": {
			[]arrival{{common, 1, 1}, {nobodys, 1, 1}, {revoking, 1, 1}, {common, 1, 1}, {nobodys, 1, 1}, {revoking, 1, 1}},
			[]int{2, 5, 1, 4, 0, 3},
		},
		"owners take turns": {
			[]arrival{{common, 1, 1}, {common, 1, 1}, {common, 1, 1}, {common, 2, 9}, {common, 2, 9}},
			[]int{0, 3, 1, 4, 2},
		},
		"and so do an owner's credentials": {
			[]arrival{{revoking, 1, 1}, {revoking, 1, 1}, {revoking, 1, 1}, {revoking, 1, 2}, {revoking, 1, 2}},
			[]int{0, 3, 1, 4, 2},
		},
		"one owner's many credentials are one owner": {
			[]arrival{{common, 1, 1}, {common, 1, 2}, {common, 1, 3}, {common, 2, 9}},
			[]int{0, 3, 1, 2},
		},
	} {
		if got := served(t, c.all); !slices.Equal(got, c.want) {
			t.Errorf("%s: the order is %v, want %v", name, got, c.want)
		}
	}
}

// TestNoClassWaitsForEver: after some of the ones before it, a class has its turn.
func TestNoClassWaitsForEver(t *testing.T) {
	all := []arrival{{common, 2, 2}, {common, 2, 2}}
	for range 3 * patient {
		all = append(all, arrival{revoking, 1, 1})
	}
	order := served(t, all)
	if first, second := slices.Index(order, 0), slices.Index(order, 1); first != patient || second != 2*patient+1 {
		t.Errorf("the others had their turns after %d and %d, want after %d and %d", first, second, patient, 2*patient+1)
	}
}

// crowd fills a line with callers, and returns them.
func crowd(l *line, c class, n int, share func(i int) token.Share) (all []*waiter) {
	for i := range n {
		w := &waiter{class: c, share: share(i), done: make(chan error, 1)}
		l.join(w)
		all = append(all, w)
	}
	return all
}

// refused is how many were sent away.
func refused(t *testing.T, all []*waiter) (n int) {
	t.Helper()
	for _, w := range all {
		select {
		case err := <-w.done:
			if !errors.Is(err, token.Overloaded) {
				t.Errorf("refused with %v", err)
			}
			n++
		default:
		}
	}
	return n
}

func TestLineIsBounded(t *testing.T) {
	const many = 10_000
	for name, c := range map[string]struct {
		class class
		share func(i int) token.Share
		wait  int // how many are left waiting
	}{
		"one credential":               {common, func(int) token.Share { return token.Share{UserID: 7, Token: 7} }, most[common] / ownersPart},
		"all of one user's":            {revoking, func(i int) token.Share { return token.Share{UserID: 7, Token: int64(i)} }, most[revoking] / ownersPart},
		"one address":                  {nobodys, func(int) token.Share { return token.Share{Address: "192.0.2.1"} }, most[nobodys] / ownersPart},
		"as many users as there are":   {common, func(i int) token.Share { return token.Share{UserID: int64(i)} }, most[common]},
		"all accounts without a user":  {common, func(i int) token.Share { return token.Share{AccountID: string(rune(i))} }, most[common]},
		"revokes by everybody at once": {revoking, func(i int) token.Share { return token.Share{UserID: int64(i), Token: int64(i)} }, most[revoking]},
	} {
		l, _ := occupied(t)
		all := crowd(l, c.class, many, c.share)
		if n := refused(t, all); n != many-c.wait || l.waitingIn(c.class) != c.wait {
			t.Errorf("%s: %d were refused and %d wait, want %d to wait", name, n, l.waitingIn(c.class), c.wait)
		}
	}
}

// TestFloodMakesRoom: whoever comes to a line that somebody else has filled gets a place of that one's.
func TestFloodMakesRoom(t *testing.T) {
	for name, flood := range map[string]func(i int) token.Share{
		"by one token of the same user":   func(int) token.Share { return token.Share{UserID: 1, Token: 1} },
		"by six tokens of the same user":  func(i int) token.Share { return token.Share{UserID: 1, Token: 1 + int64(i%6)} },
		"by forty tokens of ten users":    func(i int) token.Share { return token.Share{UserID: 1 + int64(i%10), Token: 1 + int64(i%40)} },
		"by one token of another account": func(int) token.Share { return token.Share{AccountID: "x", Token: 1} },
	} {
		l, release := occupied(t)
		crowd(l, revoking, 5000, flood)
		before := l.waitingIn(revoking)
		own := crowd(l, revoking, 1, func(int) token.Share { return token.Share{UserID: 1, Token: 99} })
		if refused(t, own) != 0 || l.waitingIn(revoking) > max(before, most[revoking]/ownersPart+1) {
			t.Errorf("%s: the owner's own revoke is refused, or %d wait after %d", name, l.waitingIn(revoking), before)
		}
		release()
		for turns := 0; ; turns++ { // as many as there are owners, times as many as the owner has credentials
			select {
			case err := <-own[0].done:
				if err != nil || turns > 12*8 {
					t.Errorf("%s: %v after %d turns", name, err, turns)
				}
			default:
				if turns > 1000 {
					t.Fatalf("%s: the owner never has a turn", name)
				}
				l.leave()
				continue
			}
			break
		}
	}
}

// TestNewcomersAmongEquals: where everybody who waits has one place, it is not always the newcomer who goes.
func TestNewcomersAmongEquals(t *testing.T) {
	l, _ := occupied(t)
	crowd(l, nobodys, most[nobodys], func(i int) token.Share { return token.Share{Address: fmt.Sprint(i)} })
	newcomers := crowd(l, nobodys, 50, func(i int) token.Share { return token.Share{Address: fmt.Sprint("new ", i)} })
	if n := refused(t, newcomers); n > 25 {
		t.Errorf("%d of 50 newcomers are refused", n)
	}
}

// TestLineForgetsWhoGivesUp: no place is lost, whether the caller was let in at the same time or not.
func TestLineForgetsWhoGivesUp(t *testing.T) {
	outer := newLine(2)
	outer.within = newLine(3)
	var tasks sync.WaitGroup
	for i := range 2000 {
		ctx, cancel := context.WithCancel(as(t.Context(), int64(i%9), int64(i%27)))
		tasks.Go(func() {
			if leave, err := outer.enter(ctx, class(i)%classes); err == nil {
				leave()
			} else if !errors.Is(err, context.Canceled) && !errors.Is(err, token.Overloaded) {
				t.Error(err)
			}
		})
		tasks.Go(cancel)
	}
	tasks.Wait()
	empty(t, outer, 2)
	empty(t, outer.within, 3)
}
