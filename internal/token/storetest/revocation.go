package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var revocationTests = map[string]func(*testing.T, *world){
	"race: no create after its caller's revoke":         noCreateAfterCaller,
	"race: no create after its user's disabling":        noCreateAfterUser,
	"race: no create after its account's disabling":     noCreateAfterAccount,
	"race: no create after its environment's disabling": noCreateAfterEnvironment,
	"race: creates do not keep a change waiting":        createsDoNotStarveChanges,
}

// rounds is how often a race is run whose loser is not found every time.
const rounds = 5

// refuseDead does what the rules do: whatever a create depends on must be alive. It dawdles, so that the end of one of
// these can come between.
func refuseDead(_ *token.Token, f token.Facts) error {
	time.Sleep(time.Millisecond)
	if f.User != nil && f.User.Disabled ||
		f.Account != nil && f.Account.Disabled || f.Environment != nil && f.Environment.Disabled {
		return token.Errorf(token.CredentialInvalid, "not alive")
	}
	return nil
}

// noCreateAfter has many callers create until they are refused. Once end has returned, not one more token may appear.
func noCreateAfter(t *testing.T, w *world, make func() token.Insert, end func() error) {
	t.Helper()
	const creators = 6
	var before []token.Token
	first := w.create(t, make().Token)
	errs := together(creators+1, func(i int) error {
		if i < creators {
			return w.createUntilRefused(t, make)
		}
		err := end()
		if err == nil {
			before, err = listAll(t.Context(), w, token.Query{Dialect: first.Dialect, Limit: 50})
		}
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 1, token.CredentialInvalid: creators})
	after, err := listAll(t.Context(), w, token.Query{Dialect: first.Dialect, Limit: 50})
	ok(t, err)
	sameTokens(t, "what is there in the end", after, before)
}

func (w *world) createUntilRefused(t *testing.T, make func() token.Insert) error {
	for range 10_000 {
		if _, err := w.Create(t.Context(), make()); err != nil {
			return err
		}
	}
	return nil
}

// judged is a creation that is refused where what it depends on is dead.
func judged(t token.Token, exclusive bool) token.Insert {
	return token.Insert{Token: t, Exclusive: exclusive, Decide: refuseDead}
}

func noCreateAfterCaller(t *testing.T, w *world) {
	for range rounds {
		caller := w.create(t, w.muninx(w.member))
		minted := func() token.Insert {
			in := judged(w.apiToken(w.homeEnv), false)
			in.Permit = permit(caller)
			return in
		}
		noCreateAfter(t, w, minted, func() error {
			_, err := w.Update(t.Context(), token.Permit{}, caller.Ref(), setState(token.Revoked))
			return err
		})
	}
}

func noCreateAfterUser(t *testing.T, w *world) {
	for round := range rounds {
		owner := w.user(t, token.RoleMember)
		noCreateAfter(t, w, func() token.Insert { return judged(w.unleash(owner, ""), round%2 == 0) }, func() error {
			_, err := w.UpdateUser(t.Context(), token.Permit{}, owner.ID, disableUser)
			return err
		})
	}
}

func noCreateAfterAccount(t *testing.T, w *world) {
	for range rounds {
		env := w.newPlace(t)
		noCreateAfter(t, w, func() token.Insert { return judged(w.apiToken(env), false) }, func() error {
			_, err := w.UpdateAccount(t.Context(), token.Permit{}, env.AccountID, disableAccount)
			return err
		})
	}
}

func noCreateAfterEnvironment(t *testing.T, w *world) {
	for range rounds {
		env := w.newPlace(t)
		noCreateAfter(t, w, func() token.Insert { return judged(w.apiToken(env), false) }, func() error {
			_, err := w.UpdateEnvironment(t.Context(), token.Permit{}, env.ID, disableEnvironment)
			return err
		})
	}
}

// newPlace stores an environment in an account of its own.
func (w *world) newPlace(t *testing.T) token.Environment {
	t.Helper()
	in := account(fmt.Sprintf("place-%d", w.registered.Add(1)))
	ok(t, w.CreateAccount(t.Context(), token.Permit{}, in))
	env := environment("env-"+in.ID, in)
	ok(t, w.CreateEnvironment(t.Context(), token.Permit{}, env))
	return env
}

// createsDoNotStarveChanges has callers create without a pause, always some of them inside a transaction that depends
// on one minter, user, account and environment. A change of each of these must get its turn before the callers end.
func createsDoNotStarveChanges(t *testing.T, w *world) {
	const creators, each = 8, 300
	minter := w.create(t, w.muninx(w.member))
	busy, stop := make(chan struct{}, creators*each), make(chan struct{})
	var exhausted atomic.Bool
	errs := together(creators+1, func(i int) error {
		if i < creators {
			return w.createUntil(t, minter, each, busy, stop, &exhausted)
		}
		defer close(stop)
		for range 2 * creators {
			<-busy
		}
		return w.changeAll(t, minter)
	})
	tally(t, errs, map[token.Kind]int{"": creators + 1})
	if exhausted.Load() {
		t.Error("the changes had to wait for the end of the creates")
	}
}

// createUntil creates tokens until it is stopped, reporting each, or exhausted after so many.
func (w *world) createUntil(t *testing.T, minter token.Token, most int, busy chan<- struct{}, stop <-chan struct{},
	exhausted *atomic.Bool) error {
	for range most {
		select {
		case <-stop:
			return nil
		case busy <- struct{}{}:
		}
		in := insert(w.apiToken(w.homeEnv))
		in.Permit, in.Token.UserID = permit(minter), w.member.ID
		in.Permit.Judge = nil
		in.Decide = func(*token.Token, token.Facts) error {
			time.Sleep(rand.N(10 * time.Millisecond)) // out of step with the others
			return nil
		}
		if _, err := w.Create(t.Context(), in); err != nil {
			return err
		}
	}
	exhausted.Store(true)
	return nil
}

// changeAll changes everything that createUntil depends on.
func (w *world) changeAll(t *testing.T, minter token.Token) error {
	_, first := w.Update(t.Context(), token.Permit{}, minter.Ref(), setState(token.Suspended))
	_, second := w.UpdateUser(t.Context(), token.Permit{}, w.member.ID, func(*token.User, int) error { return nil })
	_, third := w.UpdateUser(t.Context(), token.Permit{}, w.admin.ID, func(*token.User, int) error { return nil })
	_, fourth := w.UpdateAccount(t.Context(), token.Permit{}, w.home.ID, func(*token.Account) error { return nil })
	_, fifth := w.UpdateEnvironment(t.Context(), token.Permit{}, w.homeEnv.ID, func(*token.Environment) error { return nil })
	return errors.Join(first, second, third, fourth, fifth, w.Touch(t.Context(), map[int64]time.Time{minter.Seq: noon}))
}
