package store

import (
	"context"

	"github.com/tokenwright/tokenwright/internal/token"
)

var (
	accountByID     = "SELECT " + columnsOf("a", &accountRow{}) + " FROM accounts a WHERE a.id"
	environmentByID = "SELECT " + columnsOf("e", &environmentRow{}) + " FROM environments e WHERE e.id"
)

// holdings counts what a user holds, and how much of that has a name.
const holdings = `SELECT count(*), count(*) FILTER (WHERE name = $1) FROM tokens
	WHERE deleted_at IS NULL AND dialect = $2 AND user_id = $3`

// reading is what creations depend on, read after the guards that keep it unchanged were taken. What several need is
// read once.
type reading struct {
	db   *DB
	jobs []*job[*creation] // without those that are left out
	wait bool

	guards       []guard
	refused      map[advisory]bool // that others hold
	callers      map[int64]token.Identity
	owners       map[int64]token.Identity // users with their home accounts
	accounts     map[string]*token.Account
	environments map[string]*token.Environment
}

// newReading leaves out who needs a thing alone that another one needs, too.
func newReading(d *DB, all []*job[*creation], wait bool) *reading {
	r := &reading{
		db: d, wait: wait, callers: map[int64]token.Identity{}, owners: map[int64]token.Identity{},
		accounts: map[string]*token.Account{}, environments: map[string]*token.Environment{},
	}
	taken := map[advisory]bool{} // whether alone
	for _, j := range all {
		j.work.guards = inOrder(j.work.dependencies())
		if clash(taken, j.work.guards) {
			j.err = errAlone
			continue
		}
		for _, g := range j.work.guards {
			taken[g.advisory()] = g.alone
		}
		r.guards = append(r.guards, j.work.guards...)
		r.jobs = append(r.jobs, j)
	}
	r.guards = inOrder(r.guards)
	return r
}

// clash reports whether the guards and those that are taken exclude each other.
func clash(taken map[advisory]bool, guards []guard) bool {
	for _, g := range guards {
		if alone, ok := taken[g.advisory()]; ok && (alone || g.alone) {
			return true
		}
	}
	return false
}

// run reads everything, in one round trip unless a caller is not what its permit says.
func (r *reading) run(ctx context.Context, c conn, before []statement) error {
	statements := append(before, r.takeGuards()...)
	for _, j := range r.jobs {
		statements = append(statements, r.readOwn(j.work)...)
	}
	if err := c.run(ctx, append(statements, r.readShared(true)...)...); err != nil {
		return err
	}
	r.leaveOut()
	for _, id := range r.callers {
		r.know(id)
	}
	if missing := r.readShared(false); len(missing) > 0 {
		return c.run(ctx, missing...)
	}
	return nil
}

func (r *reading) takeGuards() []statement {
	if len(r.guards) == 0 {
		return nil
	}
	r.refused = map[advisory]bool{}
	return r.db.backend.takeAll(r.guards, r.wait, func(i int) { r.refused[r.guards[i].advisory()] = true })
}

// leaveOut leaves out whose guards others hold.
func (r *reading) leaveOut() {
	if len(r.refused) == 0 {
		return
	}
	kept := r.jobs[:0]
	for _, j := range r.jobs {
		if clash(r.refused, j.work.guards) {
			j.err = errAlone
		} else {
			kept = append(kept, j)
		}
	}
	r.jobs = kept
}

// readOwn reads what is read for one creation alone.
func (r *reading) readOwn(n *creation) (statements []statement) {
	own := &n.reading
	if n.Token.Dialect.PublishesStatus {
		statements = append(statements, statement{text: r.db.backend.nextEntry, each: func(c columns) error {
			number := c.int()
			own.entry = token.StatusEntryOf(c.bytes(), number)
			return nil
		}})
	}
	if n.Exclusive {
		args := []any{n.Token.Name, n.Token.Dialect.Name, n.Token.UserID}
		statements = append(statements, statement{holdings, args, func(c columns) error {
			own.held, own.named = c.int(), c.int()
			return nil
		}})
	}
	return statements
}

// keysOf are those of rows to be read that are not known. A zero value there says that a row was looked for.
func keysOf[K comparable, V any](keys []K, known map[K]V) (unknown []K) {
	var zero K
	for _, key := range keys {
		if _, ok := known[key]; !ok && key != zero {
			var none V
			known[key] = none
			unknown = append(unknown, key)
		}
	}
	return unknown
}

// readShared reads what is not known yet. At first that leaves out what the rows of the callers should bring.
func (r *reading) readShared(first bool) (statements []statement) {
	var tokens, users []int64
	var accounts, environments []string
	for _, j := range r.jobs {
		p, t := j.work.Permit, j.work.Token
		brought := first && p.Token != 0
		if p.Judge != nil && p.Token != 0 {
			tokens = append(tokens, p.Token)
		} else if p.Judge != nil {
			users = append(users, p.UserID)
		}
		if !brought || t.UserID != p.UserID {
			users = append(users, t.UserID)
		}
		if !brought || j.work.account != p.AccountID {
			accounts = append(accounts, j.work.account)
		}
		if !brought || t.EnvironmentID != p.EnvironmentID {
			environments = append(environments, t.EnvironmentID)
		}
	}
	b := r.db.backend
	statements = append(statements, keyed(b, bySeq, keysOf(tokens, r.callers), func(c columns) error {
		id, err := readIdentity(c, r.db.dialects)
		r.callers[id.Token.Seq] = id
		return err
	})...)
	statements = append(statements, keyed(b, byUserID, keysOf(users, r.owners), func(c columns) error {
		id := readOwner(c)
		r.owners[id.User.ID] = id
		return nil
	})...)
	statements = append(statements, keyed(b, accountByID, keysOf(accounts, r.accounts), func(c columns) error {
		a := readAccount(c).account()
		r.accounts[a.ID] = &a
		return nil
	})...)
	return append(statements, keyed(b, environmentByID, keysOf(environments, r.environments), func(c columns) error {
		e := readEnvironment(c).environment()
		r.environments[e.ID] = &e
		return nil
	})...)
}

// know keeps what the row of a caller brings.
func (r *reading) know(id token.Identity) {
	if id.User != nil {
		if r.owners[id.User.ID].User == nil {
			r.owners[id.User.ID] = token.Identity{User: id.User}
		}
	}
	if id.Account != nil {
		r.accounts[id.Account.ID] = id.Account
	}
	if id.Environment != nil {
		r.environments[id.Environment.ID] = id.Environment
	}
}

// caller is the credential as it is now, nothing if it is gone.
func (r *reading) caller(p token.Permit) token.Identity {
	if p.Token != 0 {
		return r.callers[p.Token]
	}
	return r.owners[p.UserID]
}

// facts are shared by the creations that depend on the same.
func (r *reading) facts(n *creation) token.Facts {
	own := n.reading
	return token.Facts{
		User: r.owners[n.Token.UserID].User, Account: r.accounts[n.account],
		Environment: r.environments[n.Token.EnvironmentID],
		Held:        int(own.held), Entry: own.entry, NameTaken: n.Token.Name != "" && own.named > 0,
	}
}
