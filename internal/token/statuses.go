package token

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// DefaultStatusTTL is for how long a service may use a status list before it asks again.
const DefaultStatusTTL = time.Minute

const (
	// keptLists is how many status lists are kept in memory, at less than a megabyte each.
	keptLists = 32
	// toldChanges is how many changed tokens are read one by one; if there are more, the lists are read anew.
	toldChanges = 4096
	// unheardFor is how old a list may be while changes by others are not heard. The guarantee to callers is one second.
	unheardFor = trustFor
	// statusLife is the time between `iat` and `exp` of a list, in TTLs. After half of it the list is signed anew.
	statusLife = 4
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
// it hears of others is theirs too.
type statuses struct {
	work  sync.Mutex // held while lists are brought up to date
	lists map[int64]*statusList
	asked int64 // counts the requests

	told    sync.Mutex         // of the two below
	changed map[int64]struct{} // tokens, by Seq, since the lists were brought up to date
	epoch   int64              // counts changes of anything
}

// statusList is one of them.
type statusList struct {
	number int64
	array  statusArray
	epoch  int64                // when it was read
	age    func() time.Duration // since the beginning of that
	asked  int64                // when it was asked for last
	signed string               // "" if it is to be signed anew
	from   time.Time            // `iat` of that
}

// tell hears of a change after its commit.
func (l *statuses) tell(c Change) {
	l.told.Lock()
	defer l.told.Unlock()
	if c.Token == 0 || len(l.changed) >= toldChanges {
		l.epoch++
		clear(l.changed)
		return
	}
	if l.changed == nil {
		l.changed = map[int64]struct{}{}
	}
	l.changed[c.Token] = struct{}{}
}

// take returns what was told since the last call.
func (l *statuses) take() (changed []int64, epoch int64) {
	l.told.Lock()
	defer l.told.Unlock()
	changed = slices.Sorted(maps.Keys(l.changed))
	clear(l.changed)
	return changed, l.epoch
}

// StatusList returns the signed status list with this number as it is now: a change that was answered by this process is
// in it, one of another process is in it after less than a second.
func (s *Service) StatusList(ctx context.Context, number int64) (string, error) {
	l := &s.lists
	l.work.Lock()
	defer l.work.Unlock()
	trusted := s.Cache.follows()
	changed, epoch := l.take()
	if err := s.refreshStatuses(ctx, changed); err != nil {
		for _, seq := range changed { // it is still to be done
			l.tell(Change{Token: seq})
		}
		return "", err
	}
	list := l.lists[number]
	if list == nil || list.epoch != epoch || !trusted && list.age() > unheardFor {
		read, err := s.readStatusList(ctx, number, epoch)
		if err != nil {
			return "", err
		}
		list = l.keep(read)
	}
	l.asked++
	list.asked = l.asked
	return s.publish(list)
}

// refreshStatuses brings the lists in memory up to date with the tokens that changed.
func (s *Service) refreshStatuses(ctx context.Context, changed []int64) error {
	if len(changed) == 0 || len(s.lists.lists) == 0 {
		return nil
	}
	standings, err := s.Store.Standings(ctx, changed)
	if err != nil {
		return err
	}
	for _, standing := range standings {
		list := s.lists.lists[standing.Place.List]
		if list != nil && list.array.set(standing.Place.Index, standing.status()) {
			list.signed = ""
		}
	}
	return nil
}

func (s *Service) readStatusList(ctx context.Context, number, epoch int64) (*statusList, error) {
	list := &statusList{number: number, array: newStatusArray(), epoch: epoch, age: stopwatch()}
	err := s.Store.StatusList(ctx, number, func(standing Standing) {
		list.array.set(standing.Place.Index, standing.status())
	})
	if KindOf(err) == NotFound {
		return nil, Errorf(NotFound, "there is no such status list")
	}
	return list, err
}

// keep takes a list in, with the signed form of the one that it replaces if that is still right. Of too many lists the
// one goes that was not asked for longest.
func (l *statuses) keep(list *statusList) *statusList {
	if l.lists == nil {
		l.lists = map[int64]*statusList{}
	}
	if old := l.lists[list.number]; old != nil && old.epoch == list.epoch && bytes.Equal(old.array, list.array) {
		list.signed, list.from = old.signed, old.from
	}
	list.asked = l.asked
	l.lists[list.number] = list
	if len(l.lists) > keptLists {
		oldest := slices.MinFunc(slices.Collect(maps.Values(l.lists)), func(a, b *statusList) int {
			return cmp.Compare(a.asked, b.asked)
		})
		delete(l.lists, oldest.number)
	}
	return list
}

// publish signs the list, unless what was signed before still says the same for long enough.
func (s *Service) publish(list *statusList) (string, error) {
	now, ttl := s.Now().Truncate(time.Second), cmp.Or(s.StatusTTL, DefaultStatusTTL)
	if age := now.Sub(list.from); list.signed != "" && age >= 0 && age < ttl*statusLife/2 {
		return list.signed, nil
	}
	packed, err := pack(list.array)
	if err != nil {
		return "", Wrap(Internal, err)
	}
	signed, err := s.Signer.SignStatusList(StatusClaims{
		List: list.number, IssuedAt: now, ExpiresAt: now.Add(ttl * statusLife), TTL: ttl, Bits: statusBits, Packed: packed,
	})
	if err != nil {
		return "", Wrap(Internal, err)
	}
	list.signed, list.from = signed, now
	return signed, nil
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
