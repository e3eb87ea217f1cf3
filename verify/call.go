package verify

import (
	"context"
	"sync"
	"time"
)

// call is a request that several callers wait for. Its result may be reused for a time that counts from the start of
// the request, not its end, since the result may be that old. golang.org/x/sync/singleflight does not tell the age of a
// request, so it cannot serve here: a caller must not even wait for a request that is too old.
type call[T any] struct {
	started time.Time
	done    chan struct{}
	value   T
	until   time.Time
	err     error
}

func newCall[T any](started time.Time) *call[T] {
	return &call[T]{started: started, done: make(chan struct{})}
}

// wait returns the result, or gives up with the caller.
func (c *call[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var zero T
		return zero, unavailable(context.Cause(ctx))
	}
}

// before compares by both clocks: the monotonic clock stands still while a machine is suspended, and the wall clock may
// be set back.
func before(a, b time.Time) bool { return a.Before(b) && a.Round(0).Before(b.Round(0)) }

const (
	retryAfter  = time.Second      // before a failed fetch of a document is retried
	lookAgain   = 10 * time.Second // before a document is fetched again because something is not in it
	maxDocument = time.Hour        // the longest time to cache a document, whatever it says itself
	minDocument = time.Millisecond // so that the caller can use the result
)

// document is fetched on demand and cached as long as allowed.
type document[T any] struct {
	load func(context.Context) (T, time.Duration, error) // and how long to cache it
	now  func() time.Time

	mu   sync.Mutex
	good *call[T] // the last that succeeded
	last *call[T] // the last at all
}

// get returns the document. It is fetched again if it does not fit, but rarely, because anybody can ask for something
// that is in no document.
func (d *document[T]) get(ctx context.Context, fits func(T) bool) (T, error) {
	began := d.now()
	for {
		c := d.call(ctx, began, fits)
		v, err := c.wait(ctx)
		// A call that was already under way may have a result that is too old by now; the next one cannot.
		if err != nil || before(began, c.until) {
			return v, err
		}
	}
}

func (d *document[T]) call(ctx context.Context, began time.Time, fits func(T) bool) *call[T] {
	d.mu.Lock()
	defer d.mu.Unlock()
	// A good document stays good if a later fetch failed.
	if g := d.good; g != nil && before(began, g.until) && fits(g.value) {
		return g
	}
	if d.last != nil && d.last.repeats(began) {
		return d.last
	}
	c := newCall[T](began)
	d.last = c
	go d.run(context.WithoutCancel(ctx), c) // for all who wait; load limits the time
	return c
}

// repeats reports whether a caller at this time must use this result.
func (c *call[T]) repeats(began time.Time) bool {
	switch {
	case c.err != nil:
		return began.Sub(c.started) < retryAfter
	case c.until.IsZero(): // it is under way
		return true
	default:
		return before(began, c.until) && began.Sub(c.started) < lookAgain
	}
}

func (d *document[T]) run(ctx context.Context, c *call[T]) {
	v, keep, err := d.load(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	c.value, c.err = v, err
	if err == nil {
		c.until = c.started.Add(max(min(keep, maxDocument), minDocument))
		d.good = c
	}
	close(c.done)
}
