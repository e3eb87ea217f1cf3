package storetest

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// world is a store with a registry to make tokens in: two accounts, an environment in each, an admin and a member.
type world struct {
	Store
	home, other       token.Account
	homeEnv, otherEnv token.Environment
	admin, member     token.User
	made              atomic.Uint64 // tokens, so that each gets an id and a hash of its own
	registered        atomic.Uint64 // users, likewise
}

func newWorld(t *testing.T, s Store) *world {
	w := &world{Store: s, home: account("home"), other: account("other")}
	ok(t, s.CreateAccount(t.Context(), token.Permit{}, w.home))
	ok(t, s.CreateAccount(t.Context(), token.Permit{}, w.other))
	w.homeEnv, w.otherEnv = environment("home-env", w.home), environment("other-env", w.other)
	ok(t, s.CreateEnvironment(t.Context(), token.Permit{}, w.homeEnv))
	ok(t, s.CreateEnvironment(t.Context(), token.Permit{}, w.otherEnv))
	w.admin, w.member = w.user(t, token.RoleAdmin), w.user(t, token.RoleMember)
	return w
}

func account(id string) token.Account {
	return token.Account{ID: id, Name: "Account " + id, CreatedAt: noon, UpdatedAt: noon}
}

func environment(id string, of token.Account) token.Environment {
	return token.Environment{ID: id, AccountID: of.ID, Name: "Environment " + id, CreatedAt: noon, UpdatedAt: noon}
}

// newUser is a user of the home account that is not stored yet.
func (w *world) newUser(role token.Role) token.User {
	n := w.registered.Add(1)
	return token.User{
		AdminID: fmt.Sprintf("admin-%d", n), Subject: fmt.Sprintf("subject-%d", n), Name: fmt.Sprintf("User %d", n),
		Role: role, AccountID: w.home.ID, CreatedAt: noon, UpdatedAt: noon,
	}
}

func (w *world) user(t *testing.T, role token.Role) token.User {
	t.Helper()
	user, err := w.CreateUser(t.Context(), token.Permit{}, w.newUser(role))
	ok(t, err)
	return user
}

// muninx, apiToken and unleash are tokens of the dialects that are not stored yet.
func (w *world) muninx(owner token.User) token.Token {
	t := w.token(token.Muninx, token.ScopeUser)
	t.UserID = owner.ID
	return t
}

func (w *world) apiToken(of token.Environment) token.Token {
	t := w.token(token.APIToken, token.ScopeEnvironment)
	t.AccountID, t.EnvironmentID = of.AccountID, of.ID
	return t
}

func (w *world) unleash(owner token.User, name string) token.Token {
	t := w.token(token.Unleash, token.ScopeUser)
	t.UserID, t.Name, t.ID = owner.ID, name, ""
	return t
}

func (w *world) token(d *token.Dialect, scope token.Scope) token.Token {
	n := w.made.Add(1)
	t := token.Token{
		Dialect: d, ID: fmt.Sprintf("id-%d", n), Name: fmt.Sprintf("Token %d", n), Scope: scope, State: token.Active,
		CreatedAt: noon, UpdatedAt: noon,
	}
	binary.BigEndian.PutUint64(t.Hash[:], n)
	return t
}

// create stores the token; nothing refuses it.
func (w *world) create(t *testing.T, in token.Token) token.Token {
	t.Helper()
	made, err := w.Create(t.Context(), insert(in))
	ok(t, err)
	return made
}

// insert is a creation that nothing refuses.
func insert(t token.Token) token.Insert {
	return token.Insert{Token: t, Decide: func(*token.Token, token.Facts) error { return nil }}
}

// find reads the token again.
func (w *world) find(t *testing.T, ref token.Ref) token.Token {
	t.Helper()
	found, err := w.Find(t.Context(), ref)
	ok(t, err)
	return found
}

// remove leaves the token's tombstone.
func (w *world) remove(t *testing.T, ref token.Ref) token.Token {
	t.Helper()
	removed, err := w.Update(t.Context(), token.Permit{}, ref, func(t *token.Token) error {
		t.State, t.DeletedAt = token.Revoked, noon
		return nil
	})
	ok(t, err)
	return removed
}

func setState(s token.State) func(*token.Token) error {
	return func(t *token.Token) error {
		t.State = s
		return nil
	}
}

func disableUser(u *token.User, _ int) error {
	u.Disabled = true
	return nil
}

func disableAccount(a *token.Account) error {
	a.Disabled = true
	return nil
}

func disableEnvironment(e *token.Environment) error {
	e.Disabled = true
	return nil
}
