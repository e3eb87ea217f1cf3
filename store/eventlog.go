package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// The log of events. It is written by few and read by few, in steps of many events: a step is one row, so that the log
// costs little beside the events themselves.

const (
	lastStep = "SELECT first, size, hash, checkpoint FROM audit_log WHERE first >= 0 ORDER BY first DESC LIMIT 1"
	stepAt   = `SELECT first, size, hash, checkpoint, highest, events, hashes FROM audit_log
		WHERE size > $1 ORDER BY size LIMIT 1`
	addStep = `INSERT INTO audit_log (first, size, hash, highest, events, hashes, checkpoint)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	// oneHash is a part of the step in which the hash is. 32 is the length of a hash.
	oneHash = `SELECT substr(hashes, CAST(1 + 32 * ($1 - hash) AS integer), 32) FROM audit_log
		WHERE hash <= $1 ORDER BY hash DESC LIMIT 1`
	// stepsOf are those in which an event may be: those before the first have lower events only.
	stepsOf = "SELECT first, events FROM audit_log WHERE highest >= $1 ORDER BY highest LIMIT 100"
)

// eventsAfterLog reads the events that come after those in the log. SQLite commits in the order of their numbers.
var eventsAfterLog = eventRows + "e.id > (SELECT coalesce(max(highest), 0) FROM audit_log) ORDER BY e.id LIMIT "

// takePending removes from the queue what a step of the log is to have.
const takePending = `WITH counted AS (
		SELECT first, sum(cardinality(events)) OVER (ORDER BY first) - cardinality(events) AS before
		FROM (SELECT first, events FROM audit_pending ORDER BY first LIMIT $1) AS oldest),
	taken AS (DELETE FROM audit_pending WHERE first IN (SELECT first FROM counted WHERE before < $1) RETURNING events)
	SELECT unnest(events) FROM taken`

// settledQueued and settledAfter are events that do not wait.
const (
	settledQueued = `SELECT id FROM audit_events WHERE id > $1
		AND id NOT IN (SELECT unnest(events) FROM audit_pending) ORDER BY id LIMIT `
	settledAfter = `SELECT id FROM audit_events WHERE id > $1
		AND id <= (SELECT coalesce(max(highest), 0) FROM audit_log) ORDER BY id LIMIT `
)

// waitingQueued and waitingAfter count the events that wait.
const (
	waitingQueued = "SELECT CAST(coalesce(sum(cardinality(events)), 0) AS bigint) FROM audit_pending"
	waitingAfter  = "SELECT count(*) FROM audit_events WHERE id > (SELECT coalesce(max(highest), 0) FROM audit_log)"
)

// extension is a step on its way.
type extension struct {
	db      *DB
	last    token.LogStep
	others  bool // extend the log now
	waiting []int64
	events  []token.Event
}

// ExtendLog implements [token.LogStore].
func (d *DB) ExtendLog(
	ctx context.Context, most int, next func(token.Extension) (token.LogStep, error),
) (n int, err error) {
	err = d.transactOnConn(ctx, later, func(c conn) error {
		defer c.rollBack(ctx)
		e := &extension{db: d}
		if err := e.read(ctx, c, most); err != nil || e.others || len(e.events)+len(e.waiting) == 0 {
			n = 0
			return err
		}
		n = len(e.events)
		return e.add(ctx, c, next)
	})
	return n, err
}

// read reads what the step begins with.
func (e *extension) read(ctx context.Context, c conn, most int) error {
	begin := []statement{{text: e.db.backend.begin}}
	guards := inOrder([]guard{{kind: guardedLog, key: int64(1), alone: true}})
	begin = append(begin, e.db.backend.take(guards, false, func(int) { e.others = true })...)
	begin = append(begin, statement{lastStep, nil, func(c columns) error {
		e.last = readStep(c)
		return nil
	}})
	if err := c.run(ctx, append(begin, e.db.backend.waiting(e, most))...); err != nil || e.others || len(e.waiting) == 0 {
		return err
	}
	return c.run(ctx, keyed(e.db.backend, eventRows+"e.id", e.waiting, e.keep)...)
}

func (e *extension) keep(c columns) error {
	e.events = append(e.events, readEvent(c).event())
	return nil
}

// afterLog reads what is to come into the log of SQLite.
func (e *extension) afterLog(most int) statement {
	return statement{eventsAfterLog + strconv.Itoa(most), nil, e.keep}
}

// fromQueue takes the numbers of what is to come into the log of PostgreSQL.
func (e *extension) fromQueue(most int) statement {
	return statement{takePending, []any{int64(most)}, func(c columns) error {
		e.waiting = append(e.waiting, c.int())
		return nil
	}}
}

// add has the step made and stores it.
func (e *extension) add(ctx context.Context, c conn, next func(token.Extension) (token.LogStep, error)) error {
	slices.SortFunc(e.events, func(a, b token.Event) int { return cmp.Compare(a.ID, b.ID) })
	step, err := next(token.Extension{
		Size: e.last.Size, Checkpoint: e.last.Checkpoint, Events: e.events, Missing: e.missing(),
		Hashes: func(numbers []int64) ([][32]byte, error) { return readHashes(ctx, c, numbers) },
	})
	if err != nil {
		return refuse(err)
	}
	if len(step.Events) == 0 { // all that waited is gone
		return e.db.commit(ctx, c)
	}
	events, hashes := make([]byte, 0, 8*len(step.Events)), make([]byte, 0, 32*len(step.Hashes))
	for _, id := range step.Events {
		events = binary.BigEndian.AppendUint64(events, uint64(id)) //nolint:gosec // all bits are kept
	}
	for _, hash := range step.Hashes {
		hashes = append(hashes, hash[:]...)
	}
	args := []any{step.First, step.Size, step.Hash, step.Highest, events, hashes, step.Checkpoint}
	return e.db.commit(ctx, c, statement{text: addStep, args: args})
}

// missing are those that waited and are not there.
func (e *extension) missing() (gone []int64) {
	found := map[int64]bool{}
	for _, event := range e.events {
		found[event.ID] = true
	}
	for _, id := range e.waiting {
		if !found[id] {
			gone = append(gone, id)
		}
	}
	return gone
}

// readStep reads the columns of a step that are in every statement.
func readStep(c columns) token.LogStep {
	return token.LogStep{First: c.int(), Size: c.int(), Hash: c.int(), Checkpoint: c.text()}
}

// readIDs reads the numbers of the events of a step. What is left of a row that somebody has cut is read as well.
func readIDs(c columns) []int64 {
	text := c.bytes()
	ids := make([]int64, 0, len(text)/8)
	for ; len(text) >= 8; text = text[8:] {
		ids = append(ids, int64(binary.BigEndian.Uint64(text))) //nolint:gosec // as it was written
	}
	return ids
}

// readHashes reads hashes of the tree with statements of their own.
func readHashes(ctx context.Context, c conn, numbers []int64) ([][32]byte, error) {
	hashes := make([][32]byte, len(numbers))
	found := 0
	statements := make([]statement, len(numbers))
	for i, number := range numbers {
		statements[i] = statement{oneHash, []any{number}, func(c columns) error {
			if hash := c.bytes(); len(hash) == 32 {
				hashes[i] = [32]byte(hash)
				found++
			}
			return nil
		}}
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	if err := c.run(ctx, statements...); err != nil {
		return nil, err
	}
	if found != len(numbers) {
		return nil, fmt.Errorf("the audit log has %d of %d hashes that it should have", found, len(numbers))
	}
	return hashes, nil
}

// LastStep implements [token.LogStore].
func (d *DB) LastStep(ctx context.Context) (step token.LogStep, err error) {
	err = d.readOnConn(ctx, statement{lastStep, nil, func(c columns) error {
		step = readStep(c)
		return nil
	}})
	return step, err
}

// LogStep implements [token.LogStore].
func (d *DB) LogStep(ctx context.Context, position int64) (step token.LogStep, err error) {
	err = d.readOnConn(ctx, statement{stepAt, []any{position}, func(c columns) error {
		step = readStep(c)
		step.Highest, step.Events = c.int(), readIDs(c)
		for hashes := c.bytes(); len(hashes) >= 32; hashes = hashes[32:] {
			step.Hashes = append(step.Hashes, [32]byte(hashes))
		}
		return nil
	}})
	return step, err
}

// LogHashes implements [token.LogStore].
func (d *DB) LogHashes(ctx context.Context, numbers []int64) (hashes [][32]byte, err error) {
	leave, err := d.reading.enter(ctx, classOf(ctx, false))
	if err != nil {
		return nil, d.translate(ctx, err)
	}
	defer leave()
	err = d.onConn(ctx, d.reader, func(c conn) (err error) {
		hashes, err = readHashes(ctx, c, numbers)
		return err
	})
	return hashes, d.translate(ctx, err)
}

// Position implements [token.LogStore].
func (d *DB) Position(ctx context.Context, event int64) (int64, error) {
	position := int64(-1)
	err := d.readOnConn(ctx, statement{stepsOf, []any{event}, func(c columns) error {
		first := c.int()
		if i := slices.Index(readIDs(c), event); i >= 0 && position < 0 {
			position = first + int64(i)
		}
		return nil
	}})
	if err == nil && position < 0 {
		err = d.translate(ctx, gorm.ErrRecordNotFound)
	}
	return position, err
}

// EventsWith implements [token.LogStore].
func (d *DB) EventsWith(ctx context.Context, ids []int64) (map[int64]token.Event, error) {
	events := make(map[int64]token.Event, len(ids))
	statements := keyed(d.backend, eventRows+"e.id", ids, func(c columns) error {
		e := readEvent(c).event()
		events[e.ID] = e
		return nil
	})
	if len(statements) == 0 {
		return events, nil
	}
	return events, d.readOnConn(ctx, statements...)
}

// Waiting implements [token.LogStore].
func (d *DB) Waiting(ctx context.Context) (n int64, err error) {
	err = d.readOnConn(ctx, statement{d.backend.waitingCount, nil, func(c columns) error {
		n = c.int()
		return nil
	}})
	return n, err
}

// Settled implements [token.LogStore].
func (d *DB) Settled(ctx context.Context, after int64, limit int) (ids []int64, err error) {
	err = d.readOnConn(ctx, statement{d.backend.settled + strconv.Itoa(limit), []any{after}, func(c columns) error {
		ids = append(ids, c.int())
		return nil
	}})
	return ids, err
}
