package token

import (
	"testing"
	"time"
)

// TestIntrospection: who may ask learns of a token that works and that it can reach; everything else reads the same.
func TestIntrospection(t *testing.T) {
	w := newWorld(t)
	secret := func(in Token) string {
		_, secret := w.put(t, in)
		return secret
	}
	secrets := map[string]string{
		"member":   secret(Token{UserID: member}),
		"stranger": secret(Token{UserID: stranger}),
		"home":     secret(Token{Dialect: corporate, AccountID: home.ID}),
		"env":      secret(Token{Dialect: corporate, AccountID: home.ID, EnvironmentID: homeEnv.ID}),
		"other":    secret(Token{Dialect: corporate, AccountID: other.ID}),
		"revoked":  secret(Token{UserID: member, State: Revoked}),
		"out":      secret(Token{UserID: disabled}),
		"shut":     secret(Token{Dialect: corporate, AccountID: shut.ID}),
		"unknown":  Muninx.Secrets.New(),
		"a word":   "letmein",
		"nothing":  "",
	}
	root, asking := w.user(t, admin), w.user(t, introspector)
	machine := w.caller(t, Token{Dialect: corporate, AccountID: home.ID, Introspector: true})
	bound := w.caller(t, Token{Dialect: corporate, AccountID: home.ID, EnvironmentID: nextEnv.ID, Introspector: true})
	for _, c := range []struct{ secret, subject, other string }{ // the subject for an admin, and for callers of home
		{"member", "member", "member"},
		{"stranger", "stranger", ""},
		{"home", home.ID, home.ID},
		{"env", homeEnv.ID, homeEnv.ID},
		{"other", other.ID, ""},
		{"revoked", "", ""},
		{"out", "", ""},
		{"shut", "", ""},
		{"unknown", "", ""},
		{"a word", "", ""},
		{"nothing", "", ""},
	} {
		for name, caller := range map[string]Caller{"admin": root, "introspector": asking, "account": machine, "env": bound} {
			want := c.other
			if name == "admin" {
				want = c.subject
			}
			got, err := w.Introspect(t.Context(), caller, secrets[c.secret])
			ok(t, err)
			same(t, name+" asks for "+c.secret+": whether it works", got != nil, want != "")
			if got != nil {
				same(t, name+" asks for "+c.secret, got.Subject, want)
				same(t, "the hash of "+c.secret, got.Token.Hash, HashSecret(secrets[c.secret]))
			}
		}
		for _, caller := range []Caller{w.user(t, member), w.account(t, home.ID, "")} {
			got, err := w.Introspect(t.Context(), caller, secrets[c.secret])
			same(t, "the kind for who may not ask", KindOf(err), Forbidden)
			same(t, "what it is told", got, nil)
		}
	}
}

// TestChecksAreUses: only of tokens that work, and that the caller could reach.
func TestChecksAreUses(t *testing.T) {
	w := newWorld(t)
	asking := w.user(t, introspector)
	for name, c := range map[string]struct {
		token Token
		used  bool
	}{
		"works":        {Token{UserID: member}, true},
		"revoked":      {Token{UserID: member, State: Revoked}, false},
		"out of reach": {Token{UserID: stranger}, false},
	} {
		made, secret := w.put(t, c.token)
		_, err := w.Introspect(t.Context(), asking, secret)
		ok(t, err)
		same(t, name, !w.uses.last(made.Seq).IsZero(), c.used)
	}
	made, secret := w.put(t, Token{UserID: stranger})
	got, err := w.Check(t.Context(), secret)
	ok(t, err)
	same(t, "the subject that a gateway is told", got.Subject, "stranger")
	same(t, "the use by a gateway", w.uses.last(made.Seq), noon)
}

// TestStatusListsComeFromMemory: which serves them, or nobody does.
func TestStatusListsComeFromMemory(t *testing.T) {
	w := newWorld(t)
	_, err := w.StatusList(t.Context(), 1)
	refused(t, "without a memory", err, "not found: no status lists are published")
	w.Memory = &fakeMemory{}
	signed, err := w.StatusList(t.Context(), 1)
	ok(t, err)
	same(t, "with one", signed, "signed")
}

// TestAllowIntrospection: an admin lets an account's token check others, and forbids it again.
func TestAllowIntrospection(t *testing.T) {
	w := newWorld(t)
	memory := &fakeMemory{rows: map[Hash]Identity{}}
	root, usual := w.user(t, admin), w.user(t, member)
	accounts, _ := w.put(t, Token{Dialect: APIToken, AccountID: other.ID, Entry: StatusEntry{List: 1}})
	users, _ := w.put(t, Token{Dialect: personal, UserID: member})
	gone, _ := w.put(t, Token{Dialect: corporate, AccountID: home.ID})
	w.set(t, gone.Ref(), func(t *Token) { t.DeletedAt = noon })
	w.Memory, w.now = memory, noon.Add(time.Hour)

	const none = "not found: there is no such token"
	for name, c := range map[string]struct {
		caller Caller
		ref    Ref
		want   string
		asked  bool
	}{
		"a member":          {usual, accounts.Ref(), "forbidden: this needs the role admin", false},
		"a user's token":    {root, users.Ref(), "conflict: a user's token can introspect only through the role of its user", true},
		"a deleted one":     {root, gone.Ref(), none, true},
		"an unknown one":    {root, Ref{corporate, key("x")}, none, true},
		"no id":             {root, Ref{corporate, "x"}, none, false},
		"no dialect":        {root, Ref{}, none, false},
		"another dialect's": {root, Ref{Unleash, accounts.ID}, none, false},
	} {
		asked := false
		w.fake.Fault = func(string) error { asked = true; return nil }
		_, err := w.AllowIntrospection(t.Context(), c.caller, c.ref)
		refused(t, name, err, c.want)
		same(t, name+": whether the store was asked", asked, c.asked)
	}
	memory.changes = nil
	for i, step := range []struct {
		allow   bool
		updated time.Time
	}{{false, noon}, {true, w.now}, {true, w.now}, {false, w.now.Add(2 * time.Hour)}} {
		if i >= 2 {
			w.now = w.now.Add(time.Hour)
		}
		made, err := choose(step.allow, w.AllowIntrospection, w.ForbidIntrospection)(t.Context(), root, accounts.Ref())
		ok(t, err)
		same(t, "whether it may", made.Introspector, step.allow)
		same(t, "the time of the change", made.UpdatedAt, step.updated)
	}
	same(t, "how many changes the memory heard", len(memory.changes), 4)
	same(t, "what it heard", memory.changes[0], Change{Token: accounts.Seq, List: 1})

	for method, heard := range map[string]int{"Update": 0, "Update, stored": 1} {
		memory.changes = nil
		w.fake.Fault = failing(method, Unavailable)
		_, err := w.AllowIntrospection(t.Context(), root, accounts.Ref())
		same(t, "the kind", KindOf(err), Unavailable)
		same(t, "what is heard after "+method, len(memory.changes), heard)
	}
}
