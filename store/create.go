package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokenwright/tokenwright/internal/token"
)

// creation is a token on its way into the database.
type creation struct {
	token.Insert
	account     string // on which the token depends
	entry       token.StatusEntry
	held, named int64 // see [holdings]
	row         tokenRow
}

// Create implements [token.Store].
func (d *DB) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	w, err := d.change(ctx, in.Permit.Urgent, func() work { return &creation{Insert: in} }, in.Alone)
	if err != nil {
		return token.Token{}, err
	}
	return w.(*creation).row.token(d.dialects) //nolint:forcetypeassert // as made above
}

func (n *creation) permit() token.Permit { return n.Permit }

// prepare finds the account of an environment that comes without, before any guard is taken: an environment never
// changes its account.
func (n *creation) prepare(d *DB) []statement {
	t := n.Token
	if n.account = t.AccountID; n.account != "" || t.EnvironmentID == "" {
		return nil
	}
	if account, ok := d.accountOf.Get(t.EnvironmentID); ok {
		n.account = account
		return nil
	}
	return keyed(d.backend, environmentByID, []string{t.EnvironmentID}, func(c columns) error {
		n.account = readEnvironment(c).AccountID
		d.accountOf.Add(t.EnvironmentID, n.account)
		return nil
	})
}

// guards are those of what the token depends on. An exclusive insert takes that of its user exclusively.
func (n *creation) guards() []guard {
	return []guard{
		{kind: guardedUser, key: n.Token.UserID, alone: n.Exclusive},
		{kind: guardedAccount, key: n.account},
		{kind: guardedEnvironment, key: n.Token.EnvironmentID},
	}
}

func (n *creation) facts() factKeys {
	return factKeys{n.Token.UserID, n.account, n.Token.EnvironmentID}
}

// holdings counts what a user holds, and how much of that has a name.
const holdings = `SELECT count(*), count(*) FILTER (WHERE name = $1) FROM tokens
	WHERE deleted_at IS NULL AND dialect = $2 AND user_id = $3`

func (n *creation) read(d *DB) (statements []statement) {
	t := n.Token
	if t.Dialect.PublishesStatus {
		statements = append(statements, statement{d.backend.nextEntry, nil, func(c columns) error {
			number := c.int()
			n.entry = token.StatusEntryOf(c.bytes(), number)
			return nil
		}})
	}
	if n.Exclusive {
		args := []any{t.Name, t.Dialect.Name, t.UserID}
		statements = append(statements, statement{holdings, args, func(c columns) error {
			n.held, n.named = c.int(), c.int()
			return nil
		}})
	}
	return statements
}

func (n *creation) decide(r *reading) ([]statement, error) {
	t := n.Token
	facts := token.Facts{
		User: r.owners[t.UserID].User, Account: r.accounts[n.account], Environment: r.environments[t.EnvironmentID],
		Held: int(n.held), Entry: n.entry, NameTaken: t.Name != "" && n.named > 0,
	}
	if err := refuse(n.Decide(&t, facts)); err != nil {
		return nil, err
	}
	n.row = tokenToRow(t)
	return []statement{{insertToken, n.row.values(), func(c columns) error {
		n.row.Seq = c.int()
		return nil
	}}}, nil
}

// insertToken inserts a row, to which the database gives the number.
var insertToken = func() string {
	names := namesOf(&tokenRow{})[1:]
	values := make([]string, len(names))
	for i := range values {
		values[i] = fmt.Sprintf("$%d", i+1)
	}
	return fmt.Sprintf("INSERT INTO tokens (%s) VALUES (%s) RETURNING seq",
		strings.Join(names, ", "), strings.Join(values, ", "))
}()
