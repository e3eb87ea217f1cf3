package store

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// mostTogether is how many changes one transaction makes, so that none waits long for those before it.
const mostTogether = 64

// work is a change of tokens. Those that wait for the database are made in one transaction, each with its own outcome.
type work interface {
	// prepare reads what has to be known before the guards are taken.
	prepare(d *DB) []statement
	permit() token.Permit
	// number is that of the row that the change writes, 0 if it is a new one.
	number() int64
	// guards are those beside the permit's.
	guards() []guard
	// read reads what only this change depends on, after the guards were taken.
	read(d *DB) []statement
	// decide returns what writes the change.
	decide(r *reading) ([]statement, error)
	// event describes the change, after it was decided.
	event() *eventRow
	// facts are the rows that the change depends on, and others may, too.
	facts() factKeys
}

// factKeys name rows; the zero value is none.
type factKeys struct {
	user                 int64
	account, environment string
}

// errAlone is the outcome for a change that has to be tried by itself, because it has to wait for others, or because
// one of those with which it was tried has failed.
var errAlone = errors.New("it has to be tried alone")

// change makes a change along with others that wait, or else by itself. The latter gets a fresh copy.
func (d *DB) change(ctx context.Context, urgent bool, fresh func() work, alone bool) (work, error) {
	together, c := &d.changes, classOf(ctx, urgent)
	if c == revoking {
		together = &d.revokes
	}
	w, err := fresh(), errAlone
	if !alone {
		err = together.run(ctx, c, w)
	}
	for errors.Is(err, errAlone) { // once, unless it needs another guard than it thought
		w = fresh()
		err = d.changeAlone(ctx, c, w)
	}
	return w, d.translate(ctx, err)
}

// changeAlone waits for the guards, and tries again where the database asks for that.
func (d *DB) changeAlone(ctx context.Context, c class, w work) error {
	j := &job[work]{ctx: ctx, work: w}
	err := d.transactOnConn(ctx, c, func(c conn) error { return d.transactAll(ctx, c, []*job[work]{j}, true) })
	if j.panic != nil {
		panic(j.panic)
	}
	if err != nil {
		return err
	}
	return j.err
}

// together is what a crew does with connections of the pool.
func (d *DB) together(pool *gorm.DB) func(ctx context.Context, all []*job[work]) {
	return func(ctx context.Context, all []*job[work]) {
		err := d.room(all[0].class == revoking, func() error {
			return d.onConn(ctx, pool, func(c conn) error { return d.transactAll(ctx, c, all, false) })
		})
		if err == nil {
			return
		}
		if repeatable(err) || len(all) > 1 && !unavailable(err) {
			err = errAlone
		}
		for _, j := range all { // those who were refused, too, perhaps for what was not committed
			if j.panic == nil {
				j.err = err
			}
		}
	}
}

// transactAll makes the changes in one transaction. One that fails by itself has an error and is left out; an error of
// the transaction is returned. Unless they are to wait, those whose guards others hold are left out.
func (d *DB) transactAll(ctx context.Context, c conn, all []*job[work], wait bool) error {
	if err := d.prepareAll(ctx, c, all); err != nil {
		return err
	}
	defer c.rollBack(ctx)
	pending := []statement{{text: d.backend.begin}}
	written, known := false, newShared()
	for chunk := range slices.Chunk(all, d.backend.stride) {
		r := newReading(d, chunk, wait, known)
		if err := r.run(ctx, c, pending); err != nil {
			return err
		}
		if pending = r.decideAll(); len(pending) > 0 {
			written = true
		}
		if r.updates {
			known = newShared() // one of the rows may be different now
		}
	}
	if !written {
		return nil
	}
	return d.commit(ctx, c, pending...)
}

// commit runs the last statements of a transaction.
func (d *DB) commit(ctx context.Context, c conn, last ...statement) error {
	err := c.run(ctx, append(last, statement{text: "COMMIT"})...)
	if err == nil {
		d.commits.Add(1)
	}
	return err
}

func (d *DB) prepareAll(ctx context.Context, c conn, all []*job[work]) error {
	var statements []statement
	for _, j := range all {
		j.err = nil
		statements = append(statements, j.work.prepare(d)...)
	}
	if len(statements) == 0 {
		return nil
	}
	return c.run(ctx, statements...)
}

// decideAll returns what writes the changes that were decided for callers who are still there.
func (r *reading) decideAll() (pending []statement) {
	for _, j := range r.jobs {
		var statements []statement
		before := len(r.inserted)
		j.err = j.guarded(func() (err error) {
			statements, err = r.judge(j.work)
			return err
		})
		if j.err == nil {
			j.err = j.ctx.Err()
		}
		if j.err != nil {
			r.inserted = r.inserted[:before]
			continue
		}
		pending = append(pending, statements...)
		r.events = append(r.events, j.work.event())
		r.updates = r.updates || len(statements) > 0
	}
	pending = append(pending, r.db.backend.insert(r.inserted)...)
	return append(pending, r.db.backend.record(r.events)...)
}

// judge judges the permit before anything else, and then has the change decided.
func (r *reading) judge(w work) ([]statement, error) {
	if p := w.permit(); p.Judge != nil {
		if err := refuse(p.Judge(r.caller(p))); err != nil {
			return nil, err
		}
	}
	return w.decide(r)
}
