package jwt

import (
	"context"
	"slices"
	"time"
)

// pollEvery is how often the manifest is checked. Polling, unlike file notifications, works on network mounts.
const pollEvery = time.Second

// Watch follows the directory until the context ends. If the directory becomes unusable, the keys stay as they were.
// Report gets the error once, and nil whenever the keys have changed.
func (k *Keys) Watch(ctx context.Context, report func(error)) {
	if k.dir == "" {
		return
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	trouble := ""
	for seen := k.ring(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		k.spare.Store(true)
		err := k.refresh()
		if err != nil && err.Error() != trouble {
			report(err)
		}
		trouble = ""
		if err != nil {
			trouble = err.Error()
		}
		if k.ring() != seen {
			seen = k.ring()
			report(nil)
		}
	}
}

// refresh reads the keys again if the manifest has changed. A key itself never changes.
func (k *Keys) refresh() error {
	m, err := readManifest(k.dir)
	if err != nil || slices.Equal(m.Keys, k.ring().manifest.Keys) {
		return err
	}
	return k.reload()
}

func (k *Keys) reload() error {
	k.reading.Lock()
	defer k.reading.Unlock()
	r, err := load(k.dir)
	if err == nil {
		k.current.Store(r)
	}
	return err
}

// byID finds a key. An unknown key may be newer than the last read of the directory: another server may already sign
// with it, as after an emergency. So the directory is read again, but at most once between two polls of [Keys.Watch],
// because anybody can make up ids.
func (k *Keys) byID(id string) *key {
	if found := k.ring().byID(id); found != nil || !k.spare.CompareAndSwap(true, false) {
		return found
	}
	if err := k.refresh(); err != nil {
		return nil // Watch will report it
	}
	return k.ring().byID(id)
}
