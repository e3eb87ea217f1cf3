package storetest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var createTests = map[string]func(*testing.T, *world){
	"create keeps every member":                      createKeepsEveryMember,
	"create keeps milliseconds in UTC":               createKeepsMilliseconds,
	"create stores what Decide left":                 createStoresWhatDecideLeft,
	"create numbers the tokens of unleash":           createNumbersUnleash,
	"create refused by Decide stores nothing":        createRefused,
	"hashes are unique over all dialects":            hashesAreUnique,
	"ids are unique in their dialect":                idsAreUnique,
	"names of unleash are unique for their user":     namesAreUnique,
	"names of other dialects may repeat":             namesMayRepeat,
	"numbers are never used again":                   numbersAreNeverUsedAgain,
	"a tombstone blocks its hash and id, not a name": tombstoneBlocks,
	"secrets bring what they depend on":              secretsBringWhatTheyDependOn,
	"an unknown secret is not found":                 unknownSecret,
}

// full has a value in every member.
func (w *world) full() token.Token {
	t := w.apiToken(w.homeEnv)
	t.UserID = w.member.ID
	t.State, t.SuspendedByAdmin = token.Suspended, true
	t.CreatedBy, t.CreatedByAdminID = w.admin.ID, w.admin.AdminID
	t.UpdatedAt, t.ExpiresAt = noon.Add(time.Minute), noon.Add(time.Hour)
	t.LastUsedAt, t.DeletedAt = noon.Add(2*time.Hour), noon.Add(3*time.Hour)
	t.Entry = token.StatusEntry{List: 3, Index: int64(w.made.Load()) - 1}
	t.Name = "naïve ' \" % _ \\ \n 名"
	return t
}

func createKeepsEveryMember(t *testing.T, w *world) {
	minter := w.create(t, w.muninx(w.admin))
	want := w.full()
	want.MintedBy = minter.Seq
	got := w.create(t, want)
	if got.Seq <= minter.Seq {
		t.Errorf("the number %d does not follow %d", got.Seq, minter.Seq)
	}
	want.Seq = got.Seq
	same(t, "the token", got, want)
	same(t, "the token found", w.find(t, want.Ref()), want)
}

func createKeepsMilliseconds(t *testing.T, w *world) {
	in := w.muninx(w.member)
	in.ExpiresAt = noon.Add(123456 * time.Nanosecond).In(time.FixedZone("elsewhere", 3600))
	got := w.create(t, in)
	same(t, "the expiry", got.ExpiresAt, noon)
	same(t, "the expiry found", w.find(t, got.Ref()).ExpiresAt, noon)
}

func createStoresWhatDecideLeft(t *testing.T, w *world) {
	in := insert(w.muninx(w.member))
	in.Decide = func(t *token.Token, _ token.Facts) error {
		t.Name, t.ExpiresAt = "decided", noon.Add(time.Hour)
		return nil
	}
	got, err := w.Create(t.Context(), in)
	ok(t, err)
	same(t, "the name", w.find(t, got.Ref()).Name, "decided")
	same(t, "the expiry", w.find(t, got.Ref()).ExpiresAt, noon.Add(time.Hour))
}

func createNumbersUnleash(t *testing.T, w *world) {
	in := w.unleash(w.member, "one")
	in.ID, in.Seq = "999", 999 // not the caller's to give
	got := w.create(t, in)
	same(t, "the id", got.ID, strconv.FormatInt(got.Seq, 10))
	if got.Seq == 999 || got.Seq < 1 {
		t.Errorf("the number is %d, want the store's own", got.Seq)
	}
	same(t, "the token found", w.find(t, got.Ref()), got)
}

func createRefused(t *testing.T, w *world) {
	refusals := []error{errors.New("plain"), token.Errorf(token.LimitReached, "enough"), token.Conflict}
	for _, refusal := range refusals {
		in := insert(w.muninx(w.member))
		in.Decide = func(*token.Token, token.Facts) error { return refusal }
		if _, err := w.Create(t.Context(), in); err != refusal {
			t.Errorf("Create returned %v, want the very error of Decide, %v", err, refusal)
		}
		_, err := w.Find(t.Context(), in.Token.Ref())
		kind(t, err, token.NotFound)
		w.create(t, in.Token)
	}
}

func hashesAreUnique(t *testing.T, w *world) {
	first := w.create(t, w.muninx(w.member))
	for _, second := range []token.Token{w.muninx(w.admin), w.apiToken(w.homeEnv), w.unleash(w.admin, "")} {
		second.Hash = first.Hash
		_, err := w.Create(t.Context(), insert(second))
		kind(t, err, token.NameTaken)
	}
}

func idsAreUnique(t *testing.T, w *world) {
	first := w.create(t, w.muninx(w.member))
	second := w.muninx(w.admin)
	second.ID = first.ID
	_, err := w.Create(t.Context(), insert(second))
	kind(t, err, token.NameTaken)
	third := w.apiToken(w.homeEnv)
	third.ID = first.ID
	same(t, "the id in another dialect", w.create(t, third).ID, first.ID)
	same(t, "the first token", w.find(t, first.Ref()), first)
}

func namesAreUnique(t *testing.T, w *world) {
	w.create(t, w.unleash(w.member, "name"))
	_, err := w.Create(t.Context(), insert(w.unleash(w.member, "name")))
	kind(t, err, token.NameTaken)
	w.create(t, w.unleash(w.member, "Name"))
	w.create(t, w.unleash(w.member, "name "))
	w.create(t, w.unleash(w.admin, "name"))
	w.create(t, w.unleash(w.member, ""))
	w.create(t, w.unleash(w.member, ""))
}

func namesMayRepeat(t *testing.T, w *world) {
	for _, in := range []token.Token{w.muninx(w.member), w.muninx(w.member), w.apiToken(w.homeEnv),
		w.apiToken(w.homeEnv)} {
		in.Name = "again"
		w.create(t, in)
	}
}

func numbersAreNeverUsedAgain(t *testing.T, w *world) {
	last := int64(0)
	for range 5 {
		made := w.create(t, w.unleash(w.member, "name"))
		if made.Seq <= last {
			t.Errorf("the number %d comes after %d", made.Seq, last)
		}
		last = made.Seq
		w.remove(t, made.Ref())
	}
}

func tombstoneBlocks(t *testing.T, w *world) {
	dead := w.create(t, w.muninx(w.member))
	w.remove(t, dead.Ref())
	sameHash, sameID := w.muninx(w.member), w.muninx(w.member)
	sameHash.Hash, sameID.ID = dead.Hash, dead.ID
	for _, in := range []token.Token{sameHash, sameID} {
		_, err := w.Create(t.Context(), insert(in))
		kind(t, err, token.NameTaken)
	}
	named := w.create(t, w.unleash(w.member, "name"))
	w.remove(t, named.Ref())
	w.create(t, w.unleash(w.member, "name"))
}

func secretsBringWhatTheyDependOn(t *testing.T, w *world) {
	users, accounts := w.create(t, w.muninx(w.member)), w.create(t, w.apiToken(w.otherEnv))
	id, err := w.FindSecret(t.Context(), users.Hash)
	ok(t, err)
	sameFact(t, "the token", id.Token, users)
	sameFact(t, "the user", id.User, w.member)
	sameFact(t, "the home account", id.Account, w.home)
	same(t, "the environment", id.Environment, nil)

	id, err = w.FindSecret(t.Context(), accounts.Hash)
	ok(t, err)
	sameFact(t, "the token", id.Token, accounts)
	same(t, "the user", id.User, nil)
	sameFact(t, "the account", id.Account, w.other)
	sameFact(t, "the environment", id.Environment, w.otherEnv)

	dead := w.remove(t, users.Ref())
	id, err = w.FindSecret(t.Context(), users.Hash)
	ok(t, err)
	sameFact(t, "the tombstone", id.Token, dead)
}

func unknownSecret(t *testing.T, w *world) {
	id, err := w.FindSecret(t.Context(), token.Hash{0xff})
	kind(t, err, token.NotFound)
	same(t, "the identity", id, token.Identity{})
}
