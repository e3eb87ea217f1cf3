package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tokenwright/tokenwright/internal/token"
)

// The statements that are written out do what GORM would do with the same rows.

// varied fills in, of all members of a token that are not needed, some.
func varied(r *rand.Rand, i int) tokenRow {
	row := fillerRow(i)
	some := func() bool { return r.IntN(2) == 0 }
	row.Name, row.RoleLimit = fmt.Sprintf("naïve ' %d \\ 名", r.IntN(5)), []string{"", "member"}[r.IntN(2)]
	row.State = []string{"active", "suspended", "revoked"}[r.IntN(3)]
	row.SuspendedByAdmin, row.Introspector, row.UpdatedAt = some(), some(), r.Int64N(100)
	for _, column := range []**int64{&row.CreatedBy, &row.ExpiresAt, &row.LastUsedAt} {
		if some() {
			*column = new(r.Int64N(9) + 1)
		}
	}
	for _, column := range []**string{&row.CreatedByAdminID, &row.SigningKey} {
		if some() {
			*column = new(fmt.Sprintf("key %d", r.IntN(2)))
		}
	}
	if row.Dialect == token.APIToken.Name {
		row.StatusList, row.StatusIndex = new(int64(i)), new(r.Int64N(1000))
	}
	if row.SelfRotation = some(); some() {
		row.Rotation = variedRotation(r, row)
	}
	if i > 8 && some() {
		row.MintedBy = new(r.Int64N(8) + 1)
	}
	return row
}

// variedRotation is that of a token which was rotated.
func variedRotation(r *rand.Rand, of tokenRow) rotationRow {
	hash := slices.Clone(of.SecretHash)
	hash[31] = 1
	row := rotationRow{Rotations: r.Int64N(3) + 1, RotatedAt: new(r.Int64N(9) + 1)}
	if r.IntN(2) == 0 {
		return row // cancelled or finished
	}
	row.PreviousHash, row.PreviousKey, row.PreviousEndsAt = &hash, of.SigningKey, new(r.Int64N(9)+1)
	row.PreviousList, row.PreviousIndex = of.StatusList, of.StatusIndex
	if r.IntN(2) == 0 {
		row.PreviousRotatedAt, row.PreviousUsedAt = new(r.Int64N(9)+1), new(r.Int64N(9)+1)
	}
	return row
}

// variedDB has every kind of token.
func variedDB(t *testing.T, d *DB) []tokenRow {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]tokenRow, 200)
	for i := range rows {
		rows[i] = varied(r, i+1000)
	}
	if err := d.writer.WithContext(t.Context()).Create(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRowsAsGORMReadsThem: each row, with what it depends on.
func TestRowsAsGORMReadsThem(t *testing.T) {
	onBoth(t, 8, func(t *testing.T, d *DB) {
		for _, row := range variedDB(t, d) {
			want := twinIdentity(t, d, row)
			want.Secret = token.Hash(row.SecretHash)
			got, err := d.FindSecret(t.Context(), token.Hash(row.SecretHash))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("found %+v, %v; GORM %+v", got, err, want)
			}
			if row.Rotation.PreviousHash != nil {
				want.Secret = token.Hash(*row.Rotation.PreviousHash)
				got, err := d.FindSecret(t.Context(), want.Secret)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("by its previous secret, found %+v, %v; GORM %+v", got, err, want)
				}
			}
			found, err := d.Find(t.Context(), want.Token.Ref())
			if err != nil || found != *want.Token {
				t.Errorf("found %+v, %v; GORM %+v", found, err, want.Token)
			}
		}
	})
}

// twinIdentity is read row by row.
func twinIdentity(t *testing.T, d *DB, row tokenRow) token.Identity {
	t.Helper()
	tx := d.reader.WithContext(t.Context())
	again, err := byKey[tokenRow](tx, row.Seq)
	if err != nil || !reflect.DeepEqual(again, row) {
		t.Fatalf("GORM wrote %+v and read %+v, %v", row, again, err)
	}
	id, err := d.callerNow(tx, token.Permit{Token: row.Seq})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestInsertsAsGORMInsertsThem: a row that is read and inserted again under another number and key is the same.
func TestInsertsAsGORMInsertsThem(t *testing.T) {
	onBoth(t, 8, func(t *testing.T, d *DB) {
		for i, row := range variedDB(t, d) {
			want := row
			want.Rotation = rotationRow{} // which no new token has
			want.SecretHash[0], want.StatusList = 0xff, orNull(orZero(row.StatusList)+int64(i)*1000)
			if want.StatusList == nil || row.StatusList == nil {
				want.StatusList, want.StatusIndex = nil, nil
			}
			if row.PublicID != nil {
				want.PublicID = new("again " + *row.PublicID)
			}
			err := d.onConn(t.Context(), d.writer, func(c conn) error {
				return c.run(t.Context(), d.backend.insert([]*tokenRow{&want})...)
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := byKey[tokenRow](d.reader.WithContext(t.Context()), want.Seq)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("GORM reads %+v, %v, want %+v", got, err, want)
			}
		}
	})
}

// TestUpdatesAsGORMUpdatesThem: what is stored of a change, and nothing else.
func TestUpdatesAsGORMUpdatesThem(t *testing.T) {
	onBoth(t, 8, func(t *testing.T, d *DB) {
		for i, row := range variedDB(t, d) {
			want := row
			want.State, want.SuspendedByAdmin, want.Introspector = "suspended", i%2 == 0, i%3 == 0
			want.UpdatedAt, want.DeletedAt = 77, nil
			if i%5 == 0 {
				want.DeletedAt = new(int64(88))
			}
			if i%7 < 3 {
				want.Name, want.ExpiresAt, want.SelfRotation = fmt.Sprintf("new ' %d", i), new(int64(99)), !row.SelfRotation
			}
			if i%11 < 5 {
				want.SecretHash = append([]byte{0xfe}, row.SecretHash[1:]...)
				want.SigningKey, want.Rotation = new("key 3"), variedRotation(rand.New(rand.NewPCG(5, uint64(i))), want)
				want.StatusList, want.StatusIndex = new(int64(5000+i)), new(int64(i))
			}
			to, err := want.token(d.dialects)
			if err != nil {
				t.Fatal(err)
			}
			ref := token.Ref{Dialect: d.dialects.Named(row.Dialect), ID: *row.PublicID}
			_, err = d.Update(t.Context(), token.Permit{}, ref, func(t *token.Token) error {
				*t = to
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want.SecretHash, row.SecretHash) {
				sameFormer(t, d, row)
			}
			got, err := byKey[tokenRow](d.reader.WithContext(t.Context()), row.Seq)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("GORM reads %+v, %v, want %+v", got, err, want)
			}
		}
	})
}

// sameFormer fails the test unless the secret that the row had is a former one.
func sameFormer(t *testing.T, d *DB, row tokenRow) {
	t.Helper()
	want := formerRow{row.SecretHash, row.Seq, row.StatusList, row.StatusIndex}
	var got formerRow
	err := d.reader.WithContext(t.Context()).Where("hash = ?", row.SecretHash).Take(&got).Error
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("GORM reads %+v, %v, want %+v", got, err, want)
	}
}

// TestEventsAsGORMInsertsThem: one by one and many together, and as they are read again.
func TestEventsAsGORMInsertsThem(t *testing.T) {
	onBoth(t, 8, func(t *testing.T, d *DB) {
		var rows []*eventRow
		for i := range 20 {
			text := func(name string) string { return fmt.Sprintf("naïve ' \" \\ %s %d", name, i) }
			rows = append(rows, &eventRow{
				At: int64(i), Actor: text("actor"), Credential: text("credential"), Action: text("action"), Object: text("object"),
				Dialect: text("dialect"), Address: text("address"), Agent: text("agent"), Request: text("request"),
				Before: text("before"), After: text("after"),
			})
		}
		for _, batch := range [][]*eventRow{rows[:1], rows[1:]} {
			err := d.onConn(t.Context(), d.writer, func(c conn) error { return c.run(t.Context(), d.backend.record(batch)...) })
			if err != nil {
				t.Fatal(err)
			}
		}
		var found []eventRow
		if err := d.reader.WithContext(t.Context()).Order("at").Find(&found).Error; err != nil {
			t.Fatal(err)
		}
		events, err := d.Events(t.Context(), token.EventQuery{Ascending: true, Limit: 100})
		if err != nil || len(found) != len(rows) || len(events) != len(rows) {
			t.Fatalf("GORM reads %d, and %d are read, %v", len(found), len(events), err)
		}
		byID, err := d.EventsWith(t.Context(), []int64{found[3].ID, found[4].ID})
		if err != nil || len(byID) != 2 {
			t.Fatal(byID, err)
		}
		for i, row := range found {
			want := *rows[i]
			want.ID = row.ID
			if !reflect.DeepEqual(row, want) {
				t.Errorf("GORM reads %+v, want %+v", row, want)
			}
			if e, ok := byID[row.ID]; ok && e != row.event() || !slices.Contains(events, row.event()) {
				t.Errorf("%+v is read as %+v", row, e)
			}
		}
	})
}

// TestListsAsGORMReadsThem compares pages of random queries.
func TestListsAsGORMReadsThem(t *testing.T) {
	onBoth(t, 100, func(t *testing.T, d *DB) {
		variedDB(t, d)
		r := rand.New(rand.NewPCG(3, 4))
		found := 0
		for range 500 {
			q := randomQuery(r)
			var rows []tokenRow
			if err := twinPage(d.reader.WithContext(t.Context()), q).Find(&rows).Error; err != nil {
				t.Fatal(err)
			}
			got, err := d.List(t.Context(), q)
			if err != nil || len(got) != len(rows) {
				t.Fatalf("%+v: %d tokens, %v; GORM %d", q, len(got), err, len(rows))
			}
			for i, row := range rows {
				if want, err := row.token(d.dialects); err != nil || got[i] != want {
					t.Fatalf("%+v: %+v, GORM %+v", q, got[i], want)
				}
			}
			found += len(got)
		}
		if found < 500 {
			t.Errorf("only %d tokens were found", found)
		}
	})
}

// randomQuery has few filters at once, so that something is found.
func randomQuery(r *rand.Rand) token.Query {
	q := token.Query{Limit: r.IntN(20) + 1, Now: time.UnixMilli(5), Ascending: r.IntN(2) == 0}
	filters := []func(){
		func() { q.Dialect = token.Published[r.IntN(3)] },
		func() { q.UserID = r.Int64N(2) + 1 },
		func() { q.AccountID = fmt.Sprintf("a%d", r.IntN(2)) },
		func() { q.EnvironmentID = fmt.Sprintf("e%d", r.IntN(2)) },
		func() { q.Scope = []token.Scope{token.ScopeUser, token.ScopeEnvironment}[r.IntN(2)] },
		func() {
			q.State = []token.State{token.Active, token.Suspended, token.Revoked, token.Expired}[r.IntN(4)]
		},
		func() { q.CreatedBy = r.Int64N(9) + 1 },
		func() { q.NotOwnedBy = r.Int64N(2) + 1 },
		func() { q.Owner = &token.Owner{UserID: r.Int64N(2) + 1, AccountID: fmt.Sprintf("a%d", r.IntN(2))} },
		func() { q.Owner = &token.Owner{AccountID: "a1", EnvironmentID: fmt.Sprintf("e%d", r.IntN(2))} },
		func() { q.KeyID = fmt.Sprintf("key %d", r.IntN(2)) },
		func() { q.Usable, q.Keys = new(r.IntN(2) == 0), []string{"key 0", "key 2"}[:r.IntN(2)+1] },
		func() { q.After = r.Int64N(300) + 1 },
	}
	for range r.IntN(4) {
		filters[r.IntN(len(filters))]()
	}
	return q
}

// twinPage is [page] in the words of GORM.
func twinPage(tx *gorm.DB, q token.Query) *gorm.DB {
	tx = tx.Table("tokens t").Where("t.deleted_at IS NULL")
	equal := func(column string, value any) {
		if !reflect.ValueOf(value).IsZero() {
			tx = tx.Where(clause.Eq{Column: column, Value: value})
		}
	}
	equal("t.dialect", q.Dialect.String())
	equal("t.user_id", q.UserID)
	equal("t.account_id", q.AccountID)
	equal("t.environment_id", q.EnvironmentID)
	equal("t.scope", string(q.Scope))
	equal("t.signing_key", q.KeyID)
	if q.CreatedBy != 0 {
		tx = tx.Where(madeBy, q.CreatedBy)
	}
	if q.NotOwnedBy != 0 {
		tx = tx.Where("t.user_id IS NULL OR t.user_id <> ?", q.NotOwnedBy)
	}
	if o := q.Owner; o != nil {
		ofAccount := tx.Session(&gorm.Session{NewDB: true}).Where("t.account_id = ?", o.AccountID)
		if o.EnvironmentID != "" {
			ofAccount = ofAccount.Where("t.environment_id = ?", o.EnvironmentID)
		}
		tx = tx.Where(tx.Session(&gorm.Session{NewDB: true}).Where("t.user_id = ?", o.UserID).Or(ofAccount))
	}
	expired := tx.Session(&gorm.Session{NewDB: true}).Where("t.expires_at <= ?", q.Now.UnixMilli())
	switch q.State {
	case "":
	case token.Revoked:
		tx = tx.Where("t.state = 'revoked'")
	case token.Expired:
		tx = tx.Where("t.state <> 'revoked'").Where(expired)
	default:
		tx = tx.Where("t.state = ?", string(q.State)).Where("t.expires_at IS NULL OR t.expires_at > ?", q.Now.UnixMilli())
	}
	if q.Usable != nil {
		tx = tx.Where(usable+" = ?", q.Now.UnixMilli(), q.Keys, *q.Usable)
	}
	switch {
	case q.After != 0 && q.Ascending:
		tx = tx.Where("t.seq > ?", q.After)
	case q.After != 0:
		tx = tx.Where("t.seq < ?", q.After)
	}
	return tx.Order(clause.OrderByColumn{Column: clause.Column{Name: "t.seq"}, Desc: !q.Ascending}).Limit(q.Limit)
}
