package store

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// statementsOf are all that requests and background tasks run on a table of any size, with arguments.
func statementsOf(d *DB) map[string]statement {
	hash, ref := fillerRow(5).SecretHash, token.Ref{Dialect: token.Muninx, ID: "id-8"}
	number := token.Ref{Dialect: token.Unleash, ID: "8"}
	all := map[string]statement{
		"the row of a secret":     {text: bySecret + " = $1", args: []any{hash}},
		"the row of a credential": {text: bySeq + " = $1", args: []any{int64(7)}},
		"a user and its account":  {text: byUserID + " = $1", args: []any{int64(1)}},
		"the user of a subject":   {text: bySubject, args: []any{"https://issuer.example", "subject"}},
		"an account":              {text: accountByID + " = $1", args: []any{"a0"}},
		"an environment":          {text: environmentByID + " = $1", args: []any{"e0"}},
		"a token":                 byRef(ref, nil),
		"a token by its number":   byRef(number, nil),
		"a token to be changed":   {text: tokenBySeq, args: []any{int64(7)}},
		"a change":                {text: storeUpdate, args: []any{"active", true, true, int64(1), nil, int64(7)}},
		"terms":                   {text: storeTerms, args: []any{"name", true, int64(1), true, int64(7)}},
		"a rotation": {text: storeSecrets, args: []any{hash, "key", int64(1), int64(2), int64(3), int64(4), hash, "key",
			int64(5), int64(6), int64(7), int64(8), int64(9), int64(7)}},
		"a replaced secret":               {text: byReplaced, args: []any{hash}},
		"a use of a previous secret":      {text: numbered(touchPrevious), args: []any{int64(1), hash, int64(1)}},
		"previous secrets that were used": {text: strings.Replace(previousRows, "?", "($1, $2)", 1) + d.backend.lockRows, args: []any{hash, hash}},
		"previous secrets in a list":      {text: dry(d, standingsQueries[3], map[string]any{"list": 1})},
		"former secrets in a list":        {text: dry(d, standingsQueries[4], map[string]any{"list": 1})},
		"previous secrets of tokens":      {text: dry(d, standingsOf[1], []int64{7, 8})},
		"former secrets of tokens":        {text: dry(d, standingsOf[2], []int64{7, 8})},
		"whether there is a stranger":     strangers(d.dialects),
		"what a user holds":               {text: holdings, args: []any{"name", "muninx", int64(2)}},
		"what an account holds":           {text: heldByAccount, args: []any{"apitoken", "a0", int64(1000)}},
		"times of use":                    {text: dry(d, d.touchStatement(2), 7, 5, 8, 5)},
		"what changed in status lists":    {text: dry(d, standings+"t.seq IN ?", []int64{7, 8})},
		"whether there is a list":         {text: "SELECT seq FROM tokens WHERE status_list = 1 LIMIT 1"},
		"a page of users":                 {text: "SELECT * FROM users WHERE id > 1 ORDER BY id LIMIT 50"},
		"a page of accounts":              {text: "SELECT * FROM accounts WHERE id > 'a' ORDER BY id LIMIT 50"},
		"a page of environments":          {text: "SELECT * FROM environments WHERE id > 'e' ORDER BY id LIMIT 50"},
		"the enabled admins":              {text: "SELECT * FROM users WHERE " + enabledAdmins + " ORDER BY id"},
	}
	for name, q := range map[string]token.EventQuery{
		"events":              {Action: "token.create", Since: time.UnixMilli(1)},
		"events about a user": {Object: "user:1"},
		"events of an actor":  {Actor: "user:2", After: 5},
		"an export":           {Ascending: true, After: 5},
	} {
		q.Limit = pageSize
		text, args := eventPage(q)
		all[name] = statement{text: text, args: args}
	}
	all["the last step of the log"] = statement{text: lastStep}
	all["a step of the log"] = statement{text: stepAt, args: []any{int64(7)}}
	all["a hash of the log"] = statement{text: oneHash, args: []any{int64(7)}}
	all["steps of an event"] = statement{text: stepsOf, args: []any{int64(7)}}
	all["what is to come into the log"] = d.backend.waiting(&extension{}, 10)
	if d.backend.arrays {
		all["the rows of secrets"] = statement{text: bySecret + " = ANY($1)", args: []any{[][]byte{hash, hash}}}
		all["the rows of credentials"] = statement{text: bySeq + " = ANY($1)", args: []any{[]int64{7, 8}}}
	}
	for name, q := range map[string]token.Query{
		"what somebody made":  {CreatedBy: 2, NotOwnedBy: 2},
		"what a key signed":   {KeyID: "key 1", Dialect: token.APIToken},
		"what somebody has":   {Owner: &token.Owner{UserID: 99, AccountID: "x"}},
		"what works of a key": {KeyID: "key 1", Usable: new(true), Keys: []string{"key 1"}, Now: time.UnixMilli(5)},
	} {
		q.Limit = pageSize
		text, args := page(q, d.dialects)
		all[name] = statement{text: text, args: args}
	}
	return all
}

// dry is a statement of GORM with its arguments in it.
func dry(d *DB, text string, args ...any) string {
	return d.reader.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Raw(text, args...) })
}

// numbered has $1, $2 and so on for the parameters.
func numbered(text string) string {
	for i := 1; strings.Contains(text, "?"); i++ {
		text = strings.Replace(text, "?", fmt.Sprintf("$%d", i), 1)
	}
	return text
}

// whole are the words of both databases for a table that is read from one end to the other.
var whole = regexp.MustCompile(
	`(?m)Seq Scan on|SCAN (t|u|a|e|f|tokens|users|accounts|environments|former_secrets|audit_events|audit_log)$`)

// TestPlans: no statement reads more of a table than the rows that it is about.
func TestPlans(t *testing.T) {
	onBothOfSize(t, 2000, 20_000, func(t *testing.T, d *DB) {
		Exec(t, d, "UPDATE tokens SET signing_key = 'key ' || (seq % 1000) WHERE dialect = 'apitoken'")
		Exec(t, d, "UPDATE tokens SET created_by = seq % 1000, minted_by = seq % 997")
		manyOwners(t, d)
		manySecrets(t, d)
		manyEvents(t, d)
		if d.Shared() {
			Exec(t, d, "ANALYZE")
		}
		for name, s := range statementsOf(d) {
			plan := explain(t, d, s.text, s.args)
			byDialect := name != "whether there is a stranger" || strings.Contains(plan, "tokens_live_dialect")
			if whole.MatchString(plan) || !byDialect {
				t.Errorf("%s:\n%s\n%s", name, s.text, plan)
			}
		}
	})
}

// manySecrets are previous and former ones.
func manySecrets(t *testing.T, d *DB) {
	t.Helper()
	other := "substr(secret_hash, 1, 31) || x'ff'" // SQLite joins bytes to a text
	bytes := "CAST(%s AS BLOB)"
	if d.Shared() {
		other, bytes = `substr(secret_hash, 1, 31) || '\xff'::bytea`, "%s"
	}
	other = fmt.Sprintf(bytes, other)
	Exec(t, d, "INSERT INTO former_secrets SELECT secret_hash, seq, seq, seq FROM tokens WHERE seq % 2 = 0")
	Exec(t, d, "UPDATE tokens SET previous_list = seq, previous_index = seq, previous_ends_at = 5, previous_hash = "+other+
		" WHERE dialect = 'apitoken'")
}

const ofTokensAndEvents = " AND tbl_name IN ('tokens', 'audit_events', 'audit_log')"

// manyEvents are by many, about many things, and in a log of many steps.
func manyEvents(t *testing.T, d *DB) {
	t.Helper()
	none, count := "x''", "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
	if d.Shared() {
		none = "CAST('' AS bytea)"
	}
	Exec(t, d, `INSERT INTO audit_events
		(at, actor, credential, action, object, dialect, address, agent, request, before, after) `+count+`
		SELECT i, 'user:' || (i % 997), '', 'token.create', 'user:' || (i % 991), '', '', '', '', '', '' FROM n`)
	Exec(t, d, "INSERT INTO audit_log (first, size, hash, highest, events, hashes, checkpoint) "+count+
		"SELECT i, i + 1, 2 * i, i + 1, "+none+", "+none+", '' FROM n")
	if d.backend.queues {
		Exec(t, d, "INSERT INTO audit_pending (first, events) "+count+"SELECT i, ARRAY[i] FROM n")
	}
}

// manyOwners are enough for an index to be worth its while.
func manyOwners(t *testing.T, d *DB) {
	t.Helper()
	var users []userRow
	var accounts []accountRow
	var environments []environmentRow
	for i := range 3000 {
		id := fmt.Sprintf("%032d", i)
		users = append(users, userRow{AdminID: "many " + id, Issuer: "https://issuer.example", Subject: id, Role: "member"})
		accounts = append(accounts, accountRow{ID: id})
		environments = append(environments, environmentRow{ID: id, AccountID: id})
	}
	for _, rows := range []any{users, accounts, environments} {
		if err := d.writer.WithContext(t.Context()).CreateInBatches(rows, 500).Error; err != nil {
			t.Fatal(err)
		}
	}
}

// TestIndexesAreNeeded: each index is in a plan, or keeps something unique.
func TestIndexesAreNeeded(t *testing.T) {
	onBothOfSize(t, 2000, 20_000, func(t *testing.T, d *DB) {
		Exec(t, d, "UPDATE tokens SET signing_key = 'key ' || (seq % 1000) WHERE dialect = 'apitoken'")
		Exec(t, d, "UPDATE tokens SET created_by = seq % 1000 WHERE seq % 4 <> 1")
		Exec(t, d, "UPDATE tokens SET minted_by = seq % 997")
		Exec(t, d, "UPDATE tokens SET status_list = 1, status_index = seq WHERE dialect = 'apitoken'")
		Exec(t, d, "UPDATE tokens SET state = 'revoked' WHERE status_index % 1000 = 2")
		manyOwners(t, d)
		manySecrets(t, d)
		manyEvents(t, d)
		indexes := "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql NOT LIKE '%UNIQUE%'" + ofTokensAndEvents
		if d.Shared() {
			Exec(t, d, "ANALYZE")
			indexes = "SELECT indexname FROM (SELECT indexname, indexdef, tablename AS tbl_name FROM pg_indexes) AS i" +
				" WHERE indexdef NOT LIKE '%UNIQUE%'" + ofTokensAndEvents
		}
		var plans strings.Builder
		for _, s := range statementsOf(d) {
			plans.WriteString(explain(t, d, s.text, s.args))
		}
		for _, q := range []token.Query{
			{Dialect: token.Unleash}, {Dialect: token.Muninx, UserID: 99}, {Dialect: token.APIToken, AccountID: "x"},
			{Dialect: token.APIToken, EnvironmentID: "x"},
		} {
			q.Limit = pageSize
			plans.WriteString(plan(t, d, q))
		}
		plans.WriteString(explain(t, d, dry(d, standingsQueries[0], map[string]any{"list": 1}), nil))
		var names []string
		if err := d.reader.WithContext(t.Context()).Raw(indexes).Scan(&names).Error; err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !strings.Contains(plans.String(), name) {
				t.Errorf("%s is in no plan", name)
			}
		}
		if len(names) < 5 {
			t.Errorf("the indexes are %v", names)
		}
	})
}
