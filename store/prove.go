package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// proveEvery is the interval between two test writes.
	proveEvery = 5 * time.Second
	// proveWait is how long a test write may take.
	proveWait = 5 * time.Second
)

// Watch tests every few seconds whether the database accepts writes, until the context ends, and reports each change:
// the error, or nil. [DB.Ping] returns the last result, so that it costs nothing however often it is called.
func (d *DB) Watch(ctx context.Context, report func(error)) {
	for ; ctx.Err() == nil; sleep(ctx, proveEvery) {
		err := d.prove(ctx)
		if ctx.Err() != nil {
			return
		}
		if was := d.trouble.Swap(&err); (was != nil && *was != nil) != (err != nil) {
			report(err)
		}
	}
}

// prove makes a test write, unless a transaction was committed since the last one.
func (d *DB) prove(ctx context.Context) error {
	commits := d.commits.Load()
	if commits == d.proved {
		if err := d.write(ctx); err != nil && d.commits.Load() == commits { // else only its turn in the line did not come
			return err
		}
	}
	d.proved = d.commits.Load()
	return d.reserve.keep()
}

// write commits a transaction that changes nothing.
func (d *DB) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, proveWait)
	defer cancel()
	return d.backend.write(d.writer.WithContext(ctx))
}

// writable is the result of the last test write, nil if there was none.
func (d *DB) writable() error {
	if trouble := d.trouble.Load(); trouble != nil && *trouble != nil {
		return token.Wrap(token.Unavailable, fmt.Errorf("the database does not accept writes: %w", *trouble))
	}
	return nil
}
