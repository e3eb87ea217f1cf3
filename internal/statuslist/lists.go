// Package statuslist publishes the states of tokens whose secrets can be checked offline (draft-ietf-oauth-status-list).
//
// It knows the bits of a list, when they have to be read anew and when to sign them anew. It must not know how a list is
// signed or sent, nor how changes come to be told. internal/memory calls it.
package statuslist

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

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
	// readTime bounds the reading of a list. It goes on when the caller who wanted it has left: a list that takes longer to
	// read than callers wait would otherwise be begun again and again.
	readTime = time.Minute
)

// Signer signs lists.
type Signer interface {
	// SignStatusList returns the status list token for the claims, signed with the active key. An error is
	// [token.Unavailable] where trying again may help.
	SignStatusList(c token.StatusClaims) (string, error)
}

// Config is what [Lists] need. All members must be set.
type Config struct {
	Store     token.StatusStore
	Signer    Signer
	Trust     *fresh.Trust // in what is told of changes by other processes
	Clock     token.Clock
	Stopwatch func() time.Duration // never goes back
	TTL       time.Duration        // for how long others may use a list before they ask again
}

// Lists are the status lists that were asked for lately, a bounded number. No list waits for another.
type Lists struct {
	Config

	mu   sync.Mutex
	kept *simplelru.LRU[int64, *list]
}

// New returns no lists yet; they are read when they are asked for.
func New(c Config) *Lists {
	kept, _ := simplelru.NewLRU[int64, *list](keptLists, nil) // which fails below 1 only
	return &Lists{Config: c, kept: kept}
}

// Changed tells of a change after its commit.
func (l *Lists) Changed(c token.Change) {
	if c.User != 0 || c.Token != 0 && c.List == 0 {
		return // on which no list depends
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.kept.Values() {
		if c.Token == 0 || c.List == list.number {
			list.tell(c.Token)
		}
	}
}

// Get returns the signed list with this number as it is now: a change that was told before the call is in it, and one that is
// not told is in it after less than a second.
func (l *Lists) Get(ctx context.Context, number int64) (string, error) {
	list, err := l.find(ctx, number)
	if err != nil {
		return "", err
	}
	if signed, ok := l.usable(list, l.Trust.Holds()); ok {
		return signed, nil
	}
	return list.updates.Get(ctx, "", func() (string, error) { return l.update(context.WithoutCancel(ctx), list) })
}

// find returns a list that exists. Of those that do not, nothing is kept.
func (l *Lists) find(ctx context.Context, number int64) (*list, error) {
	if list, known := l.known(number); known {
		return list, nil
	}
	if err := l.Store.FindStatusList(ctx, number); token.KindOf(err) == token.NotFound {
		return nil, token.Errorf(token.NotFound, "there is no such status list")
	} else if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if list, known := l.kept.Get(number); known {
		return list, nil
	}
	list := newList(number)
	l.kept.Add(number, list)
	return list, nil
}

func (l *Lists) known(number int64) (*list, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.Get(number)
}

// usable returns the list as it was signed last, and whether that is as good as a new one. Heard says whether changes by
// others are told; if they are not, all of it has to have been read lately.
func (l *Lists) usable(list *list, heard bool) (signed string, ok bool) {
	s, current := list.state()
	ok = current && l.lasts(s) && (heard || l.Stopwatch()-s.read <= fresh.TrustFor)
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
	heard := l.Trust.Await(ctx)
	if signed, ok := l.usable(list, heard); ok {
		return signed, nil
	}
	old, next, changed, anything := list.begin()
	var err error
	if anything || !heard {
		next.read = l.Stopwatch()
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
	err := l.Store.StatusList(ctx, number, func(s token.Standing) { a.set(s.Place.Index, statusOf(s)) })
	return a, err
}

// readChanged leaves the old array as it is.
func (l *Lists) readChanged(ctx context.Context, number int64, old array, changed []int64) (array, error) {
	if len(changed) == 0 {
		return old, nil
	}
	standings, err := l.Store.Standings(ctx, changed)
	a := bytes.Clone(old)
	for _, s := range standings {
		if s.Place.List == number {
			array(a).set(s.Place.Index, statusOf(s))
		}
	}
	return a, err
}

func (l *Lists) sign(number int64, s *snapshot) error {
	packed, err := s.array.pack()
	if err != nil {
		return token.Wrap(token.Internal, err)
	}
	s.issued = l.Clock.Now().Truncate(time.Second)
	s.signed, err = l.Signer.SignStatusList(token.StatusClaims{
		List: number, IssuedAt: s.issued, ExpiresAt: s.issued.Add(l.TTL * life), TTL: l.TTL, Bits: bits, Packed: packed,
	})
	if err != nil {
		return token.Wrap(token.KindOf(err), err)
	}
	return nil
}
