package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

var (
	tokenColumns = "SELECT " + columnsOf("t", &tokenRow{}) + " "
	tokenRows    = tokenColumns + "FROM tokens t WHERE "
	tokenBySeq   = tokenRows + "t.seq = $1 "
	tokenByID    = tokenRows + "t.dialect = $1 AND t.public_id = $2"
	// tokenByNumber is for dialects whose ids are numbers.
	tokenByNumber = tokenRows + "t.dialect = $1 AND t.seq = $2 AND t.public_id IS NULL"
)

// byRef finds the row with the public id, or with the row's own number.
func byRef(ref token.Ref, each func(columns) error) statement {
	seq, err := strconv.ParseInt(ref.ID, 10, 64)
	if err == nil && strconv.FormatInt(seq, 10) == ref.ID {
		return statement{tokenByNumber, []any{ref.Dialect.String(), seq}, each}
	}
	return statement{tokenByID, []any{ref.Dialect.String(), ref.ID}, each}
}

// Find implements [token.Store].
func (d *DB) Find(ctx context.Context, ref token.Ref) (token.Token, error) {
	var last *one[token.Token]
	err := d.ask(ctx, func() []statement {
		answer := &one[token.Token]{err: gorm.ErrRecordNotFound}
		last = answer
		return []statement{byRef(ref, func(c columns) error {
			row := readToken(c)
			answer.value, answer.err = row.token(d.dialects)
			return nil
		})}
	})
	if err != nil {
		return token.Token{}, err
	}
	return last.value, d.translate(ctx, last.err)
}

// List implements [token.Store].
func (d *DB) List(ctx context.Context, q token.Query) ([]token.Token, error) {
	var tokens []token.Token
	statements := func() []statement {
		tokens = make([]token.Token, 0, q.Limit)
		return d.pageInto(&tokens, q)
	}
	var err error
	if quick(q) {
		err = d.ask(ctx, statements)
	} else {
		err = d.readOnConn(ctx, statements()...)
	}
	if err != nil {
		return nil, err
	}
	return tokens, nil
}

func (d *DB) pageInto(tokens *[]token.Token, q token.Query) []statement {
	text, args := page(q, d.dialects)
	statements := []statement{{text, args, func(c columns) error {
		row := readToken(c)
		t, err := row.token(d.dialects)
		*tokens = append(*tokens, t)
		return err
	}}}
	if ofAllDialects(q) {
		statements = append(statements, strangers(d.dialects))
	}
	return statements
}

// quick reports whether the page is a range of an index, of which no row is left out, so that it takes a bounded time.
func quick(q token.Query) bool {
	return q.Scope == "" && q.State == "" && q.CreatedBy == 0 && q.NotOwnedBy == 0 && q.KeyID == "" && q.Usable == nil &&
		(q.AccountID == "" || q.EnvironmentID == "") && q.Limit <= mostQuick
}

// mostQuick is how many rows of a page are read quickly.
const mostQuick = 101

// page is one range of an index: it begins where the previous page ended, so that no page costs more than the first.
// Without a filter that has an index of its own it is one range for each dialect, and the first of what these have.
func page(q token.Query, known token.Dialects) (text string, args []any) {
	w := filter{text: "t.deleted_at IS NULL"}
	if q.Dialect != nil {
		w.and("t.dialect = " + literal(q.Dialect.Name))
	}
	w.equal("t.user_id", q.UserID)
	w.equal("t.account_id", q.AccountID)
	w.equal("t.environment_id", q.EnvironmentID)
	w.equal("t.scope", string(q.Scope))
	if q.CreatedBy != 0 {
		w.and(madeBy, q.CreatedBy)
	}
	if q.NotOwnedBy != 0 {
		w.and("(t.user_id IS NULL OR t.user_id <> ?)", q.NotOwnedBy)
	}
	w.equal("t.signing_key", q.KeyID)
	w.state(q)
	w.usable(q)
	order := " ORDER BY t.seq DESC"
	after := "t.seq < ?"
	if q.Ascending {
		order, after = " ORDER BY t.seq", "t.seq > ?"
	}
	if q.After != 0 {
		w.and(after, q.After)
	}
	order += " LIMIT " + strconv.Itoa(q.Limit)
	if ofAllDialects(q) {
		return tokenColumns + w.ofEach(known, q.Owner, order), w.args
	}
	if o := q.Owner; o != nil {
		w.and("(t.user_id = ? OR t.account_id = ? AND (? = '' OR t.environment_id = ?))",
			o.UserID, o.AccountID, o.EnvironmentID, o.EnvironmentID)
	}
	return tokenRows + w.text + order, w.args
}

// ofEach selects the first rows among the first of each dialect, of the owner if there is one.
func (w *filter) ofEach(known token.Dialects, o *token.Owner, order string) string {
	ranges := make([]string, len(known))
	for i, dialect := range known {
		of := filter{text: w.text, args: w.args}
		of.owner(dialect, o)
		ranges[i] = fmt.Sprintf("SELECT * FROM (SELECT t.seq FROM tokens t WHERE t.dialect = %s AND %s%s) AS r%d",
			literal(dialect.Name), of.text, order, i)
		w.args = of.args
	}
	return fmt.Sprintf("FROM (SELECT * FROM (%s) AS t%s) AS first JOIN tokens t ON t.seq = first.seq%s",
		strings.Join(ranges, " UNION ALL "), order, order)
}

// owner narrows to what the owner has of a dialect, which is in an index of its own.
func (w *filter) owner(d *token.Dialect, o *token.Owner) {
	switch {
	case o == nil:
	case d.OwnedByUser:
		w.and("t.user_id = ?", o.UserID)
	case o.EnvironmentID != "":
		w.and("t.account_id = ? AND t.environment_id = ?", o.AccountID, o.EnvironmentID)
	default:
		w.and("t.account_id = ?", o.AccountID)
	}
}

// strangers looks for a dialect between the known ones: a list of all dialects without its tokens would seem to be
// whole. Each gap is a look into the index of dialects.
func strangers(known token.Dialects) statement {
	var gaps []string
	add := func(gap string) {
		of := "SELECT * FROM (SELECT dialect FROM tokens WHERE deleted_at IS NULL AND %s LIMIT 1) AS g%d"
		gaps = append(gaps, fmt.Sprintf(of, gap, len(gaps)))
	}
	above := ""
	for _, name := range slices.Sorted(slices.Values(known.Names(func(*token.Dialect) bool { return true }))) {
		add(above + "dialect < " + literal(name))
		above = "dialect > " + literal(name) + " AND "
	}
	add(strings.TrimSuffix(above, " AND "))
	return statement{strings.Join(gaps, " UNION ALL "), nil, func(c columns) error {
		return fmt.Errorf("there are tokens of the unknown dialect %q", c.text())
	}}
}

// ofAllDialects reports whether the page is read from the lists of each dialect, see [page].
func ofAllDialects(q token.Query) bool { return q.Dialect == nil && q.KeyID == "" && q.CreatedBy == 0 }

// literal is the name of a dialect in a statement. It is no parameter, and neither is a limit, because PostgreSQL would
// plan a statement anew for each of their values: how many rows there are depends on them.
func literal(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }

// filter is the condition of a statement.
type filter struct {
	text string
	args []any
}

// and adds a condition, in which each ? is a parameter, or a list of them where the argument is one.
func (w *filter) and(condition string, args ...any) {
	w.text += " AND "
	for _, arg := range args {
		before, after, _ := strings.Cut(condition, "?")
		w.text += before
		condition = after
		list, ok := arg.([]string)
		if !ok {
			w.parameter(arg)
			continue
		}
		w.text += "(NULL"
		for _, value := range list {
			w.text += ", "
			w.parameter(value)
		}
		w.text += ")"
	}
	w.text += condition
}

func (w *filter) parameter(arg any) {
	w.args = append(w.args, arg)
	w.text += "$" + strconv.Itoa(len(w.args))
}

// equal narrows to rows with the value, unless the value is the zero one.
func (w *filter) equal(column string, value any) {
	if value != "" && value != int64(0) {
		w.and(column+" = ?", value)
	}
}

// usable says in SQL what [token.Verdict.Usable] says in Go.
const usable = `(t.state = 'active' AND (t.expires_at IS NULL OR t.expires_at > ?)
	AND (t.signing_key IS NULL OR t.signing_key IN ?)
	AND (t.user_id IS NULL OR EXISTS
		(SELECT 1 FROM users u WHERE u.id = t.user_id AND NOT u.disabled AND u.account_id IS NOT NULL))
	AND (t.account_id IS NULL OR EXISTS (SELECT 1 FROM accounts a WHERE a.id = t.account_id AND NOT a.disabled))
	AND (t.environment_id IS NULL OR EXISTS
		(SELECT 1 FROM environments e WHERE e.id = t.environment_id AND NOT e.disabled)))`

func (w *filter) usable(q token.Query) {
	if q.Usable == nil {
		return
	}
	condition := usable
	if !*q.Usable {
		condition = "NOT coalesce(" + usable + ", false)"
	}
	w.and(condition, q.Now.UnixMilli(), q.Keys)
}

// madeBy are the tokens that a user created, directly or through those tokens: a token created by an account's token
// records that token, not a user, as its creator. Tokens that another user created with a credential count as that
// user's, whoever created the credential.
const madeBy = `t.seq IN (WITH RECURSIVE made (seq) AS (SELECT seq FROM tokens WHERE created_by = ?
	UNION SELECT t.seq FROM tokens t JOIN made ON t.minted_by = made.seq WHERE t.created_by IS NULL) SELECT seq FROM made)`

// state says in SQL what [token.Token.StateAt] says in Go, so that the page is full.
func (w *filter) state(q token.Query) {
	switch q.State {
	case "":
	case token.Revoked:
		w.and("t.state = ?", string(q.State))
	case token.Expired:
		w.and("t.state <> ? AND t.expires_at <= ?", string(token.Revoked), q.Now.UnixMilli())
	default:
		w.and("t.state = ? AND (t.expires_at IS NULL OR t.expires_at > ?)", string(q.State), q.Now.UnixMilli())
	}
}
