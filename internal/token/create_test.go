package token

import (
	"cmp"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestWhoMayCreate: a user's token needs a user, one for somebody else an admin, and an account's token an account that is
// enabled.
func TestWhoMayCreate(t *testing.T) {
	const (
		noUser   = "forbidden: the credential belongs to no user, and these tokens are a user's own"
		notAdmin = "forbidden: this needs the role admin"
		shutHome = "forbidden: the caller's home account is disabled"
	)
	w := newWorld(t)
	root, usual, outcast := w.user(t, admin), w.user(t, member), w.user(t, evicted)
	machine := w.account(t, home.ID, "")
	for name, c := range map[string]struct {
		caller Caller
		draft  Draft
		want   string
	}{
		"a member for itself":                 {usual, Draft{Dialect: personal}, ""},
		"a member for itself by name":         {usual, Draft{Dialect: personal, UserID: member}, notAdmin},
		"a member for another":                {usual, Draft{Dialect: personal, UserID: stranger}, notAdmin},
		"an introspector for another":         {w.user(t, introspector), Draft{Dialect: personal, UserID: member}, notAdmin},
		"an admin for another":                {root, Draft{Dialect: personal, UserID: member}, ""},
		"an account's token for a user":       {machine, Draft{Dialect: personal}, noUser},
		"an account's token for a named user": {machine, Draft{Dialect: personal, UserID: member}, noUser},
		"a member for its account":            {usual, Draft{Dialect: corporate, Scope: ScopeAccount}, ""},
		"an account's token for its account":  {machine, Draft{Dialect: corporate, Scope: ScopeAccount}, ""},
		"a member of a disabled account":      {outcast, Draft{Dialect: corporate, Scope: ScopeAccount}, shutHome},
		"the same for itself":                 {outcast, Draft{Dialect: personal}, ""},
		"a member for an account, in a user's name": {
			usual, Draft{Dialect: corporate, Scope: ScopeAccount, UserID: stranger}, notAdmin},
	} {
		_, secret, err := w.Create(t.Context(), c.caller, c.draft)
		refused(t, name, err, c.want)
		same(t, name+": whether there is a secret", secret != "", c.want == "")
	}
}

// TestCreateJudgesTheCallerAsItIsNow: what was true when the caller was authenticated may be true no more.
func TestCreateJudgesTheCallerAsItIsNow(t *testing.T) {
	for want, change := range map[string]func(w *world, c Caller){
		"revoked": func(w *world, c Caller) {
			w.set(t, c.Token.Ref(), func(t *Token) { t.State = Revoked })
		},
		"user_disabled": func(w *world, c Caller) { w.setUser(t, admin, func(u *User) { u.Disabled = true }) },
		"expired":       func(w *world, _ Caller) { w.now = noon.Add(time.Hour) },
		"this needs the role admin": func(w *world, _ Caller) {
			w.setUser(t, admin, func(u *User) { u.Role = RoleMember })
		},
	} {
		w := newWorld(t)
		c := w.caller(t, Token{UserID: admin, ExpiresAt: noon.Add(time.Hour)})
		change(w, c)
		_, secret, err := w.Create(t.Context(), c, Draft{Dialect: personal, UserID: member})
		if err == nil || !strings.HasSuffix(err.Error(), want) || secret != "" {
			t.Errorf("%s: %v, secret %q", want, err, secret)
		}
		all, err := w.fake.List(t.Context(), Query{Dialect: personal, Limit: 1})
		ok(t, err)
		same(t, want+": how many were created", len(all), 0)
	}
}

// TestNamesOfTokens compares names with the rule of their dialect.
func TestNamesOfTokens(t *testing.T) {
	const (
		length = "must have 1 to 255 characters"
		space  = "must have a character that is not white space"
		honest = "must not have control characters, nor any that override or isolate the direction of text " +
			"(U+202A to U+202E, U+2066 to U+2069)"
	)
	needed, optional := NameRule{Word: "label"}, NameRule{Word: "label", Optional: true}
	shown, both := NameRule{Word: "label", Shown: true}, NameRule{Word: "label", Optional: true, Shown: true}
	w := newWorld(t)
	caller := w.user(t, member)
	for _, c := range []struct {
		rule NameRule
		name string
		want string
	}{
		{needed, "", length},
		{needed, "x", ""},
		{needed, " ", ""},
		{needed, "a\x1bb", ""},
		{needed, strings.Repeat("x", 255), ""},
		{needed, strings.Repeat("x", 256), length},
		{needed, strings.Repeat("名", 255), ""}, // characters, not bytes
		{needed, strings.Repeat("名", 256), length},
		{optional, "", ""},
		{optional, strings.Repeat("x", 256), length},
		{shown, "", length},
		{shown, " x ", ""},
		{shown, " \t\n\v\f\r", space},
		{shown, "\u00a0\u1680\u2003\u2028\u2029\u202f\u3000\ufeff", space},
		{shown, "\u0085", honest}, // no white space by ECMA-262, but a control character
		{shown, "\u200b", ""},
		{shown, "a\x00", honest},
		{shown, "a\nb", honest},
		{shown, "a\x7fb", honest},
		{shown, "a\u009bb", honest},
		{shown, "a\u2029b", ""},
		{shown, "a\u202ab", honest},
		{shown, "a\u202eb", honest},
		{shown, "a\u202fb", ""},
		{shown, "a\u2065b", ""},
		{shown, "a\u2066b", honest},
		{shown, "a\u2069b", honest},
		{shown, "a\u206ab", ""},
		{shown, "\u05d0\u200f", ""}, // a mark acts on its neighbours only
		{both, "", ""},
		{both, " ", space},
	} {
		d := *personal
		d.Names = c.rule
		made, _, err := w.Create(t.Context(), caller, Draft{Dialect: &d, Name: c.name})
		want := ""
		if c.want != "" {
			want = "invalid: the request does not fit; /name " + c.want
		} else if made.Name != c.name {
			t.Errorf("the name %q became %q", c.name, made.Name)
		}
		if got := told(err); got != want {
			t.Errorf("%+v, %q: %q, want %q", c.rule, c.name, got, want)
		}
	}
	made, _, err := w.Create(t.Context(), caller, Draft{Dialect: corporate, Scope: ScopeAccount})
	refused(t, "an account's token without a name "+made.Name, err, "")
}

// TestOwnersOfTokens: a user's token belongs to its creator, or to whom an admin names, who must be enabled.
func TestOwnersOfTokens(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		caller int64
		named  int64
		want   string
		owner  int64
	}{
		"the creator":           {caller: member, owner: member},
		"an admin":              {caller: admin, owner: admin},
		"an admin, named":       {caller: admin, named: admin, owner: admin},
		"a member, named":       {caller: admin, named: member, owner: member},
		"of a disabled account": {caller: admin, named: evicted, owner: evicted},
		"nobody":                {caller: admin, named: 99, want: "not found: there is no such user"},
		"a disabled one":        {caller: admin, named: disabled, want: "conflict: the user is disabled"},
	} {
		made, _, err := w.Create(t.Context(), w.user(t, c.caller), Draft{Dialect: personal, UserID: c.named})
		refused(t, name, err, c.want)
		same(t, name+": the owner", made.UserID, c.owner)
		if err == nil {
			same(t, name+": the creator", made.CreatedBy, c.caller)
			same(t, name+": the scope", made.Scope, ScopeUser)
			same(t, name+": the account", made.AccountID, "")
		}
	}
}

// TestAccountsOfTokens tries what a request may say of scope, account and environment: an account's token belongs to an
// account that its caller can use, named or not, and perhaps to an enabled environment of it.
func TestAccountsOfTokens(t *testing.T) {
	const (
		scope       = "; /token_scope must be account or environment"
		required    = "; /environment_id is required when token_scope is environment"
		leftOut     = "; /environment_id must be left out when token_scope is account"
		useEnv      = "; /environment_id must be the id of an environment that you can use"
		enabledEnv  = "; /environment_id must be the id of an environment that is not disabled"
		ofAccount   = "; /environment_id must be the id of an environment of the account"
		useAccount  = "; /account_id must be the id of an account that you can use"
		openAccount = "; /account_id must be the id of an account that is not disabled"
		bound       = "forbidden: the credential is bound to one environment and cannot make a token for an account"
	)
	w := newWorld(t)
	root, usual := w.user(t, admin), w.user(t, member)
	machine, narrow := w.account(t, home.ID, ""), w.account(t, home.ID, homeEnv.ID)
	none, nowhere := "-", key("n")
	for _, c := range []struct {
		caller  Caller
		scope   Scope
		account string // "-": left out
		env     string
		want    string // faults, or an error of its own
		owner   string // the account's id
	}{
		{usual, ScopeAccount, none, none, "", home.ID},
		{usual, ScopeAccount, home.ID, none, "", home.ID},
		{usual, ScopeAccount, other.ID, none, useAccount, ""},
		{usual, ScopeAccount, nowhere, none, useAccount, ""},
		{usual, ScopeAccount, "", none, useAccount, ""},
		{usual, ScopeAccount, none, homeEnv.ID, leftOut, ""},
		{usual, ScopeAccount, home.ID, homeEnv.ID, leftOut, ""},
		{usual, ScopeAccount, other.ID, otherEnv.ID, leftOut + useAccount, ""},
		{usual, ScopeEnvironment, none, none, required, ""},
		{usual, ScopeEnvironment, home.ID, none, required, ""},
		{usual, ScopeEnvironment, other.ID, none, required + useAccount, ""},
		{usual, ScopeEnvironment, none, homeEnv.ID, "", home.ID},
		{usual, ScopeEnvironment, home.ID, nextEnv.ID, "", home.ID},
		{usual, ScopeEnvironment, none, otherEnv.ID, useEnv, ""},
		{usual, ScopeEnvironment, none, nowhere, useEnv, ""},
		{usual, ScopeEnvironment, none, "", useEnv, ""},
		{usual, ScopeEnvironment, none, offEnv.ID, enabledEnv, ""},
		{usual, ScopeEnvironment, other.ID, homeEnv.ID, useAccount, ""},
		{usual, ScopeUser, none, none, scope, ""},
		{usual, "", none, otherEnv.ID, scope, ""},
		{usual, "else", other.ID, homeEnv.ID, scope + useAccount, ""},

		{root, ScopeAccount, none, none, "", home.ID},
		{root, ScopeAccount, other.ID, none, "", other.ID},
		{root, ScopeAccount, shut.ID, none, openAccount, ""},
		{root, ScopeAccount, nowhere, none, useAccount, ""},
		{root, ScopeEnvironment, none, otherEnv.ID, "", other.ID},
		{root, ScopeEnvironment, home.ID, otherEnv.ID, ofAccount, ""},
		{root, ScopeEnvironment, none, shutEnv.ID, openAccount, ""},
		{root, ScopeEnvironment, home.ID, offEnv.ID, enabledEnv, ""},
		{root, ScopeEnvironment, other.ID, offEnv.ID, enabledEnv, ""},
		{root, ScopeEnvironment, shut.ID, none, required + openAccount, ""},
		{root, ScopeEnvironment, nowhere, nowhere, useEnv + useAccount, ""},

		{machine, ScopeAccount, none, none, "", home.ID},
		{machine, ScopeAccount, other.ID, none, useAccount, ""},
		{machine, ScopeEnvironment, none, nextEnv.ID, "", home.ID},
		{machine, ScopeEnvironment, none, otherEnv.ID, useEnv, ""},

		{narrow, ScopeAccount, none, none, bound, ""},
		{narrow, ScopeAccount, home.ID, none, bound, ""},
		{narrow, ScopeAccount, other.ID, none, useAccount, ""}, // the faults come first
		{narrow, ScopeEnvironment, none, homeEnv.ID, "", home.ID},
		{narrow, ScopeEnvironment, home.ID, homeEnv.ID, "", home.ID},
		{narrow, ScopeEnvironment, none, nextEnv.ID, useEnv, ""}, // another one of its account
		{narrow, ScopeEnvironment, none, otherEnv.ID, useEnv, ""},
	} {
		draft := Draft{Dialect: corporate, Scope: c.scope, AccountID: &c.account, EnvironmentID: &c.env}
		if c.account == none {
			draft.AccountID = nil
		}
		if c.env == none {
			draft.EnvironmentID = nil
		}
		made, _, err := w.Create(t.Context(), c.caller, draft)
		want := c.want
		if strings.HasPrefix(want, ";") {
			want = "invalid: the request does not fit" + want
		}
		name := strings.Join([]string{string(c.caller.Role), string(c.scope), c.account, c.env}, " ")
		refused(t, name, err, want)
		same(t, name+": the account", made.AccountID, c.owner)
		if err == nil && c.env != none {
			same(t, name+": the environment", made.EnvironmentID, c.env)
		}
		same(t, name+": the owning user", made.UserID, 0)
	}
}

// TestCallersWhoMoved: the account that a request did not name was the caller's own when it came.
func TestCallersWhoMoved(t *testing.T) {
	for _, c := range []struct {
		draft Draft
		want  string
	}{
		{Draft{Dialect: corporate, Scope: ScopeAccount}, "service unavailable: the caller has got another home account"},
		{Draft{Dialect: corporate, Scope: ScopeAccount, AccountID: &other.ID}, ""},
		{Draft{Dialect: corporate, Scope: ScopeEnvironment, EnvironmentID: &otherEnv.ID}, ""},
		{Draft{Dialect: corporate, Scope: ScopeAccount, AccountID: &home.ID},
			"invalid: the request does not fit; /account_id must be the id of an account that you can use"},
		{Draft{Dialect: personal}, ""},
	} {
		w := newWorld(t)
		caller := w.user(t, member)
		w.setUser(t, member, func(u *User) { u.AccountID = other.ID })
		_, _, err := w.Create(t.Context(), caller, c.draft)
		refused(t, c.draft.Dialect.Name, err, c.want)
	}
}

// TestExpiries: what is asked must lie between now and the latest that policy, credential and issuer allow; what is not
// asked is the default, clipped to that.
func TestExpiries(t *testing.T) {
	const (
		past    = "must be in the future"
		tooLate = "must be before the year 10000 in UTC"
		soon    = "cannot be set: the credential itself ends too soon"
	)
	never := time.Time{}
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	latest := func(clock string) string {
		return "must not be later than 2026-03-04T" + clock + "Z, the latest that this credential can give"
	}
	hour, longest := Policy{DefaultLifetime: time.Hour}, Policy{MaxLifetime: 2 * time.Hour}
	both := Policy{DefaultLifetime: time.Hour, MaxLifetime: 2 * time.Hour}
	for _, c := range []struct {
		policy Policy
		minter time.Time     // when the credential ends
		oidc   time.Duration // the maximum for guests; then the caller is one
		cut    time.Duration // the dialect's precision, milliseconds unless it is said
		asked  time.Time     // zero: nothing was
		expiry time.Time
		want   string
	}{
		// Nothing is asked: the default, clipped.
		{expiry: never},
		{policy: hour, expiry: in(time.Hour)},
		{policy: longest, expiry: in(2 * time.Hour)},
		{policy: both, expiry: in(time.Hour)},
		{policy: Policy{DefaultLifetime: 3 * time.Hour, MaxLifetime: 2 * time.Hour}, expiry: in(2 * time.Hour)},
		{minter: in(time.Minute), expiry: in(time.Minute)},
		{policy: hour, minter: in(time.Minute), expiry: in(time.Minute)},
		{policy: hour, minter: in(9 * time.Hour), expiry: in(time.Hour)},
		{policy: longest, minter: in(9 * time.Hour), expiry: in(2 * time.Hour)},
		{policy: longest, minter: in(time.Minute), expiry: in(time.Minute)},
		{policy: hour, cut: 24 * time.Hour, expiry: never, want: soon}, // at most an hour, in whole days
		{minter: in(900 * time.Millisecond), cut: time.Second, want: soon},
		{minter: in(1900 * time.Millisecond), cut: time.Second, expiry: in(time.Second)},
		{policy: Policy{DefaultLifetime: 90 * time.Minute}, cut: time.Hour, expiry: in(time.Hour)},

		// Something is asked, and nothing limits it but the calendar.
		{asked: in(time.Millisecond), expiry: in(time.Millisecond)},
		{asked: in(time.Millisecond - 1), want: past}, // stored in milliseconds, it is now
		{asked: in(0), want: past},
		{asked: in(-time.Hour), want: past},
		{asked: in(999 * time.Millisecond), cut: time.Second, want: past},
		{asked: in(1999 * time.Millisecond), cut: time.Second, expiry: in(time.Second)},
		{asked: in(time.Hour).In(time.FixedZone("", 7200)), expiry: in(time.Hour)},
		{asked: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), expiry: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{asked: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), want: tooLate},
		{asked: time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600)), want: tooLate},
		{asked: time.Date(10000, 1, 1, 0, 30, 0, 0, time.FixedZone("", 3600)),
			expiry: time.Date(9999, 12, 31, 23, 30, 0, 0, time.UTC)},
		{policy: hour, asked: in(9 * time.Hour), expiry: in(9 * time.Hour)}, // a default is no maximum

		// Something is asked, and something limits it.
		{policy: longest, asked: in(2 * time.Hour), expiry: in(2 * time.Hour)},
		{policy: longest, asked: in(2*time.Hour + time.Millisecond), want: latest("14:00:00")},
		{policy: longest, asked: in(2*time.Hour + 900*time.Millisecond), cut: time.Second, expiry: in(2 * time.Hour)},
		{policy: longest, minter: in(time.Hour), asked: in(90 * time.Minute), want: latest("13:00:00")},
		{policy: longest, minter: in(9 * time.Hour), asked: in(3 * time.Hour), want: latest("14:00:00")},
		{minter: in(time.Hour), asked: in(time.Hour), expiry: in(time.Hour)},
		{minter: in(time.Hour), asked: in(time.Hour + time.Millisecond), want: latest("13:00:00")},

		// An OIDC issuer vouched for the caller, until half past twelve.
		{oidc: time.Hour, expiry: in(time.Hour)},
		{oidc: time.Hour, policy: longest, expiry: in(time.Hour)},
		{oidc: 9 * time.Hour, policy: longest, expiry: in(2 * time.Hour)},
		{oidc: time.Hour, policy: Policy{DefaultLifetime: time.Minute}, expiry: in(time.Minute)},
		{oidc: time.Hour, asked: in(time.Hour), expiry: in(time.Hour)},
		{oidc: time.Hour, asked: in(time.Hour + time.Millisecond), want: latest("13:00:00")},
		{oidc: -1, asked: in(9 * time.Hour), expiry: in(9 * time.Hour)}, // no maximum
	} {
		w := newWorld(t)
		d := *personal
		d.Policy, d.Precision = c.policy, cmp.Or(c.cut, time.Millisecond)
		var caller Caller
		if c.oidc == 0 {
			w.FederatedMaxLifetime = time.Minute // which is nobody else's limit
			caller = w.caller(t, Token{UserID: member, ExpiresAt: c.minter})
		} else {
			w.FederatedMaxLifetime = max(c.oidc, 0)
			caller = w.guest(t, "", in(30*time.Minute))
		}
		draft := Draft{Dialect: &d}
		if !c.asked.IsZero() {
			draft.ExpiresAt = &c.asked
		}
		made, _, err := w.Create(t.Context(), caller, draft)
		want := ""
		if c.want != "" {
			want = "invalid: the request does not fit; /expires_at " + c.want
		}
		if told(err) != want || made.ExpiresAt != c.expiry {
			t.Errorf("%+v: expires %v, error %q", c, made.ExpiresAt, told(err))
		}
	}
}

// told is the text of an error, "" for none.
func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPolicies: the operator's policy takes the place of the dialect's, even where it sets nothing.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	d := *personal
	d.Policy = Policy{DefaultLifetime: time.Hour}
	for want, policies := range map[time.Time]map[*Dialect]Policy{
		noon.Add(time.Hour):   nil,
		noon.Add(time.Minute): {&d: {DefaultLifetime: time.Minute}, personal: {DefaultLifetime: time.Second}},
		{}:                    {&d: {}},
	} {
		w.Policies = policies
		made, _, err := w.Create(t.Context(), w.user(t, member), Draft{Dialect: &d})
		ok(t, err)
		same(t, "the expiry", made.ExpiresAt, want)
	}
}

// TestLimits: an owner holds at most as many tokens of a dialect as the policy says; those that are deleted do not count.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	d := *personal
	w.Policies = map[*Dialect]Policy{&d: {MaxTokens: 2}}
	usual, root := w.user(t, member), w.user(t, admin)
	create := func(what string, c Caller, owner int64, want string) Token {
		t.Helper()
		made, _, err := w.Create(t.Context(), c, Draft{Dialect: &d, UserID: owner})
		refused(t, what, err, want)
		return made
	}
	const full = "limit reached: the limit of 2 tokens is reached; delete one first"
	first := create("the first", usual, 0, "")
	create("the second, of an admin's making", root, member, "")
	create("the third", usual, 0, full)
	create("the third, of an admin's making", root, member, full)
	create("somebody else's", root, 0, "")
	w.set(t, first.Ref(), func(t *Token) { t.State = Revoked })
	create("one of the two is revoked", usual, 0, full)
	w.set(t, first.Ref(), func(t *Token) { t.DeletedAt = noon })
	create("one of the two is deleted", usual, 0, "")
	_, _, err := w.Create(t.Context(), usual, Draft{Dialect: personal})
	refused(t, "one of another dialect", err, "")
}

// TestUniqueNames: where the dialect says so, an owner's names are unique among the tokens that are not deleted.
func TestUniqueNames(t *testing.T) {
	w := newWorld(t)
	unique, limited, common := *personal, *personal, *personal
	unique.UniqueNames, limited.UniqueNames = true, true
	limited.Policy.MaxTokens, common.Policy.MaxTokens = 1, 9
	const taken = "name taken: another of your tokens has this label"
	for _, c := range []struct {
		dialect *Dialect
		owner   int64
		name    string
		want    string
	}{
		{&unique, member, "first", ""},
		{&unique, member, "first", taken},
		{&unique, member, "First", ""},
		{&unique, member, "first ", ""},
		{&unique, stranger, "first", ""},
		{&unique, member, "", ""},
		{&unique, member, "", ""},
		{&common, member, "first", ""},
		{&common, member, "first", ""},
		{&limited, member, "first", ""},
		{&limited, member, "first", "limit reached: the limit of 1 tokens is reached; delete one first"},
	} {
		_, _, err := w.Create(t.Context(), w.user(t, c.owner), Draft{Dialect: c.dialect, Name: c.name})
		refused(t, c.name, err, c.want)
	}
	all, err := w.fake.List(t.Context(), Query{Dialect: &unique, UserID: member, Limit: 9})
	ok(t, err)
	for _, made := range all {
		w.set(t, made.Ref(), func(t *Token) { t.DeletedAt = noon })
	}
	_, _, err = w.Create(t.Context(), w.user(t, member), Draft{Dialect: &unique, Name: "first"})
	refused(t, "when the first is deleted", err, "")
}

// TestAllFaultsAtOnce: whoever has to mend a request is told everything; what hangs on other tokens comes after that.
func TestAllFaultsAtOnce(t *testing.T) {
	w := newWorld(t)
	d := *personal
	d.Policy.MaxTokens = 1
	d.Names = NameRule{Word: "label"}
	usual := w.user(t, member)
	_, _, err := w.Create(t.Context(), usual, Draft{Dialect: &d, Name: "one"})
	ok(t, err)
	_, _, err = w.Create(t.Context(), usual, Draft{Dialect: &d, ExpiresAt: &noon})
	refused(t, "a user's", err,
		"invalid: the request does not fit; /name must have 1 to 255 characters; /expires_at must be in the future")
	_, _, err = w.Create(t.Context(), usual, Draft{Dialect: corporate, Scope: "x", AccountID: &other.ID, ExpiresAt: &noon})
	refused(t, "an account's", err, "invalid: the request does not fit; /token_scope must be account or environment; "+
		"/account_id must be the id of an account that you can use; /expires_at must be in the future")
}

// TestWhatATokenHasOfItsMaker: a token reaches no further than the credential that made it.
func TestWhatATokenHasOfItsMaker(t *testing.T) {
	w := newWorld(t)
	soon := noon.Add(time.Hour)
	type maker struct {
		CreatedBy int64
		AdminID   string
		RoleLimit Role
	}
	for name, c := range map[string]struct {
		caller  Caller
		dialect *Dialect
		want    maker
	}{
		"a member":                       {w.user(t, member), personal, maker{CreatedBy: member}},
		"an introspector":                {w.user(t, introspector), personal, maker{CreatedBy: introspector}},
		"an admin":                       {w.user(t, admin), personal, maker{CreatedBy: admin, AdminID: "root"}},
		"an admin, for an account":       {w.user(t, admin), corporate, maker{CreatedBy: admin, AdminID: "root"}},
		"an account":                     {w.account(t, home.ID, ""), corporate, maker{}},
		"an admin who is limited":        {w.caller(t, Token{UserID: admin, RoleLimit: RoleMember}), personal, maker{admin, "", RoleMember}},
		"the same, for an account":       {w.caller(t, Token{UserID: admin, RoleLimit: RoleMember}), corporate, maker{admin, "", ""}},
		"an admin who may introspect":    {w.caller(t, Token{UserID: admin, RoleLimit: RoleIntrospector}), personal, maker{admin, "", RoleIntrospector}},
		"a limit at the role":            {w.caller(t, Token{UserID: member, RoleLimit: RoleMember}), personal, maker{CreatedBy: member}},
		"a limit above the role":         {w.caller(t, Token{UserID: member, RoleLimit: RoleAdmin}), personal, maker{CreatedBy: member}},
		"a guest":                        {w.guest(t, "", soon), personal, maker{CreatedBy: guest}},
		"a guest of the role that it is": {w.guest(t, RoleMember, soon), personal, maker{CreatedBy: guest}},
		"a guest who is more here":       {w.guest(t, RoleAdmin, soon), personal, maker{guest, "7", ""}},
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
			EnvironmentID: made.EnvironmentID, ExpiresAt: noon.Add(time.Hour), Place: made.Place}
		same(t, "the claims", w.signer.claims, want)
		same(t, "the secret", secret, "eyJ."+made.ID+".signature")
		same(t, "the hash", made.Hash, HashSecret(secret))
		same(t, "the key", made.KeyID, "key-1")
		same(t, "the list of its status", made.Place.List, 1)
	}
	unsigned, _, err := w.Create(t.Context(), caller, Draft{Dialect: corporate, Scope: ScopeAccount})
	ok(t, err)
	same(t, "the key of what is not signed", unsigned.KeyID, "")
	same(t, "the place of what publishes no status", unsigned.Place, StatusPlace{})

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
	n := creation{service: w.Service, caller: root, draft: Draft{Dialect: personal}, policy: Policy{DefaultLifetime: time.Hour}}
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
			w.fake.Fault = func(method string) error {
				if method == when {
					return kind
				}
				return nil
			}
			_, secret, err := w.Create(t.Context(), caller, Draft{Dialect: personal})
			same(t, when, KindOf(err), kind)
			same(t, "the secret", secret, "")
		}
	}
}
