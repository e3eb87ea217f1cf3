package token

import (
	"testing"
	"time"
)

// Callers of each kind, as authentication makes them.
func callers() map[string]Caller {
	user := func(id int64, a Account, limit Role) Caller {
		t := &Token{Dialect: Muninx, UserID: id, RoleLimit: limit}
		return Identity{Token: t, User: &people[id-1], Account: &a}.Caller()
	}
	account := func(a Account, e *Environment, introspector bool) Caller {
		t := &Token{Dialect: APIToken, AccountID: a.ID, Introspector: introspector}
		if e != nil {
			t.EnvironmentID = e.ID
		}
		return Identity{Token: t, Account: &a, Environment: e}.Caller()
	}
	return map[string]Caller{
		"admin":            user(admin, home, ""),
		"limited admin":    user(admin, home, RoleMember),
		"introspector":     user(introspector, home, ""),
		"member":           user(member, home, ""),
		"stranger":         user(stranger, other, ""),
		"evicted":          user(evicted, shut, ""),
		"shut admin":       {User: &User{ID: 9, Role: RoleAdmin}, Account: &shut, Role: RoleAdmin},
		"guest":            {User: &people[guest-1], Account: &home, Role: RoleMember, federated: true},
		"account":          account(home, nil, false),
		"checking account": account(home, nil, true),
		"environment":      account(home, &homeEnv, false),
		"other account":    account(other, nil, false),
	}
}

// TestWhoEnters: a user's tokens need a user, an account's an enabled account or an admin, and the administration an
// admin.
func TestWhoEnters(t *testing.T) {
	const (
		noUser   = "forbidden: the credential belongs to no user, and these tokens are a user's own"
		notAdmin = "forbidden: this needs the role admin"
		shutHome = "forbidden: the caller's home account is disabled"
	)
	all := callers()
	for _, c := range []struct{ caller, personal, corporate, everything string }{
		{"admin", "", "", ""},
		{"limited admin", "", "", notAdmin},
		{"introspector", "", "", notAdmin},
		{"member", "", "", notAdmin},
		{"stranger", "", "", notAdmin},
		{"evicted", "", shutHome, notAdmin},
		{"shut admin", "", "", ""},
		{"guest", "", "", notAdmin},
		{"account", noUser, "", notAdmin},
		{"checking account", noUser, "", notAdmin},
		{"environment", noUser, "", notAdmin},
		{"other account", noUser, "", notAdmin},
	} {
		caller := all[c.caller]
		refused(t, c.caller+" to a user's", caller.enter(personal, Own), c.personal)
		refused(t, c.caller+" to an account's", caller.enter(corporate, Own), c.corporate)
		refused(t, c.caller+" to everything", caller.enter(nil, Everything), c.everything)
		refused(t, c.caller+" to all of a dialect", caller.enter(personal, Everything), c.everything)
	}
}

// TestWhoSeesWhat has a line for each caller: which tokens exist for it in a dialect, and in the administration.
func TestWhoSeesWhat(t *testing.T) {
	all := callers()
	tokens := map[byte]Token{
		'a': {Dialect: personal, UserID: admin},
		'm': {Dialect: personal, UserID: member},
		's': {Dialect: personal, UserID: stranger},
		'H': {Dialect: corporate, AccountID: home.ID},
		'1': {Dialect: corporate, AccountID: home.ID, EnvironmentID: homeEnv.ID},
		'2': {Dialect: corporate, AccountID: home.ID, EnvironmentID: nextEnv.ID},
		'R': {Dialect: corporate, AccountID: other.ID},
		'3': {Dialect: corporate, AccountID: other.ID, EnvironmentID: otherEnv.ID},
	}
	const order = "amsH12R3"
	seen := func(c Caller, r Reach) (seen string) {
		for i := range len(order) {
			if c.sees(tokens[order[i]], r) {
				seen += order[i : i+1]
			}
		}
		return seen
	}
	for _, c := range []struct{ caller, own, everything string }{
		{"admin", "aH12R3", "amsH12R3"},
		{"limited admin", "aH12", ""},
		{"introspector", "H12", ""},
		{"member", "mH12", ""},
		{"stranger", "sR3", ""},
		{"guest", "H12", ""},
		{"account", "H12", ""},
		{"environment", "1", ""},
		{"other account", "R3", ""},
	} {
		same(t, c.caller+" sees of its own", seen(all[c.caller], Own), c.own)
		same(t, c.caller+" sees of everything", seen(all[c.caller], Everything), c.everything)
	}
}

// TestQueriesAreNarrowed: a list asks the store for what the caller sees, and for no more.
func TestQueriesAreNarrowed(t *testing.T) {
	all := callers()
	type owner struct {
		user    int64
		account string
		env     string
	}
	for name, c := range map[string]struct {
		caller      string
		dialect     *Dialect
		reach       Reach
		asked, want owner
	}{
		"a user's":                {"member", personal, Own, owner{}, owner{user: member}},
		"an admin's own":          {"admin", personal, Own, owner{}, owner{user: admin}},
		"another user's":          {"member", personal, Own, owner{user: admin}, owner{user: member}},
		"an account's":            {"member", corporate, Own, owner{}, owner{account: home.ID}},
		"an account's by a token": {"account", corporate, Own, owner{}, owner{account: home.ID}},
		"all accounts', an admin": {"admin", corporate, Own, owner{}, owner{}},
		"an account's, an admin":  {"admin", corporate, Own, owner{account: other.ID}, owner{account: other.ID}},
		"everything":              {"admin", nil, Everything, owner{}, owner{}},
		"everything of a user":    {"admin", personal, Everything, owner{user: member}, owner{user: member}},
		"an environment's":        {"account", corporate, Own, owner{env: homeEnv.ID}, owner{0, home.ID, homeEnv.ID}},
		"its environment's":       {"environment", corporate, Own, owner{}, owner{0, home.ID, homeEnv.ID}},
	} {
		got := all[c.caller].narrow(Query{Dialect: c.dialect, UserID: c.asked.user, AccountID: c.asked.account,
			EnvironmentID: c.asked.env}, c.reach)
		same(t, name, owner{got.UserID, got.AccountID, got.EnvironmentID}, c.want)
		same(t, name+": the dialect", got.Dialect, c.dialect)
	}
}

// TestWhoMayWhat: a credential without a user may only revoke; who has a user may do everything to what it sees.
func TestWhoMayWhat(t *testing.T) {
	all := callers()
	for _, c := range []struct {
		caller string
		action Action
		want   string
	}{
		{"member", Activate, ""},
		{"member", Suspend, ""},
		{"member", Revoke, ""},
		{"member", Delete, ""},
		{"limited admin", Delete, ""},
		{"guest", Suspend, ""},
		{"account", Activate, "forbidden: a credential that belongs to no user may not activate a token"},
		{"account", Suspend, "forbidden: a credential that belongs to no user may not suspend a token"},
		{"account", Revoke, ""},
		{"account", Delete, "forbidden: a credential that belongs to no user may not delete a token"},
		{"environment", Revoke, ""},
		{"environment", Delete, "forbidden: a credential that belongs to no user may not delete a token"},
	} {
		refused(t, c.caller+" "+string(c.action), all[c.caller].may(c.action), c.want)
	}
}

// TestWhoMayIntrospect: admins, introspectors, and the account's tokens that an admin let do it.
func TestWhoMayIntrospect(t *testing.T) {
	const no = "forbidden: the credential may not introspect tokens: " +
		"it needs the role introspector or, for an apitoken token, an admin's permission"
	all := callers()
	all["allowed user's token"] = Caller{
		User: &people[member-1], Account: &home, Role: RoleMember, Token: &Token{Dialect: personal, Introspector: true},
	}
	for caller, want := range map[string]string{
		"admin": "", "introspector": "", "shut admin": "", "checking account": "",
		"limited admin": no, "member": no, "guest": no, "account": no, "environment": no, "allowed user's token": no,
	} {
		refused(t, caller, all[caller].MayIntrospect(), want)
	}
}

// TestCallersAreJudgedAgain: the caller of a change is who it is when the change is made, within the same credential.
func TestCallersAreJudgedAgain(t *testing.T) {
	usual, root, out := people[member-1], people[admin-1], people[disabled-1]
	mine := Token{Dialect: Muninx, ID: "mine", UserID: member, State: Active}
	limited := Token{Dialect: Muninx, ID: "mine", UserID: admin, State: Active, RoleLimit: RoleIntrospector}
	ended := Token{Dialect: Muninx, ID: "mine", UserID: member, State: Active, ExpiresAt: noon}
	withToken := Caller{Token: &mine}
	withJWT := Caller{User: &usual, Account: &home, ExpiresAt: noon.Add(time.Millisecond), federated: true}
	claiming, over, lasting := withJWT, withJWT, withJWT
	claiming.claimed, over.ExpiresAt, lasting.ExpiresAt = RoleIntrospector, noon, time.Time{}
	users := Identity{User: &usual, Account: &home}
	const ref, gone = "token:muninx/mine: ", "the token or its user is gone"
	for name, c := range map[string]struct {
		caller Caller
		now    Identity
		role   Role
		want   string
	}{
		"nothing changed":        {withToken, Identity{Token: &mine, User: &usual, Account: &home}, RoleMember, ""},
		"the role rose":          {withToken, Identity{Token: &mine, User: &root, Account: &home}, RoleAdmin, ""},
		"the limit stays":        {withToken, Identity{Token: &limited, User: &root, Account: &home}, RoleIntrospector, ""},
		"the token is gone":      {withToken, Identity{}, "", gone},
		"the token ended":        {withToken, Identity{Token: &ended, User: &usual, Account: &home}, "", ref + "expired"},
		"the user is disabled":   {withToken, Identity{Token: &mine, User: &out, Account: &home}, "", ref + "user_disabled"},
		"a JWT":                  {withJWT, users, RoleMember, ""},
		"a JWT, the role rose":   {withJWT, Identity{User: &root, Account: &home}, RoleAdmin, ""},
		"a JWT with a role":      {claiming, Identity{User: &root, Account: &home}, RoleIntrospector, ""},
		"a JWT that never ends":  {lasting, users, RoleMember, ""},
		"a JWT that ended":       {over, users, "", "the JWT has expired"},
		"a JWT, no user":         {withJWT, Identity{}, "", gone},
		"a JWT, no home account": {withJWT, Identity{User: &usual}, "", gone},
		"a JWT, user disabled":   {withJWT, Identity{User: &out, Account: &home}, "", "the user 5 is disabled"},
	} {
		again, err := c.caller.again(c.now, noon)
		if c.want != "" {
			c.want = "credential invalid: the credential is not valid: " + c.want
		}
		refused(t, name, err, c.want)
		same(t, name+": the role", again.Role, c.role)
		if err != nil {
			same(t, name, again, Caller{})
			continue
		}
		same(t, name+": the user", again.User, c.now.User)
		same(t, name+": the account", again.Account, c.now.Account)
		same(t, name+": whether it is a guest", again.federated, c.caller.federated)
	}
}

// TestPermits: a permit names all that the caller's right depends on, and tells what the caller has become.
func TestPermits(t *testing.T) {
	w := newWorld(t)
	all := callers()
	bound := all["environment"]
	bound.Token.Seq = 7
	user := all["member"]
	user.Token.Seq = 8
	visitor := all["guest"]
	type names struct {
		token, user int64
		account     string
		environment string
	}
	for name, c := range map[string]struct {
		caller Caller
		want   names
	}{
		"an environment's token": {bound, names{7, 0, home.ID, homeEnv.ID}},
		"a user's token":         {user, names{8, member, "", ""}},
		"a guest":                {visitor, names{0, 7, "", ""}},
	} {
		p := w.permit(t.Context(), &c.caller, func(Caller) error { return nil })
		same(t, name, names{p.Token, p.UserID, p.AccountID, p.EnvironmentID}, c.want)
		same(t, name+": urgency", p.Urgent, false)
	}
	for _, urgent := range []bool{true, false} {
		p := w.adminPermit(t.Context(), &visitor, "", urgent)
		same(t, "urgency", p.Urgent, urgent)
		refused(t, "the judgement", p.Judge(Identity{User: &people[guest-1], Account: &home}),
			"forbidden: this needs the role admin")
		risen := people[admin-1]
		refused(t, "the judgement", p.Judge(Identity{User: &risen, Account: &other}), "")
		same(t, "who the caller is now", visitor.User, &risen)
	}
}

// TestShares: a user's requests are counted together and by credential, an account's by account.
func TestShares(t *testing.T) {
	all := callers()
	user, account := all["member"], all["account"]
	user.Token.Seq, account.Token.Seq = 8, 9
	for name, c := range map[string]struct {
		got     Share
		want    Share
		nobodys bool
	}{
		"a user's token":     {user.Share(), Share{UserID: member, Token: 8}, false},
		"a guest":            {all["guest"].Share(), Share{UserID: guest}, false},
		"an account's token": {account.Share(), Share{AccountID: home.ID, Token: 9}, false},
		"an address":         {Share{Address: "192.0.2.1"}, Share{Address: "192.0.2.1"}, true},
		"no context":         {ShareOf(t.Context()), Share{}, true},
	} {
		same(t, name, c.got, c.want)
		same(t, name+": whether it is nobody's", c.got.Nobodys(), c.nobodys)
	}
	same(t, "an account alone", Share{AccountID: "x"}.Nobodys(), false)
	same(t, "a token alone", Share{Token: 1}.Nobodys(), false)
}
