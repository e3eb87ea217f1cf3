package token

import (
	"testing"
	"time"
)

// TestWhatIsUsable: a credential works if it is active, neither expired nor deleted, and what it depends on is enabled.
func TestWhatIsUsable(t *testing.T) {
	usual, out := people[member-1], people[disabled-1]
	users := func(set func(*Token)) *Token {
		t := Token{Dialect: personal, ID: "id", UserID: member, State: Active}
		if set != nil {
			set(&t)
		}
		return &t
	}
	accounts := &Token{Dialect: corporate, ID: "id", AccountID: home.ID, State: Active}
	bound := &Token{Dialect: corporate, ID: "id", AccountID: home.ID, EnvironmentID: homeEnv.ID, State: Active}
	for name, c := range map[string]struct {
		id     Identity
		reason string // in the log, "" if it works
	}{
		"a user's":                      {Identity{Token: users(nil), User: &usual, Account: &home}, ""},
		"of a user at home in disabled": {Identity{Token: users(nil), User: &usual, Account: &shut}, ""},
		"an account's":                  {Identity{Token: accounts, Account: &home}, ""},
		"an environment's":              {Identity{Token: bound, Account: &home, Environment: &homeEnv}, ""},
		"not yet expired": {Identity{
			Token: users(func(t *Token) { t.ExpiresAt = noon.Add(time.Millisecond) }), User: &usual, Account: &home}, ""},

		"no token": {Identity{User: &usual, Account: &home}, "the token or its user is gone"},
		"suspended": {Identity{
			Token: users(func(t *Token) { t.State = Suspended }), User: &usual, Account: &home}, "token:personal/id: suspended"},
		"revoked": {Identity{
			Token: users(func(t *Token) { t.State = Revoked }), User: &usual, Account: &home}, "token:personal/id: revoked"},
		"expired": {Identity{
			Token: users(func(t *Token) { t.ExpiresAt = noon }), User: &usual, Account: &home}, "token:personal/id: expired"},
		"deleted": {Identity{
			Token: users(func(t *Token) { t.DeletedAt = noon }), User: &usual, Account: &home}, "token:personal/id: deleted"},
		"deleted before it was revoked": {Identity{
			Token: users(func(t *Token) { t.State, t.DeletedAt = Revoked, noon }), User: &usual, Account: &home},
			"token:personal/id: deleted"},
		"of a disabled user": {Identity{Token: users(nil), User: &out, Account: &home},
			"token:personal/id: user_disabled"},
		"of a user that is gone":     {Identity{Token: users(nil), Account: &home}, "token:personal/id: user_disabled"},
		"of a user without account":  {Identity{Token: users(nil), User: &usual}, "token:personal/id: user_disabled"},
		"of a disabled account":      {Identity{Token: accounts, Account: &shut}, "token:corporate/id: account_disabled"},
		"of an account that is gone": {Identity{Token: accounts}, "token:corporate/id: account_disabled"},
		"of a disabled environment": {
			Identity{Token: bound, Account: &home, Environment: &offEnv}, "token:corporate/id: environment_disabled"},
		"of an environment that is gone": {Identity{Token: bound, Account: &home},
			"token:corporate/id: environment_disabled"},
		"of both disabled": {
			Identity{Token: bound, Account: &shut, Environment: &shutEnv}, "token:corporate/id: account_disabled"},
	} {
		same(t, name, c.id.usable(noon), c.reason == "")
		if c.reason != "" {
			refused(t, name, c.id.refusal(noon), "credential invalid: the credential is not valid: "+c.reason)
		}
	}
}

// TestVerdicts: what a check would say now of each token of a list, and what it is that hinders one that is active.
func TestVerdicts(t *testing.T) {
	w := newWorld(t)
	w.signer.keys = []string{"key-2", "key-3"}
	put := func(in Token) Token {
		made, _ := w.put(t, in)
		return made
	}
	tokens := map[string]Token{
		"works":                put(Token{UserID: member}),
		"works, signed":        put(Token{Dialect: APIToken, AccountID: home.ID, KeyID: "key-3"}),
		"works, not noted":     put(Token{Dialect: APIToken, AccountID: home.ID}),
		"suspended":            put(Token{UserID: member, State: Suspended}),
		"expired":              put(Token{UserID: member, ExpiresAt: noon}),
		"retired":              put(Token{Dialect: APIToken, AccountID: home.ID, KeyID: "key-1"}),
		"retired, of disabled": put(Token{Dialect: APIToken, AccountID: shut.ID, KeyID: "key-1"}),
		"of a disabled user":   put(Token{UserID: disabled}),
		"of an account":        put(Token{Dialect: corporate, AccountID: shut.ID}),
		"of an environment":    put(Token{Dialect: corporate, AccountID: home.ID, EnvironmentID: offEnv.ID}),
		"revoked meanwhile":    put(Token{UserID: member}),
		"gone":                 {Seq: 99, Dialect: Muninx, State: Active},
	}
	w.set(t, tokens["revoked meanwhile"].Ref(), func(t *Token) { t.State = Revoked })
	want := map[string]Verdict{
		"works": {Usable: true}, "works, signed": {Usable: true}, "works, not noted": {Usable: true},
		"retired": {Because: "key_retired"}, "retired, of disabled": {Because: "key_retired"},
		"of a disabled user": {Because: "user_disabled"}, "of an account": {Because: "account_disabled"},
		"of an environment": {Because: "environment_disabled"},
		"suspended":         {}, "expired": {}, "revoked meanwhile": {}, "gone": {},
	}
	var names []string
	var list []Token
	for name, in := range tokens {
		names, list = append(names, name), append(list, in)
	}
	got, err := w.Verdicts(t.Context(), list...)
	ok(t, err)
	for i, name := range names {
		same(t, name, got[i], want[name])
	}
	w.fake.Fault = func(string) error { return Unavailable }
	_, err = w.Verdicts(t.Context(), list...)
	same(t, "the kind without a store", KindOf(err), Unavailable)
	got, err = w.Verdicts(t.Context(), tokens["suspended"], tokens["expired"])
	ok(t, err)
	same(t, "without a need for the store", len(got), 2)
	same(t, "of a suspended one", got[0], Verdict{})
}

// TestObstacles: every obstacle has a name of its own in answers.
func TestObstacles(t *testing.T) {
	want := []Obstacle{"user_disabled", "account_disabled", "environment_disabled", "key_retired"}
	for i, o := range Obstacles {
		same(t, "an obstacle", o, want[i])
	}
	same(t, "how many there are", len(Obstacles), len(want))
}
