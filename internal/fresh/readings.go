package fresh

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/singleflight"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Readings lets concurrent callers share a read of the same data. Every caller gets a read that began after its call:
// while one is running, new callers together wait for the next. So a caller sees everything that was committed before
// its call. The zero value is ready to use.
type Readings[V any] struct {
	next    singleflight.Group // not begun yet, because another one is running
	running singleflight.Group
}

// reading is the result of one read.
type reading[V any] struct {
	value   V
	private bool // the error concerns only its reader, who gave up or exceeded its own share of the queue
}

// Get returns the result of read, from this call or a shared one. A panic in read becomes its error.
func (r *Readings[V]) Get(ctx context.Context, key string, read func() (V, error)) (V, error) {
	for {
		own := false
		done := r.next.DoChan(key, func() (any, error) {
			own = true
			return r.run(ctx, key, read)
		})
		select {
		case result := <-done:
			if got, ok := result.Val.(reading[V]); ok && (own || !got.private) {
				return got.value, result.Err
			}
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
	}
}

// run reads once the running read has ended. Later callers wait for another read.
func (r *Readings[V]) run(ctx context.Context, key string, read func() (V, error)) (got reading[V], err error) {
	for begun := false; !begun; {
		_, err, _ = r.running.Do(key, func() (_ any, err error) {
			begun = true
			r.next.Forget(key)
			defer func() {
				if p := recover(); p != nil { // which nobody else could catch
					err = token.Wrap(token.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
				}
				got.private = err != nil && (ctx.Err() != nil || token.KindOf(err) == token.Overloaded)
			}()
			got.value, err = read()
			return nil, err
		})
	}
	return got, err
}
