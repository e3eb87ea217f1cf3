package token

import (
	"errors"
	"testing"
	"time"
)

// TestWhatATokenHasOfItsMaker: a token reaches no further than the credential that made it.
func TestWhatATokenHasOfItsMaker(t *testing.T) {
	w := newWorld(t)
	soon := noon.Add(time.Hour)
	type maker struct {
		CreatedBy int64
		AdminID   string
		RoleLimit Role
	}
	limited := func(user int64, limit Role) Caller { return w.caller(t, Token{UserID: user, RoleLimit: limit}) }
	for name, c := range map[string]struct {
		caller  Caller
		dialect *Dialect
		want    maker
	}{
		"a member":                       {w.user(t, member), personal, maker{member, "", ""}},
		"an introspector":                {w.user(t, introspector), personal, maker{introspector, "", ""}},
		"an admin":                       {w.user(t, admin), personal, maker{admin, "root", ""}},
		"an admin, for an account":       {w.user(t, admin), corporate, maker{admin, "root", ""}},
		"an account":                     {w.account(t, home.ID, ""), corporate, maker{}},
		"an admin who is limited":        {limited(admin, RoleMember), personal, maker{admin, "", RoleMember}},
		"the same, for an account":       {limited(admin, RoleMember), corporate, maker{admin, "", ""}},
		"an admin who only checks":       {limited(admin, RoleIntrospector), personal, maker{admin, "", RoleIntrospector}},
		"a limit at the role":            {limited(member, RoleMember), personal, maker{member, "", ""}},
		"a limit above the role":         {limited(member, RoleAdmin), personal, maker{member, "", ""}},
		"a guest":                        {w.guest(t, "", soon), personal, maker{guest, "", ""}},
		"a guest of the role that it is": {w.guest(t, RoleMember, soon), personal, maker{guest, "", ""}},
		"a guest who is more today":      {w.guest(t, RoleAdmin, soon), personal, maker{guest, "7", ""}},
	} {
		made, _, err := w.Create(t.Context(), c.caller, Draft{Dialect: c.dialect, Scope: ScopeAccount})
		refused(t, name, err, "")
		same(t, name, maker{made.CreatedBy, made.CreatedByAdminID, made.RoleLimit}, c.want)
		minter := int64(0)
		if c.caller.Token != nil {
			minter = c.caller.Token.Seq
		}
		same(t, name+": minted by", made.MintedBy, minter)
	}
	w.setUser(t, guest, func(u *User) { u.Role = RoleAdmin })
	made, _, err := w.Create(t.Context(), w.guest(t, RoleIntrospector, soon), Draft{Dialect: personal})
	ok(t, err)
	same(t, "a guest who is less today", maker{made.CreatedBy, made.CreatedByAdminID, made.RoleLimit},
		maker{guest, "", RoleIntrospector})
}

// TestRolesOnlyShrink gives each role each limit.
func TestRolesOnlyShrink(t *testing.T) {
	for _, c := range []struct{ role, limit, want Role }{
		{RoleAdmin, "", RoleAdmin},
		{RoleAdmin, RoleAdmin, RoleAdmin},
		{RoleAdmin, RoleIntrospector, RoleIntrospector},
		{RoleAdmin, RoleMember, RoleMember},
		{RoleIntrospector, "", RoleIntrospector},
		{RoleIntrospector, RoleAdmin, RoleIntrospector},
		{RoleIntrospector, RoleIntrospector, RoleIntrospector},
		{RoleIntrospector, RoleMember, RoleMember},
		{RoleMember, "", RoleMember},
		{RoleMember, RoleAdmin, RoleMember},
		{RoleMember, RoleIntrospector, RoleMember},
		{RoleMember, RoleMember, RoleMember},
	} {
		same(t, string(c.role+" at most "+c.limit), c.role.atMost(c.limit), c.want)
	}
}

// TestNewTokens: what is created is active, has an id of its dialect's form, and is found by its secret alone.
func TestNewTokens(t *testing.T) {
	w := newWorld(t)
	w.now = noon.Add(1234567 * time.Nanosecond)
	made, secret, err := w.Create(t.Context(), w.user(t, member), Draft{Dialect: personal, Name: "mine"})
	ok(t, err)
	want := Token{
		Seq: 2, Dialect: personal, ID: made.ID, Hash: HashSecret(secret), Name: "mine", Scope: ScopeUser, UserID: member,
		State: Active, CreatedBy: member, MintedBy: 1,
		CreatedAt: noon.Add(time.Millisecond), UpdatedAt: noon.Add(time.Millisecond),
	}
	same(t, "the token", made, want)
	same(t, "whether the id fits", ValidKey(made.ID), true)
	same(t, "the dialect of the secret", w.Dialects.OfSecret(secret), personal)
	found, err := w.fake.FindSecret(t.Context(), HashSecret(secret))
	ok(t, err)
	same(t, "the token that the secret finds", *found.Token, want)

	numbered, _, err := w.Create(t.Context(), w.user(t, member), Draft{Dialect: Unleash})
	ok(t, err)
	same(t, "the id that the store gave", numbered.ID, "4")
}

// TestSignedSecrets: a JWT says of the token what the row says, and the row which key signed it.
func TestSignedSecrets(t *testing.T) {
	w := newWorld(t)
	caller, end := w.account(t, home.ID, ""), noon.Add(time.Hour+time.Millisecond)
	for _, c := range []struct {
		draft   Draft
		subject string
	}{
		{Draft{Scope: ScopeAccount}, home.ID},
		{Draft{Scope: ScopeEnvironment, EnvironmentID: &homeEnv.ID}, homeEnv.ID},
	} {
		c.draft.Dialect, c.draft.ExpiresAt = APIToken, &end
		made, secret, err := w.Create(t.Context(), caller, c.draft)
		ok(t, err)
		want := Claims{ID: made.ID, Subject: c.subject, Scope: c.draft.Scope, AccountID: home.ID, IssuedAt: noon,
			EnvironmentID: made.EnvironmentID, ExpiresAt: noon.Add(time.Hour), Entry: made.Entry}
		same(t, "the claims", w.signer.claims, want)
		same(t, "the secret", secret, "eyJ."+made.ID+".signature")
		same(t, "the hash", made.Hash, HashSecret(secret))
		same(t, "the key", made.KeyID, "key-1")
		same(t, "the list of its status", made.Entry.List, 1)
	}
	unsigned, _, err := w.Create(t.Context(), caller, Draft{Dialect: corporate, Scope: ScopeAccount})
	ok(t, err)
	same(t, "the key of what is not signed", unsigned.KeyID, "")
	same(t, "the entry of what publishes no status", unsigned.Entry, StatusEntry{})

	for want, broken := range map[string]error{
		"internal error: broken":                           errors.New("broken"),
		"service unavailable: service unavailable: locked": Errorf(Unavailable, "locked"),
	} {
		w.signer.broken = broken
		_, secret, err := w.Create(t.Context(), caller, Draft{Dialect: APIToken, Scope: ScopeAccount})
		refused(t, "a signer that is broken", err, want)
		same(t, "the secret", secret, "")
	}
}

// TestDeliveries: a token whose secret could not be delivered was never issued.
func TestDeliveries(t *testing.T) {
	w := newWorld(t)
	caller, delivered := w.user(t, member), ""
	deliver := func(secret string) error { delivered = secret; return nil }
	_, secret, err := w.Create(t.Context(), caller, Draft{Dialect: personal, Deliver: deliver})
	ok(t, err)
	same(t, "what was delivered", delivered, secret)
	full := errors.New("the disk is full")
	_, secret, err = w.Create(t.Context(), caller, Draft{Dialect: personal, Deliver: func(string) error { return full }})
	same(t, "the error of what delivers", err, full)
	same(t, "the secret", secret, "")
	_, secret, err = w.Create(t.Context(), caller, Draft{Dialect: personal, ExpiresAt: &noon, Deliver: func(string) error {
		t.Error("a secret of what was refused")
		return nil
	}})
	refused(t, "a refused one", err, "invalid: the request does not fit; /expires_at must be in the future")
	same(t, "the secret", secret, "")
	all, err := w.fake.List(t.Context(), Query{Dialect: personal, Limit: 9})
	ok(t, err)
	same(t, "how many there are", len(all), 1)
}

// TestDecisionsMayBeRepeated: a store may have to try a transaction again, perhaps when the caller is less than before.
func TestDecisionsMayBeRepeated(t *testing.T) {
	w := newWorld(t)
	root := w.user(t, admin)
	n := creation{service: w.Service, caller: root, draft: Draft{Dialect: personal},
		policy: Policy{DefaultLifetime: time.Hour}}
	first := n.start()
	ok(t, n.decide(&first, Facts{User: root.User}))
	secret := n.secret
	n.caller.Role, w.now = RoleMember, noon.Add(time.Minute)
	second := first
	ok(t, n.decide(&second, Facts{User: root.User}))
	same(t, "whether the secret is the first one", n.secret == secret || second.ID == first.ID, false)
	same(t, "the hash", second.Hash, HashSecret(n.secret))
	same(t, "the admin", second.CreatedByAdminID, "")
	same(t, "the role", second.RoleLimit, RoleMember)
	same(t, "the time", second.CreatedAt, noon.Add(time.Minute))
	same(t, "the expiry", second.ExpiresAt, noon.Add(time.Hour+time.Minute))
}

// TestStoresThatFail: what goes wrong in the store is told as it is, and no secret gets out.
func TestStoresThatFail(t *testing.T) {
	w := newWorld(t)
	caller := w.user(t, member)
	for _, kind := range []Kind{Unavailable, Overloaded, NameTaken} {
		for _, when := range []string{"Create", "Create, stored"} {
			w.fake.Fault = failing(when, kind)
			_, secret, err := w.Create(t.Context(), caller, Draft{Dialect: personal})
			same(t, when, KindOf(err), kind)
			same(t, "the secret", secret, "")
		}
	}
}
