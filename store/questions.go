package store

import (
	"context"
	"errors"
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

// answer asks all questions in one round trip. A row that cannot be understood is the matter of who asked for it.
func (d *DB) answer(ctx context.Context, all []*job[[]statement]) {
	var statements []statement
	for _, j := range all {
		for _, s := range j.work {
			each := s.each
			s.each = func(c columns) error {
				if j.err == nil {
					j.err = each(c)
				}
				return nil
			}
			statements = append(statements, s)
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
