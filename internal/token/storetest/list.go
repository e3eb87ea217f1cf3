package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var listTests = map[string]func(*testing.T, *world){
	"list selects what the query says":             listSelects,
	"list fills its pages":                         listFillsPages,
	"list leaves out tombstones":                   listLeavesOutTombstones,
	"list of nothing is empty":                     listOfNothing,
	"list pages meet every token among inserts":    listAmongInserts,
	"list knows the very millisecond of an expiry": listKnowsTheMillisecond,
	"list knows what works":                        listKnowsWhatWorks,
	"list follows what tokens made":                listFollowsMakers,
	"identities are what tokens depend on":         identitiesOfTokens,
}

// variety stores tokens of all dialects, owners and states and returns those that are not deleted.
func (w *world) variety(t *testing.T) (all []token.Token) {
	t.Helper()
	for _, make := range []func() token.Token{
		func() token.Token { return w.muninx(w.member) },
		func() token.Token { return w.muninx(w.admin) },
		func() token.Token { return w.unleash(w.member, "") },
		func() token.Token { return w.apiToken(w.homeEnv) },
		func() token.Token { return w.apiToken(w.otherEnv) },
		func() token.Token {
			wide := w.apiToken(w.homeEnv)
			wide.Scope, wide.EnvironmentID = token.ScopeAccount, ""
			return wide
		},
	} {
		for _, state := range []token.State{token.Active, token.Suspended, token.Revoked} {
			for _, expiry := range []time.Time{{}, noon.Add(-time.Second), noon.Add(time.Second)} {
				in := make()
				in.State, in.ExpiresAt, in.CreatedBy = state, expiry, w.admin.ID
				if in.Dialect == token.APIToken && expiry.IsZero() {
					in.KeyID, in.CreatedBy = "key-1", w.member.ID
				}
				all = append(all, w.create(t, in))
			}
			w.remove(t, w.create(t, make()).Ref())
		}
	}
	return all
}

// queries combines the members of a query.
func (w *world) queries() (all []token.Query) {
	for _, dialect := range append(token.Dialects{nil}, token.Published...) {
		for _, owner := range []token.Query{{}, {UserID: w.member.ID}, {UserID: 99}, {AccountID: w.home.ID},
			{EnvironmentID: w.otherEnv.ID}, {AccountID: w.home.ID, EnvironmentID: w.otherEnv.ID},
			{AccountID: w.home.ID, Scope: token.ScopeAccount}, {Scope: token.ScopeUser}, {KeyID: "key-1"}, {KeyID: "key-2"},
			{CreatedBy: w.member.ID}, {CreatedBy: w.admin.ID, AccountID: w.home.ID},
			{Owner: &token.Owner{UserID: w.member.ID, AccountID: w.home.ID}}, {Owner: &token.Owner{}},
			{Owner: &token.Owner{AccountID: w.other.ID, EnvironmentID: w.otherEnv.ID}},
			{Owner: &token.Owner{AccountID: w.home.ID, EnvironmentID: w.homeEnv.ID}, KeyID: "key-1"},
			{Owner: &token.Owner{UserID: w.admin.ID}, CreatedBy: w.admin.ID}} {
			for _, status := range append([]token.State{""}, token.States...) {
				owner.Dialect, owner.State, owner.Now = dialect, status, noon
				all = append(all, owner)
			}
		}
	}
	return all
}

// matches says in Go what a store says in its own language.
func matches(q token.Query, t token.Token) bool {
	return (q.Dialect == nil || q.Dialect == t.Dialect) &&
		(q.UserID == 0 || q.UserID == t.UserID) &&
		(q.AccountID == "" || q.AccountID == t.AccountID) &&
		(q.EnvironmentID == "" || q.EnvironmentID == t.EnvironmentID) &&
		(q.Scope == "" || q.Scope == t.Scope) &&
		(q.Owner == nil || q.Owner.UserID != 0 && t.UserID == q.Owner.UserID ||
			q.Owner.AccountID != "" && t.AccountID == q.Owner.AccountID &&
				(q.Owner.EnvironmentID == "" || t.EnvironmentID == q.Owner.EnvironmentID)) &&
		(q.CreatedBy == 0 || q.CreatedBy == t.CreatedBy) &&
		(q.KeyID == "" || q.KeyID == t.KeyID) &&
		(q.State == "" || q.State == t.StateAt(q.Now))
}

func listSelects(t *testing.T, w *world) {
	all := w.variety(t)
	for _, q := range w.queries() {
		for _, q.Ascending = range []bool{true, false} {
			q.Limit = len(all) + 1
			got, err := w.List(t.Context(), q)
			ok(t, err)
			sameTokens(t, fmt.Sprintf("%+v", q), got, selected(all, q))
		}
	}
}

// selected is the answer to the query, all on one page.
func selected(all []token.Token, q token.Query) (want []token.Token) {
	for _, t := range all {
		if matches(q, t) {
			want = append(want, t)
		}
	}
	if !q.Ascending {
		slices.Reverse(want)
	}
	return want
}

func sameTokens(t *testing.T, what string, got, want []token.Token) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: tokens are %v, want %v", what, numbers(got), numbers(want))
	}
}

func numbers(tokens []token.Token) []int64 {
	seqs := make([]int64, len(tokens))
	for i, t := range tokens {
		seqs[i] = t.Seq
	}
	return seqs
}

func listFillsPages(t *testing.T, w *world) {
	all := w.variety(t)
	for _, status := range token.States {
		for _, ascending := range []bool{true, false} {
			q := token.Query{State: status, Now: noon, Ascending: ascending, Limit: 4}
			want := selected(all, q)
			for len(want) > 0 {
				page, err := w.List(t.Context(), q)
				ok(t, err)
				full := min(q.Limit, len(want))
				sameTokens(t, fmt.Sprintf("%+v", q), page, want[:full])
				want, q.After = want[full:], want[full-1].Seq
			}
			page, err := w.List(t.Context(), q)
			ok(t, err)
			sameTokens(t, "the page after the last", page, nil)
		}
	}
}

func listLeavesOutTombstones(t *testing.T, w *world) {
	first, second := w.create(t, w.muninx(w.member)), w.create(t, w.muninx(w.member))
	w.remove(t, first.Ref())
	got, err := w.List(t.Context(), token.Query{Limit: 10})
	ok(t, err)
	sameTokens(t, "the list", got, []token.Token{second})
	got, err = w.List(t.Context(), token.Query{Limit: 10, State: token.Revoked, Now: noon})
	ok(t, err)
	sameTokens(t, "the revoked ones", got, nil)
}

func listOfNothing(t *testing.T, w *world) {
	got, err := w.List(t.Context(), token.Query{Limit: 1})
	ok(t, err)
	sameTokens(t, "the list", got, nil)
}

// listAmongInserts pages while others insert: what was there before the first page is met exactly once, in order.
func listAmongInserts(t *testing.T, w *world) {
	var before []token.Token
	for range 30 {
		before = append(before, w.create(t, w.muninx(w.member)))
	}
	for _, ascending := range []bool{true, false} {
		stop := make(chan struct{})
		inserted := make(chan error, 1)
		go func() { inserted <- w.insertUntil(t, stop) }()
		got, err := listAll(t.Context(), w, token.Query{Dialect: token.Muninx, Ascending: ascending, Limit: 7})
		close(stop)
		ok(t, err)
		ok(t, <-inserted)
		sameTokens(t, "what was there before", among(got, before), selected(before, token.Query{Ascending: ascending}))
		inOrder := slices.IsSortedFunc(got, func(a, b token.Token) int {
			if ascending {
				return cmp.Compare(a.Seq, b.Seq)
			}
			return cmp.Compare(b.Seq, a.Seq)
		})
		if !inOrder || len(slices.Compact(numbers(got))) != len(got) {
			t.Errorf("the pages are out of order or repeat: %v", numbers(got))
		}
	}
}

// insertUntil inserts a few tokens, fewer if it is stopped, so that paging ends.
func (w *world) insertUntil(t *testing.T, stop <-chan struct{}) error {
	for range 100 {
		select {
		case <-stop:
			return nil
		default:
		}
		if _, err := w.Create(t.Context(), insert(w.muninx(w.member))); err != nil {
			return err
		}
	}
	return nil
}

// among keeps the tokens that are also in the other list.
func among(tokens, others []token.Token) (both []token.Token) {
	for _, t := range tokens {
		if slices.Contains(others, t) {
			both = append(both, t)
		}
	}
	return both
}

func listKnowsTheMillisecond(t *testing.T, w *world) {
	in := w.muninx(w.member)
	in.ExpiresAt = noon
	made := w.create(t, in)
	for _, after := range []time.Duration{-time.Millisecond, -1, 0, 1, time.Millisecond} {
		now := noon.Add(after)
		for _, status := range []token.State{token.Active, token.Expired} {
			q := token.Query{State: status, Now: now, Limit: 1}
			got, err := w.List(t.Context(), q)
			ok(t, err)
			sameTokens(t, fmt.Sprintf("%s at %s", status, now), got, selected([]token.Token{made}, q))
		}
	}
}

// listKnowsWhatWorks disables one thing after the other, and retires the key.
func listKnowsWhatWorks(t *testing.T, w *world) {
	all := w.variety(t)
	keys := []string{"key-1", "key-3"}
	check := func(when string, works func(token.Token) bool) {
		t.Helper()
		for _, usable := range []bool{true, false} {
			got, err := w.List(t.Context(), token.Query{Usable: &usable, Keys: keys, Now: noon, Ascending: true, Limit: len(all) + 1})
			ok(t, err)
			want := slices.DeleteFunc(slices.Clone(all), func(in token.Token) bool {
				return (in.StateAt(noon) == token.Active && works(in)) != usable
			})
			sameTokens(t, fmt.Sprintf("%s, usable %t", when, usable), got, want)
		}
	}
	check("at first", func(token.Token) bool { return true })
	keys = []string{"key-3"}
	check("without the key", func(in token.Token) bool { return in.KeyID == "" })
	keys = []string{"key-1"}
	_, err := w.UpdateEnvironment(t.Context(), token.Permit{}, w.homeEnv.ID, disableEnvironment)
	ok(t, err)
	check("without the environment", func(in token.Token) bool { return in.EnvironmentID != w.homeEnv.ID })
	_, err = w.UpdateUser(t.Context(), token.Permit{}, w.member.ID, disableUser)
	ok(t, err)
	works := func(in token.Token) bool { return in.EnvironmentID != w.homeEnv.ID && in.UserID != w.member.ID }
	check("without the user", works)
	_, err = w.UpdateAccount(t.Context(), token.Permit{}, w.home.ID, disableAccount) // which is the admin's home, too
	ok(t, err)
	check("without the account", func(in token.Token) bool { return works(in) && in.AccountID != w.home.ID })
}

func identitiesOfTokens(t *testing.T, w *world) {
	users, wide := w.create(t, w.unleash(w.member, "")), w.create(t, w.apiToken(w.otherEnv))
	gone := w.remove(t, w.create(t, w.muninx(w.admin)).Ref())
	got, err := w.Identities(t.Context(), []int64{users.Seq, wide.Seq, gone.Seq, 9999})
	ok(t, err)
	same(t, "how many there are", len(got), 3)
	sameFact(t, "the token", got[users.Seq].Token, users)
	sameFact(t, "its user", got[users.Seq].User, w.member)
	sameFact(t, "the other token", got[wide.Seq].Token, wide)
	sameFact(t, "its account", got[wide.Seq].Account, w.other)
	sameFact(t, "its environment", got[wide.Seq].Environment, w.otherEnv)
	sameFact(t, "the tombstone", got[gone.Seq].Token, gone)
	none, err := w.Identities(t.Context(), nil)
	ok(t, err)
	same(t, "how many there are of none", len(none), 0)
}

// listFollowsMakers: a token that was made by a token of the user's making is of the user's making.
func listFollowsMakers(t *testing.T, w *world) {
	made := func(by token.User, minter token.Token) token.Token {
		in := w.apiToken(w.homeEnv)
		in.CreatedBy, in.MintedBy = by.ID, minter.Seq
		return w.create(t, in)
	}
	own := w.muninx(w.member)
	own.CreatedBy = w.member.ID
	own = w.create(t, own)
	foreign := w.muninx(w.admin)
	foreign.CreatedBy = w.member.ID
	foreign = w.create(t, foreign)
	theirs := made(w.admin, foreign) // by its owner, whoever made the credential for it
	first := made(w.member, own)
	second := made(token.User{}, first)
	w.remove(t, second.Ref()) // what it made is there all the same
	third := made(token.User{}, second)
	others := made(w.admin, token.Token{})
	byOthers := made(token.User{}, others)
	for want, q := range map[*[]token.Token]token.Query{
		{own, foreign, first, third}: {CreatedBy: w.member.ID},
		{foreign, first, third}:      {CreatedBy: w.member.ID, NotOwnedBy: w.member.ID},
		{first, third}:               {CreatedBy: w.member.ID, Dialect: token.APIToken},
		{theirs, others, byOthers}:   {CreatedBy: w.admin.ID},
		nil:                          {CreatedBy: 99},
	} {
		q.Limit, q.Ascending = 10, true
		got, err := w.List(t.Context(), q)
		ok(t, err)
		if want == nil {
			want = &[]token.Token{}
		}
		sameTokens(t, fmt.Sprintf("%+v", q), got, *want)
	}
}
