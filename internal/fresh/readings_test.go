package fresh

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tokenwright/tokenwright/internal/token"
)

// TestReadingsAreShared: who comes during a reading gets the next one, in which all that was there before is.
func TestReadingsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Readings[int64]
		var state, readings atomic.Int64
		let := make(chan struct{})
		var callers sync.WaitGroup
		callers.Go(func() {
			got, err := r.Get(t.Context(), "key", func() (int64, error) {
				found := state.Load()
				<-let
				return found, nil
			})
			if got != 0 || err != nil {
				t.Errorf("the first reading: %d %v", got, err)
			}
		})
		synctest.Wait()
		state.Store(1) // which the first reading has not seen
		for range 50 {
			callers.Go(func() {
				got, err := r.Get(t.Context(), "key", func() (int64, error) { readings.Add(1); return state.Load(), nil })
				if got != 1 || err != nil {
					t.Errorf("a caller who came after the change: %d %v", got, err)
				}
			})
		}
		synctest.Wait()
		other, err := r.Get(t.Context(), "another key", func() (int64, error) { return 7, nil })
		if other != 7 || err != nil {
			t.Errorf("another key: %d %v", other, err)
		}
		close(let)
		callers.Wait()
		if n := readings.Load(); n != 1 {
			t.Errorf("50 callers were %d readings", n)
		}
	})
}

// TestWhoLeavesTakesNobodyAlong: the caller who reads for others may give up, fail or panic.
func TestWhoLeavesTakesNobodyAlong(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		read func(cancel func()) error
		want string // the error of those who wait; "": they read anew
	}{
		"the reader leaves":            {func(cancel func()) error { cancel(); return context.Canceled }, ""},
		"the reader asks for too much": {func(func()) error { return token.Wrap(token.Overloaded, failed) }, ""},
		"the reader panics":            {func(func()) error { panic("on purpose") }, "panic: on purpose"},
		"the reading fails":            {func(func()) error { return failed }, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r Readings[int]
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				let := make(chan struct{})
				go func() { // the first, during which the others come
					_, _ = r.Get(t.Context(), "key", func() (int, error) { <-let; return 0, nil })
				}()
				synctest.Wait()
				go func() {
					if _, err := r.Get(ctx, "key", func() (int, error) { return 0, c.read(cancel) }); err == nil {
						t.Error("the reader got no error")
					}
				}()
				synctest.Wait()
				impatient, leave := context.WithCancel(t.Context())
				leave()
				if _, err := r.Get(impatient, "key", nil); !errors.Is(err, context.Canceled) {
					t.Errorf("who does not wait got %v", err)
				}
				go func() {
					got, err := r.Get(t.Context(), "key", func() (int, error) { return 7, nil })
					switch {
					case c.want == "" && (got != 7 || err != nil):
						t.Errorf("who waited got %d %v", got, err)
					case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
						t.Errorf("who waited got %d and the error %v", got, err)
					}
				}()
				synctest.Wait()
				close(let)
				synctest.Wait()
				if got, err := r.Get(t.Context(), "key", func() (int, error) { return 7, nil }); got != 7 || err != nil {
					t.Errorf("afterwards %d %v", got, err)
				}
			})
		})
	}
}
