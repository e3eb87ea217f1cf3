// Package statuslist publishes the status of tokens whose secrets can be checked offline
// (draft-ietf-oauth-status-list). It knows the bits of a list, when to read them again and when to sign them again. It
// must not know how a list is signed or sent, nor where changes come from. internal/memory calls it.
package statuslist

import (
	"bytes"
	"cmp"
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tokenwright/tokenwright/internal/fresh"
	"github.com/tokenwright/tokenwright/internal/token"
)

// DefaultTTL is how long a service may use a status list before it fetches it again.
const DefaultTTL = time.Minute

const (
	// keptLists is how many status lists are kept in memory, at less than a megabyte each.
	keptLists = 32
	// toldChanges is how many changed tokens of a list are read one by one; if there are more, the whole list is read.
	toldChanges = 4096
	// life is the time between `iat` and `exp` of a list, in TTLs. After half of it the list is signed again.
	life = 4
	// readTime is the time limit for reading a list. The read continues if its caller gives up: otherwise a list that
	// takes longer to read than callers wait would be started again and again.
	readTime = time.Minute
)

// Signer signs lists.
type Signer interface {
	// SignStatusList returns the status list token for the claims, signed with the active key. An error is
	// [token.Unavailable] if a retry may help.
	SignStatusList(c token.StatusClaims) (string, error)
}

// Config has the dependencies and settings of [Lists].
type Config struct {
	Store  token.StatusStore
	Signer Signer
	Clock  token.Clock
	TTL    time.Duration // how long services may use a list before they fetch it again; 0 is [DefaultTTL]
}

// Lists are the most recently used status lists, a bounded number. No list waits for another.
type Lists struct {
	Config
	trust *fresh.Trust // in the reports of changes by other processes
	kept  *lru.Cache[int64, *list]
}

// New returns empty Lists; each list is read on demand.
func New(c Config, trust *fresh.Trust) *Lists {
	c.TTL = cmp.Or(c.TTL, DefaultTTL)
	kept, _ := lru.New[int64, *list](keptLists) // which fails below 1 only
	return &Lists{c, trust, kept}
}

// Changed records a change after its commit.
func (l *Lists) Changed(c token.Change) {
	if c.User != 0 || c.Token != 0 && c.List == 0 {
		return // on which no list depends
	}
	for _, list := range l.kept.Values() {
		if c.Token == 0 || c.List == list.number {
			list.tell(c.Token)
		}
	}
}

// Get returns the current signed list with this number. It contains every change that was reported before the call, and
// every other change within a second.
func (l *Lists) Get(ctx context.Context, number int64) (string, error) {
	list, err := l.find(ctx, number)
	if err != nil {
		return "", err
	}
	if signed, ok := l.usable(list, l.trust.Holds()); ok {
		return signed, nil
	}
	return list.updates.Get(ctx, "", func() (string, error) { return l.update(context.WithoutCancel(ctx), list) })
}

// find returns a list that exists. Absence is not cached.
func (l *Lists) find(ctx context.Context, number int64) (*list, error) {
	if list, known := l.kept.Get(number); known {
		return list, nil
	}
	if err := l.Store.FindStatusList(ctx, number); token.KindOf(err) == token.NotFound {
		return nil, token.Errorf(token.NotFound, "there is no such status list")
	} else if err != nil {
		return nil, err
	}
	list := newList(number)
	if other, known, _ := l.kept.PeekOrAdd(number, list); known {
		return other, nil
	}
	return list, nil
}

// usable returns the last signed list, and whether it is still current. Heard is whether changes by other processes are
// being reported; if not, the last full read must be recent.
func (l *Lists) usable(list *list, heard bool) (signed string, ok bool) {
	s, current := list.state()
	ok = current && l.lasts(s) && (heard || s.age() <= fresh.TrustFor)
	return s.signed, ok
}

// lasts reports whether the signed list stays valid for long enough, and none of its entries has ended since.
func (l *Lists) lasts(s snapshot) bool {
	now := l.Clock.Now()
	age := now.Sub(s.issued)
	return age >= 0 && age < l.TTL*life/2 && (s.ending.IsZero() || now.Before(s.ending))
}

// update brings the list up to date: it reads the changed tokens, or all if anything may have changed.
func (l *Lists) update(ctx context.Context, list *list) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	heard := l.trust.Await(ctx)
	if signed, ok := l.usable(list, heard); ok {
		return signed, nil
	}
	old, next, changed, anything := list.begin()
	var err error
	if anything || !heard {
		next.age = token.Stopwatch()
		next.entries, err = l.read(ctx, list.number)
	} else {
		next.entries, err = l.readChanged(ctx, list.number, old.entries, changed)
	}
	next.ending = next.entries.ending()
	if err == nil && (anything || !bytes.Equal(next.array, old.array) || !l.lasts(next)) {
		err = l.sign(list.number, &next)
	}
	if err != nil {
		return "", err
	}
	list.publish(next)
	return next.signed, nil
}

func (l *Lists) read(ctx context.Context, number int64) (entries, error) {
	now := l.Clock.Now()
	e := newEntries()
	err := l.Store.StatusList(ctx, number, func(s token.Standing) { e.set(s, now) })
	return e, err
}

// readChanged does not modify the old entries.
func (l *Lists) readChanged(ctx context.Context, number int64, old entries, changed []int64) (entries, error) {
	standings, err := l.Store.Standings(ctx, changed)
	now := l.Clock.Now()
	e := old.clone()
	for _, s := range standings {
		if s.Entry.List == number {
			e.set(s, now)
		}
	}
	e.end(now)
	return e, err
}

func (l *Lists) sign(number int64, s *snapshot) (err error) {
	s.issued = l.Clock.Now().Truncate(time.Second)
	s.signed, err = l.Signer.SignStatusList(token.StatusClaims{
		List: number, IssuedAt: s.issued, ExpiresAt: s.issued.Add(l.TTL * life), TTL: l.TTL,
		Bits: bits, Packed: s.array.pack(),
	})
	return err
}
