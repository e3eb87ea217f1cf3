package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/tokenwright/tokenwright/internal/token"
)

var (
	accountByID     = "SELECT " + columnsOf("a", &accountRow{}) + " FROM accounts a WHERE a.id"
	environmentByID = "SELECT " + columnsOf("e", &environmentRow{}) + " FROM environments e WHERE e.id"
)

// reading is what changes depend on, read after the guards that keep it unchanged were taken. What several need is
// read once.
type reading struct {
	db   *DB
	jobs []*job[work] // without those that are left out
	wait bool

	inserted []*tokenRow // rows of creates that were decided
	events   []*eventRow // of all changes that were decided
	updates  bool        // whether rows are to be changed

	guards  []guard
	refused map[advisory]bool // that others hold
	*shared
}

// shared are rows on which several changes of a transaction may depend.
type shared struct {
	callers      map[int64]token.Identity
	owners       map[int64]token.Identity // users with their home accounts
	accounts     map[string]*token.Account
	environments map[string]*token.Environment
}

func newShared() *shared {
	return &shared{
		callers: map[int64]token.Identity{}, owners: map[int64]token.Identity{},
		accounts: map[string]*token.Account{}, environments: map[string]*token.Environment{},
	}
}

// newReading leaves out who needs a thing alone that another one needs, too.
func newReading(d *DB, all []*job[work], wait bool, known *shared) *reading {
	r := &reading{db: d, wait: wait, shared: known}
	taken := map[advisory]bool{} // whether alone
	for _, j := range all {
		guards := guardsOf(j.work)
		if clash(taken, guards) {
			j.err = errAlone
			continue
		}
		for _, g := range guards {
			taken[g.advisory()] = g.alone
		}
		r.guards = append(r.guards, guards...)
		r.jobs = append(r.jobs, j)
	}
	// Rows are written in the order of their numbers, as by those who store times of use, so that nobody waits for
	// somebody who waits for them.
	slices.SortStableFunc(r.jobs, func(a, b *job[work]) int { return cmp.Compare(a.work.number(), b.work.number()) })
	r.guards = inOrder(r.guards)
	return r
}

func guardsOf(w work) []guard { return inOrder(append(permitGuards(w.permit()), w.guards()...)) }

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
	statements := slices.Concat(before, r.takeGuards())
	for _, j := range r.jobs {
		statements = append(statements, j.work.read(r.db)...)
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
	return r.db.backend.take(r.guards, r.wait, func(i int) { r.refused[r.guards[i].advisory()] = true })
}

// leaveOut leaves out whose guards others hold.
func (r *reading) leaveOut() {
	if len(r.refused) == 0 {
		return
	}
	kept := r.jobs[:0]
	for _, j := range r.jobs {
		if clash(r.refused, guardsOf(j.work)) {
			j.err = errAlone
		} else {
			kept = append(kept, j)
		}
	}
	r.jobs = kept
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
		p, f := j.work.permit(), j.work.facts()
		brought := first && p.Token != 0
		if p.Judge != nil && p.Token != 0 {
			tokens = append(tokens, p.Token)
		} else if p.Judge != nil {
			users = append(users, p.UserID)
		}
		if !brought || f.user != p.UserID {
			users = append(users, f.user)
		}
		if !brought || f.account != p.AccountID {
			accounts = append(accounts, f.account)
		}
		if !brought || f.environment != p.EnvironmentID {
			environments = append(environments, f.environment)
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
