package store_test

import (
	"fmt"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/internal/token/storetest"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestContractOnPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, pgtest.URL(t)) })
}

// failInserts makes the first n inserts of tokens fail with the SQLSTATE. A sequence counts them, which no rollback
// sets back.
func failInserts(t *testing.T, db *store.DB, n int, state string) {
	t.Helper()
	store.Exec(t, db, "CREATE SEQUENCE failures")
	store.Exec(t, db, fmt.Sprintf(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('failures') <= %d THEN RAISE EXCEPTION 'planted' USING ERRCODE = '%s'; END IF;
		RETURN NEW;
		END $$`, n, state))
	store.Exec(t, db, "CREATE TRIGGER fail BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION fail()")
}

// create makes a token and counts the calls of Decide, each of which must get a fresh copy.
func create(t *testing.T, db *store.DB) (made token.Token, calls int, err error) {
	in := token.Insert{Token: token.Token{Dialect: token.Muninx, ID: "id", Name: "name", State: token.Active}}
	in.Decide = func(got *token.Token, _ token.Facts) error {
		calls++
		if got.Name != "name" {
			t.Errorf("call %d of Decide got the token as another call left it: %q", calls, got.Name)
		}
		got.Name += " decided"
		return nil
	}
	made, err = db.Create(t.Context(), in)
	return made, calls, err
}

func TestTransactionsAreRepeated(t *testing.T) {
	for _, state := range []string{"40P01", "40001"} {
		db := open(t, pgtest.URL(t))
		failInserts(t, db, 2, state)
		made, calls, err := create(t, db)
		if err != nil || calls != 3 || made.Name != "name decided" {
			t.Errorf("%s: after %d calls the token is %+v, %v", state, calls, made, err)
		}
	}
}

func TestTransactionsAreNotRepeatedForEver(t *testing.T) {
	db := open(t, pgtest.URL(t))
	failInserts(t, db, 1000, "40001")
	_, calls, err := create(t, db)
	wantKind(t, err, token.Unavailable)
	if calls < 3 || calls > 10 {
		t.Errorf("Decide was called %d times", calls)
	}
}

func TestOtherFailuresAreNotRepeated(t *testing.T) {
	for state, want := range map[string]token.Kind{"P0001": token.Internal, "25006": token.Unavailable,
		"53100": token.Unavailable, "23505": token.NameTaken} {
		db := open(t, pgtest.URL(t))
		failInserts(t, db, 1, state)
		_, calls, err := create(t, db)
		wantKind(t, err, want)
		if calls != 1 {
			t.Errorf("%s: Decide was called %d times", state, calls)
		}
	}
}

// TestServerGoesAndComesBack: while it is gone every answer is Unavailable, and afterwards the same handle works.
func TestServerGoesAndComesBack(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	url := cluster.URL(t)
	db := open(t, url)
	if err := db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cluster.Stop(t)
		for range 3 { // first with connections that were cut, then with none
			_, err := db.FindAccount(t.Context(), "a")
			wantKind(t, err, token.Unavailable)
			_, err = db.UpdateAccount(t.Context(), token.Permit{}, "a", func(*token.Account) error { return nil })
			wantKind(t, err, token.Unavailable)
			wantKind(t, db.Ping(t.Context()), token.Unavailable)
		}
		refused(t, url, store.Options{}, "cannot be reached")
		cluster.Start(t)
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := db.FindAccount(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
}

// TestServerGoesInsideATransaction: nobody can say whether it would have been stored, so it must not be.
func TestServerGoesInsideATransaction(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	db := open(t, cluster.URL(t))
	if err := db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	_, err := db.UpdateAccount(t.Context(), token.Permit{}, "a", func(a *token.Account) error {
		a.Disabled = true
		cluster.Stop(t)
		return nil
	})
	wantKind(t, err, token.Unavailable)
	cluster.Start(t)
	if got, err := db.FindAccount(t.Context(), "a"); err != nil || got.Disabled {
		t.Errorf("the account is %+v, %v", got, err)
	}
}
