package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/tokenwright/tokenwright/internal/token"
)

// crew does work of one kind together: a caller who is admitted takes along what others wait with. So the more callers
// there are, the more is done with one round trip and one commit, and a caller who is alone waits for nobody.
type crew[J any] struct {
	line *line
	most int // of what is done together
	do   func(ctx context.Context, all []*job[J])
	// certain has whoever leaves after the work has begun wait for its outcome, which ends when all have left.
	certain bool
}

// job is the work of one caller.
type job[J any] struct {
	ctx   context.Context //nolint:containedctx // of its caller, who may leave while others stay
	class class
	work  J
	err   error
	panic any // of a function of the caller
	done  chan struct{}
}

// run returns when the work is done, or when its caller has left. Then nobody looks at its outcome, unless the crew is
// certain.
func (c *crew[J]) run(ctx context.Context, cl class, work J) error {
	j := &job[J]{ctx: ctx, class: cl, work: work, done: make(chan struct{})}
	leave, err := c.line.enterWith(ctx, cl, j)
	switch {
	case err == nil:
		c.lead(j, leave)
	case !errors.Is(err, errTaken):
		return err
	}
	if c.certain {
		<-j.done
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		select {
		case <-j.done: // first, since it may be committed
		default:
			return ctx.Err()
		}
	}
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// lead does the job and what others wait with. These do not depend on whether its caller stays.
func (c *crew[J]) lead(first *job[J], leave func()) {
	all := []*job[J]{first}
	c.line.along(first.class, c.most-1, func(work any) bool {
		j, ok := work.(*job[J])
		if ok {
			all = append(all, j)
		}
		return ok
	})
	ctx, cancel := whileAnyStays(all)
	do := func() {
		defer leave()
		defer cancel()
		c.do(ctx, all)
	}
	if len(all) == 1 {
		do()
		close(first.done)
	} else {
		go finish(all, do)
	}
}

// finish hands out the outcomes. A panic that is no caller's is the fault of all.
func finish[J any](all []*job[J], do func()) {
	defer func() {
		if p := recover(); p != nil {
			for _, j := range all {
				j.err = token.Wrap(token.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}
		for _, j := range all {
			close(j.done)
		}
	}()
	do()
}

// whileAnyStays is a context that ends when all callers have left.
func whileAnyStays[J any](all []*job[J]) (context.Context, func()) {
	if len(all) == 1 {
		return all[0].ctx, func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(all[0].ctx))
	var staying atomic.Int64
	staying.Store(int64(len(all)))
	stops := make([]func() bool, len(all))
	for i, j := range all {
		stops[i] = context.AfterFunc(j.ctx, func() {
			if staying.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// guarded runs a function of the job's caller, which gets its panic.
func (j *job[J]) guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			j.panic, err = p, errPanic
		}
	}()
	return fn()
}

// errPanic ends what a panic has ended.
var errPanic = errors.New("panic")
