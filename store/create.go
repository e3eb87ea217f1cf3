package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tokenwright/tokenwright/internal/token"
)

// mostCreates is how many tokens one transaction inserts, so that no change waits long for those before it.
const mostCreates = 64

// creation is a token on its way into the database.
type creation struct {
	token.Insert
	account string // on which the token depends
	guards  []guard
	reading creationReading
	row     tokenRow
}

// creationReading is what was read for one creation alone.
type creationReading struct {
	entry       token.StatusEntry
	held, named int64
}

// errAlone is the outcome for a creation that has to be tried by itself, because it has to wait for others, or because
// one of those with which it was tried has failed.
var errAlone = errors.New("it has to be tried alone")

// Create implements [token.Store]. Creates that wait for the database are committed together, each with its own outcome.
func (d *DB) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	n := &creation{Insert: in}
	err := errAlone
	if !in.Alone {
		err = d.creates.run(ctx, classOf(ctx, in.Permit.Urgent), n)
	}
	if errors.Is(err, errAlone) {
		n = &creation{Insert: in}
		err = d.createAlone(ctx, n)
	}
	if err != nil {
		return token.Token{}, d.translate(ctx, err)
	}
	return n.row.token(d.dialects)
}

// createAlone waits for the guards, and tries again where the database asks for that.
func (d *DB) createAlone(ctx context.Context, n *creation) error {
	j := &job[*creation]{ctx: ctx, work: n}
	err := d.transactOnConn(ctx, classOf(ctx, n.Permit.Urgent), func(c conn) error {
		j.err = nil
		return d.insertAll(ctx, c, []*job[*creation]{j}, true)
	})
	if j.panic != nil {
		panic(j.panic)
	}
	if err != nil {
		return err
	}
	return j.err
}

// createTogether is what the crew does.
func (d *DB) createTogether(ctx context.Context, all []*job[*creation]) {
	err := d.room(false, func() error {
		return d.onConn(ctx, d.writer, func(c conn) error { return d.insertAll(ctx, c, all, false) })
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

// insertAll inserts the tokens in one transaction. A creation that fails by itself has an error and is left out; an
// error of the transaction is returned. Unless it is to wait, a creation whose guards others hold is left out.
func (d *DB) insertAll(ctx context.Context, c conn, all []*job[*creation], wait bool) error {
	if err := d.findAccounts(ctx, c, all); err != nil {
		return err
	}
	defer c.rollBack(ctx)
	pending := []statement{{text: d.backend.begin}}
	inserted := 0
	for chunk := range slices.Chunk(all, d.backend.stride) {
		r := newReading(d, chunk, wait)
		if err := r.run(ctx, c, pending); err != nil {
			return err
		}
		pending = nil
		for _, j := range r.jobs {
			j.err = j.guarded(func() error { return r.decide(j) })
			if j.err == nil {
				j.err = j.ctx.Err()
			}
			if j.err == nil {
				pending = append(pending, insertion(&j.work.row))
				inserted++
			}
		}
	}
	if inserted == 0 {
		return nil
	}
	if err := c.run(ctx, append(pending, statement{text: "COMMIT"})...); err != nil {
		return err
	}
	d.commits.Add(1)
	return nil
}

// insertTokens inserts a row, to which the database gives the number.
var insertTokens = func() string {
	names := namesOf(&tokenRow{})[1:]
	values := make([]string, len(names))
	for i := range values {
		values[i] = fmt.Sprintf("$%d", i+1)
	}
	return fmt.Sprintf("INSERT INTO tokens (%s) VALUES (%s) RETURNING seq",
		strings.Join(names, ", "), strings.Join(values, ", "))
}()

func insertion(row *tokenRow) statement {
	return statement{insertTokens, row.values(), func(c columns) error {
		row.Seq = c.int()
		return nil
	}}
}

// findAccounts finds the accounts of environments that come without, before any guard is taken: an environment never
// changes its account.
func (d *DB) findAccounts(ctx context.Context, c conn, all []*job[*creation]) error {
	var unknown []string
	for _, j := range all {
		t := j.work.Token
		j.work.account = t.AccountID
		if t.AccountID == "" && t.EnvironmentID != "" {
			account, ok := d.accountOf.Get(t.EnvironmentID)
			if !ok {
				unknown = append(unknown, t.EnvironmentID)
			}
			j.work.account = account
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	err := c.run(ctx, keyed(d.backend, environmentByID, unknown, func(c columns) error {
		e := readEnvironment(c)
		d.accountOf.Add(e.ID, e.AccountID)
		return nil
	})...)
	for _, j := range all {
		if j.work.account == "" && j.work.Token.EnvironmentID != "" {
			j.work.account, _ = d.accountOf.Get(j.work.Token.EnvironmentID)
		}
	}
	return err
}

// dependencies are the guards of what the token and its maker's right depend on. An exclusive insert takes that of its
// user exclusively.
func (n *creation) dependencies() []guard {
	t := n.Token
	return append(permitGuards(n.Permit),
		guard{kind: guardedUser, key: t.UserID, alone: n.Exclusive},
		guard{kind: guardedAccount, key: n.account},
		guard{kind: guardedEnvironment, key: t.EnvironmentID})
}

// decide judges the permit and has the caller decide.
func (r *reading) decide(j *job[*creation]) error {
	n := j.work
	if n.Permit.Judge != nil {
		if err := refuse(n.Permit.Judge(r.caller(n.Permit))); err != nil {
			return err
		}
	}
	t := n.Token
	if err := refuse(n.Decide(&t, r.facts(n))); err != nil {
		return err
	}
	n.row = tokenToRow(t)
	return nil
}
