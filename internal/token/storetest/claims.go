package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var claimTests = map[string]func(*testing.T, *world){
	"a claim is made once":                    claimIsMadeOnce,
	"a claim of a refused create is free":     claimOfRefusedIsFree,
	"a claim that has expired is free":        expiredClaimIsFree,
	"claims are forgotten after their time":   claimsAreForgotten,
	"a claim tells nothing without the right": claimNeedsTheRight,
	"race: one of many makes the claim":       oneMakesTheClaim,
}

// claimed is a create with a claim that is kept for an hour.
func (w *world) claimed(id byte, madeAt time.Time, answer string) token.Insert {
	in := insert(w.muninx(w.member))
	in.Claim = &token.Claim{
		ID: token.Hash{id}, Request: token.Hash{id, 1}, MadeAt: madeAt, ExpiresAt: madeAt.Add(time.Hour),
		Seal: func(token.Token) ([]byte, error) { return []byte(answer), nil },
	}
	return in
}

// answered fails the test unless the error has this answer.
func answered(t testing.TB, err error, id byte, answer string) {
	t.Helper()
	var claimed *token.Claimed
	if !errors.As(err, &claimed) || string(claimed.Answer) != answer || claimed.Request != (token.Hash{id, 1}) {
		t.Errorf("the error is %v, want the answer %q", err, answer)
	}
}

func (w *world) count(t *testing.T) int {
	t.Helper()
	all, err := w.List(t.Context(), token.Query{UserID: w.member.ID, Limit: 100})
	ok(t, err)
	return len(all)
}

func claimIsMadeOnce(t *testing.T, w *world) {
	_, err := w.Create(t.Context(), w.claimed(1, noon, "first"))
	ok(t, err)
	_, err = w.Create(t.Context(), w.claimed(1, noon.Add(time.Hour-time.Millisecond), "second"))
	answered(t, err, 1, "first")
	_, err = w.Create(t.Context(), w.claimed(2, noon, "other"))
	ok(t, err)
	same(t, "how many there are", w.count(t), 2)
}

func claimOfRefusedIsFree(t *testing.T, w *world) {
	in := w.claimed(1, noon, "refused")
	in.Decide = func(*token.Token, token.Facts) error { return token.Errorf(token.Conflict, "no") }
	_, err := w.Create(t.Context(), in)
	kind(t, err, token.Conflict)
	in = w.claimed(1, noon, "unsealed")
	in.Claim.Seal = func(token.Token) ([]byte, error) { return nil, token.Errorf(token.Unavailable, "no") }
	_, err = w.Create(t.Context(), in)
	kind(t, err, token.Unavailable)
	same(t, "how many there are", w.count(t), 0)
	_, err = w.Create(t.Context(), w.claimed(1, noon, "made"))
	ok(t, err)
}

func expiredClaimIsFree(t *testing.T, w *world) {
	_, err := w.Create(t.Context(), w.claimed(1, noon, "first"))
	ok(t, err)
	_, err = w.Create(t.Context(), w.claimed(1, noon.Add(time.Hour), "second"))
	ok(t, err)
	_, err = w.Create(t.Context(), w.claimed(1, noon.Add(90*time.Minute), "third"))
	answered(t, err, 1, "second")
}

func claimsAreForgotten(t *testing.T, w *world) {
	for id, madeAt := range []time.Time{noon, noon.Add(time.Minute)} {
		_, err := w.Create(t.Context(), w.claimed(byte(id), madeAt, "kept"))
		ok(t, err)
	}
	more, err := w.ForgetClaims(t.Context(), noon.Add(time.Hour))
	ok(t, err)
	same(t, "whether there may be more", more, false)
	_, err = w.Create(t.Context(), w.claimed(0, noon, "again"))
	ok(t, err)
	_, err = w.Create(t.Context(), w.claimed(1, noon, "again"))
	answered(t, err, 1, "kept")
}

func claimNeedsTheRight(t *testing.T, w *world) {
	_, err := w.Create(t.Context(), w.claimed(1, noon, "first"))
	ok(t, err)
	in := w.claimed(1, noon, "second")
	in.Permit = token.Permit{UserID: w.member.ID, Judge: func(token.Identity) error { return token.Errorf(token.Forbidden, "no") }}
	_, err = w.Create(t.Context(), in)
	kind(t, err, token.Forbidden)
}

// oneMakesTheClaim: the others get the answer, or hear that another request is about to have it.
func oneMakesTheClaim(t *testing.T, w *world) {
	errs := together(24, func(int) error {
		_, err := w.Create(context.WithoutCancel(t.Context()), w.claimed(1, noon, "one"))
		return err
	})
	made := 0
	for _, err := range errs {
		switch {
		case err == nil:
			made++
		case errors.Is(err, token.ErrClaiming):
		default:
			answered(t, err, 1, "one")
		}
	}
	same(t, "how many made it", made, 1)
	same(t, "how many there are", w.count(t), 1)
}
