package store

import (
	"context"
	"errors"
	"slices"
)

// mostQuestions is how many are asked together, so that none waits long for those before it.
const mostQuestions = 16

// ask runs statements that only read, and quickly, together with those of others who wait, which saves round trips. The
// function may be called twice, and what the statements of the first call have read does not count then.
func (d *DB) ask(ctx context.Context, statements func() []statement) error {
	if !d.Shared() {
		return d.readOnConn(ctx, statements()...)
	}
	err := d.questions.run(ctx, classOf(ctx, false), statements())
	if errors.Is(err, errAlone) {
		return d.readOnConn(ctx, statements()...)
	}
	return d.translate(ctx, err)
}

// one is the answer to a question for one row. Each call of the function has its own: who leaves returns while its
// statements may still be read.
type one[T any] struct {
	value T
	err   error
}

// answer asks all questions in one round trip. A row that cannot be understood is the matter of who asked for it.
func (d *DB) answer(ctx context.Context, all []*job[[]statement]) {
	statements := all[0].work
	if len(all) > 1 {
		statements = nil
		for _, j := range all {
			statements = append(statements, apart(j)...)
		}
	}
	err := d.onConn(ctx, d.reader, func(c conn) error { return c.run(ctx, statements...) })
	if err == nil {
		return
	}
	if len(all) > 1 && !unavailable(err) {
		err = errAlone
	}
	for _, j := range all {
		j.err = err
	}
}

// apart are the statements of a question, of which a row that cannot be understood does not end the others.
func apart(j *job[[]statement]) []statement {
	all := slices.Clone(j.work)
	for i, s := range j.work {
		all[i].each = func(c columns) error {
			if j.err == nil {
				j.err = s.each(c)
			}
			return nil
		}
	}
	return all
}
