package storetest

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var interruptTests = map[string]func(*testing.T, *world){
	"a cancelled context is Canceled everywhere":  cancelledBefore,
	"a passed deadline is Unavailable everywhere": deadlinePassed,
	"a cancelled caller does not wait for a lock": cancelledWhileWaiting,
	"a cancelled caller changes nothing":          cancelledInside,
	"readers do not wait for a writer":            readersDoNotWait,
	"a panic rolls back and the store lives":      panicRollsBack,
}

// calls makes every call of the store with the context; those that change would change something.
func (w *world) calls(ctx context.Context, made token.Token) map[string]error {
	errs := map[string]error{}
	_, errs["Create"] = w.Create(ctx, insert(w.muninx(w.member)))
	_, errs["Find"] = w.Find(ctx, made.Ref())
	_, errs["FindSecret"] = w.FindSecret(ctx, made.Hash)
	_, errs["List"] = w.List(ctx, token.Query{Limit: 1})
	_, errs["Update"] = w.Update(ctx, token.Permit{}, made.Ref(), setState(token.Revoked))
	errs["Touch"] = w.Touch(ctx, map[int64]time.Time{made.Seq: noon})
	_, errs["CreateUser"] = w.CreateUser(ctx, token.Permit{}, w.newUser(token.RoleAdmin))
	_, errs["FindUser"] = w.FindUser(ctx, w.member.ID)
	_, errs["FindSubject"] = w.FindSubject(ctx, "https://issuer.example", "subject")
	_, errs["ListUsers"] = w.ListUsers(ctx, 0, 1)
	_, errs["UpdateUser"] = w.UpdateUser(ctx, token.Permit{}, w.member.ID, disableUser)
	errs["CreateAccount"] = w.CreateAccount(ctx, token.Permit{}, account("new"))
	_, errs["FindAccount"] = w.FindAccount(ctx, w.home.ID)
	_, errs["ListAccounts"] = w.ListAccounts(ctx, "", 1)
	_, errs["UpdateAccount"] = w.UpdateAccount(ctx, token.Permit{}, w.home.ID, disableAccount)
	errs["CreateEnvironment"] = w.CreateEnvironment(ctx, token.Permit{}, environment("new", w.home))
	_, errs["FindEnvironment"] = w.FindEnvironment(ctx, w.homeEnv.ID)
	_, errs["ListEnvironments"] = w.ListEnvironments(ctx, "", 1)
	_, errs["UpdateEnvironment"] = w.UpdateEnvironment(ctx, token.Permit{}, w.homeEnv.ID, disableEnvironment)
	_, errs["FirstAdmin"] = w.FirstAdmin(ctx)
	_, errs["Initialize"] = w.Initialize(ctx, seed(), delivered)
	return errs
}

// unchanged fails the test if anything of what calls would change has changed.
func (w *world) unchanged(t *testing.T, made token.Token) {
	t.Helper()
	same(t, "the token", w.find(t, made.Ref()), made)
	tokens, err := w.List(t.Context(), token.Query{Limit: 10})
	ok(t, err)
	sameTokens(t, "the tokens", tokens, []token.Token{made})
	users, err := w.ListUsers(t.Context(), 0, 10)
	ok(t, err)
	if !slices.Equal(users, []token.User{w.admin, w.member}) {
		t.Errorf("users are %v", users)
	}
	accounts, err := w.ListAccounts(t.Context(), "", 10)
	ok(t, err)
	if !slices.Equal(accounts, []token.Account{w.home, w.other}) {
		t.Errorf("accounts are %v", accounts)
	}
	environments, err := w.ListEnvironments(t.Context(), "", 10)
	ok(t, err)
	if !slices.Equal(environments, []token.Environment{w.homeEnv, w.otherEnv}) {
		t.Errorf("environments are %v", environments)
	}
}

func (w *world) everyCallIs(t *testing.T, ctx context.Context, want token.Kind) {
	made := w.create(t, w.muninx(w.member))
	errs := w.calls(ctx, made)
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		if got := kindOf(errs[name]); got != want {
			t.Errorf("%s: error %v is of kind %q, want %q", name, errs[name], got, want)
		}
	}
	w.unchanged(t, made)
}

func cancelledBefore(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.everyCallIs(t, ctx, token.Canceled)
}

func deadlinePassed(t *testing.T, w *world) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	w.everyCallIs(t, ctx, token.Unavailable)
}

// hold keeps a transaction open that has locked the token, until release is called.
func (w *world) hold(t *testing.T, ref token.Ref) (release func()) {
	t.Helper()
	held, let, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_, err := w.Update(context.WithoutCancel(t.Context()), token.Permit{}, ref, func(*token.Token) error {
			close(held)
			<-let
			return nil
		})
		done <- err
	}()
	<-held
	return func() {
		close(let)
		ok(t, <-done)
	}
}

// cancelledWhileWaiting ends only because the second caller gives up while the first still holds its lock.
func cancelledWhileWaiting(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	for range 5 {
		release := w.hold(t, made.Ref())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := w.Update(ctx, token.Permit{}, made.Ref(), setState(token.Revoked))
			done <- err
		}()
		time.Sleep(10 * time.Millisecond) // most likely enough to be waiting; the outcome is the same if not
		cancel()
		kind(t, <-done, token.Canceled)
		release()
	}
	same(t, "the token", w.find(t, made.Ref()), made)
}

func cancelledInside(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := w.Update(ctx, token.Permit{}, made.Ref(), func(t *token.Token) error {
		cancel()
		t.State = token.Revoked
		return nil
	})
	kind(t, err, token.Canceled)

	ctx, cancel = context.WithCancel(t.Context())
	in := insert(w.muninx(w.member))
	in.Decide = func(*token.Token, token.Facts) error {
		cancel()
		return nil
	}
	_, err = w.Create(ctx, in)
	kind(t, err, token.Canceled)
	w.unchanged(t, made)
}

func readersDoNotWait(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	release := w.hold(t, made.Ref())
	defer release()
	same(t, "the token", w.find(t, made.Ref()), made)
	_, err := w.FindSecret(t.Context(), made.Hash)
	ok(t, err)
	_, err = w.List(t.Context(), token.Query{Limit: 1})
	ok(t, err)
}

// panics runs the function and fails the test unless its panic comes out.
func panics(t *testing.T, run func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the panic was swallowed")
		}
	}()
	run()
}

func panicRollsBack(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	for range 15 { // more often than a pool has connections
		panics(t, func() {
			in := insert(w.muninx(w.member))
			in.Decide = func(*token.Token, token.Facts) error { panic("Decide") }
			_, _ = w.Create(t.Context(), in)
		})
		panics(t, func() {
			_, _ = w.Update(t.Context(), token.Permit{}, made.Ref(), func(t *token.Token) error {
				t.State = token.Revoked
				panic("change")
			})
		})
		panics(t, func() {
			_, _ = w.UpdateUser(t.Context(), token.Permit{}, w.member.ID, func(*token.User, int) error { panic("change") })
		})
	}
	w.unchanged(t, made)
	w.create(t, w.muninx(w.member))
}
