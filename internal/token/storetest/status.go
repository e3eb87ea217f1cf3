package storetest

import (
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

var statusTests = map[string]func(*testing.T, *world){
	"places go to those whose status is published": placesGoToThePublished,
	"places are unique and tell no order":          placesAreUnique,
	"a status list has what is not valid":          statusListHasWhatIsNotValid,
	"a status list follows what tokens depend on":  statusListFollowsOwners,
	"a status list without a token is not found":   emptyStatusList,
	"standings are those of the tokens asked for":  standingsOfTokens,
}

// publish creates an environment's token in the place that the store gives.
func (w *world) publish(t *testing.T, of token.Environment) token.Token {
	t.Helper()
	made, err := w.Create(t.Context(), takePlace(w.apiToken(of)))
	ok(t, err)
	return made
}

func takePlace(in token.Token) token.Insert {
	return token.Insert{Token: in, Decide: func(t *token.Token, f token.Facts) error {
		t.Entry = f.Entry
		return nil
	}}
}

func placesGoToThePublished(t *testing.T, w *world) {
	for _, in := range []token.Token{w.muninx(w.member), w.unleash(w.member, "one"), w.apiToken(w.homeEnv)} {
		made, err := w.Create(t.Context(), takePlace(in))
		ok(t, err)
		same(t, "whether "+in.Dialect.Name+" has a place", made.Entry.List != 0, in.Dialect.PublishesStatus)
		same(t, "the place found", w.find(t, made.Ref()).Entry, made.Entry)
	}
}

func placesAreUnique(t *testing.T, w *world) {
	const creators, each = 4, 25
	var mu sync.Mutex
	var order []int64
	taken := map[token.StatusEntry]bool{}
	errs := together(creators, func(int) error {
		for range each {
			made, err := w.Create(t.Context(), takePlace(w.apiToken(w.homeEnv)))
			if err != nil {
				return err
			}
			mu.Lock()
			taken[made.Entry] = true
			order = append(order, made.Entry.Index)
			mu.Unlock()
		}
		return nil
	})
	tally(t, errs, map[token.Kind]int{"": creators})
	same(t, "how many places are taken", len(taken), creators*each)
	neighbours := 0
	for i, index := range order {
		if index >= token.StatusListSize || index < 0 {
			t.Errorf("the index %d is not in a list", index)
		}
		if i > 0 && order[i-1] < index && index-order[i-1] < 100 {
			neighbours++
		}
	}
	if neighbours > 5 {
		t.Errorf("%d of %d places come soon after the one before: %v", neighbours, len(order), order)
	}
}

// statusList reads the first list, and fails the test where one token has two standings in it.
func (w *world) statusList(t *testing.T) map[token.StatusEntry]token.Standing {
	t.Helper()
	found := map[token.StatusEntry]token.Standing{}
	ok(t, w.StatusList(t.Context(), 1, func(s token.Standing) {
		if before, twice := found[s.Entry]; twice {
			same(t, "what is said twice", s, before)
		}
		found[s.Entry] = s
	}))
	return found
}

func statusListHasWhatIsNotValid(t *testing.T, w *world) {
	w.publish(t, w.homeEnv)
	w.create(t, w.apiToken(w.homeEnv)) // without a place, as before there were lists
	want := map[token.StatusEntry]token.Standing{}
	for _, state := range []token.State{token.Suspended, token.Revoked} {
		made := w.publish(t, w.homeEnv)
		_, err := w.Update(t.Context(), token.Permit{}, made.Ref(), setState(state))
		ok(t, err)
		want[made.Entry] = token.Standing{Entry: made.Entry, State: state}
	}
	gone := w.publish(t, w.homeEnv)
	_, err := w.Update(t.Context(), token.Permit{}, gone.Ref(), func(t *token.Token) error { // as one that had expired
		t.DeletedAt = noon
		return nil
	})
	ok(t, err)
	want[gone.Entry] = token.Standing{Entry: gone.Entry, State: token.Active, Deleted: true}
	sameStandings(t, w.statusList(t), want)
}

func sameStandings(t *testing.T, got, want map[token.StatusEntry]token.Standing) {
	t.Helper()
	same(t, "how many are not valid", len(got), len(want))
	for place, standing := range want {
		same(t, "a standing", got[place], standing)
	}
}

func statusListFollowsOwners(t *testing.T, w *world) {
	home, other := w.publish(t, w.homeEnv), w.publish(t, w.otherEnv)
	account := w.apiToken(w.otherEnv)
	account.EnvironmentID, account.Scope = "", token.ScopeAccount
	wide, err := w.Create(t.Context(), takePlace(account))
	ok(t, err)
	sameStandings(t, w.statusList(t), nil)

	_, err = w.UpdateEnvironment(t.Context(), token.Permit{}, w.homeEnv.ID, disableEnvironment)
	ok(t, err)
	disabled := func(made token.Token) token.Standing {
		return token.Standing{Entry: made.Entry, State: token.Active, Disabled: true}
	}
	want := map[token.StatusEntry]token.Standing{home.Entry: disabled(home)}
	sameStandings(t, w.statusList(t), want)

	_, err = w.UpdateAccount(t.Context(), token.Permit{}, w.other.ID, disableAccount)
	ok(t, err)
	want[other.Entry], want[wide.Entry] = disabled(other), disabled(wide)
	sameStandings(t, w.statusList(t), want)

	_, err = w.Update(t.Context(), token.Permit{}, other.Ref(), setState(token.Revoked))
	ok(t, err)
	want[other.Entry] = token.Standing{Entry: other.Entry, State: token.Revoked, Disabled: true}
	sameStandings(t, w.statusList(t), want)

	_, err = w.UpdateAccount(t.Context(), token.Permit{}, w.other.ID, func(a *token.Account) error { a.Disabled = false; return nil })
	ok(t, err)
	delete(want, wide.Entry)
	want[other.Entry] = token.Standing{Entry: other.Entry, State: token.Revoked}
	sameStandings(t, w.statusList(t), want)
}

func emptyStatusList(t *testing.T, w *world) {
	w.publish(t, w.homeEnv)
	none := func(token.Standing) { t.Error("a token in a list that is not there") }
	ok(t, w.FindStatusList(t.Context(), 1))
	for _, list := range []int64{0, 2, -1, 1 << 62} {
		kind(t, w.FindStatusList(t.Context(), list), token.NotFound)
		ok(t, w.StatusList(t.Context(), list, none))
	}
}

func standingsOfTokens(t *testing.T, w *world) {
	active, gone := w.publish(t, w.homeEnv), w.publish(t, w.homeEnv)
	unasked, without := w.publish(t, w.homeEnv), w.create(t, w.muninx(w.member))
	w.remove(t, gone.Ref())
	asked := []int64{active.Seq, gone.Seq, without.Seq}
	for missing := range int64(2000) { // more than fit into one statement
		asked = append(asked, unasked.Seq+without.Seq+missing)
	}
	found, err := w.Standings(t.Context(), asked)
	ok(t, err)
	got := map[token.StatusEntry]token.Standing{}
	for _, s := range found {
		got[s.Entry] = s
	}
	sameStandings(t, got, map[token.StatusEntry]token.Standing{
		active.Entry: {Entry: active.Entry, State: token.Active},
		gone.Entry:   {Entry: gone.Entry, State: token.Revoked, Deleted: true},
	})
	none, err := w.Standings(t.Context(), nil)
	ok(t, err)
	same(t, "how many standings there are of none", len(none), 0)
}
