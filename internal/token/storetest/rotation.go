package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var rotationTests = map[string]func(*testing.T, *world){
	"a rotation is stored whole":                      rotationIsStored,
	"a rotation that is refused changes nothing":      rotationRefused,
	"every secret of a token leads to it":             everySecretLeadsToItsToken,
	"a status list has every secret of a token":       statusListHasEverySecret,
	"touch of a previous secret keeps the latest use": touchPreviousKeepsTheLatest,
	"race: one of many rotations with overlap":        oneRotationWithOverlap,
	"race: a revoke survives a rotation":              revokeSurvivesRotation,
	"race: no change after its secret's end":          noChangeAfterTheEndOfASecret,
	"race: a cancelled rotation hides no secret":      cancelHidesNothing,
}

// hash makes one that no other token of the world has.
func (w *world) hash() token.Hash { return w.token(token.Muninx, "").Hash }

// replace is the change of a rotation: the secret with the hash takes the place of the current one.
func replace(hash token.Hash, overlap time.Duration) func(*token.Token, token.StatusEntry) error {
	return func(t *token.Token, e token.StatusEntry) error {
		if t.Previous.Hash != (token.Hash{}) {
			return token.Errorf(token.Conflict, "a rotation is under way")
		}
		t.Previous = token.Previous{
			Hash: t.Hash, KeyID: t.KeyID, Entry: t.Entry, RotatedAt: t.RotatedAt, EndsAt: noon.Add(overlap),
			LastUsedAt: t.LastUsedAt,
		}
		t.Hash, t.Entry, t.KeyID = hash, e, "key of the new one"
		t.Rotations++
		t.RotatedAt, t.UpdatedAt = noon.Add(time.Minute), noon.Add(time.Minute)
		return nil
	}
}

// rotate makes the change, which nothing refuses.
func (w *world) rotate(t *testing.T, ref token.Ref, hash token.Hash) token.Token {
	t.Helper()
	rotated, err := w.Rotate(t.Context(), token.Permit{}, ref, nil, replace(hash, time.Hour))
	ok(t, err)
	return rotated
}

func finish(t *token.Token) error {
	t.Previous = token.Previous{}
	return nil
}

func cancel(t *token.Token) error {
	p := t.Previous
	t.Hash, t.KeyID, t.Entry, t.RotatedAt, t.Previous = p.Hash, p.KeyID, p.Entry, p.RotatedAt, token.Previous{}
	return nil
}

func (w *world) update(t *testing.T, ref token.Ref, change func(*token.Token) error) token.Token {
	t.Helper()
	changed, err := w.Update(t.Context(), token.Permit{}, ref, change)
	ok(t, err)
	return changed
}

func rotationIsStored(t *testing.T, w *world) {
	for _, in := range []token.Token{w.muninx(w.member), w.unleash(w.member, "one"), w.full()} {
		in.KeyID, in.DeletedAt = "key of the old one", time.Time{}
		before, untouched := w.create(t, in), w.create(t, w.apiToken(w.homeEnv))
		want := before
		var given token.StatusEntry
		hash := w.hash()
		got, err := w.Rotate(t.Context(), token.Permit{}, before.Ref(), nil, func(t *token.Token, e token.StatusEntry) error {
			given = e
			return replace(hash, time.Hour)(t, e)
		})
		ok(t, err)
		ok(t, replace(hash, time.Hour)(&want, given))
		same(t, "the token", got, want)
		same(t, "the token found", w.find(t, before.Ref()), want)
		same(t, "another token", w.find(t, untouched.Ref()), untouched)
		same(t, "whether there is an entry", given.List != 0, in.Dialect.PublishesStatus)
		if given != (token.StatusEntry{}) && given == before.Entry {
			t.Errorf("the entry %+v is that of the secret before", given)
		}
		again, err := w.Update(t.Context(), token.Permit{}, before.Ref(), cancel)
		ok(t, err)
		want = before
		want.Rotations, want.UpdatedAt = 1, noon.Add(time.Minute)
		same(t, "the token after the rotation was cancelled", again, want)
		same(t, "the token found then", w.find(t, before.Ref()), want)
	}
}

func rotationRefused(t *testing.T, w *world) {
	before := w.publish(t, w.homeEnv)
	_, err := w.Rotate(t.Context(), token.Permit{}, before.Ref(), nil, func(t *token.Token, e token.StatusEntry) error {
		_ = replace(token.Hash{31: 1}, time.Hour)(t, e)
		return token.Errorf(token.Conflict, "no")
	})
	kind(t, err, token.Conflict)
	same(t, "the token", w.find(t, before.Ref()), before)
	refused := token.Permit{Judge: func(token.Identity) error { return token.Errorf(token.Forbidden, "no") }}
	_, err = w.Rotate(t.Context(), refused, before.Ref(), nil, replace(w.hash(), time.Hour))
	kind(t, err, token.Forbidden)
	same(t, "the token", w.find(t, before.Ref()), before)
	_, err = w.Rotate(t.Context(), token.Permit{}, token.Ref{Dialect: token.APIToken, ID: "unknown"}, nil, replace(w.hash(), 0))
	kind(t, err, token.NotFound)
}

func everySecretLeadsToItsToken(t *testing.T, w *world) {
	made, other := w.create(t, w.muninx(w.member)), w.create(t, w.muninx(w.member))
	hashes := []token.Hash{made.Hash}
	find := func(what string) {
		t.Helper()
		now := w.find(t, made.Ref())
		for _, hash := range hashes {
			id, err := w.FindSecret(t.Context(), hash)
			ok(t, err)
			sameFact(t, what, id.Token, now)
			sameFact(t, what+": its user", id.User, w.member)
			same(t, what+": the secret", id.Secret, hash)
		}
	}
	for range 3 {
		hashes = append(hashes, w.hash())
		w.rotate(t, made.Ref(), hashes[len(hashes)-1])
		find("with an overlap")
		w.update(t, made.Ref(), finish)
		find("finished")
	}
	hashes = append(hashes, w.hash())
	w.rotate(t, made.Ref(), hashes[len(hashes)-1])
	w.update(t, made.Ref(), cancel)
	find("cancelled")
	for range 2 { // the first of which leaves a previous one that ends without being finished
		hashes = append(hashes, w.hash())
		_, err := w.Rotate(t.Context(), token.Permit{}, made.Ref(), nil, func(t *token.Token, e token.StatusEntry) error {
			previous := token.Previous{Hash: t.Hash, EndsAt: noon}
			t.Previous = token.Previous{}
			err := replace(hashes[len(hashes)-1], 0)(t, e)
			t.Previous = previous
			return err
		})
		ok(t, err)
		find("replaced")
	}
	id, err := w.FindSecret(t.Context(), other.Hash)
	ok(t, err)
	sameFact(t, "another token", id.Token, other)
	_, err = w.FindSecret(t.Context(), w.hash())
	kind(t, err, token.NotFound)
	w.remove(t, made.Ref())
	find("deleted")
}

func statusListHasEverySecret(t *testing.T, w *world) {
	made := w.publish(t, w.homeEnv)
	first := made.Entry
	running := w.rotate(t, made.Ref(), w.hash())
	second := running.Entry
	ends := token.Standing{Entry: first, State: token.Active, EndsAt: running.Previous.EndsAt}
	sameStandings(t, w.statusList(t), map[token.StatusEntry]token.Standing{first: ends})
	w.sameStandingsOf(t, made, ends, token.Standing{Entry: second, State: token.Active})

	w.update(t, made.Ref(), setState(token.Suspended))
	ends.State = token.Suspended
	both := map[token.StatusEntry]token.Standing{first: ends, second: {Entry: second, State: token.Suspended}}
	sameStandings(t, w.statusList(t), both)
	w.sameStandingsOf(t, made, both[first], both[second])
	w.update(t, made.Ref(), setState(token.Active))

	_, err := w.UpdateAccount(t.Context(), token.Permit{}, w.home.ID, disableAccount)
	ok(t, err)
	ends.State, ends.Disabled = token.Active, true
	sameStandings(t, w.statusList(t), map[token.StatusEntry]token.Standing{
		first: ends, second: {Entry: second, State: token.Active, Disabled: true},
	})
	_, err = w.UpdateAccount(t.Context(), token.Permit{}, w.home.ID, func(a *token.Account) error { a.Disabled = false; return nil })
	ok(t, err)

	w.update(t, made.Ref(), cancel)
	gone := token.Standing{Entry: second, State: token.Revoked}
	sameStandings(t, w.statusList(t), map[token.StatusEntry]token.Standing{second: gone})
	w.sameStandingsOf(t, made, gone, token.Standing{Entry: first, State: token.Active})
	w.rotate(t, made.Ref(), w.hash())
	w.update(t, made.Ref(), finish)
	sameStandings(t, w.statusList(t), map[token.StatusEntry]token.Standing{
		second: gone, first: {Entry: first, State: token.Revoked},
	})
}

// sameStandingsOf fails the test unless the token has these standings.
func (w *world) sameStandingsOf(t *testing.T, of token.Token, want ...token.Standing) {
	t.Helper()
	found, err := w.Standings(t.Context(), []int64{of.Seq})
	ok(t, err)
	got, wanted := map[token.StatusEntry]token.Standing{}, map[token.StatusEntry]token.Standing{}
	for _, s := range found {
		got[s.Entry] = s
	}
	for _, s := range want {
		wanted[s.Entry] = s
	}
	sameStandings(t, got, wanted)
}

func touchPreviousKeepsTheLatest(t *testing.T, w *world) {
	made, other := w.create(t, w.muninx(w.member)), w.create(t, w.muninx(w.member))
	rotated := w.rotate(t, made.Ref(), w.hash())
	for _, step := range []struct{ use, want time.Duration }{
		{time.Minute, time.Minute}, {time.Second, time.Minute}, {time.Hour, time.Hour},
	} {
		ok(t, w.TouchPrevious(t.Context(), map[token.Hash]time.Time{
			made.Hash: noon.Add(step.use), rotated.Hash: noon.Add(9 * time.Hour), other.Hash: noon.Add(9 * time.Hour),
			w.hash(): noon,
		}))
		want := rotated
		want.Previous.LastUsedAt = noon.Add(step.want)
		same(t, "the token", w.find(t, made.Ref()), want)
	}
	same(t, "another token", w.find(t, other.Ref()), other)
	many := map[token.Hash]time.Time{made.Hash: noon.Add(7 * time.Hour)}
	for range 300 { // more than fit into one transaction
		many[w.hash()] = noon
	}
	ok(t, w.TouchPrevious(t.Context(), many))
	same(t, "the last use", w.find(t, made.Ref()).Previous.LastUsedAt, noon.Add(7*time.Hour))
	finished := w.update(t, made.Ref(), finish)
	ok(t, w.TouchPrevious(t.Context(), map[token.Hash]time.Time{made.Hash: noon.Add(8 * time.Hour)}))
	same(t, "the token whose rotation is finished", w.find(t, made.Ref()), finished)
}

func oneRotationWithOverlap(t *testing.T, w *world) {
	for range rounds {
		made := w.publish(t, w.homeEnv)
		errs := together(8, func(int) error {
			_, err := w.Rotate(t.Context(), token.Permit{}, made.Ref(), nil, replace(w.hash(), time.Hour))
			return err
		})
		tally(t, errs, map[token.Kind]int{"": 1, token.Conflict: 7})
		same(t, "how many rotations there were", w.find(t, made.Ref()).Rotations, 1)
	}
}

func revokeSurvivesRotation(t *testing.T, w *world) {
	for range 4 * rounds {
		made := w.publish(t, w.homeEnv)
		errs := together(3, func(i int) error {
			if i == 0 {
				_, err := w.Update(t.Context(), token.Permit{Urgent: true}, made.Ref(), setState(token.Revoked))
				return err
			}
			_, err := w.Rotate(t.Context(), token.Permit{}, made.Ref(), nil, func(t *token.Token, e token.StatusEntry) error {
				if t.State != token.Active {
					return token.Errorf(token.Conflict, "revoked")
				}
				return replace(w.hash(), time.Hour)(t, e)
			})
			return err
		})
		ok(t, errs[0])
		found := w.find(t, made.Ref())
		same(t, "the state", found.State, token.Revoked)
		same(t, "how many rotations there were", found.Rotations <= 1, true)
	}
}

// noChangeAfterTheEndOfASecret judges a caller by its secret: once a rotation was finished, the one before the current
// one changes nothing.
func noChangeAfterTheEndOfASecret(t *testing.T, w *world) {
	for range rounds {
		caller := w.create(t, w.apiToken(w.homeEnv))
		w.rotate(t, caller.Ref(), w.hash())
		permit := permit(caller)
		permit.Judge = func(id token.Identity) error {
			if id.Token.Previous.Hash != caller.Hash {
				return token.Errorf(token.CredentialInvalid, "not its secret")
			}
			return nil
		}
		w.noneAfterPermit(t, permit, func() error {
			_, err := w.Update(t.Context(), token.Permit{}, caller.Ref(), finish)
			return err
		})
	}
}

// cancelHidesNothing looks for a secret while a rotation takes it out of its place and a cancel puts it back.
func cancelHidesNothing(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	var done sync.WaitGroup
	stop := make(chan struct{})
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if id, err := w.FindSecret(t.Context(), made.Hash); err != nil || id.Token.Seq != made.Seq {
				t.Errorf("the secret: %v", err)
				return
			}
		}
	})
	for range 10 * rounds {
		w.rotate(t, made.Ref(), w.hash())
		w.update(t, made.Ref(), cancel)
	}
	close(stop)
	done.Wait()
}
