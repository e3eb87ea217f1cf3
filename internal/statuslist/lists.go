// Package statuslist publishes the states of tokens whose secrets can be checked offline
// (draft-ietf-oauth-status-list).
//
// It knows the bits of a list, when they have to be read anew and when to sign them anew. It must not know how a list
// is signed or sent, nor how changes come to be told. internal/memory calls it.
package statuslist

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tokenwright/tokenwright/internal/fresh"
	"github.com/tokenwright/tokenwright/internal/token"
)

// DefaultTTL is for how long a service may use a status list before it asks again.
const DefaultTTL = time.Minute

const (
	// keptLists is how many status lists are kept in memory, at less than a megabyte each.
	keptLists = 32
	// toldChanges is how many changed tokens of a list are read one by one; if there are more, the list is read anew.
	toldChanges = 4096
	// life is the time between `iat` and `exp` of a list, in TTLs. After half of it the list is signed anew.
	life = 4
	// readTime bounds the reading of a list. It goes on when the caller who wanted it has left: a list that takes longer
	// to read than callers wait would otherwise be begun again and again.
	readTime = time.Minute
)

// Signer signs lists.
type Signer interface {
	// SignStatusList returns the status list token for the claims, signed with the active key. An error is
	// [token.Unavailable] where trying again may help.
	SignStatusList(c token.StatusClaims) (string, error)
}

// Config is where [Lists] come from.
type Config struct {
	Store  token.StatusStore
	Signer Signer
	Clock  token.Clock
	TTL    time.Duration // for how long others may use a list before they ask again; 0 is [DefaultTTL]
}

// Lists are the status lists that were asked for lately, a bounded number. No list waits for another.
type Lists struct {
	Config
	trust *fresh.Trust // in what is told of changes by other processes
	kept  *lru.Cache[int64, *list]
}

// New returns no lists yet; they are read when they are asked for.
func New(c Config, trust *fresh.Trust) *Lists {
	c.TTL = cmp.Or(c.TTL, DefaultTTL)
	kept, _ := lru.New[int64, *list](keptLists) // which fails below 1 only
	return &Lists{c, trust, kept}
}

// Changed tells of a change after its commit.
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

// Get returns the signed list with this number as it is now: a change that was told before the call is in it, and one
// that is not told is in it after less than a second.
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

// find returns a list that exists. Of those that do not, nothing is kept.
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

// usable returns the list as it was signed last, and whether that is as good as a new one. Heard says whether changes
// by others are told; if they are not, all of it has to have been read lately.
func (l *Lists) usable(list *list, heard bool) (signed string, ok bool) {
	s, current := list.state()
	ok = current && l.lasts(s) && (heard || s.age() <= fresh.TrustFor)
	return s.signed, ok
}

// lasts reports whether what is signed can be used for long enough.
func (l *Lists) lasts(s snapshot) bool {
	age := l.Clock.Now().Sub(s.issued)
	return age >= 0 && age < l.TTL*life/2
}

// update brings the list up to date: by the tokens that changed, or by all where anything may have.
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
		next.array, err = l.read(ctx, list.number)
	} else {
		next.array, err = l.readChanged(ctx, list.number, old.array, changed)
	}
	if err == nil && (anything || !bytes.Equal(next.array, old.array) || !l.lasts(next)) {
		err = l.sign(list.number, &next)
	}
	if err != nil {
		return "", err
	}
	list.publish(next)
	return next.signed, nil
}

func (l *Lists) read(ctx context.Context, number int64) (array, error) {
	a := newArray()
	err := l.Store.StatusList(ctx, number, func(s token.Standing) { a.set(s.Entry.Index, statusOf(s)) })
	return a, err
}

// readChanged leaves the old array as it is.
func (l *Lists) readChanged(ctx context.Context, number int64, old array, changed []int64) (array, error) {
	standings, err := l.Store.Standings(ctx, changed)
	a := slices.Clone(old)
	for _, s := range standings {
		if s.Entry.List == number {
			a.set(s.Entry.Index, statusOf(s))
		}
	}
	return a, err
}

func (l *Lists) sign(number int64, s *snapshot) (err error) {
	s.issued = l.Clock.Now().Truncate(time.Second)
	s.signed, err = l.Signer.SignStatusList(token.StatusClaims{
		List: number, IssuedAt: s.issued, ExpiresAt: s.issued.Add(l.TTL * life), TTL: l.TTL,
		Bits: bits, Packed: s.array.pack(),
	})
	return err
}
