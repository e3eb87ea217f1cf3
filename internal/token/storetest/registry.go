package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var registryTests = map[string]func(*testing.T, *world){
	"users keep every member":                usersKeepEveryMember,
	"users are unique":                       usersAreUnique,
	"users are numbered and listed":          usersAreListed,
	"subjects are found with their account":  subjectsAreFound,
	"a user's update stores four members":    userUpdate,
	"a user's update counts other admins":    userUpdateCountsAdmins,
	"the first admin is the first enabled":   firstAdmin,
	"accounts are kept, unique and updated":  accounts,
	"environments are kept, unique, updated": environments,
	"lists of ids are in the order of bytes": listsOfIDs,
}

func usersKeepEveryMember(t *testing.T, w *world) {
	want := w.newUser(token.RoleIntrospector)
	want.Issuer, want.Disabled, want.UpdatedAt = "https://issuer.example", true, noon.Add(time.Hour)
	got, err := w.CreateUser(t.Context(), token.Permit{}, want)
	ok(t, err)
	want.ID = got.ID
	same(t, "the user", got, want)
	found, err := w.FindUser(t.Context(), got.ID)
	ok(t, err)
	same(t, "the user found", found, want)
	_, err = w.FindUser(t.Context(), 99)
	kind(t, err, token.NotFound)
	homeless := w.newUser(token.RoleMember)
	homeless.AccountID = ""
	got, err = w.CreateUser(t.Context(), token.Permit{}, homeless)
	ok(t, err)
	same(t, "no home account", got.AccountID, "")
}

func usersAreUnique(t *testing.T, w *world) {
	first := w.newUser(token.RoleMember)
	first.Issuer = "https://issuer.example"
	_, err := w.CreateUser(t.Context(), token.Permit{}, first)
	ok(t, err)
	sameSubject, sameAdminID := w.newUser(token.RoleAdmin), w.newUser(token.RoleAdmin)
	otherIssuer := w.newUser(token.RoleAdmin)
	sameSubject.Issuer, sameSubject.Subject = first.Issuer, first.Subject
	sameAdminID.AdminID = first.AdminID
	otherIssuer.Issuer, otherIssuer.Subject = "https://other.example", first.Subject
	_, err = w.CreateUser(t.Context(), token.Permit{}, sameSubject)
	kind(t, err, token.NameTaken)
	_, err = w.CreateUser(t.Context(), token.Permit{}, sameAdminID)
	kind(t, err, token.NameTaken)
	_, err = w.CreateUser(t.Context(), token.Permit{}, otherIssuer)
	ok(t, err)
}

func usersAreListed(t *testing.T, w *world) {
	same(t, "the first id", w.admin.ID, 1)
	all := []token.User{w.admin, w.member}
	for range 5 {
		all = append(all, w.user(t, token.RoleMember))
	}
	var got []token.User
	for after := int64(0); ; after = got[len(got)-1].ID {
		page, err := w.ListUsers(t.Context(), after, 3)
		ok(t, err)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	if !slices.Equal(got, all) {
		t.Errorf("users are %v, want %v", got, all)
	}
}

func subjectsAreFound(t *testing.T, w *world) {
	in := w.newUser(token.RoleMember)
	in.Issuer = "https://issuer.example"
	user, err := w.CreateUser(t.Context(), token.Permit{}, in)
	ok(t, err)
	id, err := w.FindSubject(t.Context(), user.Issuer, user.Subject)
	ok(t, err)
	sameFact(t, "the user", id.User, user)
	sameFact(t, "the home account", id.Account, w.home)
	same(t, "the token", id.Token, nil)
	for _, pair := range [][2]string{{user.Issuer, "unknown"}, {"https://other.example", user.Subject},
		{"", w.member.Subject}, {user.Issuer, ""}, {"", ""}} {
		_, err := w.FindSubject(t.Context(), pair[0], pair[1])
		kind(t, err, token.NotFound)
	}
}

func userUpdate(t *testing.T, w *world) {
	got, err := w.UpdateUser(t.Context(), token.Permit{}, w.member.ID, func(u *token.User, _ int) error {
		same(t, "the user to change", *u, w.member)
		*u = w.newUser(token.RoleAdmin) // whatever else is changed is not stored
		u.AccountID, u.Disabled, u.UpdatedAt = w.other.ID, true, noon.Add(time.Hour)
		return nil
	})
	ok(t, err)
	want := w.member
	want.Role, want.AccountID = token.RoleAdmin, w.other.ID
	want.Disabled, want.UpdatedAt = true, noon.Add(time.Hour)
	same(t, "the user", got, want)
	found, err := w.FindUser(t.Context(), want.ID)
	ok(t, err)
	same(t, "the user found", found, want)

	refusal := errors.New("plain")
	_, err = w.UpdateUser(t.Context(), token.Permit{}, want.ID, func(u *token.User, _ int) error {
		u.Disabled = false
		return refusal
	})
	same(t, "the error of change", err, refusal)
	found, err = w.FindUser(t.Context(), want.ID)
	ok(t, err)
	same(t, "the user after a refusal", found, want)
	_, err = w.UpdateUser(t.Context(), token.Permit{}, 99, func(*token.User, int) error { return refusal })
	kind(t, err, token.NotFound)
}

func userUpdateCountsAdmins(t *testing.T, w *world) {
	others := func(id int64, disable bool) (n int) {
		_, err := w.UpdateUser(t.Context(), token.Permit{}, id, func(u *token.User, otherAdmins int) error {
			n, u.Disabled = otherAdmins, disable
			return nil
		})
		ok(t, err)
		return n
	}
	second := w.user(t, token.RoleAdmin)
	w.user(t, token.RoleIntrospector)
	same(t, "others than the first admin", others(w.admin.ID, false), 1)
	same(t, "others than the member", others(w.member.ID, false), 2)
	same(t, "others than the second admin", others(second.ID, true), 1)
	same(t, "others when the second is disabled", others(w.admin.ID, false), 0)
	same(t, "others of the disabled one", others(second.ID, false), 1)
	same(t, "others when it is enabled again", others(w.admin.ID, false), 1)
}

func firstAdmin(t *testing.T, w *world) {
	second := w.user(t, token.RoleAdmin)
	got, err := w.FirstAdmin(t.Context())
	ok(t, err)
	same(t, "the first admin", got, w.admin)
	w.disableUser(t, w.admin.ID)
	got, err = w.FirstAdmin(t.Context())
	ok(t, err)
	same(t, "the first enabled admin", got, second)
	w.disableUser(t, second.ID)
	_, err = w.FirstAdmin(t.Context())
	kind(t, err, token.NotFound)
}

func (w *world) disableUser(t *testing.T, id int64) {
	t.Helper()
	_, err := w.UpdateUser(t.Context(), token.Permit{}, id, disableUser)
	ok(t, err)
}

func accounts(t *testing.T, w *world) {
	kind(t, w.CreateAccount(t.Context(), token.Permit{}, w.home), token.NameTaken)
	found, err := w.FindAccount(t.Context(), w.home.ID)
	ok(t, err)
	same(t, "the account found", found, w.home)
	want := w.home
	want.Disabled, want.UpdatedAt = true, noon.Add(time.Hour)
	got, err := w.UpdateAccount(t.Context(), token.Permit{}, w.home.ID, func(a *token.Account) error {
		same(t, "the account to change", *a, w.home)
		a.ID, a.Name, a.Disabled, a.UpdatedAt = "x", "x", want.Disabled, want.UpdatedAt
		return nil
	})
	ok(t, err)
	same(t, "the account", got, want)
	_, err = w.UpdateAccount(t.Context(), token.Permit{}, w.home.ID, func(a *token.Account) error {
		a.Disabled = false
		return token.Forbidden
	})
	same[error](t, "the error of change", err, token.Forbidden)
	found, err = w.FindAccount(t.Context(), w.home.ID)
	ok(t, err)
	same(t, "the account found", found, want)
	_, err = w.FindAccount(t.Context(), "unknown")
	kind(t, err, token.NotFound)
	_, err = w.UpdateAccount(t.Context(), token.Permit{}, "unknown", func(*token.Account) error { return nil })
	kind(t, err, token.NotFound)
}

func environments(t *testing.T, w *world) {
	kind(t, w.CreateEnvironment(t.Context(), token.Permit{}, w.homeEnv), token.NameTaken)
	found, err := w.FindEnvironment(t.Context(), w.homeEnv.ID)
	ok(t, err)
	same(t, "the environment found", found, w.homeEnv)
	want := w.homeEnv
	want.Disabled, want.UpdatedAt = true, noon.Add(time.Hour)
	got, err := w.UpdateEnvironment(t.Context(), token.Permit{}, w.homeEnv.ID, func(e *token.Environment) error {
		same(t, "the environment to change", *e, w.homeEnv)
		e.ID, e.Name, e.AccountID, e.Disabled, e.UpdatedAt = "x", "x", w.other.ID, want.Disabled, want.UpdatedAt
		return nil
	})
	ok(t, err)
	same(t, "the environment", got, want)
	_, err = w.UpdateEnvironment(t.Context(), token.Permit{}, w.homeEnv.ID, func(e *token.Environment) error {
		e.Disabled = false
		return token.Forbidden
	})
	same[error](t, "the error of change", err, token.Forbidden)
	found, err = w.FindEnvironment(t.Context(), w.homeEnv.ID)
	ok(t, err)
	same(t, "the environment found", found, want)
	_, err = w.FindEnvironment(t.Context(), "unknown")
	kind(t, err, token.NotFound)
	_, err = w.UpdateEnvironment(t.Context(), token.Permit{}, "unknown", func(*token.Environment) error { return nil })
	kind(t, err, token.NotFound)
}

// listsOfIDs uses ids that a database sorts differently by the rules of a language.
func listsOfIDs(t *testing.T, w *world) {
	ids := []string{"0", "A", "B", "_", "a", "b", "b1", "ä"}
	for _, i := range []int{3, 1, 7, 0, 5, 2, 6, 4} {
		ok(t, w.CreateAccount(t.Context(), token.Permit{}, account("#"+ids[i])))
		ok(t, w.CreateEnvironment(t.Context(), token.Permit{}, environment("#"+ids[i], w.home)))
	}
	listAccount := func(ctx context.Context, after string) (string, error) {
		page, err := w.ListAccounts(ctx, after, 1)
		return fmt.Sprint(page[0].ID), err
	}
	listEnvironment := func(ctx context.Context, after string) (string, error) {
		page, err := w.ListEnvironments(ctx, after, 1)
		return fmt.Sprint(page[0].ID), err
	}
	for _, list := range []func(context.Context, string) (string, error){listAccount, listEnvironment} {
		after := ""
		for _, id := range ids {
			next, err := list(t.Context(), after)
			ok(t, err)
			same(t, "the id after "+after, next, "#"+id)
			after = next
		}
	}
	page, err := w.ListAccounts(t.Context(), "zzz", 5)
	ok(t, err)
	same(t, "accounts after the last", len(page), 0)
	envs, err := w.ListEnvironments(t.Context(), "", 2)
	ok(t, err)
	same(t, "environments of a page", len(envs), 2)
}
