package jwt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Retire removes a retired key for good, when the last token that it signed must have expired; before, it is
// [ErrEarly]. In an emergency it does not wait, and ends what the key signed.
func (d Directory) Retire(id string, emergency bool) error {
	if _, err := load(d.Path); err != nil {
		return err
	}
	return d.locked(func() error {
		r, err := load(d.Path)
		if err != nil {
			return err
		}
		k := r.byID(id)
		switch {
		case k == nil:
			return fmt.Errorf("key directory %s holds no key %q", d.Path, id)
		case k.state != retired:
			return fmt.Errorf("the key %s is %s: only a retired key can be removed", id, k.state)
		case !emergency:
			if err := d.spent(r, k); err != nil {
				return err
			}
		}
		return d.remove(k)
	})
}

// spent refuses a key that may have signed a token that is still valid, or may be signing one.
func (d Directory) spent(r *ring, k *key) error {
	known := r.known[k.id]
	if known[created].IsZero() {
		return fmt.Errorf("nothing is recorded of the key %s, so what it signed may still be valid", k.id)
	}
	if known[replaced].IsZero() { // retired by hand, perhaps just now
		if err := record(d.Path, k.id, replaced, d.now()); err != nil {
			return err
		}
		known[replaced] = d.now()
	}
	end := known[replaced]
	if known[until].After(end) {
		end = known[until]
	}
	if end = end.Add(margin); d.now().Before(end) {
		return fmt.Errorf("%w: tokens that the key %s signed may be valid until %s",
			ErrEarly, k.id, roundUp(end, time.Second).Format(time.RFC3339))
	}
	return nil
}

// remove deletes the key and, after that, all records of keys that are not there.
func (d Directory) remove(k *key) error {
	if err := os.Remove(filepath.Join(d.Path, fileName(k.id, k.state))); err != nil {
		return fmt.Errorf("remove key: %w", err)
	}
	if err := syncDir(d.Path); err != nil {
		return err
	}
	r, err := load(d.Path)
	if err != nil {
		return err
	}
	for id := range r.known {
		if r.byID(id) == nil {
			err = errors.Join(err, forget(d.Path, id))
		}
	}
	return err
}

// forget removes the records of a key.
func forget(dir, id string) error {
	l, err := list(dir)
	if err != nil {
		return err
	}
	for _, name := range l.all {
		if strings.HasPrefix(name, id+".") && strings.HasSuffix(name, recordSuffix) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("remove record: %w", err)
			}
		}
	}
	return nil
}
