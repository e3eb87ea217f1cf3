package storetest

import (
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var raceTests = map[string]func(*testing.T, *world){
	"race: no update is lost":                    noUpdateIsLost,
	"race: a limit holds":                        limitHolds,
	"race: a limit holds for each owner":         limitHoldsForEachOwner,
	"race: a limit of an account holds":          accountLimitHolds,
	"race: one of many gets the name":            oneGetsTheName,
	"race: one gets the name without a decision": oneGetsTheNameUndecided,
	"race: a revoke survives a suspend":          revokeSurvivesSuspend,
	"race: one of the last two admins remains":   oneAdminRemains,
	"race: numbers are given once":               numbersAreGivenOnce,
}

func noUpdateIsLost(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	errs := together(40, func(int) error {
		_, err := w.Update(t.Context(), token.Permit{}, made.Ref(), func(t *token.Token) error {
			t.UpdatedAt = t.UpdatedAt.Add(time.Millisecond)
			return nil
		})
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 40})
	same(t, "the sum of all updates", w.find(t, made.Ref()).UpdatedAt, made.UpdatedAt.Add(40*time.Millisecond))
}

// limited is a creation that ten tokens of the owner are enough to refuse.
func limited(t token.Token) token.Insert {
	return token.Insert{Token: t, Exclusive: true, Decide: func(_ *token.Token, f token.Facts) error {
		if f.Held >= 10 {
			return token.Errorf(token.LimitReached, "enough")
		}
		return nil
	}}
}

func limitHolds(t *testing.T, w *world) {
	errs := together(24, func(int) error {
		_, err := w.Create(t.Context(), limited(w.unleash(w.member, "")))
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 10, token.LimitReached: 14})
	tokens, err := w.List(t.Context(), token.Query{UserID: w.member.ID, Limit: 100})
	ok(t, err)
	same(t, "how many there are", len(tokens), 10)
}

func limitHoldsForEachOwner(t *testing.T, w *world) {
	owners := []token.User{w.admin, w.member, w.user(t, token.RoleMember)}
	errs := together(45, func(i int) error {
		_, err := w.Create(t.Context(), limited(w.unleash(owners[i%3], "")))
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 30, token.LimitReached: 15})
}

// limitedAccount is a creation that so many tokens of the account are enough to refuse.
func limitedAccount(t token.Token, most int) token.Insert {
	return token.Insert{Token: t, Most: most, Decide: func(_ *token.Token, f token.Facts) error {
		if f.Held >= most {
			return token.Errorf(token.LimitReached, "enough")
		}
		return nil
	}}
}

// accountLimitHolds has creates that are far from the limit, then near it, then beyond, for an account and its
// environments, while another account goes on. A delete makes room for one.
func accountLimitHolds(t *testing.T, w *world) {
	for _, most := range []int{10, 150} {
		before, err := w.List(t.Context(), token.Query{Dialect: token.APIToken, AccountID: w.home.ID, Limit: 1000})
		ok(t, err)
		room := most - len(before)
		errs := together(room+20, func(i int) error {
			in := w.apiToken(w.homeEnv)
			switch i % 3 {
			case 1:
				in.EnvironmentID, in.Scope = "", token.ScopeAccount
			case 2:
				_, err := w.Create(t.Context(), limitedAccount(w.apiToken(w.otherEnv), 1000))
				ok(t, err)
			}
			_, err := w.Create(t.Context(), limitedAccount(in, most))
			return err
		})
		tally(t, errs, map[token.Kind]int{"": room, token.LimitReached: 20})
		all, err := w.List(t.Context(), token.Query{Dialect: token.APIToken, AccountID: w.home.ID, Limit: 1000})
		ok(t, err)
		same(t, "how many there are", len(all), most)
		w.remove(t, all[0].Ref())
		w.create(t, w.apiToken(w.homeEnv)) // which no limit applies to
		w.remove(t, all[1].Ref())
		errs = together(3, func(int) error {
			_, err := w.Create(t.Context(), limitedAccount(w.apiToken(w.homeEnv), most))
			return err
		})
		tally(t, errs, map[token.Kind]int{"": 1, token.LimitReached: 2})
	}
}

func oneGetsTheName(t *testing.T, w *world) {
	errs := together(16, func(int) error {
		in := token.Insert{Token: w.unleash(w.member, "wanted"), Exclusive: true}
		in.Decide = func(_ *token.Token, f token.Facts) error {
			if f.NameTaken {
				return token.Errorf(token.NameTaken, "decided")
			}
			return nil
		}
		_, err := w.Create(t.Context(), in)
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 1, token.NameTaken: 15})
}

func oneGetsTheNameUndecided(t *testing.T, w *world) {
	errs := together(16, func(int) error {
		_, err := w.Create(t.Context(), insert(w.unleash(w.member, "wanted")))
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 1, token.NameTaken: 15})
}

// suspend does what the rules do: nothing undoes a revoke.
func suspend(t *token.Token) error {
	if t.State == token.Revoked {
		return token.Errorf(token.Conflict, "revoked")
	}
	t.State = token.Suspended
	return nil
}

func revokeSurvivesSuspend(t *testing.T, w *world) {
	for range 40 {
		made := w.create(t, w.apiToken(w.homeEnv))
		errs := together(6, func(i int) error {
			change := suspend
			if i == 3 {
				change = setState(token.Revoked)
			}
			_, err := w.Update(t.Context(), token.Permit{}, made.Ref(), change)
			return err
		})
		ok(t, errs[3])
		for _, err := range errs {
			if k := kindOf(err); k != "" && k != token.Conflict {
				t.Errorf("a suspend failed with %v", err)
			}
		}
		same(t, "the state in the end", w.find(t, made.Ref()).State, token.Revoked)
	}
}

// disableAdmin does what the rules do: the last enabled admin stays.
func disableAdmin(u *token.User, otherAdmins int) error {
	if otherAdmins == 0 {
		return token.Errorf(token.Conflict, "the last admin")
	}
	u.Disabled = true
	return nil
}

func oneAdminRemains(t *testing.T, w *world) {
	admins := []token.User{w.admin, w.user(t, token.RoleAdmin)}
	for range 20 {
		errs := together(2, func(i int) error {
			_, err := w.UpdateUser(t.Context(), token.Permit{}, admins[i].ID, disableAdmin)
			return err
		})
		tally(t, errs, map[token.Kind]int{"": 1, token.Conflict: 1})
		_, err := w.FirstAdmin(t.Context())
		ok(t, err)
		w.enableAll(t, admins)
	}
	admins = append(admins, w.user(t, token.RoleAdmin), w.user(t, token.RoleAdmin), w.user(t, token.RoleAdmin))
	errs := together(len(admins), func(i int) error {
		_, err := w.UpdateUser(t.Context(), token.Permit{}, admins[i].ID, disableAdmin)
		return err
	})
	tally(t, errs, map[token.Kind]int{"": len(admins) - 1, token.Conflict: 1})
}

func (w *world) enableAll(t *testing.T, users []token.User) {
	t.Helper()
	for _, u := range users {
		_, err := w.UpdateUser(t.Context(), token.Permit{}, u.ID, func(u *token.User, _ int) error {
			u.Disabled = false
			return nil
		})
		ok(t, err)
	}
}

func numbersAreGivenOnce(t *testing.T, w *world) {
	ids := make([]string, 30)
	errs := together(len(ids), func(i int) error {
		made, err := w.Create(t.Context(), insert(w.unleash(w.member, "")))
		ids[i] = made.ID
		return err
	})
	tally(t, errs, map[token.Kind]int{"": len(ids)})
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	same(t, "how many ids there are", len(seen), len(ids))
}
