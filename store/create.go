package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/tokenwright/tokenwright/internal/token"
)

// creation is a token on its way into the database.
type creation struct {
	token.Insert
	origin      token.Origin
	account     string // on which the token depends
	entry       token.StatusEntry
	claiming    claiming
	order       int64 // the number of the entry
	counts      bool  // what the account holds
	held, named int64 // see [holdings]
	row         tokenRow
}

// Create implements [token.Store].
func (d *DB) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	fresh := func() work {
		return &creation{Insert: in, origin: token.OriginOf(ctx), claiming: claiming{Claim: in.Claim}}
	}
	w, err := d.change(ctx, in.Permit.Urgent, fresh, in.Alone)
	if err != nil {
		return token.Token{}, err
	}
	return w.(*creation).row.token(d.dialects) //nolint:forcetypeassert // as made above
}

func (n *creation) permit() token.Permit { return n.Permit }
func (n *creation) number() int64        { return 0 }

// prepare finds the account of an environment that comes without, before any guard is taken: an environment never
// changes its account.
func (n *creation) prepare(d *DB) []statement {
	t := n.Token
	if n.account = t.AccountID; n.account == "" && t.EnvironmentID != "" {
		n.account, _ = d.accountOf.Get(t.EnvironmentID)
	}
	if n.account != "" || t.EnvironmentID == "" {
		n.choose(d)
		return nil
	}
	n.choose(d) // in case there is no such environment
	return keyed(d.backend, environmentByID, []string{t.EnvironmentID}, func(c columns) error {
		n.account = readEnvironment(c).AccountID
		d.accountOf.Add(t.EnvironmentID, n.account)
		n.choose(d)
		return nil
	})
}

// choose decides whether what the account holds has to be counted. Without a number of the token it has to.
func (n *creation) choose(d *DB) {
	n.counts = n.Most > 0 && !(n.Token.Dialect.PublishesStatus && d.holdings.surelyBelow(n.holder(), n.Most))
}

func (n *creation) holder() holder { return holder{n.account, n.Token.Dialect.Name} }

// guards are those of what the token depends on. An exclusive insert takes that of its user exclusively, and one that
// counts that of its account.
func (n *creation) guards() []guard {
	return []guard{
		{kind: guardedUser, key: n.Token.UserID, alone: n.Exclusive},
		{kind: guardedAccount, key: n.account, alone: n.counts},
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
	statements = n.claiming.read(d)
	if t.Dialect.PublishesStatus {
		statements = append(statements, d.takeEntry(func(number int64, entry token.StatusEntry) {
			n.order, n.entry = number, entry
		}))
	}
	if n.counts {
		args := []any{t.Dialect.Name, n.account, int64(n.Most)}
		statements = append(statements, statement{heldByAccount, args, func(c columns) error {
			n.held = c.int()
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

// takeEntry takes an entry that no other secret gets.
func (d *DB) takeEntry(keep func(number int64, entry token.StatusEntry)) statement {
	return statement{d.backend.nextEntry, nil, func(c columns) error {
		number := c.int()
		keep(number, token.StatusEntryOf(c.bytes(), number))
		return nil
	}}
}

func (n *creation) decide(r *reading) ([]statement, error) {
	if err := refuse(n.claiming.refusal()); err != nil {
		return nil, err
	}
	if !n.within(r.db.holdings) {
		return nil, errAlone
	}
	t := n.Token
	facts := token.Facts{
		User: r.owners[t.UserID].User, Account: r.accounts[n.account], Environment: r.environments[t.EnvironmentID],
		Held: int(n.held), Entry: n.entry, NameTaken: t.Name != "" && n.named > 0,
	}
	if err := refuse(n.Decide(&t, facts)); err != nil {
		return nil, err
	}
	n.row = tokenToRow(t)
	r.inserted = append(r.inserted, &n.row)
	return n.claiming.write(t)
}

// within is false if the account has to be counted and was not.
func (n *creation) within(known *holdingsOfAccounts) bool {
	switch {
	case n.Most == 0 || !n.Token.Dialect.PublishesStatus:
		return true
	case n.counts:
		known.counted(n.holder(), n.order, n.held)
		return true
	}
	return known.allows(n.holder(), n.order, n.Most)
}

func (n *creation) event() *eventRow {
	e := eventOf(n.Permit, n.origin, "token", "create")
	e.about(&tokenRow{}, &n.row)
	return &e
}

// insertToken inserts a row, to which the database gives the number; insertTokens inserts the rows of which its
// parameters are the columns, in no particular order.
var insertToken, insertTokens = func() (one, many string) {
	row := reflect.TypeFor[tokenRow]()
	names := namesOf(&tokenRow{})[1 : row.NumField()-1] // without what rotations write
	values, arrays := make([]string, len(names)), make([]string, len(names))
	for i := range names {
		values[i] = fmt.Sprintf("$%d", i+1)
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, postgresTypes[row.Field(i+1).Type])
	}
	into := fmt.Sprintf("INSERT INTO tokens (%s) ", strings.Join(names, ", "))
	return into + fmt.Sprintf("VALUES (%s)", strings.Join(values, ", ")),
		into + fmt.Sprintf("SELECT * FROM unnest(%s) RETURNING seq, secret_hash", strings.Join(arrays, ", "))
}()

// postgresTypes are the types of columns for those of members.
var postgresTypes = map[reflect.Type]string{
	reflect.TypeFor[string](): "text", reflect.TypeFor[*string](): "text", reflect.TypeFor[[]byte](): "bytea",
	reflect.TypeFor[int64](): "bigint", reflect.TypeFor[*int64](): "bigint", reflect.TypeFor[bool](): "boolean",
}

// insertEach inserts the rows one by one into SQLite, where RETURNING would make a temporary table of what it returns.
func insertEach(rows []*tokenRow) (statements []statement) {
	for _, row := range rows {
		statements = append(statements, statement{text: insertToken, args: row.values()},
			statement{"SELECT last_insert_rowid()", nil, row.number})
	}
	return statements
}

func (r *tokenRow) number(c columns) error {
	r.Seq = c.int()
	return nil
}

// insertAll inserts the rows into PostgreSQL with one statement.
func insertAll(rows []*tokenRow) []statement {
	switch len(rows) {
	case 0:
		return nil
	case 1:
		return []statement{{insertToken + " RETURNING seq", rows[0].values(), rows[0].number}}
	}
	columnsOfRows := make([][]any, len(rows[0].values()))
	byHash := make(map[token.Hash]*tokenRow, len(rows))
	for _, row := range rows {
		byHash[token.Hash(row.SecretHash)] = row
		for i, value := range row.values() {
			columnsOfRows[i] = append(columnsOfRows[i], value)
		}
	}
	args := make([]any, len(columnsOfRows))
	for i, column := range columnsOfRows {
		args[i] = column
	}
	return []statement{{insertTokens, args, func(c columns) error {
		seq := c.int()
		byHash[token.Hash(c.bytes())].Seq = seq
		return nil
	}}}
}
