package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// proveEvery is how often it is proved that the database takes writes.
	proveEvery = 5 * time.Second
	// proveWait is how long a proof may take.
	proveWait = 5 * time.Second
)

// Watch proves every few seconds that the database takes writes, until the context ends, and reports whenever that has
// changed: what is wrong, or nil. What it finds [DB.Ping] tells, at no cost however often that is asked.
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

// prove writes, unless a transaction was committed since the last proof.
func (d *DB) prove(ctx context.Context) error {
	commits := d.commits.Load()
	if commits == d.proved {
		if err := d.write(ctx); err != nil && d.commits.Load() == commits { // else it was only its turn that did not come
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

// writable is what the last proof has found, nil if there was none.
func (d *DB) writable() error {
	if trouble := d.trouble.Load(); trouble != nil && *trouble != nil {
		return token.Wrap(token.Unavailable, fmt.Errorf("the database takes no writes: %w", *trouble))
	}
	return nil
}
