package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var tokenTests = map[string]func(*testing.T, *world){
	"an unknown token is not found":          unknownToken,
	"an id of another form is not found":     idOfAnotherForm,
	"update stores what may change":          updateStoresWhatMayChange,
	"update refused by change keeps the row": updateRefused,
	"update sees and keeps a tombstone":      updateTombstone,
	"update clears what it may":              updateClears,
}

func unknownToken(t *testing.T, w *world) {
	there := w.create(t, w.muninx(w.member))
	for _, ref := range []token.Ref{
		{}, {Dialect: token.Muninx}, {Dialect: token.Muninx, ID: "unknown"}, {Dialect: token.APIToken, ID: there.ID},
		{Dialect: token.Unleash, ID: "77"}, {Dialect: &token.Dialect{Name: "no such dialect"}, ID: there.ID},
	} {
		_, err := w.Find(t.Context(), ref)
		kind(t, err, token.NotFound)
		_, err = w.Update(t.Context(), token.Permit{}, ref, func(*token.Token) error {
			t.Errorf("change was called for %v", ref)
			return nil
		})
		kind(t, err, token.NotFound)
	}
}

func idOfAnotherForm(t *testing.T, w *world) {
	made := w.create(t, w.unleash(w.member, ""))
	other := w.create(t, w.muninx(w.member))
	for _, id := range []string{"", "x", "0" + made.ID, "+" + made.ID, made.ID + " ", made.ID + ".0", "-1",
		"9223372036854775808", other.ID} {
		_, err := w.Find(t.Context(), token.Ref{Dialect: token.Unleash, ID: id})
		kind(t, err, token.NotFound)
	}
	_, err := w.Find(t.Context(), token.Ref{Dialect: token.Muninx, ID: made.ID})
	kind(t, err, token.NotFound)
}

func updateStoresWhatMayChange(t *testing.T, w *world) {
	in := w.full()
	in.DeletedAt = time.Time{}
	before := w.create(t, in)
	untouched := w.create(t, w.full())
	after, err := w.Update(t.Context(), token.Permit{}, before.Ref(), func(got *token.Token) error {
		same(t, "the token to change", *got, before)
		*got = changed(w.muninx(w.admin), before) // whatever else is changed is not stored
		return nil
	})
	ok(t, err)
	want := changed(before, before)
	same(t, "the token", after, want)
	same(t, "the token found", w.find(t, before.Ref()), want)
	same(t, "another token", w.find(t, untouched.Ref()), untouched)
}

// changed is the token with another of each member that may change, but the secret before.
func changed(t, before token.Token) token.Token {
	t.State, t.SuspendedByAdmin, t.Introspector, t.SelfRotation = token.Revoked, false, true, true
	t.UpdatedAt, t.DeletedAt = noon.Add(5*time.Minute), noon.Add(6*time.Minute)
	t.Name, t.ExpiresAt = "another name", noon.Add(7*time.Minute)
	t.Hash, t.Entry = before.Hash, before.Entry
	return t
}

func updateRefused(t *testing.T, w *world) {
	before := w.create(t, w.muninx(w.member))
	for _, refusal := range []error{errors.New("plain"), token.Errorf(token.Conflict, "no"), token.Forbidden} {
		_, err := w.Update(t.Context(), token.Permit{}, before.Ref(), func(t *token.Token) error {
			t.State = token.Revoked
			return refusal
		})
		if err != refusal {
			t.Errorf("Update returned %v, want the very error of change, %v", err, refusal)
		}
		same(t, "the token", w.find(t, before.Ref()), before)
	}
}

func updateTombstone(t *testing.T, w *world) {
	dead := w.remove(t, w.create(t, w.apiToken(w.homeEnv)).Ref())
	if !dead.Deleted() {
		t.Error("the removed token is not deleted")
	}
	after, err := w.Update(t.Context(), token.Permit{}, dead.Ref(), func(got *token.Token) error {
		same(t, "the tombstone", *got, dead)
		return nil
	})
	ok(t, err)
	same(t, "the tombstone", after, dead)
	same(t, "the tombstone found", w.find(t, dead.Ref()), dead)
}

func updateClears(t *testing.T, w *world) {
	before := w.create(t, w.full())
	after, err := w.Update(t.Context(), token.Permit{}, before.Ref(), func(t *token.Token) error {
		t.State, t.SuspendedByAdmin, t.DeletedAt = token.Active, false, time.Time{}
		return nil
	})
	ok(t, err)
	same(t, "whether an admin suspended it", after.SuspendedByAdmin, false)
	same(t, "the time of deletion", after.DeletedAt, time.Time{})
	same(t, "the token found", w.find(t, before.Ref()), after)
}
