package jwt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// MaxAge is how long a copy of the published key set may be kept. A key signs only after it was published for longer.
const MaxAge = 300 * time.Second

// margin is what is waited in addition: for servers to see a change of the directory, for network mounts to show it, and
// for clocks that differ.
const margin = time.Minute

// ErrEarly is why a change has to wait.
var ErrEarly = errors.New("too early")

// Directory is a key directory in the hands of its operator. Servers may use it at the same time.
type Directory struct {
	Path string
	Now  func() time.Time // nil: the system's clock
}

func (d Directory) now() time.Time { return token.Clock(d.Now).Now() }

// Info tells of one key. Times that are not recorded are zero.
type Info struct {
	ID        string
	State     string
	Created   time.Time
	Published time.Time
	Changed   time.Time // when it got its state
	Ready     time.Time // of a next key: from when it may sign
	Until     time.Time // no token that it signed expires later; zero: none is recorded
}

// List tells of all keys, the active one first.
func (d Directory) List() ([]Info, error) {
	r, err := load(d.Path)
	if err != nil {
		return nil, err
	}
	infos := []Info{r.info(r.active)}
	for _, k := range r.keys {
		if k != r.active {
			infos = append(infos, r.info(k))
		}
	}
	return infos, nil
}

func (r *ring) info(k *key) Info {
	known := r.known[k.id]
	info := Info{ID: k.id, State: string(k.state), Created: known[created], Published: known[published], Until: known[until]}
	if k == r.left {
		info.State = string(retired) // as it will be when the rotation is finished
	}
	switch state(info.State) {
	case next:
		info.Changed, info.Ready = known[published], r.ready(k)
	case active:
		info.Changed = known[activated]
		if info.Changed.IsZero() {
			info.Changed = known[published]
		}
	case retired:
		info.Changed = known[replaced]
	}
	return info
}

// ready is when every copy of the key set that lacks the key has expired, zero if that is not known.
func (r *ring) ready(k *key) time.Time {
	at := r.known[k.id][published]
	if at.IsZero() {
		return at
	}
	return at.Add(MaxAge + margin)
}

// heir is the next key that was published first, nil if there is none.
func (r *ring) heir() *key {
	var heir *key
	for _, k := range r.keys {
		if k.state == next && (heir == nil || before(r.ready(k), r.ready(heir))) {
			heir = k
		}
	}
	return heir
}

// before compares times of which zero is not known and counts as last.
func before(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

// Rotation is what [Directory.Rotate] did.
type Rotation struct {
	Active  string // the key that signs now
	Retired string // the key that signed before, "" if that has not changed
	Next    string // the key that comes next
	Ready   time.Time
}

// Rotate makes the next key active, the active one retired, and a new next one. If there is no next key it only makes
// one. A key that was not published for long enough is [ErrEarly], except in an emergency: then checkers with an older
// copy of the key set may not know the new key for up to [MaxAge].
//
// It may end at any point. Whoever reads the directory then finds one key that signs and all keys that verify, see
// [ring.choose], and the next call finishes what was begun.
func (d Directory) Rotate(emergency bool) (Rotation, error) {
	if _, err := load(d.Path); err != nil {
		return Rotation{}, err
	}
	var done Rotation
	err := d.locked(func() (err error) {
		done, err = d.rotate(emergency)
		return err
	})
	return done, err
}

func (d Directory) rotate(emergency bool) (Rotation, error) {
	if emergency {
		if err := d.ensureNext(); err != nil {
			return Rotation{}, err
		}
	}
	r, err := load(d.Path)
	if err != nil {
		return Rotation{}, err
	}
	if r.left != nil {
		return d.handOver(r.left, r.active)
	}
	heir := r.heir()
	if heir == nil {
		return d.handOver(nil, nil)
	}
	if !emergency {
		if err := d.ripe(r, heir); err != nil {
			return Rotation{}, err
		}
	}
	return d.handOver(r.active, heir)
}

// ripe refuses a key that was not published for long enough. One of which that is not known counts from now on.
func (d Directory) ripe(r *ring, k *key) error {
	ready := r.ready(k)
	if ready.IsZero() {
		if err := record(d.Path, k.id, published, d.now()); err != nil {
			return err
		}
		ready = d.now().Add(MaxAge + margin)
	}
	if d.now().Before(ready) {
		return fmt.Errorf("%w: the next key %s may sign from %s, when all who check tokens have it",
			ErrEarly, k.id, roundUp(ready, time.Second).Format(time.RFC3339))
	}
	return nil
}

// handOver goes through the steps of a rotation; a nil old key leaves only the next one to be made.
func (d Directory) handOver(old, heir *key) (Rotation, error) {
	var done Rotation
	steps := []func() error{d.ensureNext}
	if old != nil {
		steps, done.Retired = d.steps(old, heir), old.id
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return Rotation{}, err
		}
	}
	r, err := load(d.Path)
	if err != nil {
		return Rotation{}, err
	}
	done.Active = r.active.id
	if k := r.heir(); k != nil {
		done.Next, done.Ready = k.id, r.ready(k)
	}
	return done, nil
}

// steps are durable one by one, and may be done again. The old key is recorded as replaced first, so that of two active
// keys it is known which signs; the new key is made active before the old one is retired, so that there is always one.
func (d Directory) steps(old, heir *key) []func() error {
	return []func() error{
		func() error { return record(d.Path, old.id, replaced, d.now()) },
		func() error { return d.move(heir, active) },
		func() error { return record(d.Path, heir.id, activated, d.now()) },
		func() error { return d.move(old, retired) },
		func() error { return record(d.Path, old.id, replaced, d.now()) },
		d.ensureNext,
	}
}

// move gives a key another state.
func (d Directory) move(k *key, to state) error {
	from, name := filepath.Join(d.Path, fileName(k.id, k.state)), filepath.Join(d.Path, fileName(k.id, to))
	if err := os.Rename(from, name); err != nil {
		return fmt.Errorf("rename key: %w", err)
	}
	return syncDir(d.Path)
}

// ensureNext makes a next key if there is none.
func (d Directory) ensureNext() error {
	r, err := load(d.Path)
	if err != nil || r.heir() != nil {
		return err
	}
	return d.createKey(next)
}
