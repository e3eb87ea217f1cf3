package storetest

import (
	"runtime"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

var revocationTests = map[string]func(*testing.T, *world){
	"race: no create after its minter's revoke":         noCreateAfterMinter,
	"race: no create after its user's disabling":        noCreateAfterUser,
	"race: no create after its account's disabling":     noCreateAfterAccount,
	"race: no create after its environment's disabling": noCreateAfterEnvironment,
}

// refuseDead does what the rules do: whatever a create depends on must be alive. It dawdles, so that an end of one of
// these can come between.
func refuseDead(_ *token.Token, f token.Facts) error {
	for range 100 {
		runtime.Gosched()
	}
	if f.Minter != nil && f.Minter.State != token.Active || f.User != nil && f.User.Disabled ||
		f.Account != nil && f.Account.Disabled || f.Environment != nil && f.Environment.Disabled {
		return token.Errorf(token.Forbidden, "not alive")
	}
	return nil
}

// noCreateAfter has many callers create until they are refused. Once end has returned, not one more token may appear.
func noCreateAfter(t *testing.T, w *world, make func() token.Token, exclusive bool, end func() error) {
	t.Helper()
	const creators = 6
	var before []token.Token
	first := w.create(t, make())
	errs := together(creators+1, func(i int) error {
		if i < creators {
			return w.createUntilRefused(t, make, exclusive)
		}
		err := end()
		if err == nil {
			before, err = listAll(t.Context(), w, token.Query{Dialect: first.Dialect, Limit: 50})
		}
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 1, token.Forbidden: creators})
	after, err := listAll(t.Context(), w, token.Query{Dialect: first.Dialect, Limit: 50})
	ok(t, err)
	sameTokens(t, "what is there in the end", after, before)
}

func (w *world) createUntilRefused(t *testing.T, make func() token.Token, exclusive bool) error {
	for range 10_000 {
		in := token.Insert{Token: make(), Exclusive: exclusive, Decide: refuseDead}
		if _, err := w.Create(t.Context(), in); err != nil {
			return err
		}
	}
	return nil
}

func noCreateAfterMinter(t *testing.T, w *world) {
	for range 3 {
		minter := w.create(t, w.muninx(w.member))
		minted := func() token.Token {
			in := w.apiToken(w.homeEnv)
			in.MintedBy = minter.Seq
			return in
		}
		noCreateAfter(t, w, minted, false, func() error {
			_, err := w.Update(t.Context(), minter.Ref(), setState(token.Revoked))
			return err
		})
	}
}

func noCreateAfterUser(t *testing.T, w *world) {
	for _, exclusive := range []bool{true, false} {
		owner := w.user(t, token.RoleMember)
		noCreateAfter(t, w, func() token.Token { return w.unleash(owner, "") }, exclusive, func() error {
			_, err := w.UpdateUser(t.Context(), owner.ID, func(u *token.User, _ int) error {
				u.Disabled = true
				return nil
			})
			return err
		})
	}
}

func noCreateAfterAccount(t *testing.T, w *world) {
	noCreateAfter(t, w, func() token.Token { return w.apiToken(w.homeEnv) }, false, func() error {
		_, err := w.UpdateAccount(t.Context(), w.home.ID, func(a *token.Account) error {
			a.Disabled = true
			return nil
		})
		return err
	})
}

func noCreateAfterEnvironment(t *testing.T, w *world) {
	noCreateAfter(t, w, func() token.Token { return w.apiToken(w.homeEnv) }, false, func() error {
		_, err := w.UpdateEnvironment(t.Context(), w.homeEnv.ID, func(e *token.Environment) error {
			e.Disabled = true
			return nil
		})
		return err
	})
}
