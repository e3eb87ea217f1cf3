package fresh

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/singleflight"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Readings has callers who want to read the same at the same time share one reading. Every caller gets one that was
// begun after it came: while one is under way, all who come wait for the next one together. So whatever was committed
// before a caller came is in what it gets. The zero value is ready.
type Readings[V any] struct {
	next    singleflight.Group // not begun yet, because of the one that is running
	running singleflight.Group
}

// reading is the result of one.
type reading[V any] struct {
	value   V
	private bool // the error is about its reader: who left, or was sent away for its own share of the places
}

// Get returns what read returns, in this call or in another one. A panic in it is its error.
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

// run reads when the reading that is under way has ended. Who comes after that waits for another one.
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
