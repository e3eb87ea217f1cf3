package token

import (
	"testing"
	"time"
)

// TestEdit: what an owner may change, and what nobody may.
func TestEdit(t *testing.T) {
	soon, late := noon.Add(time.Minute), noon.Add(25*time.Hour)
	for name, c := range map[string]struct {
		of    Token
		terms Terms
		want  string
	}{
		"a name":                     {kinds["muninx"], Terms{Name: new("another")}, ""},
		"no name":                    {kinds["unleash"], Terms{Name: new("")}, ""},
		"no name where one is":       {kinds["muninx"], Terms{Name: new("")}, "invalid: the request does not fit; /name must have 1 to 255 characters"},
		"a name that another has":    {kinds["unleash"], Terms{Name: new("taken")}, "name taken: another of your tokens has this description: name taken"},
		"a name of an account's":     {kinds["apitoken"], Terms{Name: new("x")}, "invalid: the request does not fit; /name must be left out: only a user's token has a name"},
		"an expiry of one without":   {kinds["muninx"], Terms{ExpiresAt: &late}, ""},
		"an expiry in the past":      {kinds["muninx"], Terms{ExpiresAt: new(noon)}, "invalid: the request does not fit; /expires_at must be in the future"},
		"an expiry of a JWT":         {kinds["apitoken"], Terms{ExpiresAt: &soon}, "invalid: the request does not fit; /expires_at must be left out: the secret itself says when it expires"},
		"an earlier expiry":          {Token{Dialect: Muninx, UserID: member, ExpiresAt: late}, Terms{ExpiresAt: &soon}, ""},
		"a later expiry":             {Token{Dialect: Muninx, UserID: member, ExpiresAt: soon}, Terms{ExpiresAt: &late}, "invalid: the request does not fit; /expires_at must not be later than 2026-03-04T12:01:00Z, when the token expires now"},
		"self-rotation":              {kinds["apitoken"], Terms{SelfRotation: new(true)}, ""},
		"everything":                 {kinds["muninx"], Terms{new("another"), &soon, new(true)}, ""},
		"nothing":                    {kinds["muninx"], Terms{}, ""},
		"an expired one":             {Token{Dialect: Muninx, UserID: member, ExpiresAt: noon}, Terms{}, "conflict: the token is expired, and cannot be edited then"},
		"a revoked one":              {Token{Dialect: Muninx, UserID: member, State: Revoked}, Terms{}, "conflict: the token is revoked, and cannot be edited then"},
		"a suspended one":            {Token{Dialect: Muninx, UserID: member, State: Suspended}, Terms{Name: new("another")}, ""},
		"another user's":             {Token{Dialect: Muninx, UserID: stranger}, Terms{}, "not found: there is no such token"},
		"another account's":          {Token{Dialect: APIToken, AccountID: other.ID}, Terms{}, "not found: there is no such token"},
		"two faults":                 {kinds["apitoken"], Terms{Name: new("x"), ExpiresAt: &soon}, "invalid: the request does not fit; /name must be left out: only a user's token has a name; /expires_at must be left out: the secret itself says when it expires"},
		"a name that tricks a shell": {kinds["muninx"], Terms{Name: new("a\x1b[2J")}, "invalid: the request does not fit; /name " + honestRule},
	} {
		w := newWorld(t)
		w.put(t, Token{Dialect: Unleash, UserID: member, Name: "taken"})
		before, secret := w.put(t, c.of)
		w.now = noon.Add(time.Second)
		after, err := w.Edit(t.Context(), w.user(t, member), before.Ref(), c.terms)
		refused(t, name, err, c.want)
		if err != nil {
			continue
		}
		want := before
		want.Name, want.SelfRotation = orKept(c.terms.Name, want.Name), orKept(c.terms.SelfRotation, want.SelfRotation)
		want.ExpiresAt = orKept(c.terms.ExpiresAt, want.ExpiresAt)
		if want != before {
			want.UpdatedAt = w.now
		}
		same(t, name, after, want)
		if c.terms.ExpiresAt != nil {
			w.now = *c.terms.ExpiresAt
			same(t, name+": what works when it has expired", works(t, w, secret), "-")
		}
	}
}

// TestEditByTokens: a token cannot let itself rotate itself, and one that belongs to no user edits nothing.
func TestEditByTokens(t *testing.T) {
	w := newWorld(t)
	alone, ofAccount := w.user(t, member), w.account(t, home.ID, "")
	_, err := w.Edit(t.Context(), alone, alone.Token.Ref(), Terms{SelfRotation: new(true)})
	refused(t, "itself", err, "forbidden: a token cannot decide whether it may rotate itself: use another credential of its owner")
	_, err = w.Edit(t.Context(), w.user(t, member), alone.Token.Ref(), Terms{SelfRotation: new(true)})
	ok(t, err)
	_, err = w.Edit(t.Context(), ofAccount, ofAccount.Token.Ref(), Terms{})
	refused(t, "an account's", err, "forbidden: a credential that belongs to no user may not edit a token")
	_, _, err = w.Create(t.Context(), ofAccount, Draft{Dialect: APIToken, Scope: ScopeAccount, SelfRotation: true})
	refused(t, "a create by an account's", err, "forbidden: a credential that belongs to no user cannot let a token rotate itself")
	made, _, err := w.Create(t.Context(), alone, Draft{Dialect: APIToken, Scope: ScopeAccount, SelfRotation: true, ExpiresAt: new(noon.Add(time.Hour))})
	ok(t, err)
	same(t, "whether it may rotate itself", made.SelfRotation, true)
}
