package verify

import (
	"context"
	"sync"
	"time"
)

// call is a question that several callers wait for. Its answer may be repeated until a time that is counted from when
// it was asked, not from when it was answered, since the answer may be that old. That is why it is no call of
// golang.org/x/sync/singleflight, which does not say how old a question is: who begins when it is too old to be
// repeated must not even wait for its answer.
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

// wait returns the answer, or gives up with the caller.
func (c *call[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var zero T
		return zero, unavailable(context.Cause(ctx))
	}
}

// before compares by both clocks: the one that never goes back stands still while a machine is suspended, and the
// other one may be set back.
func before(a, b time.Time) bool { return a.Before(b) && a.Round(0).Before(b.Round(0)) }

const (
	retryAfter  = time.Second      // before a document that could not be had is asked for again
	lookAgain   = 10 * time.Second // before a document is asked for again because something is not in it
	maxDocument = time.Hour        // for which a document is kept, whatever it says itself
	minDocument = time.Millisecond // so that who has asked may use the answer
)

// document is fetched when it is needed and kept for as long as it may be.
type document[T any] struct {
	load func(context.Context) (T, time.Duration, error) // with how long it may be kept
	now  func() time.Time

	mu   sync.Mutex
	good *call[T] // the last that succeeded
	last *call[T] // the last at all
}

// get returns the document. One that does not fit is looked for again, but not often, because anybody can ask for what
// is in no document.
func (d *document[T]) get(ctx context.Context, fits func(T) bool) (T, error) {
	began := d.now()
	for {
		c := d.call(ctx, began, fits)
		v, err := c.wait(ctx)
		// A call that was under way before may have an answer that is too old by now; the next one has not.
		if err != nil || before(began, c.until) {
			return v, err
		}
	}
}

func (d *document[T]) call(ctx context.Context, began time.Time, fits func(T) bool) *call[T] {
	d.mu.Lock()
	defer d.mu.Unlock()
	// What is good stays good if a later look for something else failed.
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

// repeats reports whether the answer has to do for somebody who asks at this time.
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
