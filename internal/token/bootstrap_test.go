package token

import (
	"errors"
	"testing"
	"time"
)

// TestInitialize: an empty store gets an account with two environments, an admin and its credential, once.
func TestInitialize(t *testing.T) {
	s, delivered := &Service{Clock: func() time.Time { return noon }}, ""
	fake := NewFake()
	s.Store, s.Registry = fake, fake
	deliver := func(secret string) error { delivered = secret; return nil }
	full := errors.New("the disk is full")
	first, err := s.Initialize(t.Context(), func(string) error { return full })
	same(t, "the error of what delivers", err, full)
	same(t, "whether it was the first", first, false)
	first, err = s.Initialize(t.Context(), deliver)
	ok(t, err)
	same(t, "whether it was the first", first, true)

	c, err := s.Authenticate(t.Context(), delivered)
	ok(t, err)
	admin := User{ID: 1, AdminID: c.User.AdminID, Subject: "admin", Name: "First admin", Role: RoleAdmin,
		AccountID: c.Account.ID, CreatedAt: noon, UpdatedAt: noon}
	same(t, "the admin", *c.User, admin)
	same(t, "the account", *c.Account, Account{ID: c.Account.ID, Name: "default", CreatedAt: noon, UpdatedAt: noon})
	want := Token{Seq: 1, Dialect: Muninx, ID: c.Token.ID, Hash: HashSecret(delivered), Name: "bootstrap",
		Scope: ScopeUser, UserID: 1, State: Active, CreatedAt: noon, UpdatedAt: noon}
	same(t, "the credential", *c.Token, want)
	same(t, "whether all ids fit",
		ValidKey(c.Account.ID) && ValidKey(c.User.AdminID) && Muninx.IDs.Valid(c.Token.ID), true)
	environments, _, err := s.ListEnvironments(t.Context(), c, "", 9)
	ok(t, err)
	names := map[string]string{}
	for _, e := range environments {
		names[e.Name] = e.AccountID
	}
	same(t, "how many environments there are", len(environments), 2)
	same(t, "the account of the first", names["development"], c.Account.ID)
	same(t, "the account of the second", names["production"], c.Account.ID)

	delivered = ""
	first, err = s.Initialize(t.Context(), deliver)
	ok(t, err)
	same(t, "whether it was the first again", first, false)
	same(t, "what was delivered again", delivered, "")
}

// TestInitializeWithACredential: one that somebody else made must have the form of ours.
func TestInitializeWithACredential(t *testing.T) {
	fake := NewFake()
	s := &Service{Store: fake, Registry: fake}
	deliver := func(string) error { return nil }
	const form = "invalid: the credential is not a muninx secret"
	for _, bad := range []string{"", "letmein", Unleash.Secrets.New(), "a.b.c"} {
		_, err := s.InitializeWith(t.Context(), bad, deliver)
		refused(t, bad, err, form)
	}
	secret := Muninx.Secrets.New()
	first, err := s.InitializeWith(t.Context(), secret, deliver)
	ok(t, err)
	same(t, "whether it was the first", first, true)
	c, err := s.Authenticate(t.Context(), secret)
	ok(t, err)
	same(t, "whether it is an admin's", c.Admin(), true)
}

// TestRescue: an enabled admin gets one more credential, and nobody else does.
func TestRescue(t *testing.T) {
	none := errors.New("the disk is full")
	for name, c := range map[string]struct {
		user  int64
		fault error
		want  string
		owner int64
	}{
		"the first enabled admin": {0, nil, "", introspector},
		"one by number":           {introspector, nil, "", introspector},
		"a member":                {member, nil, "conflict: user 3 is not an enabled admin", 0},
		"a disabled admin":        {admin, nil, "conflict: user 1 is not an enabled admin", 0},
		"nobody":                  {99, nil, "not found: there is no enabled admin with this id", 0},
		"not delivered":           {0, none, "the disk is full", 0},
	} {
		w := newWorld(t)
		w.setUser(t, introspector, func(u *User) { u.Role = RoleAdmin })
		w.setUser(t, admin, func(u *User) { u.Disabled = true })
		delivered := ""
		made, err := w.Rescue(t.Context(), c.user, func(secret string) error { delivered = secret; return c.fault })
		refused(t, name, err, c.want)
		same(t, name+": the owner", made.UserID, c.owner)
		if err != nil {
			continue
		}
		same(t, name+": the dialect", made.Dialect, Muninx)
		same(t, name+": the name", made.Name, "bootstrap")
		caller, err := w.Authenticate(t.Context(), delivered)
		ok(t, err)
		same(t, name+": whether it is an admin's", caller.Admin(), true)
	}
	w := newWorld(t)
	w.setUser(t, admin, func(u *User) { u.Disabled = true })
	_, err := w.Rescue(t.Context(), 0, nil)
	refused(t, "where there is no admin", err, "not found: there is no enabled admin with this id")
	w.fake.Fault = func(string) error { return Unavailable }
	_, err = w.Rescue(t.Context(), 0, nil)
	same(t, "the kind without a store", KindOf(err), Unavailable)
}
