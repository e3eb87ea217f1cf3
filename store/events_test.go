package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// told is an event in a line, without its number.
func told(e token.Event) string {
	return strings.Join([]string{e.Action, e.Object, e.Dialect, e.Before, e.After}, " ")
}

// eventsOf are all events that the query selects, the oldest first.
func eventsOf(t testing.TB, d *store.DB, q token.EventQuery) []token.Event {
	t.Helper()
	q.Ascending, q.Limit = true, 1000
	events, err := d.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// moment is when everything happens in these tests.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)

// permitted is by somebody who needs no permission.
func permitted(action string) token.Permit {
	return token.Permit{
		By: token.By{Actor: "user:1", Credential: "token:muninx/x"}, Action: action,
		Clock: func() time.Time { return moment },
	}
}

// changes are one of each kind, in this order, and what the event says of it.
var changes = []struct {
	make func(context.Context, *store.DB) error
	told string
}{
	{func(ctx context.Context, d *store.DB) error {
		return d.CreateAccount(ctx, permitted(""), token.Account{ID: "a", Name: "one \"quoted\""})
	}, `account.create account:a   {"name":"one \"quoted\""}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.UpdateAccount(ctx, permitted("disable"), "a", func(a *token.Account) error {
			a.Disabled = true
			return nil
		})
		return err
	}, `account.disable account:a  {"disabled":false} {"disabled":true}`},
	{func(ctx context.Context, d *store.DB) error {
		return d.CreateEnvironment(ctx, permitted(""), token.Environment{ID: "e", AccountID: "a", Name: "prod"})
	}, `environment.create environment:e   {"account_id":"a","name":"prod"}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.UpdateEnvironment(ctx, permitted("enable"), "e", func(*token.Environment) error { return nil })
		return err
	}, `environment.enable environment:e   `},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.CreateUser(ctx, permitted(""), token.User{AdminID: "1", Issuer: "i", Subject: "s", Name: "n", Role: token.RoleAdmin, AccountID: "a"})
		return err
	}, `user.create user:1   {"account_id":"a","issuer":"i","name":"n","role":"admin","subject":"s"}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.UpdateUser(ctx, permitted(""), 1, func(u *token.User, _ int) error {
			u.Role = token.RoleMember
			return nil
		})
		return err
	}, `user.update user:1  {"role":"admin"} {"role":"member"}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.Create(ctx, token.Insert{Permit: permitted(""), Token: muninxToken, Decide: nothing})
		return err
	}, `token.create token:muninx/m muninx  {"created_by":1,"expires_at":"2026-03-04T05:06:07.089Z","name":"naïve","scope":"user","state":"active","user_id":1}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.Update(ctx, permitted("suspend"), muninxToken.Ref(), func(t *token.Token) error {
			t.State, t.SuspendedByAdmin, t.UpdatedAt = token.Suspended, true, moment
			return nil
		})
		return err
	}, `token.suspend token:muninx/m muninx {"state":"active","suspended_by_admin":false} {"state":"suspended","suspended_by_admin":true}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.Update(ctx, permitted("delete"), muninxToken.Ref(), func(t *token.Token) error {
			t.DeletedAt = moment
			return nil
		})
		return err
	}, `token.delete token:muninx/m muninx {"deleted":false} {"deleted":true}`},
	{func(ctx context.Context, d *store.DB) error {
		_, err := d.Create(ctx, token.Insert{Permit: permitted(""), Token: unleashToken, Decide: nothing})
		return err
	}, `token.create token:unleash/2 unleash  {"scope":"user","state":"active","user_id":1}`},
}

var (
	muninxToken = token.Token{Dialect: token.Muninx, ID: "m", Hash: token.Hash{1}, Name: "naïve", Scope: token.ScopeUser,
		State: token.Active, UserID: 1, CreatedBy: 1, ExpiresAt: moment}
	unleashToken = token.Token{Dialect: token.Unleash, Hash: token.Hash{2}, Scope: token.ScopeUser, State: token.Active, UserID: 1}
)

func nothing(*token.Token, token.Facts) error { return nil }

// TestEveryChangeIsRecorded, with who made it and from where.
func TestEveryChangeIsRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		d := open(t, url)
		origin := token.Origin{Address: "192.0.2.1", Agent: "curl/8 ü", Request: "request-1"}
		ctx := context.WithValue(t.Context(), token.OriginKey{}, origin)
		for i, c := range changes {
			if err := c.make(ctx, d); err != nil {
				t.Fatalf("%s: %v", c.told, err)
			}
			events := eventsOf(t, d, token.EventQuery{})
			if len(events) != i+1 {
				t.Fatalf("after %d changes there are %d events", i+1, len(events))
			}
			e := events[i]
			if told(e) != c.told {
				t.Errorf("the event is\n%s, want\n%s", told(e), c.told)
			}
			if !e.At.Equal(moment) || e.Actor != "user:1" || e.Credential != "token:muninx/x" || e.Origin != origin {
				t.Errorf("the event is %+v", e)
			}
		}
	})
}

// TestRefusedChangesAreNotRecorded, nor are those that fail.
func TestRefusedChangesAreNotRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		d := open(t, url)
		refuse := func(*token.Token, token.Facts) error { return token.Errorf(token.Conflict, "no") }
		_, err := d.Create(t.Context(), token.Insert{Token: muninxToken, Decide: refuse})
		wantKind(t, err, token.Conflict)
		_, err = d.Create(t.Context(), token.Insert{Token: muninxToken, Decide: nothing}) // of no user
		wantKind(t, err, token.Internal)
		_, err = d.Update(t.Context(), token.Permit{}, muninxToken.Ref(), func(*token.Token) error { return nil })
		wantKind(t, err, token.NotFound)
		if events := eventsOf(t, d, token.EventQuery{}); len(events) != 0 {
			t.Errorf("the events are %+v", events)
		}
	})
}

// failEvents has the database refuse every event.
func failEvents(t *testing.T, d *store.DB) {
	t.Helper()
	if d.Shared() {
		store.Exec(t, d, `CREATE FUNCTION fail() RETURNS trigger AS 'BEGIN RAISE EXCEPTION ''no events''; END' LANGUAGE plpgsql`)
		store.Exec(t, d, "CREATE TRIGGER fail BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION fail()")
		return
	}
	store.Exec(t, d, "CREATE TRIGGER fail BEFORE INSERT ON audit_events BEGIN SELECT raise(ABORT, 'no events'); END")
}

func allowEvents(t *testing.T, d *store.DB) {
	t.Helper()
	if d.Shared() {
		store.Exec(t, d, "DROP FUNCTION fail CASCADE")
		for table, number := range map[string]string{"users": "id", "tokens": "seq"} { // as if they had not been taken
			store.Exec(t, d, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), max(%[2]s)) FROM %[1]s", table, number))
			store.Exec(t, d, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), 1, false) WHERE NOT EXISTS (SELECT FROM %[1]s)", table, number))
		}
		return
	}
	store.Exec(t, d, "DROP TRIGGER fail")
}

// TestWithoutEventNoChange: each change fails when its event cannot be stored, and can be made afterwards as if it had
// never been tried.
func TestWithoutEventNoChange(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		d := open(t, url)
		for _, c := range changes {
			failEvents(t, d)
			if err := c.make(t.Context(), d); token.KindOf(err) != token.Internal {
				t.Errorf("%s: %v", c.told, err)
			}
			allowEvents(t, d)
			if err := c.make(t.Context(), d); err != nil {
				t.Fatalf("%s: %v", c.told, err)
			}
		}
		for i, e := range eventsOf(t, d, token.EventQuery{}) {
			if told(e) != changes[i].told {
				t.Errorf("the event is\n%s, want\n%s", told(e), changes[i].told)
			}
		}
	})
}

// TestInitializeIsRecorded: a database begins with the events of what is in it.
func TestInitializeIsRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		d := open(t, url)
		seed := token.Seed{
			Account: token.Account{ID: "a", Name: "first"}, Environments: []token.Environment{{ID: "e", AccountID: "a", Name: "prod"}},
			User: token.User{AdminID: "1", Subject: "s", Role: token.RoleAdmin, AccountID: "a", CreatedAt: moment}, Token: muninxToken,
		}
		failEvents(t, d)
		if stored, err := d.Initialize(t.Context(), seed, func() error { return nil }); stored || err == nil {
			t.Errorf("without events: %t, %v", stored, err)
		}
		allowEvents(t, d)
		if stored, err := d.Initialize(t.Context(), seed, func() error { return nil }); !stored || err != nil {
			t.Fatal(stored, err)
		}
		var actions []string
		for _, e := range eventsOf(t, d, token.EventQuery{}) {
			actions = append(actions, e.Action)
			if e.Credential != token.ByDatabase || !e.At.Equal(moment) {
				t.Errorf("the event is %+v", e)
			}
		}
		if got := strings.Join(actions, " "); got != "account.create environment.create user.create token.create" {
			t.Errorf("the events are %s", got)
		}
	})
}

// TestEventsOfMany: of changes that are made together each has its own event, and those that are refused have none.
func TestEventsOfMany(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		d := open(t, url)
		caller := aCaller(t, d)
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				in := anInsert(caller)
				in.Permit.By.Actor = fmt.Sprintf("actor %d", i)
				if i%3 == 0 {
					in.Token.Dialect, in.Token.ID = token.Unleash, ""
				}
				in.Token.Name = in.Permit.By.Actor
				if i%5 == 0 {
					in.Decide = func(*token.Token, token.Facts) error { return token.Errorf(token.Conflict, "no") }
				}
				if made, err := d.Create(t.Context(), in); err == nil {
					events := eventsOf(t, d, token.EventQuery{Actor: in.Permit.By.Actor})
					if len(events) != 1 || events[0].Object != made.Ref().Object() || !strings.Contains(events[0].After, in.Token.Name) {
						t.Errorf("the events of %s are %+v", made.Ref().Object(), events)
					}
				} else if i%5 != 0 {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if events := eventsOf(t, d, token.EventQuery{Action: "token.create"}); len(events) != 241 {
			t.Errorf("there are %d events of creates, want 241", len(events))
		}
	})
}
