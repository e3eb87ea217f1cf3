package token

import (
	"strings"
	"testing"
	"time"
)

// rotated is a token of the dialect with two secrets, each of which works for an hour.
func rotated(t *testing.T, w *world, in Token) (made Token, old, current string) {
	t.Helper()
	made, old = w.put(t, in)
	made, current, err := w.Rotate(t.Context(), w.user(t, admin), made.Ref(), time.Hour, nil)
	ok(t, err)
	return made, old, current
}

// kinds are one token of each dialect.
var kinds = map[string]Token{
	"muninx": {Dialect: Muninx, UserID: member}, "unleash": {Dialect: Unleash, UserID: member},
	"apitoken": {Dialect: APIToken, AccountID: home.ID, EnvironmentID: homeEnv.ID, Scope: ScopeEnvironment,
		ExpiresAt: noon.Add(24 * time.Hour)},
}

// works reports whether each of the secrets does.
func works(t *testing.T, w *world, secrets ...string) string {
	t.Helper()
	said := ""
	for _, secret := range secrets {
		id, err := w.Check(t.Context(), secret)
		c, authErr := w.Authenticate(t.Context(), secret)
		if (err == nil) != (authErr == nil) || err != nil && (KindOf(err) != CredentialInvalid || told(err) != told(authErr)) {
			t.Errorf("a check says %v, and authentication %v", err, authErr)
		}
		switch {
		case err != nil:
			said += "-"
		case !c.ExpiresAt.Equal(id.EndsAt()):
			t.Errorf("the caller ends at %v, the secret at %v", c.ExpiresAt, id.EndsAt())
		default:
			said += "+"
		}
	}
	return said
}

// TestRotation: both secrets work until the overlap is over, and then the new one.
func TestRotation(t *testing.T) {
	for name, in := range kinds {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			made, old, current := rotated(t, w, in)
			same(t, "both", works(t, w, old, current), "++")
			same(t, "rotated at", made.RotatedAt, noon)
			same(t, "the end", made.Previous.EndsAt, noon.Add(time.Hour))
			w.now = noon.Add(time.Hour - 1)
			same(t, "before the end", works(t, w, old, current), "++")
			w.now = noon.Add(time.Hour)
			same(t, "at the end", works(t, w, old, current), "-+")
			_, err := w.CancelRotation(t.Context(), w.user(t, admin), made.Ref())
			refused(t, "a cancel after the end", err, "conflict: no rotation is under way: only one secret of the token works")
			_, third, err := w.Rotate(t.Context(), w.user(t, admin), made.Ref(), 0, nil)
			ok(t, err)
			same(t, "without overlap", works(t, w, old, current, third), "--+")
		})
	}
}

// TestEndOfARotation: a finish ends the old secret, a cancel the new one, for good; all that ends both ends them at once.
func TestEndOfARotation(t *testing.T) {
	apply := func(a Action) func(*testing.T, *world, Caller, Ref) error {
		return func(t *testing.T, w *world, c Caller, ref Ref) error {
			_, err := w.Apply(t.Context(), c, ref, a, Everything)
			return err
		}
	}
	for name, c := range map[string]struct {
		end  func(*testing.T, *world, Caller, Ref) error
		want string
	}{
		"finish": {func(t *testing.T, w *world, c Caller, ref Ref) error {
			_, err := w.FinishRotation(t.Context(), c, ref)
			return err
		}, "-+"},
		"cancel": {func(t *testing.T, w *world, c Caller, ref Ref) error {
			_, err := w.CancelRotation(t.Context(), c, ref)
			return err
		}, "+-"},
		"revoke": {apply(Revoke), "--"}, "suspend": {apply(Suspend), "--"},
		"rotate": {func(t *testing.T, w *world, c Caller, ref Ref) error {
			_, _, err := w.Rotate(t.Context(), c, ref, 0, nil)
			return err
		}, "--"},
	} {
		for dialect, in := range kinds {
			t.Run(name+" "+dialect, func(t *testing.T) {
				w := newWorld(t)
				made, old, current := rotated(t, w, in)
				ok(t, c.end(t, w, w.user(t, admin), made.Ref()))
				same(t, "what works", works(t, w, old, current), c.want)
				w.now = noon.Add(2 * time.Hour)
				same(t, "what works later", works(t, w, old, current), c.want)
			})
		}
	}
}

// TestRotationsAreNumbered: each JWT has an id of its own, whatever became of those before.
func TestRotationsAreNumbered(t *testing.T) {
	w := newWorld(t)
	made, _ := w.put(t, kinds["apitoken"])
	root := w.user(t, admin)
	for i, end := range []func() error{
		func() error { _, err := w.CancelRotation(t.Context(), root, made.Ref()); return err },
		func() error { _, err := w.FinishRotation(t.Context(), root, made.Ref()); return err },
		func() error { w.now = w.now.Add(2 * time.Hour); return nil },
		func() error { return nil },
	} {
		now, _, err := w.Rotate(t.Context(), root, made.Ref(), time.Hour, nil)
		ok(t, err)
		same(t, "jti", w.signer.claims.ID, made.ID+"."+string(rune('1'+i)))
		same(t, "iat", w.signer.claims.IssuedAt, w.now)
		same(t, "exp", w.signer.claims.ExpiresAt, made.ExpiresAt)
		if w.signer.claims.Entry != now.Entry || now.Entry == now.Previous.Entry || now.Entry.List == 0 {
			t.Errorf("the entries are %+v and %+v", now.Entry, now.Previous.Entry)
		}
		ok(t, end())
	}
}

// TestRotationRefused: who may not, when not, and how long not.
func TestRotationRefused(t *testing.T) {
	w := newWorld(t)
	mine, _ := w.put(t, kinds["muninx"])
	ofAccount, secret := w.put(t, kinds["apitoken"])
	itself, err := w.Authenticate(t.Context(), secret)
	ok(t, err)
	another, _ := w.put(t, kinds["apitoken"])
	running, _, _ := rotated(t, w, kinds["muninx"])
	stopped := Token{Dialect: Muninx, UserID: member}
	stopped.State = Suspended
	suspended, _ := w.put(t, stopped)
	stopped.State, stopped.ExpiresAt = Active, noon
	expired, _ := w.put(t, stopped)
	const notThere = "not found: there is no such token"
	const noUser = "forbidden: a credential that belongs to no user may rotate no token but itself"
	const notItself = "forbidden: a token may rotate itself only if its owner allowed that (self_rotation): use another credential"
	alone := w.user(t, member)
	for name, c := range map[string]struct {
		caller  Caller
		ref     Ref
		overlap time.Duration
		want    string
	}{
		"another's":                 {w.user(t, stranger), mine.Ref(), 0, notThere},
		"another account's":         {w.user(t, stranger), ofAccount.Ref(), 0, notThere},
		"an account's of a user's":  {w.account(t, home.ID, ""), mine.Ref(), 0, notThere},
		"an account's of another":   {w.account(t, home.ID, ""), another.Ref(), 0, noUser},
		"an account's of itself":    {itself, ofAccount.Ref(), 0, notItself},
		"a user's of itself":        {alone, alone.Token.Ref(), 0, notItself},
		"of another environment":    {w.account(t, home.ID, nextEnv.ID), ofAccount.Ref(), 0, notThere},
		"none":                      {w.user(t, admin), Ref{Muninx, "x"}, 0, notThere},
		"of no dialect":             {w.user(t, admin), Ref{nil, "x"}, 0, notThere},
		"while another one runs":    {w.user(t, member), running.Ref(), time.Second, "conflict: the secret before the current one works until 2026-03-04T13:00:00Z: finish or cancel that rotation first, or rotate without overlap, which ends both secrets"},
		"a suspended one":           {w.user(t, admin), suspended.Ref(), 0, "conflict: the token is suspended, and its secret cannot be rotated then"},
		"an expired one":            {w.user(t, member), expired.Ref(), 0, "conflict: the token is expired, and its secret cannot be rotated then"},
		"with a negative overlap":   {w.user(t, member), mine.Ref(), -1, "invalid: the request does not fit; /overlap must be from 0s to 168h"},
		"with too long an overlap":  {w.user(t, member), mine.Ref(), MaxOverlap + 1, "invalid: the request does not fit; /overlap must be from 0s to 168h"},
		"by the owner":              {w.user(t, member), mine.Ref(), MaxOverlap, ""},
		"by a user of the account":  {w.user(t, member), another.Ref(), 0, ""},
		"by an admin of others'":    {w.user(t, admin), mine.Ref(), 0, ""},
		"by one who introspects":    {w.user(t, introspector), mine.Ref(), 0, notThere},
		"by the user of a shut one": {w.user(t, evicted), ofAccount.Ref(), 0, "forbidden: the caller's home account is disabled"},
	} {
		_, secret, err := w.Rotate(t.Context(), c.caller, c.ref, c.overlap, nil)
		refused(t, name, err, c.want)
		same(t, name+": whether there is a secret", secret != "", c.want == "")
	}
}

// TestSelfRotation: a token rotates itself where its owner allowed that, by either of its secrets.
func TestSelfRotation(t *testing.T) {
	for name, in := range kinds {
		t.Run(name, func(t *testing.T) { rotatesItself(t, in) })
	}
}

func rotatesItself(t *testing.T, in Token) {
	w := newWorld(t)
	in.SelfRotation = true
	made, old := w.put(t, in)
	caller := func(secret string) Caller {
		c, err := w.Authenticate(t.Context(), secret)
		ok(t, err)
		return c
	}
	_, lost, err := w.Rotate(t.Context(), caller(old), made.Ref(), time.Hour, nil)
	ok(t, err)
	_, err = w.CancelRotation(t.Context(), caller(old), made.Ref()) // since it never got the answer
	ok(t, err)
	_, current, err := w.Rotate(t.Context(), caller(old), made.Ref(), time.Hour, nil)
	ok(t, err)
	_, err = w.FinishRotation(t.Context(), caller(current), made.Ref())
	ok(t, err)
	same(t, "what works", works(t, w, old, lost, current), "--+")
}

// TestCallerOfAnEndedSecret: a caller changes nothing once its secret has ended, though its token has not.
func TestCallerOfAnEndedSecret(t *testing.T) {
	for name, end := range map[string]func(*world, Token) error{
		"by the clock": func(w *world, _ Token) error { w.now = noon.Add(time.Hour); return nil },
		"by a finish": func(w *world, made Token) error {
			_, err := w.FinishRotation(t.Context(), w.user(t, admin), made.Ref())
			return err
		},
	} {
		w := newWorld(t)
		made, old, _ := rotated(t, w, kinds["muninx"])
		c, err := w.Authenticate(t.Context(), old)
		ok(t, err)
		ok(t, end(w, made))
		_, _, err = w.Create(t.Context(), c, Draft{Dialect: Muninx, Name: "late"})
		refused(t, name, err, "credential invalid: the credential is not valid: token:muninx/"+made.ID+": the secret was replaced")
	}
	w := newWorld(t)
	made, _, current := rotated(t, w, kinds["muninx"])
	c, err := w.Authenticate(t.Context(), current)
	ok(t, err)
	_, err = w.CancelRotation(t.Context(), w.user(t, admin), made.Ref())
	ok(t, err)
	_, _, err = w.Rotate(t.Context(), c, made.Ref(), 0, nil)
	if KindOf(err) != CredentialInvalid {
		t.Errorf("a caller whose secret was cancelled: %v", err)
	}
}

// TestUsesOfThePreviousSecret are noted for the token and, by themselves, for the secret.
func TestUsesOfThePreviousSecret(t *testing.T) {
	w := newWorld(t)
	made, old, current := rotated(t, w, kinds["muninx"])
	use := func(secret string, after time.Duration) {
		w.now = noon.Add(after)
		_, err := w.Check(t.Context(), secret)
		ok(t, err)
	}
	lastUses := func(what string, want, wantPrevious time.Duration) {
		t.Helper()
		got, err := w.Get(t.Context(), w.user(t, admin), made.Ref(), Owned)
		ok(t, err)
		same(t, what+": the token", got.LastUsedAt, noon.Add(want))
		same(t, what+": the previous secret", got.Previous.LastUsedAt, noon.Add(wantPrevious))
	}
	use(old, time.Minute)
	use(current, 2*time.Minute)
	lastUses("pending", 2*time.Minute, time.Minute)
	ok(t, w.FlushUses(t.Context()))
	lastUses("stored", 2*time.Minute, time.Minute)
	use(old, 3*time.Minute)
	use(current, 3*time.Minute)
	w.fake.Fault = failing("TouchPrevious", Unavailable)
	same(t, "the failure", KindOf(w.FlushUses(t.Context())), Unavailable)
	w.fake.Fault = nil
	ok(t, w.FlushUses(t.Context()))
	lastUses("stored after a failure", 3*time.Minute, 3*time.Minute)
}

// TestOwned is what a caller comes to in all dialects at once.
func TestOwned(t *testing.T) {
	w := newWorld(t)
	names := map[string]string{}
	for name, in := range map[string]Token{
		"m": {Dialect: Muninx, UserID: member}, "u": {Dialect: Unleash, UserID: member},
		"s": {Dialect: Muninx, UserID: stranger}, "e": {Dialect: Muninx, UserID: evicted},
		"a": {Dialect: APIToken, AccountID: home.ID}, "h": {Dialect: APIToken, AccountID: home.ID, EnvironmentID: homeEnv.ID},
		"n": {Dialect: APIToken, AccountID: home.ID, EnvironmentID: nextEnv.ID},
		"o": {Dialect: APIToken, AccountID: other.ID}, "d": {Dialect: APIToken, AccountID: shut.ID},
	} {
		made, _ := w.put(t, in)
		names[made.Ref().Object()] = name
	}
	order := "muehsanod"
	for name, c := range map[string]struct {
		caller  Caller
		dialect *Dialect
		query   Query
		want    string
	}{
		"a member":                      {w.user(t, member), nil, Query{}, "muhan"},
		"a member, in one dialect":      {w.user(t, member), Muninx, Query{}, "m"},
		"a member, of an account":       {w.user(t, member), nil, Query{AccountID: home.ID}, "han"},
		"a member, of another account":  {w.user(t, member), nil, Query{AccountID: other.ID}, ""},
		"a member, of itself":           {w.user(t, member), nil, Query{UserID: member}, "mu"},
		"a member, of another":          {w.user(t, member), nil, Query{UserID: stranger}, ""},
		"a member, of another in one":   {w.user(t, member), Muninx, Query{UserID: stranger}, ""},
		"a stranger":                    {w.user(t, stranger), nil, Query{}, "so"},
		"whose account is disabled":     {w.user(t, evicted), nil, Query{}, "e"},
		"an account":                    {w.account(t, home.ID, ""), nil, Query{}, "han"},
		"an account, of a user's":       {w.account(t, home.ID, ""), Muninx, Query{}, ""},
		"an environment":                {w.account(t, home.ID, homeEnv.ID), nil, Query{}, "h"},
		"an environment, in one":        {w.account(t, home.ID, homeEnv.ID), APIToken, Query{}, "h"},
		"an environment, of another":    {w.account(t, home.ID, homeEnv.ID), nil, Query{EnvironmentID: nextEnv.ID}, ""},
		"an admin":                      {w.user(t, admin), nil, Query{}, order},
		"an admin, in one":              {w.user(t, admin), Muninx, Query{}, "mes"},
		"an admin, in all of one user":  {w.user(t, admin), nil, Query{UserID: stranger}, "s"},
		"an introspector has no more":   {w.user(t, introspector), nil, Query{}, "han"},
		"a guest that OIDC vouches for": {w.guest(t, "", noon.Add(time.Hour)), nil, Query{}, "han"},
	} {
		all := c.dialect == nil && c.query.UserID == 0 && c.query.AccountID == "" && c.query.EnvironmentID == ""
		c.query.Dialect, c.query.Limit = c.dialect, 100
		page, err := w.List(t.Context(), c.caller, c.query, "", Owned)
		ok(t, err)
		got := ""
		for _, made := range page.Tokens {
			got += names[made.Ref().Object()] // "" is a credential of this test
		}
		for _, r := range order {
			if strings.ContainsRune(got, r) != strings.ContainsRune(c.want, r) {
				t.Errorf("%s: listed are %q, want %q", name, got, c.want)
				break
			}
		}
		for object, letter := range names {
			dialect, id, _ := strings.Cut(strings.TrimPrefix(object, "token:"), "/")
			_, err := w.Get(t.Context(), c.caller, w.Ref(dialect, id), Owned)
			if all && (err == nil) != strings.Contains(c.want, letter) {
				t.Errorf("%s: %q: %v", name, letter, err)
			}
		}
	}
}
