package token

import (
	"strings"
	"testing"
	"time"
)

// TestWhoMayCreate: a user's token needs a user, one for somebody else an admin, and an account's an enabled account.
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
		asked := false
		w.fake.Fault = func(string) error { asked = true; return nil }
		_, secret, err := w.Create(t.Context(), c.caller, c.draft)
		refused(t, name, err, c.want)
		same(t, name+": whether there is a secret", secret != "", c.want == "")
		same(t, name+": whether the store was asked", asked, c.want == "")
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
		bound       = "forbidden: the credential is bound to one environment and cannot create a token for an account"
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
		{Draft{Dialect: corporate, Scope: ScopeAccount}, "service unavailable: the caller's home account has changed; try again"},
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

// TestLimits: an owner holds at most as many tokens of a dialect as the policy says; deleted ones do not count.
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

// TestCreatesThatWait: those of one owner wait for each other only where that decides anything.
func TestCreatesThatWait(t *testing.T) {
	w := newWorld(t)
	store := &recorder{Fake: w.fake}
	w.Store = store
	for _, c := range []struct {
		limit  int
		unique bool
		want   bool
	}{{0, false, false}, {1, false, true}, {0, true, true}} {
		d := *personal
		d.Policy.MaxTokens, d.UniqueNames = c.limit, c.unique
		_, _, err := w.Create(t.Context(), w.user(t, member), Draft{Dialect: &d})
		ok(t, err)
		same(t, "whether they wait", store.inserts[len(store.inserts)-1].Exclusive, c.want)
	}
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
