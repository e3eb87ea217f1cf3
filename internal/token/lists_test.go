package token

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestWhoGetsWhat: a token that the caller does not see reads like one that does not exist.
func TestWhoGetsWhat(t *testing.T) {
	const (
		none   = "not found: there is no such token"
		noUser = "forbidden: the credential belongs to no user, and these tokens are a user's own"
	)
	w := newWorld(t)
	root, usual, strange := w.user(t, admin), w.user(t, member), w.user(t, stranger)
	bound := w.account(t, home.ID, homeEnv.ID)
	mine, _ := w.put(t, Token{Dialect: personal, UserID: member})
	next, _ := w.put(t, Token{Dialect: corporate, AccountID: home.ID, EnvironmentID: nextEnv.ID})
	gone, _ := w.put(t, Token{Dialect: personal, UserID: member})
	w.set(t, gone.Ref(), func(t *Token) { t.DeletedAt = noon })
	for name, c := range map[string]struct {
		caller Caller
		ref    Ref
		reach  Reach
		want   string
	}{
		"its owner":                {usual, mine.Ref(), Own, ""},
		"another user":             {strange, mine.Ref(), Own, none},
		"an admin":                 {root, mine.Ref(), Everything, ""},
		"an admin, as a user":      {root, mine.Ref(), Own, none},
		"a member, as an admin":    {usual, mine.Ref(), Everything, "forbidden: this needs the role admin"},
		"another environment":      {bound, next.Ref(), Own, none},
		"an account, a user's":     {bound, mine.Ref(), Own, noUser},
		"a deleted one":            {usual, gone.Ref(), Own, none},
		"a deleted one, an admin":  {root, gone.Ref(), Everything, none},
		"an unknown one":           {usual, Ref{personal, key("x")}, Own, none},
		"no id":                    {usual, Ref{personal, "x"}, Own, none},
		"no dialect, by an admin":  {root, Ref{}, Everything, none},
		"an id of another dialect": {root, Ref{corporate, mine.ID}, Everything, none},
	} {
		asked, nameless := false, map[string]bool{"no id": true, "no dialect, by an admin": true}
		w.fake.Fault = func(string) error { asked = true; return nil }
		got, err := w.Get(t.Context(), c.caller, c.ref, c.reach)
		refused(t, name, err, c.want)
		same(t, name+": whether the store was asked", asked, (c.want == "" || c.want == none) && !nameless[name])
		if err == nil {
			same(t, name, got, mine)
		}
	}
	w.fake.Fault = func(string) error { return Unavailable }
	_, err := w.Get(t.Context(), usual, mine.Ref(), Own)
	same(t, "the kind without a store", KindOf(err), Unavailable)
}

// letters are the names of the tokens.
func letters(tokens []Token) (all string) {
	for _, t := range tokens {
		all += t.Name
	}
	return all
}

// listed is a world with tokens a to g, those of users in small letters and those of accounts in capital ones, and who
// lists them.
func listed(t *testing.T) (*world, Caller) {
	t.Helper()
	w := newWorld(t)
	usual := w.user(t, member)
	for _, in := range []Token{
		{Name: "a", Dialect: personal, UserID: member}, {Name: "b", Dialect: personal, UserID: member, State: Suspended},
		{Name: "C", Dialect: corporate, AccountID: home.ID, Scope: ScopeAccount},
		{Name: "D", Dialect: corporate, AccountID: home.ID, EnvironmentID: homeEnv.ID, Scope: ScopeEnvironment},
		{Name: "E", Dialect: corporate, AccountID: other.ID, Scope: ScopeAccount},
		{Name: "f", Dialect: personal, UserID: stranger}, {Name: "g", Dialect: personal, UserID: member},
	} {
		w.put(t, in)
	}
	return w, usual
}

// TestWhoListsWhat compares a page, and the whole as it is shown page by page, for callers and questions.
func TestWhoListsWhat(t *testing.T) {
	w, usual := listed(t)
	root, bound := w.user(t, admin), w.account(t, home.ID, homeEnv.ID)
	machine := w.account(t, home.ID, "")
	const noUser = "forbidden: the credential belongs to no user, and these tokens are a user's own"
	for name, c := range map[string]struct {
		caller Caller
		query  Query
		reach  Reach
		names  string
		want   string
	}{
		"a user's own":                     {usual, Query{Dialect: personal}, Own, "gba", ""},
		"oldest first":                     {usual, Query{Dialect: personal, Ascending: true}, Own, "abg", ""},
		"those that are suspended":         {usual, Query{Dialect: personal, State: Suspended}, Own, "b", ""},
		"an account's by a member":         {usual, Query{Dialect: corporate}, Own, "DC", ""},
		"an account's by its own token":    {machine, Query{Dialect: corporate}, Own, "DC", ""},
		"an environment's by its token":    {bound, Query{Dialect: corporate}, Own, "D", ""},
		"another environment's":            {bound, Query{Dialect: corporate, EnvironmentID: nextEnv.ID}, Own, "", ""},
		"another account's":                {usual, Query{Dialect: corporate, AccountID: other.ID}, Own, "", ""},
		"an environment of another":        {usual, Query{Dialect: corporate, EnvironmentID: otherEnv.ID}, Own, "", ""},
		"an account's, in an environment":  {usual, Query{Dialect: corporate, EnvironmentID: homeEnv.ID}, Own, "D", ""},
		"all accounts' by an admin":        {root, Query{Dialect: corporate}, Own, "EDC", ""},
		"one account's by an admin":        {root, Query{Dialect: corporate, AccountID: other.ID}, Own, "E", ""},
		"an admin's own":                   {root, Query{Dialect: personal}, Own, "", ""},
		"everything of a dialect":          {root, Query{Dialect: personal}, Everything, "gfba", ""},
		"everything of a user":             {root, Query{UserID: stranger}, Everything, "f", ""},
		"everything by a member":           {usual, Query{}, Everything, "", "forbidden: this needs the role admin"},
		"a user's by an account's token":   {machine, Query{Dialect: personal}, Own, "", noUser},
		"what an account sees of all, own": {machine, Query{Dialect: corporate, Scope: ScopeAccount}, Own, "C", ""},
	} {
		c.query.Limit = 9
		page, err := w.List(t.Context(), c.caller, c.query, "", c.reach)
		refused(t, name, err, c.want)
		same(t, name, letters(page.Tokens), c.names)
		same(t, name+": the next page", page.Next, "")
		c.query.Limit = 1
		walked := ""
		err = w.Walk(t.Context(), c.caller, c.query, "", c.reach, func(tokens []Token) error {
			if len(tokens) > 1 {
				t.Errorf("%s: a page of %d", name, len(tokens))
			}
			walked += letters(tokens)
			return nil
		})
		refused(t, name+", page by page", err, c.want)
		same(t, name+", page by page", walked, c.names)
	}
}

// TestPages: a cursor names the last token of a page, and the last page has none.
func TestPages(t *testing.T) {
	w, usual := listed(t)
	query := Query{Dialect: personal, Limit: 2, Ascending: true}
	first, err := w.List(t.Context(), usual, query, "", Own)
	ok(t, err)
	same(t, "the first page", letters(first.Tokens), "ab")
	w.set(t, first.Tokens[1].Ref(), func(t *Token) { t.DeletedAt = noon })
	second, err := w.List(t.Context(), usual, query, first.Next, Own)
	ok(t, err)
	same(t, "the second page, after one that is deleted", letters(second.Tokens), "g")
	same(t, "its cursor", second.Next, "")
	query.Limit = 1
	exact, err := w.List(t.Context(), usual, query, first.Next, Own)
	ok(t, err)
	same(t, "a page that is just full", letters(exact.Tokens)+exact.Next, "g")
}

// respelled sets a bit of the last character that decodes to nothing.
func respelled(cursor string) string {
	last := len(cursor) - 1
	return cursor[:last] + string(rune(cursor[last]+1))
}

// TestCursors: a cursor is good for the list that it comes from, and for who sees the token that it names.
func TestCursors(t *testing.T) {
	w, usual := listed(t)
	root := w.user(t, admin)
	all, err := w.fake.List(t.Context(), Query{Limit: 9, Ascending: true})
	ok(t, err)
	cursor := map[string]string{}
	for _, in := range all {
		cursor[in.Name] = encodeCursor(in.Ref())
	}
	const bad = "invalid: the request does not fit; query/cursor must be the next_cursor of an earlier page of this list"
	for name, c := range map[string]struct {
		caller Caller
		query  Query
		cursor string
		reach  Reach
		names  string
		want   string
	}{
		"its own":                   {usual, Query{Dialect: personal}, cursor["b"], Own, "a", ""},
		"another user's":            {usual, Query{Dialect: personal}, cursor["f"], Own, "", bad},
		"an admin's list":           {root, Query{Dialect: personal}, cursor["f"], Everything, "ba", ""},
		"of all dialects":           {root, Query{UserID: member}, cursor["E"], Everything, "ba", ""},
		"another dialect's":         {usual, Query{Dialect: personal}, cursor["C"], Own, "", bad},
		"another dialect's, admin":  {root, Query{Dialect: personal}, cursor["C"], Everything, "", bad},
		"another account's":         {usual, Query{Dialect: corporate}, cursor["E"], Own, "", bad},
		"not there":                 {usual, Query{Dialect: personal}, encodeCursor(Ref{personal, key("x")}), Own, "", bad},
		"no id":                     {usual, Query{Dialect: personal}, encodeCursor(Ref{personal, "x"}), Own, "", bad},
		"not in base64url":          {usual, Query{Dialect: personal}, "!", Own, "", bad},
		"with padding":              {usual, Query{Dialect: personal}, cursor["b"] + "=", Own, "", bad},
		"with a line break":         {usual, Query{Dialect: personal}, cursor["b"] + "\n", Own, "", bad},
		"in another spelling":       {usual, Query{Dialect: personal}, respelled(cursor["b"]), Own, "", bad},
		"of users":                  {usual, Query{Dialect: personal}, encodeUser(member), Own, "", bad},
		"a bad one, nothing to see": {usual, Query{Dialect: corporate, AccountID: other.ID}, "!", Own, "", ""},
	} {
		c.query.Limit = 9
		page, err := w.List(t.Context(), c.caller, c.query, c.cursor, c.reach)
		refused(t, name, err, c.want)
		same(t, name, letters(page.Tokens), c.names)
		err = w.Walk(t.Context(), c.caller, c.query, c.cursor, c.reach, func(tokens []Token) error {
			same(t, name+", page by page", letters(tokens), c.names)
			return nil
		})
		refused(t, name+", page by page", err, c.want)
	}
	w.fake.Fault = func(string) error { return Unavailable }
	_, err = w.List(t.Context(), usual, Query{Dialect: personal, Limit: 9}, cursor["b"], Own)
	same(t, "the kind without a store", KindOf(err), Unavailable)
}

// TestRegistryCursors: each list of the registry takes its own cursors only, in one spelling.
func TestRegistryCursors(t *testing.T) {
	if got, fits := decodeUser(encodeUser(7)); got != 7 || !fits {
		t.Errorf("a user: %d %t", got, fits)
	}
	if got, fits := decodeKey(accountList)(encodeKey(accountList, home.ID)); got != home.ID || !fits {
		t.Errorf("an account: %s %t", got, fits)
	}
	for _, bad := range []string{"", "x", encodeUser(0), encodeUser(-1), encodeKey(userList, "07"),
		encodeKey(userList, "+7"), encodeKey(userList, ""), encodeKey(accountList, "7"), encodeKey("", "7"),
		encodeUser(7) + "\n"} {
		if _, fits := decodeUser(bad); fits {
			t.Errorf("%q passes for a cursor of users", bad)
		}
	}
	for _, bad := range []string{"", encodeKey(environmentList, home.ID), encodeKey(userList, home.ID),
		encodeKey(accountList, "x"), encodeKey(accountList, strings.ToUpper(home.ID)), encodeKey("", home.ID)} {
		if _, fits := decodeKey(accountList)(bad); fits {
			t.Errorf("%q passes for a cursor of accounts", bad)
		}
	}
}

// TestListsStopEarly: what shows the pages may have enough, and a store may fail between two.
func TestListsStopEarly(t *testing.T) {
	w, usual := listed(t)
	query, enough, pages := Query{Dialect: personal, Limit: 1}, errors.New("enough"), 0
	err := w.Walk(t.Context(), usual, query, "", Own, func([]Token) error { pages++; return enough })
	same(t, "the error", err, enough)
	same(t, "how many pages were shown", pages, 1)
	pages = 0
	err = w.Walk(t.Context(), usual, query, "", Own, func([]Token) error {
		pages++
		w.fake.Fault = func(string) error { return Unavailable }
		return nil
	})
	same(t, "the kind", KindOf(err), Unavailable)
	same(t, "how many pages were shown", pages, 1)
	page, err := w.List(t.Context(), usual, query, "", Own)
	same(t, "the kind", KindOf(err), Unavailable)
	same(t, "what is listed", len(page.Tokens), 0)
	w.fake.Fault = nil
	pages = 0
	query.UserID, query.State = member, Revoked
	ok(t, w.Walk(t.Context(), usual, query, "", Own, func(tokens []Token) error { pages += 1 + len(tokens); return nil }))
	same(t, "the pages of nothing", pages, 1)
}

// TestListsAskForWhatIsNeeded: the time that a status is judged by, and the keys that still verify.
func TestListsAskForWhatIsNeeded(t *testing.T) {
	w, usual := listed(t)
	store, yes := &recorder{Fake: w.fake}, true
	w.Store = store
	for _, usable := range []*bool{nil, &yes} {
		store.queries = nil
		_, err := w.List(t.Context(), usual, Query{Dialect: personal, Usable: usable, Limit: 3}, "", Own)
		ok(t, err)
		q := store.queries[0]
		same(t, "the limit", q.Limit, 4) // one more, to know whether there are more
		same(t, "the time", q.Now, noon)
		same(t, "the keys", len(q.Keys), map[*bool]int{nil: 0, &yes: 1}[usable])
	}
	store.queries = nil
	_, err := w.List(t.Context(), usual, Query{Dialect: corporate, AccountID: other.ID, Limit: 3}, "", Own)
	ok(t, err)
	same(t, "questions whose answer is nothing", len(store.queries), 0)
}

// TestTheLastUseIsShownAtOnce: answers have what is not stored yet.
func TestTheLastUseIsShownAtOnce(t *testing.T) {
	w, usual := listed(t)
	mine := usual.Token.Ref()
	used := func(what string, want time.Time) {
		t.Helper()
		got, err := w.Get(t.Context(), usual, mine, Own)
		ok(t, err)
		same(t, what, got.LastUsedAt, want)
		page, err := w.List(t.Context(), usual, Query{Dialect: Muninx, Limit: 1}, "", Own)
		ok(t, err)
		same(t, what+", in a list", page.Tokens[0].LastUsedAt, want)
	}
	used("noted", noon)
	w.fake.Fault = failing("Touch", Unavailable)
	same(t, "the kind where it cannot be stored", KindOf(w.FlushUses(t.Context())), Unavailable)
	used("noted again", noon)
	w.fake.Fault = nil
	ok(t, w.FlushUses(t.Context()))
	stored, err := w.fake.Find(t.Context(), mine)
	ok(t, err)
	same(t, "stored", stored.LastUsedAt, noon)
	used("from the store", noon)
	w.uses.note(stored.Seq, noon.Add(-time.Hour))
	used("an older one is noted late", noon)
	ok(t, w.FlushUses(t.Context()))
	w.fake.Fault = func(string) error { return Unavailable }
	ok(t, w.FlushUses(t.Context())) // nothing is pending, so nothing is asked
}

// TestNamesOfOthers: what somebody wrote may name nothing, and then reads like what is not there.
func TestNamesOfOthers(t *testing.T) {
	w := newWorld(t)
	same(t, "a token", w.Ref("personal", key("x")), Ref{personal, key("x")})
	same(t, "the log's name", w.Ref("personal", key("x")).Object(), "token:personal/"+key("x"))
	same(t, "an unknown dialect", w.Ref("corvid", "1"), Ref{nil, "1"})
	same(t, "a dialect", w.Dialect("corporate"), corporate)
	same(t, "no dialect", w.Dialect(""), nil)
	w.Dialects = nil
	same(t, "a published one", w.Dialect("muninx"), Muninx)
	same(t, "one that is not", w.Dialect("personal"), nil)
}
