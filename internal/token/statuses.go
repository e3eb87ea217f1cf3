package token

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// DefaultStatusTTL is for how long a service may use a status list before it asks again.
const DefaultStatusTTL = time.Minute

const (
	// keptLists is how many status lists are kept in memory, at less than a megabyte each.
	keptLists = 32
	// toldChanges is how many changed tokens of a list are read one by one; if there are more, the list is read anew.
	toldChanges = 4096
	// unheardFor is how old a list may be while changes by others are not heard. The guarantee to callers is one second.
	unheardFor = trustFor
	// statusLife is the time between `iat` and `exp` of a list, in TTLs. After half of it the list is signed anew.
	statusLife = 4
	// readTime bounds the reading of a list. It goes on when the caller who wanted it has left: a list that takes longer to
	// read than callers wait would otherwise be begun again and again.
	readTime = time.Minute
)

// StatusClaims is what a status list token says (draft-ietf-oauth-status-list section 5.1).
type StatusClaims struct {
	List      int64
	IssuedAt  time.Time
	ExpiresAt time.Time
	TTL       time.Duration
	Bits      int    // of each status
	Packed    []byte // all statuses, compressed (RFC 1950)
}

// statuses is the status lists that were asked for lately. They follow the changes like a [Cache], whose trust in what
// it hears of others is theirs too. No list waits for another.
type statuses struct {
	mu    sync.Mutex // of this, and of the lists but for their arrays
	lists map[int64]*statusList
	asked int64                // counts the requests
	since func() time.Duration // a clock that never goes back
}

// statusList is one of them. Its array belongs to the update that is under way.
type statusList struct {
	number  int64
	array   statusArray        // nil before the first reading
	told    int64              // counts the changes
	covers  int64              // those that are in what is signed
	changed map[int64]struct{} // tokens, by Seq, that are not
	stale   bool               // anything may have changed
	read    time.Duration      // when the last reading of all of it began
	signed  string             // "" before that
	from    time.Time          // `iat` of what is signed
	asked   int64              // when it was asked for last
	update  *update            // nil: none is under way
}

// update brings a list up to date. Its results may be read when it is done.
type update struct {
	done   chan struct{}
	signed string
	err    error
}

// tell hears of a change after its commit.
func (l *statuses) tell(c Change) {
	if c.User != 0 || c.Token != 0 && c.List == 0 {
		return // on which no list depends
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.lists {
		if c.Token == 0 || c.List == list.number {
			list.tell(c.Token)
		}
	}
}

// tell takes the Seq of a token, or 0 for anything.
func (list *statusList) tell(seq int64) {
	list.told++
	if seq == 0 || len(list.changed) >= toldChanges {
		list.stale = true
		clear(list.changed)
		return
	}
	list.changed[seq] = struct{}{}
}

// known returns the list if it is in memory.
func (l *statuses) known(number int64) *statusList {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lists[number]
}

// find returns a list that exists. Of too many in memory the one goes that was not asked for longest.
func (l *statuses) find(number int64) *statusList {
	if l.lists == nil {
		l.lists, l.since = map[int64]*statusList{}, stopwatch()
	}
	l.asked++
	list := l.lists[number]
	if list == nil {
		list = &statusList{number: number, changed: map[int64]struct{}{}}
		l.lists[number] = list
	}
	list.asked = l.asked
	if len(l.lists) > keptLists {
		oldest := slices.MinFunc(slices.Collect(maps.Values(l.lists)), func(a, b *statusList) int {
			return cmp.Compare(a.asked, b.asked)
		})
		delete(l.lists, oldest.number)
	}
	return list
}

// wish is what a caller may expect of a list, by what was true when the call came.
type wish struct {
	heard bool // changes by others are told
	now   time.Time
	ttl   time.Duration
	told  int64         // changes that have to be in it
	read  time.Duration // if changes by others are not told, it has to have been read after this
}

// recent reports whether no change by another process can be missing.
func (w wish) recent(list *statusList) bool {
	return w.heard || list.array != nil && list.read >= w.read
}

// fresh reports whether what is signed can be used for long enough.
func (w wish) fresh(list *statusList) bool {
	age := w.now.Sub(list.from)
	return list.signed != "" && age >= 0 && age < w.ttl*statusLife/2
}

// StatusList returns the signed status list with this number as it is now: a change that was answered by this process is
// in it, one of another process is in it after less than a second.
func (s *Service) StatusList(ctx context.Context, number int64) (string, error) {
	w := wish{heard: s.Cache.follows(), now: s.Now().Truncate(time.Second), ttl: cmp.Or(s.StatusTTL, DefaultStatusTTL), told: -1}
	if s.lists.known(number) == nil {
		if err := s.Store.FindStatusList(ctx, number); KindOf(err) == NotFound {
			return "", Errorf(NotFound, "there is no such status list")
		} else if err != nil {
			return "", err
		}
	}
	for {
		signed, running, own := s.ask(ctx, number, &w)
		if running == nil {
			return signed, nil
		}
		select {
		case <-running.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if own { // and so has begun after the call
			return running.signed, running.err
		}
	}
}

// ask returns the list if it is as wished, or else the update to wait for, which it may have begun itself.
func (s *Service) ask(ctx context.Context, number int64, w *wish) (signed string, running *update, own bool) {
	l := &s.lists
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.find(number)
	if w.told < 0 {
		w.told, w.read = list.told, l.since()-unheardFor
	}
	switch {
	case list.covers >= w.told && w.recent(list) && w.fresh(list):
		return list.signed, nil, false
	case list.update != nil:
		return "", list.update, false
	}
	list.update = &update{done: make(chan struct{})}
	go s.run(context.WithoutCancel(ctx), list, list.update, *w)
	return "", list.update, true
}

// run does the update. A panic is its error, since nobody else could catch it.
func (s *Service) run(ctx context.Context, list *statusList, u *update, w wish) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			u.err = Wrap(Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		s.lists.mu.Lock()
		defer s.lists.mu.Unlock()
		list.stale = list.stale || u.err != nil // what was to be done is not
		list.update = nil
		close(u.done)
	}()
	u.signed, u.err = s.bring(ctx, list, w)
}

// bring brings the list up to date: by the tokens that changed, or by all where anything may have.
func (s *Service) bring(ctx context.Context, list *statusList, w wish) (string, error) {
	l := &s.lists
	l.mu.Lock()
	told, anything, all, read := list.told, list.stale, list.stale || list.array == nil || !w.recent(list), list.read
	changed := slices.Sorted(maps.Keys(list.changed))
	list.stale = false
	clear(list.changed)
	if all {
		read = l.since()
	}
	l.mu.Unlock()

	other, err := s.read(ctx, list, all, changed)
	if err != nil {
		return "", err
	}
	signed, from := list.signed, list.from // which nobody else changes meanwhile
	if other || anything || !w.fresh(list) {
		if signed, from, err = s.publish(list, w.ttl); err != nil {
			return "", err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list.covers, list.read, list.signed, list.from = told, read, signed, from
	return signed, nil
}

// read changes the array to what the store has, and tells whether it was another.
func (s *Service) read(ctx context.Context, list *statusList, all bool, changed []int64) (other bool, err error) {
	if !all {
		standings, err := s.Store.Standings(ctx, changed)
		for _, standing := range standings {
			if standing.Place.List == list.number && list.array.set(standing.Place.Index, standing.status()) {
				other = true
			}
		}
		return other, err
	}
	array := newStatusArray()
	err = s.Store.StatusList(ctx, list.number, func(standing Standing) {
		array.set(standing.Place.Index, standing.status())
	})
	if err != nil {
		return false, err
	}
	other = !bytes.Equal(array, list.array)
	list.array = array
	return other, nil
}

// publish signs the list.
func (s *Service) publish(list *statusList, ttl time.Duration) (signed string, from time.Time, err error) {
	from = s.Now().Truncate(time.Second)
	packed, err := pack(list.array)
	if err != nil {
		return "", from, Wrap(Internal, err)
	}
	signed, err = s.Signer.SignStatusList(StatusClaims{
		List: list.number, IssuedAt: from, ExpiresAt: from.Add(ttl * statusLife), TTL: ttl, Bits: statusBits, Packed: packed,
	})
	if err != nil {
		return "", from, Wrap(KindOf(err), err)
	}
	return signed, from, nil
}

func pack(array statusArray) ([]byte, error) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := w.Write(array); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
