package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

var permitTests = map[string]func(*testing.T, *world){
	"a permit is judged by what its caller is now":    permitJudgesThePresent,
	"a permit that is refused lets nothing change":    refusedPermitChangesNothing,
	"race: no change after its caller's revoke":       noChangeAfterRevoke,
	"race: no change after its user's disabling":      noChangeAfterDisabling,
	"race: two who revoke each other do not deadlock": revokeEachOther,
}

// permit is that of a caller with this token, as long as the token is active and what it depends on is enabled.
func permit(t token.Token) token.Permit {
	return token.Permit{
		Token: t.Seq, UserID: t.UserID, AccountID: t.AccountID, EnvironmentID: t.EnvironmentID,
		Judge: func(id token.Identity) error {
			if id.Token == nil || id.Token.State != token.Active || id.Token.Deleted() ||
				id.User != nil && id.User.Disabled || id.Account != nil && id.Account.Disabled {
				return token.Errorf(token.CredentialInvalid, "not alive")
			}
			return nil
		},
	}
}

// changes are all calls that take a permit; each would change something.
func (w *world) changes(ctx context.Context, p token.Permit, target token.Token) map[string]func() error {
	n := w.registered.Add(1)
	in := insert(w.muninx(w.member))
	in.Permit = p
	return map[string]func() error{
		"Create":        func() error { _, err := w.Create(ctx, in); return err },
		"Update":        func() error { _, err := w.Update(ctx, p, target.Ref(), setState(token.Suspended)); return err },
		"CreateUser":    func() error { _, err := w.CreateUser(ctx, p, w.newUser(token.RoleAdmin)); return err },
		"UpdateUser":    func() error { _, err := w.UpdateUser(ctx, p, w.member.ID, disableUser); return err },
		"CreateAccount": func() error { return w.CreateAccount(ctx, p, account(fmt.Sprintf("account-%d", n))) },
		"UpdateAccount": func() error { _, err := w.UpdateAccount(ctx, p, w.other.ID, disableAccount); return err },
		"CreateEnvironment": func() error {
			return w.CreateEnvironment(ctx, p, environment(fmt.Sprintf("environment-%d", n), w.home))
		},
		"UpdateEnvironment": func() error {
			_, err := w.UpdateEnvironment(ctx, p, w.otherEnv.ID, disableEnvironment)
			return err
		},
	}
}

func permitJudgesThePresent(t *testing.T, w *world) {
	target := w.create(t, w.muninx(w.member))
	ofUser, ofAccount := w.create(t, w.muninx(w.admin)), w.create(t, w.apiToken(w.homeEnv))
	removed := w.remove(t, w.create(t, w.muninx(w.member)).Ref())
	for name, c := range map[string]struct {
		permit token.Permit
		want   token.Identity
	}{
		"a user's token":    {permit(ofUser), token.Identity{Token: &ofUser, User: &w.admin, Account: &w.home}},
		"an account's":      {permit(ofAccount), token.Identity{Token: &ofAccount, Account: &w.home, Environment: &w.homeEnv}},
		"a tombstone":       {permit(removed), token.Identity{Token: &removed, User: &w.member, Account: &w.home}},
		"an unknown token":  {token.Permit{Token: 9999, UserID: w.admin.ID}, token.Identity{}},
		"a user by itself":  {token.Permit{UserID: w.admin.ID}, token.Identity{User: &w.admin, Account: &w.home}},
		"an unknown user":   {token.Permit{UserID: 9999}, token.Identity{}},
		"nobody whatsoever": {token.Permit{}, token.Identity{}},
	} {
		for method := range w.changes(t.Context(), c.permit, target) {
			var got *token.Identity
			c.permit.Judge = func(id token.Identity) error {
				got = &id
				return token.Errorf(token.Forbidden, "no")
			}
			kind(t, w.changes(t.Context(), c.permit, target)[method](), token.Forbidden)
			if got == nil {
				t.Errorf("%s, %s: nobody was judged", method, name)
				continue
			}
			sameMember(t, name+": token", got.Token, c.want.Token)
			sameMember(t, name+": user", got.User, c.want.User)
			sameMember(t, name+": account", got.Account, c.want.Account)
			sameMember(t, name+": environment", got.Environment, c.want.Environment)
		}
	}
}

// sameMember fails the test unless both are missing, or equal.
func sameMember[T comparable](t *testing.T, what string, got, want *T) {
	t.Helper()
	switch {
	case want != nil:
		sameFact(t, what, got, *want)
	case got != nil:
		t.Errorf("%s is %+v, want none", what, *got)
	}
}

func refusedPermitChangesNothing(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	refused := permit(made)
	refused.Judge = func(token.Identity) error { return token.Errorf(token.CredentialInvalid, "no") }
	for name, change := range w.changes(t.Context(), refused, made) {
		if err := change(); kindOf(err) != token.CredentialInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	unknown := token.Ref{Dialect: token.Muninx, ID: "unknown"}
	_, err := w.Update(t.Context(), refused, unknown, setState(token.Revoked))
	kind(t, err, token.CredentialInvalid) // and not that there is no such token
	w.unchanged(t, made)
}

// noneAfter makes changes by many callers until they are refused. Once end has returned, none may come any more.
func (w *world) noneAfter(t *testing.T, caller token.Token, end func() error) {
	t.Helper()
	w.noneAfterPermit(t, permit(caller), end)
}

func (w *world) noneAfterPermit(t *testing.T, p token.Permit, end func() error) {
	t.Helper()
	target := w.create(t, w.muninx(w.admin))
	var made, seen atomic.Int64
	count := func(*token.Token) error { made.Add(1); return nil } // inside the transaction, after the judgement
	const callers = 6
	errs := together(callers+1, func(i int) error {
		if i == callers {
			err := end()
			seen.Store(made.Load())
			return err
		}
		for range 10_000 {
			if _, err := w.Update(t.Context(), p, target.Ref(), count); err != nil {
				return err
			}
		}
		return nil
	})
	tally(t, errs, map[token.Kind]int{"": 1, token.CredentialInvalid: callers})
	same(t, "how many changes there were when the right ended", made.Load(), seen.Load())
}

func noChangeAfterRevoke(t *testing.T, w *world) {
	for range rounds {
		caller := w.create(t, w.apiToken(w.homeEnv))
		w.noneAfter(t, caller, func() error {
			_, err := w.Update(t.Context(), token.Permit{}, caller.Ref(), setState(token.Revoked))
			return err
		})
	}
}

func noChangeAfterDisabling(t *testing.T, w *world) {
	for range rounds {
		owner := w.user(t, token.RoleMember)
		w.noneAfter(t, w.create(t, w.muninx(owner)), func() error {
			_, err := w.UpdateUser(t.Context(), token.Permit{}, owner.ID, disableUser)
			return err
		})
	}
}

// revokeEachOther has callers revoke each other's token, and then also their own: one wins, and nobody waits for ever.
func revokeEachOther(t *testing.T, w *world) {
	for range 4 * rounds {
		a, b := w.create(t, w.muninx(w.admin)), w.create(t, w.muninx(w.member))
		pairs := [][2]token.Token{{a, b}, {b, a}, {a, a}, {b, b}}
		errs := together(len(pairs), func(i int) error {
			_, err := w.Update(t.Context(), permit(pairs[i][0]), pairs[i][1].Ref(), setState(token.Revoked))
			return err
		})
		for i, err := range errs {
			if k := kindOf(err); k != "" && k != token.CredentialInvalid {
				t.Errorf("pair %d: %v", i, err)
			}
		}
		if !slices.Contains(errs, nil) {
			t.Errorf("nobody could revoke: %v", errs)
		}
	}
}
