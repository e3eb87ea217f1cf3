package token

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// fails and failsToList are the error of a call alone.
func fails[T any](_ T, err error) error                   { return err }
func failsToList[T any](_ []T, _ string, err error) error { return err }

// TestTheRegistryIsForAdmins: every method refuses who is none, before it looks at anything else; and one that changes
// something also who is none any more when the change is made.
func TestTheRegistryIsForAdmins(t *testing.T) {
	ctx, role := t.Context(), RoleMember
	draft := UserDraft{Subject: "new", Name: "new", Role: RoleMember, AccountID: home.ID}
	change := UserChange{Role: &role}
	reads := map[string]func(w *world, c Caller) error{
		"GetUser":          func(w *world, c Caller) error { return fails(w.GetUser(ctx, c, 1)) },
		"GetAccount":       func(w *world, c Caller) error { return fails(w.GetAccount(ctx, c, home.ID)) },
		"GetEnvironment":   func(w *world, c Caller) error { return fails(w.GetEnvironment(ctx, c, homeEnv.ID)) },
		"ListUsers":        func(w *world, c Caller) error { return failsToList(w.ListUsers(ctx, c, "", 1)) },
		"ListAccounts":     func(w *world, c Caller) error { return failsToList(w.ListAccounts(ctx, c, "", 1)) },
		"ListEnvironments": func(w *world, c Caller) error { return failsToList(w.ListEnvironments(ctx, c, "", 1)) },
		"SuspendCreated":   func(w *world, c Caller) error { return w.SuspendCreated(ctx, c, stranger) },
	}
	changes := map[string]func(w *world, c Caller) error{
		"CreateUser":         func(w *world, c Caller) error { return fails(w.CreateUser(ctx, c, draft)) },
		"ChangeUser":         func(w *world, c Caller) error { return fails(w.ChangeUser(ctx, c, 3, change)) },
		"DisableUser":        func(w *world, c Caller) error { return fails(w.DisableUser(ctx, c, stranger)) },
		"Offboard":           func(w *world, c Caller) error { return fails(w.Offboard(ctx, c, stranger)) },
		"CreateAccount":      func(w *world, c Caller) error { return fails(w.CreateAccount(ctx, c, "new")) },
		"DisableAccount":     func(w *world, c Caller) error { return fails(w.DisableAccount(ctx, c, other.ID)) },
		"CreateEnvironment":  func(w *world, c Caller) error { return fails(w.CreateEnvironment(ctx, c, home.ID, "new")) },
		"DisableEnvironment": func(w *world, c Caller) error { return fails(w.DisableEnvironment(ctx, c, offEnv.ID)) },
		"EnableUser":         func(w *world, c Caller) error { return fails(w.EnableUser(ctx, c, disabled)) },
		"EnableAccount":      func(w *world, c Caller) error { return fails(w.EnableAccount(ctx, c, shut.ID)) },
		"EnableEnvironment":  func(w *world, c Caller) error { return fails(w.EnableEnvironment(ctx, c, offEnv.ID)) },
	}
	const no = "forbidden: this needs the role admin"
	for _, group := range []map[string]func(*world, Caller) error{reads, changes} {
		for name, call := range group {
			w := newWorld(t)
			for caller, c := range callers() {
				if c.Admin() {
					continue
				}
				w.fake.Fault = func(string) error { return errors.New("the store was asked") }
				refused(t, name+" by "+caller, call(w, c), no)
				w.fake.Fault = nil
			}
			refused(t, name+" by an admin", call(w, w.user(t, admin)), "")
		}
	}
	for name, call := range changes {
		w := newWorld(t)
		root := w.user(t, admin)
		w.setUser(t, admin, func(u *User) { u.Role = RoleIntrospector })
		refused(t, name+" by who was an admin", call(w, root), no)
	}
}

// TestDraftsOfUsers has a line for each fault, and shows that all are told at once.
func TestDraftsOfUsers(t *testing.T) {
	const (
		length   = " must have 1 to 255 characters, not only white space"
		honest   = " " + honestRule
		role     = "; /role must be admin, introspector or member"
		account  = "; /account_id must be the id of an account"
		prefix   = "invalid: the request does not fit"
		taken    = "name taken: another user has this subject: name taken"
		issuer   = "https://idp.example"
		longest  = 255
		fourByte = "𝄞"
	)
	good := UserDraft{Subject: "new", Name: "New", Role: RoleMember, AccountID: home.ID}
	w := newWorld(t)
	root := w.user(t, admin)
	for _, c := range []struct {
		change func(*UserDraft)
		want   string
	}{
		{func(*UserDraft) {}, ""},
		{func(*UserDraft) {}, taken},
		{func(d *UserDraft) { d.Issuer = issuer }, ""},
		{func(d *UserDraft) { d.Issuer, d.Subject = issuer, "guest" }, taken},
		{func(d *UserDraft) { d.Subject, d.AccountID = "of a disabled account", shut.ID }, ""},
		{func(d *UserDraft) { d.Subject, d.Role = "admin 2", RoleAdmin }, ""},
		{func(d *UserDraft) { d.Subject, d.Role = "introspector 2", RoleIntrospector }, ""},
		{func(d *UserDraft) { d.Subject = strings.Repeat(fourByte, longest) }, ""},
		{func(d *UserDraft) { d.Subject = strings.Repeat(fourByte, longest+1) }, prefix + "; /subject" + length},
		{func(d *UserDraft) { d.Subject = "" }, prefix + "; /subject" + length},
		{func(d *UserDraft) { d.Subject = " \u3000" }, prefix + "; /subject" + length},
		{func(d *UserDraft) { d.Subject = "a\nb" }, prefix + "; /subject" + honest},
		{func(d *UserDraft) { d.Name = strings.Repeat("x", longest+1) }, prefix + "; /name" + length},
		{func(d *UserDraft) { d.Name = "a\u202eb" }, prefix + "; /name" + honest},
		{func(d *UserDraft) { d.Role = "" }, prefix + role},
		{func(d *UserDraft) { d.Role = "owner" }, prefix + role},
		{func(d *UserDraft) { d.AccountID = "" }, prefix + account},
		{func(d *UserDraft) { d.AccountID = "x" }, prefix + account},
		{func(d *UserDraft) { d.AccountID = key("n") }, prefix + account},
		{func(d *UserDraft) { *d = UserDraft{} }, prefix + "; /subject" + length + "; /name" + length + role + account},
	} {
		draft := good
		c.change(&draft)
		made, err := w.CreateUser(t.Context(), root, draft)
		refused(t, draft.Subject, err, c.want)
		if err != nil {
			same(t, "what was made", made, User{})
			continue
		}
		want := User{ID: made.ID, AdminID: made.AdminID, Issuer: draft.Issuer, Subject: draft.Subject, Name: draft.Name,
			Role: draft.Role, AccountID: draft.AccountID, CreatedAt: noon, UpdatedAt: noon}
		same(t, "the user", made, want)
		same(t, "whether it has an id for answers", ValidKey(made.AdminID), true)
	}
	w.fake.Fault = failing("FindAccount", Unavailable)
	_, err := w.CreateUser(t.Context(), root, good)
	same(t, "the kind where the account cannot be looked up", KindOf(err), Unavailable)
	good.AccountID = "x"
	_, err = w.CreateUser(t.Context(), root, good)
	refused(t, "what is no id, and is not looked up", err, prefix+account)
	_, err = w.ChangeUser(t.Context(), root, member, UserChange{AccountID: &other.ID})
	same(t, "the kind in a change", KindOf(err), Unavailable)
	_, err = w.CreateEnvironment(t.Context(), root, home.ID, "name")
	same(t, "the kind for an environment", KindOf(err), Unavailable)
}

// TestChangesOfUsers: role and home account; the last enabled admin stays one.
func TestChangesOfUsers(t *testing.T) {
	const (
		last    = "conflict: this is the last enabled admin"
		none    = "not found: there is nothing with this id: not found"
		prefix  = "invalid: the request does not fit"
		role    = "; /role must be admin, introspector or member"
		account = "; /account_id must be the id of an account"
	)
	less, checks, more, odd := RoleMember, RoleIntrospector, RoleAdmin, Role("x")
	nowhere := key("n")
	for name, c := range map[string]struct {
		admins int // enabled ones
		user   int64
		change UserChange
		became string // role, account, and whether that is a change
		want   string
	}{
		"a role":               {1, member, UserChange{Role: &more}, "admin h changed", ""},
		"a home":               {1, member, UserChange{AccountID: &other.ID}, "member r changed", ""},
		"a disabled home":      {1, member, UserChange{AccountID: &shut.ID}, "member s changed", ""},
		"both":                 {1, member, UserChange{&checks, &other.ID}, "introspector r changed", ""},
		"nothing":              {1, member, UserChange{}, "member h", ""},
		"what it is":           {1, member, UserChange{&less, &home.ID}, "member h", ""},
		"the last admin":       {1, admin, UserChange{Role: &less}, "admin h", last},
		"the last admin, less": {1, admin, UserChange{Role: &checks}, "admin h", last},
		"the last, with both":  {1, admin, UserChange{&less, &other.ID}, "admin h", last},
		"the last admin moves": {1, admin, UserChange{AccountID: &other.ID}, "admin r changed", ""},
		"the last admin stays": {1, admin, UserChange{Role: &more}, "admin h", ""},
		"one of two admins":    {2, admin, UserChange{Role: &less}, "member h changed", ""},
		"a disabled admin":     {1, disabled, UserChange{Role: &less}, "member h changed", ""},
		"an unknown role":      {1, member, UserChange{Role: &odd}, "member h", prefix + role},
		"an unknown home":      {1, member, UserChange{AccountID: &nowhere}, "member h", prefix + account},
		"both unknown":         {1, member, UserChange{&odd, &nowhere}, "member h", prefix + role + account},
		"nobody":               {1, 99, UserChange{Role: &more}, "", none},
		"nobody, to nothing":   {1, 99, UserChange{Role: &odd}, "", prefix + role},
	} {
		w := newWorld(t)
		root, memory := w.user(t, admin), &fakeMemory{rows: map[Hash]Identity{}}
		w.Memory, w.now = memory, noon.Add(time.Hour)
		w.setUser(t, disabled, func(u *User) { u.Role = RoleAdmin })
		if c.admins == 2 {
			w.setUser(t, introspector, func(u *User) { u.Role = RoleAdmin })
		}
		got, err := w.ChangeUser(t.Context(), root, c.user, c.change)
		refused(t, name, err, c.want)
		found, missing := w.fake.FindUser(t.Context(), c.user)
		if missing != nil {
			continue
		}
		became := string(found.Role) + " " + found.AccountID[:1]
		if found.UpdatedAt.Equal(w.now) {
			became += " changed"
		}
		same(t, name, became, c.became)
		if err == nil {
			same(t, name+": the answer", got, found)
			same(t, name+": what the memory heard", memory.changes[0], Change{User: c.user})
		}
	}
}

// TestTheLastAdminIsAnEnabledOne: an issuer's admin may change a disabled one, even if there is no other admin here.
func TestTheLastAdminIsAnEnabledOne(t *testing.T) {
	w := newWorld(t)
	c, less := w.guest(t, RoleAdmin, noon.Add(time.Hour)), RoleMember
	for _, off := range []bool{false, true} {
		w.setUser(t, admin, func(u *User) { u.Disabled = off })
		err := fails(w.ChangeUser(t.Context(), c, admin, UserChange{Role: &less}))
		refused(t, "a change", err, choose(off, "", "conflict: this is the last enabled admin"))
	}
}

// choose is yes where the condition holds.
func choose[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}

// TestEnabledAndDisabled: users, accounts and environments; the last enabled admin stays enabled, and only what changes
// anything changes the time of the last change.
func TestEnabledAndDisabled(t *testing.T) {
	const (
		last = "conflict: this is the last enabled admin"
		none = "not found: there is nothing with this id: not found"
	)
	type state struct {
		disabled bool
		at       time.Time
	}
	later := noon.Add(time.Hour)
	user := func(id int64) func(*world, Caller, bool) (state, error) {
		return func(w *world, c Caller, disable bool) (state, error) {
			u, err := choose(disable, w.DisableUser, w.EnableUser)(t.Context(), c, id)
			return state{u.Disabled, u.UpdatedAt}, err
		}
	}
	account := func(id string) func(*world, Caller, bool) (state, error) {
		return func(w *world, c Caller, disable bool) (state, error) {
			a, err := choose(disable, w.DisableAccount, w.EnableAccount)(t.Context(), c, id)
			return state{a.Disabled, a.UpdatedAt}, err
		}
	}
	environment := func(id string) func(*world, Caller, bool) (state, error) {
		return func(w *world, c Caller, disable bool) (state, error) {
			e, err := choose(disable, w.DisableEnvironment, w.EnableEnvironment)(t.Context(), c, id)
			return state{e.Disabled, e.UpdatedAt}, err
		}
	}
	for name, c := range map[string]struct {
		call    func(*world, Caller, bool) (state, error)
		disable bool
		admins  int
		want    string
		state   state
		heard   Change
	}{
		"a member":                       {user(member), true, 1, "", state{true, later}, Change{User: member}},
		"a member that is enabled":       {user(member), false, 1, "", state{}, Change{User: member}},
		"a disabled one, again":          {user(disabled), true, 1, "", state{true, time.Time{}}, Change{User: disabled}},
		"a disabled one, enabled":        {user(disabled), false, 1, "", state{false, later}, Change{User: disabled}},
		"the last admin":                 {user(admin), true, 1, last, state{}, Change{User: admin}},
		"the last admin, enabled":        {user(admin), false, 1, "", state{}, Change{User: admin}},
		"one of two admins":              {user(admin), true, 2, "", state{true, later}, Change{User: admin}},
		"nobody":                         {user(99), true, 1, none, state{}, Change{User: 99}},
		"an account":                     {account(home.ID), true, 1, "", state{true, later}, Change{Account: home.ID}},
		"an account that is enabled":     {account(home.ID), false, 1, "", state{}, Change{Account: home.ID}},
		"an account, enabled again":      {account(shut.ID), false, 1, "", state{false, later}, Change{Account: shut.ID}},
		"no account":                     {account(key("n")), true, 1, none, state{}, Change{Account: key("n")}},
		"an environment":                 {environment(homeEnv.ID), true, 1, "", state{true, later}, Change{Environment: homeEnv.ID}},
		"an environment, enabled again":  {environment(offEnv.ID), false, 1, "", state{false, later}, Change{Environment: offEnv.ID}},
		"an environment, disabled again": {environment(offEnv.ID), true, 1, "", state{true, time.Time{}}, Change{Environment: offEnv.ID}},
		"no environment":                 {environment("x"), true, 1, none, state{}, Change{Environment: "x"}},
	} {
		w := newWorld(t)
		root, memory := w.user(t, admin), &fakeMemory{rows: map[Hash]Identity{}}
		w.Memory, w.now = memory, later
		if c.admins == 2 {
			w.setUser(t, introspector, func(u *User) { u.Role = RoleAdmin })
		}
		got, err := c.call(w, root, c.disable)
		refused(t, name, err, c.want)
		if err == nil {
			same(t, name, got, c.state)
		}
		same(t, name+": how often the memory heard", len(memory.changes), 1)
		same(t, name+": what it heard", memory.changes[0], c.heard)
	}
}

// TestUrgencyInTheRegistry: what takes rights away goes before all others.
func TestUrgencyInTheRegistry(t *testing.T) {
	w := newWorld(t)
	ctx, root := t.Context(), w.user(t, admin)
	accounts, _ := w.put(t, Token{Dialect: corporate, AccountID: home.ID})
	more, checks, less := RoleAdmin, RoleIntrospector, RoleMember
	role := func(to *Role) func() error {
		return func() error { return fails(w.ChangeUser(ctx, root, stranger, UserChange{Role: to})) }
	}
	move := UserChange{AccountID: &home.ID}
	draft := UserDraft{Subject: "new", Name: "new", Role: RoleMember, AccountID: home.ID}
	for name, c := range map[string]struct {
		call   func() error
		urgent bool
	}{
		"more rights":        {role(&more), false},
		"fewer rights":       {role(&checks), true},
		"the fewest":         {role(&less), true},
		"a move":             {func() error { return fails(w.ChangeUser(ctx, root, stranger, move)) }, false},
		"a user off":         {func() error { return fails(w.DisableUser(ctx, root, stranger)) }, true},
		"a user on":          {func() error { return fails(w.EnableUser(ctx, root, stranger)) }, false},
		"an account off":     {func() error { return fails(w.DisableAccount(ctx, root, other.ID)) }, true},
		"an account on":      {func() error { return fails(w.EnableAccount(ctx, root, other.ID)) }, false},
		"an environment off": {func() error { return fails(w.DisableEnvironment(ctx, root, offEnv.ID)) }, true},
		"an environment on":  {func() error { return fails(w.EnableEnvironment(ctx, root, offEnv.ID)) }, false},
		"checks allowed":     {func() error { return fails(w.AllowIntrospection(ctx, root, accounts.Ref())) }, false},
		"checks forbidden":   {func() error { return fails(w.ForbidIntrospection(ctx, root, accounts.Ref())) }, true},
		"a new user":         {func() error { return fails(w.CreateUser(ctx, root, draft)) }, false},
		"a new account":      {func() error { return fails(w.CreateAccount(ctx, root, "new")) }, false},
		"a new environment":  {func() error { return fails(w.CreateEnvironment(ctx, root, home.ID, "new")) }, false},
	} {
		w.fake.Permits = nil
		refused(t, name, c.call(), "")
		same(t, name+": how many changes", len(w.fake.Permits), 1)
		same(t, name+": whether it is urgent", w.fake.Permits[0].Urgent, c.urgent)
	}
}

// TestAccountsAndEnvironments: what is registered, and its faults.
func TestAccountsAndEnvironments(t *testing.T) {
	const (
		length  = "; /name must have 1 to 255 characters, not only white space"
		prefix  = "invalid: the request does not fit"
		account = "; /account_id must be the id of an account"
	)
	w := newWorld(t)
	root := w.user(t, admin)
	for _, c := range []struct{ account, name, want string }{
		{home.ID, "production", ""},
		{home.ID, "production", ""}, // names may repeat
		{shut.ID, "production", ""},
		{home.ID, "", prefix + length},
		{home.ID, "\t", prefix + length},
		{home.ID, "a\x00", prefix + "; /name " + honestRule},
		{key("n"), "production", prefix + account},
		{"x", "", prefix + length + account},
	} {
		made, err := w.CreateEnvironment(t.Context(), root, c.account, c.name)
		refused(t, c.name, err, c.want)
		if err == nil {
			want := Environment{ID: made.ID, AccountID: c.account, Name: c.name, CreatedAt: noon, UpdatedAt: noon}
			same(t, "the environment", made, want)
			found, err := w.GetEnvironment(t.Context(), root, made.ID)
			ok(t, err)
			same(t, "the environment found", found, want)
		}
		if c.account != home.ID {
			continue
		}
		a, err := w.CreateAccount(t.Context(), root, c.name)
		refused(t, c.name, err, c.want)
		if err == nil {
			want := Account{ID: a.ID, Name: c.name, CreatedAt: noon, UpdatedAt: noon}
			same(t, "the account", a, want)
			found, err := w.GetAccount(t.Context(), root, a.ID)
			ok(t, err)
			same(t, "the account found", found, want)
		}
	}
	found, err := w.GetUser(t.Context(), root, member)
	ok(t, err)
	same(t, "the user found", found, people[member-1])
	const none = "not found: there is nothing with this id: not found"
	_, err = w.GetUser(t.Context(), root, 99)
	refused(t, "no user", err, none)
	_, err = w.GetAccount(t.Context(), root, "x")
	refused(t, "no account", err, none)
	_, err = w.GetEnvironment(t.Context(), root, key("n"))
	refused(t, "no environment", err, none)
}

// TestPagesOfTheRegistry: from the first id to the last, with a cursor as long as there is more.
func TestPagesOfTheRegistry(t *testing.T) {
	w := newWorld(t)
	root := w.user(t, admin)
	subjects := func(cursor string, limit int) (shown, next string, err error) {
		users, next, err := w.ListUsers(t.Context(), root, cursor, limit)
		for _, u := range users {
			shown += u.Subject[:1]
		}
		return shown, next, err
	}
	accounts := func(cursor string, limit int) (shown, next string, err error) {
		all, next, err := w.ListAccounts(t.Context(), root, cursor, limit)
		for _, a := range all {
			shown += a.ID[:1]
		}
		return shown, next, err
	}
	environments := func(cursor string, limit int) (shown, next string, err error) {
		all, next, err := w.ListEnvironments(t.Context(), root, cursor, limit)
		for _, e := range all {
			shown += e.ID[:2]
		}
		return shown, next, err
	}
	for name, c := range map[string]struct {
		list  func(cursor string, limit int) (string, string, error)
		limit int
		pages []string
		alien string // a cursor of another list
	}{
		"users":           {subjects, 3, []string{"aim", "sde", "g"}, encodeKey(accountList, home.ID)},
		"users at once":   {subjects, 7, []string{"aimsdeg"}, ""},
		"accounts":        {accounts, 2, []string{"hr", "s"}, encodeKey(environmentList, home.ID)},
		"accounts, three": {accounts, 3, []string{"hrs"}, encodeUser(1)},
		"environments":    {environments, 4, []string{"h1h2h3r1", "s1"}, encodeKey(accountList, home.ID)},
		"one by one":      {environments, 1, []string{"h1", "h2", "h3", "r1", "s1"}, "!"},
	} {
		cursor := ""
		for i, want := range c.pages {
			shown, next, err := c.list(cursor, c.limit)
			refused(t, name, err, "")
			same(t, name, shown, want)
			same(t, name+": whether there is more", next != "", i < len(c.pages)-1)
			cursor = next
		}
		if c.alien != "" {
			_, _, err := c.list(c.alien, c.limit)
			refused(t, name+", from another list", err, "invalid: the request does not fit; "+
				"query/cursor must be the next_cursor of an earlier page of this list")
		}
		w.fake.Fault = func(string) error { return Unavailable }
		_, _, err := c.list("", c.limit)
		same(t, name+": the kind without a store", KindOf(err), Unavailable)
		w.fake.Fault = nil
	}
}

// TestOffboarding: who leaves is disabled and takes no access along, not even that of tokens which their tokens made.
func TestOffboarding(t *testing.T) {
	w := newWorld(t)
	root := w.user(t, admin)
	put := func(in Token) Token {
		if in.Dialect == nil {
			in.Dialect = corporate
		}
		if in.AccountID == "" && !in.Dialect.OwnedByUser {
			in.AccountID = home.ID
		}
		made, _ := w.put(t, in)
		return made
	}
	theirs := put(Token{CreatedBy: stranger})
	child := put(Token{MintedBy: theirs.Seq})
	grandchild := put(Token{MintedBy: child.Seq, Dialect: APIToken})
	const gone = "suspended by admin"
	cases := []struct {
		token Token
		want  string
	}{
		{theirs, gone},
		{child, gone},
		{grandchild, gone},
		{put(Token{CreatedBy: stranger, AccountID: other.ID}), gone},
		{put(Token{CreatedBy: stranger, ExpiresAt: noon.Add(time.Hour)}), gone},
		{put(Token{CreatedBy: stranger, State: Suspended}), gone}, // which a member could undo
		{put(Token{CreatedBy: stranger, State: Suspended, SuspendedByAdmin: true}), gone},
		{put(Token{CreatedBy: stranger, State: Revoked}), "revoked"},
		{put(Token{CreatedBy: stranger, ExpiresAt: noon}), "active"},
		{put(Token{CreatedBy: member}), "active"},
		{put(Token{CreatedBy: member, MintedBy: theirs.Seq}), "active"},
		{put(Token{CreatedBy: stranger, Dialect: personal, UserID: member}), "active"},   // a user's own matter
		{put(Token{CreatedBy: stranger, Dialect: personal, UserID: stranger}), "active"}, // stopped with its user
	}
	for range maxPage { // more than a page
		put(Token{CreatedBy: stranger})
	}
	u, err := w.Offboard(t.Context(), root, stranger)
	ok(t, err)
	same(t, "whether the user is disabled", u.Disabled, true)
	for _, c := range cases {
		found, err := w.fake.Find(t.Context(), c.token.Ref())
		ok(t, err)
		if got := outcome(found, err); got != c.want {
			t.Errorf("%+v is %s, want %s", c.token, got, c.want)
		}
	}
	works := Query{Dialect: corporate, CreatedBy: stranger, State: Active, Now: noon, Limit: 1}
	left, err := w.fake.List(t.Context(), works)
	ok(t, err)
	same(t, "how many still work", len(left), 0)
	tried := false
	w.fake.Fault = func(method string) error { tried = tried || method == "Find"; return nil }
	_, err = w.Offboard(t.Context(), root, stranger)
	refused(t, "once more", err, "")
	same(t, "whether what cannot be suspended is tried", tried, false)
}

// TestOffboardingStops: for nobody, for the caller itself, and where the store fails; a repeated call goes on there.
func TestOffboardingStops(t *testing.T) {
	w := newWorld(t)
	root := w.user(t, admin)
	_, err := w.Offboard(t.Context(), root, admin)
	refused(t, "the caller itself", err,
		"conflict: you cannot disable yourself and suspend what you created: ask another admin")
	_, err = w.Offboard(t.Context(), root, 99)
	refused(t, "nobody", err, "not found: there is nothing with this id: not found")
	w.setUser(t, introspector, func(u *User) { u.Role = RoleAdmin })
	_, err = w.Offboard(t.Context(), w.user(t, introspector), admin)
	refused(t, "the one admin by the other", err, "")
	w.setUser(t, admin, func(u *User) { u.Disabled = false })

	made, _ := w.put(t, Token{Dialect: corporate, AccountID: home.ID, CreatedBy: stranger})
	for _, method := range []string{"UpdateUser", "List", "Update"} {
		w.fake.Fault = failing(method, Unavailable)
		_, err := w.Offboard(t.Context(), root, stranger)
		same(t, "the kind where "+method+" fails", KindOf(err), Unavailable)
	}
	w.fake.Fault = nil
	_, err = w.Offboard(t.Context(), root, stranger)
	ok(t, err)
	found, err := w.fake.Find(t.Context(), made.Ref())
	same(t, "in the end", outcome(found, err), "suspended by admin")
}

// busy is a store in which others do something between a list and what follows it.
type busy struct {
	*Fake
	meanwhile func()
}

func (b *busy) List(ctx context.Context, q Query) ([]Token, error) {
	tokens, err := b.Fake.List(ctx, q)
	if err == nil && b.meanwhile != nil {
		b.meanwhile()
	}
	return tokens, err
}

// TestOffboardingAmongOthers: who was faster has done no harm, and what is created meanwhile is found, too.
func TestOffboardingAmongOthers(t *testing.T) {
	w := newWorld(t)
	root := w.user(t, admin)
	put := func(in Token) Token {
		in.Dialect, in.AccountID = corporate, home.ID
		made, _ := w.put(t, in)
		return made
	}
	revoked, deleted := put(Token{CreatedBy: stranger}), put(Token{CreatedBy: stranger})
	minter := put(Token{CreatedBy: stranger})
	store, late := &busy{Fake: w.fake}, Token{}
	store.meanwhile = func() {
		store.meanwhile = nil
		w.set(t, revoked.Ref(), func(t *Token) { t.State = Revoked })
		w.set(t, deleted.Ref(), func(t *Token) { t.DeletedAt = noon })
		late = put(Token{MintedBy: minter.Seq})
	}
	w.Store = store
	ok(t, w.SuspendCreated(t.Context(), root, stranger))
	for want, in := range map[string]Token{
		"revoked": revoked, "active, deleted": deleted, "suspended by admin": minter,
	} {
		found, err := w.fake.Find(t.Context(), in.Ref())
		same(t, want, outcome(found, err), want)
	}
	found, err := w.fake.Find(t.Context(), late.Ref())
	same(t, "one that came late", outcome(found, err), "suspended by admin")
}
