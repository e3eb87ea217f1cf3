package token

import (
	"context"
	"errors"
	"testing"
	"time"
)

// outcome is what became of a token, or the kind of the refusal.
func outcome(t Token, err error) string {
	if err != nil {
		return string(KindOf(err))
	}
	text := string(t.State)
	if t.SuspendedByAdmin {
		text += " by admin"
	}
	if t.Deleted() {
		text += ", deleted"
	}
	return text
}

// TestActions has a line for each state and caller: what becomes of the token by each action, in a dialect that deletes
// what has ended only, and in one that deletes from any state.
func TestActions(t *testing.T) {
	strict, free := *personal, *personal
	strict.Name, free.Name, free.DeletesFromAnyState = "strict", "free", true
	const (
		no, may = "conflict", "forbidden"
		mark    = " by admin"
	)
	for _, c := range []struct {
		state                     State
		byAdmin, expired          bool
		caller                    int64
		activate, suspend, revoke string
		delete, deleteFree        string
	}{
		{Active, false, false, member, no, "suspended", "revoked", no, "revoked, deleted"},
		{Active, false, false, admin, no, "suspended by admin", "revoked", no, "revoked, deleted"},
		{Suspended, false, false, member, "active", no, "revoked", no, "revoked, deleted"},
		{Suspended, false, false, admin, "active", "suspended by admin", "revoked", no, "revoked, deleted"},
		{Suspended, true, false, member, may, no, "revoked" + mark, no, "revoked by admin, deleted"},
		{Suspended, true, false, admin, "active", no, "revoked" + mark, no, "revoked by admin, deleted"},
		{Revoked, false, false, member, no, no, no, "revoked, deleted", "revoked, deleted"},
		{Revoked, false, false, admin, no, no, no, "revoked, deleted", "revoked, deleted"},
		{Revoked, false, true, member, no, no, no, "revoked, deleted", "revoked, deleted"},
		{Revoked, true, false, member, no, no, no, "revoked by admin, deleted", "revoked by admin, deleted"},
		{Active, false, true, member, no, no, no, "active, deleted", "revoked, deleted"},
		{Active, false, true, admin, no, no, no, "active, deleted", "revoked, deleted"},
		{Suspended, false, true, member, no, no, no, "suspended, deleted", "revoked, deleted"},
		{Suspended, false, true, admin, no, no, no, "suspended, deleted", "revoked, deleted"},
		{Suspended, true, true, member, no, no, no, "suspended by admin, deleted", "revoked by admin, deleted"},
		{Suspended, true, true, admin, no, no, no, "suspended by admin, deleted", "revoked by admin, deleted"},
	} {
		for _, try := range []struct {
			dialect *Dialect
			action  Action
			want    string
		}{
			{&strict, Activate, c.activate}, {&free, Activate, c.activate},
			{&strict, Suspend, c.suspend}, {&free, Suspend, c.suspend},
			{&strict, Revoke, c.revoke}, {&free, Revoke, c.revoke},
			{&strict, Delete, c.delete}, {&free, Delete, c.deleteFree},
		} {
			w := newWorld(t)
			in := Token{Dialect: try.dialect, UserID: member, State: c.state, SuspendedByAdmin: c.byAdmin}
			if c.expired {
				in.ExpiresAt = noon.Add(time.Minute)
			}
			before, _ := w.put(t, in)
			caller, reach := w.user(t, c.caller), Own
			if c.caller == admin {
				reach = Everything
			}
			w.now = noon.Add(time.Minute)
			got, err := w.Apply(t.Context(), caller, before.Ref(), try.action, reach)
			after, missing := w.fake.Find(t.Context(), before.Ref())
			ok(t, missing)
			if o := outcome(got, err); o != try.want {
				t.Errorf("%+v: %s in %s: %s, want %s", c, try.action, try.dialect, o, try.want)
			}
			if err != nil {
				same(t, "what was refused", after, before)
				continue
			}
			same(t, "what is stored", after, got)
			same(t, "the time of the change", got.UpdatedAt, w.now)
			if got.Deleted() {
				same(t, "the time of the deletion", got.DeletedAt, w.now)
			}
		}
	}
}

// TestRefusedActionsSayWhy: in words that name the state as its owner sees it.
func TestRefusedActionsSayWhy(t *testing.T) {
	w := newWorld(t)
	usual := w.user(t, member)
	for _, c := range []struct {
		token  Token
		action Action
		want   string
	}{
		{Token{}, Activate, "conflict: the token is active, and activate is not possible then"},
		{Token{State: Revoked}, Suspend, "conflict: the token is revoked, and suspend is not possible then"},
		{Token{ExpiresAt: noon}, Revoke, "conflict: the token is expired, and revoke is not possible then"},
		{Token{State: Suspended, SuspendedByAdmin: true}, Activate,
			"forbidden: an admin suspended the token, and only an admin can activate it"},
	} {
		c.token.Dialect, c.token.UserID = personal, member
		made, _ := w.put(t, c.token)
		_, err := w.Apply(t.Context(), usual, made.Ref(), c.action, Own)
		refused(t, string(c.action), err, c.want)
	}
}

// TestPublishedDialectsDelete: which contract deletes from any state is published.
func TestPublishedDialectsDelete(t *testing.T) {
	for d, want := range map[*Dialect]string{
		Muninx: "revoked, deleted", Unleash: "revoked, deleted", APIToken: "conflict",
	} {
		w := newWorld(t)
		made, _ := w.put(t, Token{Dialect: d, UserID: member, AccountID: home.ID})
		got, err := w.Apply(t.Context(), w.user(t, member), made.Ref(), Delete, Own)
		same(t, d.Name, outcome(got, err), want)
	}
}

// TestWhoActsOnWhat: what the caller may do to no token is forbidden, and a token that it does not see is not there.
func TestWhoActsOnWhat(t *testing.T) {
	const (
		none     = "not found: there is no such token"
		notAdmin = "forbidden: this needs the role admin"
		noUser   = "forbidden: the credential belongs to no user, and these tokens are a user's own"
		mayNot   = "forbidden: a credential that belongs to no user may not "
	)
	w := newWorld(t)
	root, usual, strange := w.user(t, admin), w.user(t, member), w.user(t, stranger)
	machine, bound := w.account(t, home.ID, ""), w.account(t, home.ID, homeEnv.ID)
	put := func(in Token) Ref {
		made, _ := w.put(t, in)
		return made.Ref()
	}
	mine, ours := put(Token{Dialect: personal, UserID: member}), put(Token{Dialect: corporate, AccountID: home.ID})
	next := put(Token{Dialect: corporate, AccountID: home.ID, EnvironmentID: nextEnv.ID})
	gone := put(Token{Dialect: personal, UserID: member})
	w.set(t, gone, func(t *Token) { t.DeletedAt = noon })
	for name, c := range map[string]struct {
		caller Caller
		ref    Ref
		action Action
		reach  Reach
		want   string
	}{
		"its owner":                          {usual, mine, Suspend, Own, ""},
		"another user":                       {strange, mine, Suspend, Own, none},
		"another user, what is not possible": {strange, mine, Activate, Own, none},
		"an admin, in the dialect":           {root, mine, Suspend, Own, none},
		"a member, in the administration":    {usual, mine, Suspend, Everything, notAdmin},
		"an account, a user's":               {machine, mine, Revoke, Own, noUser},
		"an account, its own":                {machine, ours, Suspend, Own, mayNot + "suspend a token"},
		"an account, what is not there":      {machine, Ref{corporate, key("x")}, Delete, Own, mayNot + "delete a token"},
		"another account":                    {strange, ours, Revoke, Own, none},
		"another environment":                {bound, next, Revoke, Own, none},
		"an environment, the account's":      {bound, ours, Revoke, Own, none},
		"a member, its account's":            {usual, ours, Suspend, Own, ""},
		"an account, revoking its own":       {machine, next, Revoke, Own, ""},
		"a deleted one":                      {usual, gone, Delete, Own, none},
		"a deleted one, by an admin":         {root, gone, Delete, Everything, none},
		"an unknown one":                     {usual, Ref{personal, key("x")}, Revoke, Own, none},
		"an unknown one, activated":          {usual, Ref{personal, key("x")}, Activate, Own, none},
		"no id":                              {usual, Ref{personal, "x"}, Revoke, Own, none},
		"no dialect, by an admin":            {root, Ref{}, Revoke, Everything, none},
	} {
		asked, nameless := false, map[string]bool{"no id": true, "no dialect, by an admin": true}
		w.fake.Fault = func(string) error { asked = true; return nil }
		_, err := w.Apply(t.Context(), c.caller, c.ref, c.action, c.reach)
		refused(t, name, err, c.want)
		same(t, name+": whether the store was asked", asked, (c.want == "" || c.want == none) && !nameless[name])
	}
}

// recorder tells what came to the store.
type recorder struct {
	*Fake
	inserts []Insert
	queries []Query
}

func (r *recorder) Create(ctx context.Context, in Insert) (Token, error) {
	r.inserts = append(r.inserts, in)
	return r.Fake.Create(ctx, in)
}

func (r *recorder) List(ctx context.Context, q Query) ([]Token, error) {
	r.queries = append(r.queries, q)
	return r.Fake.List(ctx, q)
}

// TestUrgency: what takes rights away goes before all others, and so does not stand there for nothing.
func TestUrgency(t *testing.T) {
	w := newWorld(t)
	usual := w.user(t, member)
	unknown := Ref{personal, key("x")}
	for _, c := range []struct {
		token  Token
		action Action
		asked  bool
		urgent bool
	}{
		{Token{State: Suspended}, Activate, true, false},
		{Token{}, Activate, true, false}, // refused by the change itself
		{Token{}, Suspend, true, true},
		{Token{}, Revoke, true, true},
		{Token{State: Revoked}, Delete, true, true},
		{Token{}, Delete, false, true},
		{Token{State: Revoked}, Revoke, false, true},
		{Token{State: Suspended}, Suspend, false, true},
	} {
		c.token.Dialect, c.token.UserID = personal, member
		made, _ := w.put(t, c.token)
		w.fake.Permits = nil
		_, _ = w.Apply(t.Context(), usual, made.Ref(), c.action, Own)
		same(t, string(c.action)+": whether the store was asked for a change", len(w.fake.Permits) == 1, c.asked)
		if len(w.fake.Permits) == 1 {
			same(t, string(c.action)+": whether it is urgent", w.fake.Permits[0].Urgent, c.urgent)
		}
	}
	w.fake.Permits = nil
	_, _ = w.Apply(t.Context(), usual, unknown, Revoke, Own)
	same(t, "changes of what is not there", len(w.fake.Permits), 0)

	made, _ := w.put(t, Token{Dialect: personal, UserID: member})
	w.fake.Fault = failing("Find", Unavailable)
	got, err := w.Apply(t.Context(), usual, made.Ref(), Revoke, Own)
	same(t, "where it cannot be said before", outcome(got, err), "revoked")
}

// TestApplyJudgesTheCallerAsItIsNow: the right may have ended since the request was authenticated, and a credential may
// take its own right away.
func TestApplyJudgesTheCallerAsItIsNow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, c Caller)
		action Action
		want   string
	}{
		"revoked": {func(w *world, c Caller) {
			w.set(t, c.Token.Ref(), func(t *Token) { t.State = Revoked })
		}, Suspend, "credential invalid"},
		"the user was disabled": {func(w *world, _ Caller) {
			w.setUser(t, admin, func(u *User) { u.Disabled = true })
		}, Activate, "credential invalid"},
		"no admin any more": {func(w *world, _ Caller) {
			w.setUser(t, admin, func(u *User) { u.Role = RoleMember })
		}, Suspend, "forbidden"},
		"nothing": {func(*world, Caller) {}, Suspend, "suspended by admin"},
	} {
		w := newWorld(t)
		root := w.user(t, admin)
		state := Active
		if c.action == Activate {
			state = Suspended
		}
		made, _ := w.put(t, Token{Dialect: personal, UserID: member, State: state})
		c.change(w, root)
		got, err := w.Apply(t.Context(), root, made.Ref(), c.action, Everything)
		same(t, name, outcome(got, err), c.want)
	}

	w := newWorld(t) // who was an admin and sees less now
	root := w.user(t, admin)
	made, _ := w.put(t, Token{Dialect: corporate, AccountID: other.ID})
	w.setUser(t, admin, func(u *User) { u.Role = RoleMember })
	got, err := w.Apply(t.Context(), root, made.Ref(), Revoke, Own)
	same(t, "another account's", outcome(got, err), "not found")
	w.setUser(t, admin, func(u *User) { u.Role = RoleAdmin })
	got, err = w.Apply(t.Context(), root, root.Token.Ref(), Revoke, Own)
	same(t, "its own credential", outcome(got, err), "revoked")
	got, err = w.Apply(t.Context(), root, made.Ref(), Revoke, Own)
	same(t, "with the revoked credential", outcome(got, err), "credential invalid")
}

// TestMemoryHearsOfChanges: of what was changed, or perhaps changed, before the answer.
func TestMemoryHearsOfChanges(t *testing.T) {
	w := newWorld(t)
	usual := w.user(t, member)
	memory := &fakeMemory{rows: map[Hash]Identity{}}
	w.Memory = memory
	put := func(set func(*Token)) Token {
		in := Token{Dialect: APIToken, AccountID: home.ID, Entry: StatusEntry{List: 3}}
		if set != nil {
			set(&in)
		}
		made, _ := w.put(t, in)
		return made
	}
	gone := put(nil)
	w.set(t, gone.Ref(), func(t *Token) { t.DeletedAt = noon })
	for name, c := range map[string]struct {
		token  Token
		action Action
		fault  string
		heard  bool
	}{
		"a change":            {put(nil), Suspend, "", true},
		"a lost answer":       {put(nil), Suspend, "Update, stored", true},
		"a lost activation":   {put(func(t *Token) { t.State = Suspended }), Activate, "Update, stored", true},
		"a refusal":           {put(nil), Delete, "", true}, // since it shows what the token is now
		"a deleted one":       {gone, Revoke, "", true},
		"a store that is out": {put(func(t *Token) { t.State = Suspended }), Activate, "Update", false},
	} {
		memory.changes = nil
		w.fake.Fault = failing(c.fault, errors.New("lost"))
		_, err := w.Apply(t.Context(), usual, c.token.Ref(), c.action, Own)
		if c.fault != "" {
			refused(t, name, err, "lost")
		}
		heard := len(memory.changes) == 1 && memory.changes[0] == Change{Token: c.token.Seq, List: 3}
		same(t, name+": whether it was heard", heard, c.heard)
	}
}
