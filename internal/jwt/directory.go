package jwt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tokenwright/tokenwright/internal/durable"
	"github.com/tokenwright/tokenwright/internal/token"
)

// MaxAge is how long the published key set may be cached. A key signs only after it was published for longer.
const MaxAge = 300 * time.Second

const (
	// margin is added to every wait: for the servers' polling, for network mounts, and for clock skew.
	margin = time.Minute
	// maxListLife is the longest life of a status list. Which lists a key has signed is not recorded, so each key is
	// assumed to have signed one just before it was replaced.
	maxListLife = 4 * 24 * time.Hour
)

// lockName is locked while the keys are changed. The kernel releases it when its holder dies.
const lockName = ".lock"

// ErrEarly is the error for a change that must wait.
var ErrEarly = errors.New("too early")

// Tokens is the part of the database that knows what a key has signed.
type Tokens interface {
	// LastExpiry is the latest expiry of all tokens that the key has signed or may have signed: those without a recorded
	// key count if they were created since then. It is zero if there are none.
	LastExpiry(ctx context.Context, keyID string, since time.Time) (time.Time, error)
}

// Directory is a key directory as its operator manages it. Servers may use it at the same time.
type Directory struct {
	Path   string
	Tokens Tokens           // required by Retire, except in an emergency; nil: List leaves Until zero
	Now    func() time.Time // nil: the system's clock
}

func (d Directory) now() time.Time {
	if d.Now != nil {
		return d.Now().UTC()
	}
	return new(token.Service).Now()
}

// roundUp is for times that are stored or shown, so that nothing seems to have happened before it did.
func roundUp(t time.Time) time.Time {
	return t.Add(time.Second - time.Nanosecond).Truncate(time.Second)
}

// Create makes the directory, if it is missing, and one active ES256 key in it. It fails with an error that matches
// [fs.ErrExist] if a key is there already, so of processes that start together exactly one makes the key and the
// others [Open] it.
func Create(dir string) error { return Directory{Path: dir}.Create() }

// Create is [Create] by the directory's own clock.
func (d Directory) Create() error {
	if _, err := os.Stat(d.Path); errors.Is(err, fs.ErrNotExist) {
		err = errors.Join(os.MkdirAll(d.Path, dirMode), durable.SyncDir(filepath.Dir(filepath.Clean(d.Path))))
		if err != nil {
			return fmt.Errorf("create key directory: %w", err)
		}
	}
	return d.locked(func() error {
		var m manifest
		switch _, err := readManifest(d.Path); {
		case err == nil:
			return fmt.Errorf("key directory %s already contains a key: %w", d.Path, fs.ErrExist)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := d.addFirst(&m); err != nil {
			return err
		}
		return m.write(d.Path)
	})
}

// addFirst adopts the key that an interrupted [Create] left behind, or creates one.
func (d Directory) addFirst(m *manifest) error {
	files, err := fs.Glob(os.DirFS(d.Path), "*"+keySuffix)
	if err != nil || len(files) == 0 {
		return d.add(m, active)
	}
	now := roundUp(d.now())
	e := Entry{File: files[0], State: active, Created: now, Published: now, Changed: now}
	e.ID = strings.TrimSuffix(e.File, keySuffix)
	m.Keys = append(m.Keys, e)
	_, err = m.load(d.Path)
	return err
}

// OpenOrCreate opens the directory, and makes it first if it is missing or holds no key.
func OpenOrCreate(dir, issuer string) (*Keys, error) {
	keys, err := Open(dir, issuer)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := Create(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return Open(dir, issuer)
}

// locked makes a change while no other process can make one.
func (d Directory) locked(change func() error) error {
	lock := flock.New(filepath.Join(d.Path, lockName), flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock key directory: %w", err)
	}
	defer lock.Unlock() //nolint:errcheck // closing the file, which cannot lose anything, unlocks it too
	return change()
}

// change lets the function edit the manifest and replaces it. A directory of an older release gets its manifest first,
// as a step of its own; from then on the names of its files mean nothing.
func (d Directory) change(edit func(*manifest) error) error {
	if _, err := load(d.Path); err != nil {
		return err // before a lock file is created in a directory for something else
	}
	return d.locked(func() error {
		r, err := load(d.Path)
		if err != nil {
			return err
		}
		m := manifest{Version: r.manifest.Version, Keys: slices.Clone(r.manifest.Keys)}
		if m.Version == 0 {
			m.complete(roundUp(d.now()))
			if err := m.write(d.Path); err != nil {
				return err
			}
		}
		if err := edit(&m); err != nil {
			return err
		}
		return m.write(d.Path)
	})
}

// add writes a new key file. It does not count until a manifest that names it is written.
func (d Directory) add(m *manifest, st state) error {
	private, k, err := generate()
	if err != nil {
		return err
	}
	text, err := encodeKey(private)
	if err != nil {
		return err
	}
	file := k.id + keySuffix
	if err := durable.Replace(filepath.Join(d.Path, file), text); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	now := roundUp(d.now())
	m.Keys = append(m.Keys, Entry{ID: k.id, File: file, State: st, Created: now, Published: now, Changed: now})
	return nil
}

// Info describes one key.
type Info struct {
	Entry

	Ready time.Time // of a next key: from when it may sign
	Until time.Time // no token that it signed expires later; zero: none, or unknown
}

// List describes all keys, the active one first.
func (d Directory) List(ctx context.Context) ([]Info, error) {
	r, err := load(d.Path)
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, e := range r.manifest.Keys {
		info := Info{Entry: e}
		if e.State == next {
			info.Ready = e.ready()
		}
		if d.Tokens != nil {
			if info.Until, err = d.lastExpiry(ctx, e); err != nil {
				return nil, err
			}
		}
		infos = append(infos, info)
	}
	return infos, nil
}

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
func (d Directory) Rotate(emergency bool) (Rotation, error) {
	var done Rotation
	err := d.change(func(m *manifest) (err error) {
		if emergency {
			if err := d.ensureNext(m); err != nil {
				return err
			}
		}
		if done.Retired, err = m.succeed(d.now(), emergency); err != nil {
			return err
		}
		if err := d.ensureNext(m); err != nil {
			return err
		}
		heir := m.heir()
		done.Active, done.Next, done.Ready = m.active().ID, heir.ID, heir.ready()
		return nil
	})
	return done, err
}

func (d Directory) ensureNext(m *manifest) error {
	if m.heir() != nil {
		return nil
	}
	return d.add(m, next)
}

// succeed activates the next key, if there is one, and returns the previously active key.
func (m *manifest) succeed(now time.Time, emergency bool) (old string, err error) {
	heir := m.heir()
	if heir == nil {
		return "", nil
	}
	if ready := heir.ready(); now.Before(ready) && !emergency {
		return "", fmt.Errorf("%w: the next key %s may sign from %s, when all services that check tokens have it",
			ErrEarly, heir.ID, ready.Format(time.RFC3339))
	}
	before := m.active()
	before.become(retired, roundUp(now))
	heir.become(active, roundUp(now))
	return before.ID, nil
}

// Retire removes a retired key permanently once the last token that it signed must have expired; before that, it
// returns [ErrEarly]. In an emergency it does not wait, and so invalidates the tokens that the key signed.
func (d Directory) Retire(ctx context.Context, id string, emergency bool) error {
	var gone Entry
	err := d.change(func(m *manifest) error {
		i := slices.IndexFunc(m.Keys, func(e Entry) bool { return e.ID == id })
		if i < 0 {
			return fmt.Errorf("key directory %s has no key %q", d.Path, id)
		}
		gone = m.Keys[i]
		m.Keys = slices.Delete(m.Keys, i, i+1)
		if gone.State != retired {
			return fmt.Errorf("the key %s is %s: only a retired key can be removed", id, gone.State)
		}
		if emergency {
			return nil
		}
		return d.spent(ctx, gone)
	})
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(d.Path, gone.File)); err != nil {
		return fmt.Errorf("remove key: %w", err)
	}
	return durable.SyncDir(d.Path)
}

// spent rejects a key that may have signed a token that is still valid, or may be signing one.
func (d Directory) spent(ctx context.Context, e Entry) error {
	if e.Created.IsZero() {
		return fmt.Errorf("there is no record of the key %s, so tokens that it signed may still be valid", e.ID)
	}
	end := e.Changed.Add(maxListLife)
	last, err := d.lastExpiry(ctx, e)
	if err != nil {
		return err
	}
	if last.After(end) {
		end = last
	}
	if end = roundUp(end.Add(margin)); d.now().Before(end) {
		return fmt.Errorf("%w: tokens that the key %s signed may be valid until %s", ErrEarly, e.ID, end.Format(time.RFC3339))
	}
	return nil
}

// lastExpiry is the last expiry of what the key signed. A token without a recorded key counts unless it is older than
// the key.
func (d Directory) lastExpiry(ctx context.Context, e Entry) (time.Time, error) {
	since := e.Created
	if !since.IsZero() {
		since = since.Add(-margin)
	}
	return d.Tokens.LastExpiry(ctx, e.ID, since)
}
