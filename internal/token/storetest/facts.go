package storetest

import (
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

var factsTests = map[string]func(*testing.T, *world){
	"facts are what the token names":           factsAreWhatTheTokenNames,
	"facts of an environment have its account": factsOfAnEnvironment,
	"facts leave out what does not exist":      factsLeaveOut,
	"facts count what the user holds":          factsCount,
	"facts count what the account holds":       factsCountTheAccount,
}

// facts returns what Decide is told about the token; the token is not stored.
func (w *world) facts(t *testing.T, in token.Token, exclusive bool) (facts token.Facts) {
	t.Helper()
	_, err := w.Create(t.Context(), token.Insert{Token: in, Exclusive: exclusive,
		Decide: func(got *token.Token, f token.Facts) error {
			same(t, "the token to decide on", *got, in)
			facts = f
			return token.Forbidden
		}})
	kind(t, err, token.Forbidden)
	return facts
}

func factsAreWhatTheTokenNames(t *testing.T, w *world) {
	in := w.apiToken(w.homeEnv)
	in.UserID = w.member.ID
	facts := w.facts(t, in, false)
	sameFact(t, "the user", facts.User, w.member)
	sameFact(t, "the account", facts.Account, w.home)
	sameFact(t, "the environment", facts.Environment, w.homeEnv)
}

func factsOfAnEnvironment(t *testing.T, w *world) {
	in := w.apiToken(w.otherEnv)
	in.AccountID = ""
	sameFact(t, "the account of the environment", w.facts(t, in, false).Account, w.other)

	in.AccountID = w.home.ID // the two do not belong together, which is for Decide to find
	facts := w.facts(t, in, false)
	sameFact(t, "the account", facts.Account, w.home)
	sameFact(t, "the environment", facts.Environment, w.otherEnv)
}

func factsLeaveOut(t *testing.T, w *world) {
	same(t, "facts of nothing", w.facts(t, w.token(token.Muninx, token.ScopeUser), true), token.Facts{})
	in := w.token(token.APIToken, token.ScopeEnvironment)
	in.UserID, in.MintedBy, in.AccountID, in.EnvironmentID = 99, 99, "nobody", "nowhere"
	facts := w.facts(t, in, true)
	same(t, "facts of the unknown", facts, token.Facts{Entry: facts.Entry})
	in.AccountID = ""
	facts = w.facts(t, in, false)
	same(t, "facts of an unknown environment", facts, token.Facts{Entry: facts.Entry})
}

func factsCount(t *testing.T, w *world) {
	w.create(t, w.unleash(w.member, "one"))
	w.create(t, w.unleash(w.member, ""))
	w.remove(t, w.create(t, w.unleash(w.member, "gone")).Ref())
	w.create(t, w.unleash(w.admin, "an admin's"))
	w.create(t, w.muninx(w.member))
	for name, taken := range map[string]bool{"": false, "one": true, "ONE": false, "gone": false, "an admin's": false} {
		facts := w.facts(t, w.unleash(w.member, name), true)
		same(t, "the count", facts.Held, 2)
		same(t, "whether "+name+" is taken", facts.NameTaken, taken)
	}
	facts := w.facts(t, w.unleash(w.member, "one"), false)
	same(t, "the count without Exclusive", facts.Held, 0)
	same(t, "whether the name is taken without Exclusive", facts.NameTaken, false)
}

func factsCountTheAccount(t *testing.T, w *world) {
	w.create(t, w.apiToken(w.homeEnv))
	account := w.apiToken(w.homeEnv)
	account.EnvironmentID, account.Scope = "", token.ScopeAccount
	w.create(t, account)
	w.remove(t, w.create(t, w.apiToken(w.homeEnv)).Ref())
	w.create(t, w.apiToken(w.otherEnv))
	w.create(t, w.muninx(w.member))
	held := func(in token.Token, most int) (held int) {
		_, err := w.Create(t.Context(), token.Insert{Token: in, Most: most, Decide: func(_ *token.Token, f token.Facts) error {
			held = f.Held
			return token.Forbidden
		}})
		kind(t, err, token.Forbidden)
		return held
	}
	fromEnvironment := w.apiToken(w.homeEnv)
	fromEnvironment.AccountID = ""
	for range 2 {
		same(t, "the count", held(w.apiToken(w.homeEnv), 3), 2)
		same(t, "the count by environment", held(fromEnvironment, 3), 2)
		same(t, "the count without a limit", held(w.apiToken(w.homeEnv), 0), 0)
	}
}
