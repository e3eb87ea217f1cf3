package token

import (
	"bytes"
	"testing"
)

// TestAnswersNeedAllThree: whoever lacks the Idempotency-Key, the caller's secret or the servers' key opens nothing.
func TestAnswersNeedAllThree(t *testing.T) {
	with := func(server byte, proof, key string) *retry {
		s := &Service{RetryKey: bytes.Repeat([]byte{server}, RetryKeySize)}
		y, err := s.retrying(Caller{Token: &Token{Seq: 7}, proof: proof}, &Retry{Key: key, Operation: "create", Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	y := with(1, "the caller's secret", "the idempotency key")
	sealed, err := y.seal(Token{ID: "id", Name: "name"}, "the new secret")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) || bytes.Contains(sealed, []byte("name")) {
		t.Errorf("the answer is not sealed: %q", sealed)
	}
	if k, err := y.open(sealed); err != nil || k.Secret != "the new secret" || k.Token.Name != "name" {
		t.Errorf("%+v, %v", k, err)
	}
	for name, other := range map[string]*retry{
		"another idempotency key": with(1, "the caller's secret", "another key"),
		"another caller":          with(1, "another secret", "the idempotency key"),
		"another server":          with(2, "the caller's secret", "the idempotency key"),
	} {
		other.claim = y.claim // as in a copy of the database
		if k, err := other.open(sealed); err == nil {
			t.Errorf("%s opens %+v", name, k)
		}
	}
	moved := with(1, "the caller's secret", "the idempotency key")
	moved.claim.ID[0]++
	if _, err := moved.open(sealed); err == nil {
		t.Error("the answer opens in the place of another claim")
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := y.open(altered); err == nil {
			t.Fatalf("byte %d can be altered", i)
		}
	}
	if _, err := y.open(sealed[:5]); err == nil {
		t.Error("what is cut off opens")
	}
}

// TestClaimsDiffer for everything by which a request may differ, and not for the caller's secret: one that was replaced is
// the same caller's.
func TestClaimsDiffer(t *testing.T) {
	s := &Service{RetryKey: make([]byte, RetryKeySize)}
	claim := func(seq int64, proof string, r Retry) Claim {
		y, err := s.retrying(Caller{Token: &Token{Seq: seq}, proof: proof}, &r)
		if err != nil {
			t.Fatal(err)
		}
		return y.claim
	}
	one := claim(1, "proof", Retry{"key", "operation", []byte("body"), false})
	for name, other := range map[string]Claim{
		"caller":    claim(2, "proof", Retry{"key", "operation", []byte("body"), false}),
		"key":       claim(1, "proof", Retry{"keyo", "peration", []byte("body"), false}),
		"operation": claim(1, "proof", Retry{"key", "other", []byte("body"), false}),
	} {
		if other.ID == one.ID {
			t.Errorf("the %s is not in the claim", name)
		}
	}
	if other := claim(1, "proof", Retry{"key", "operation", []byte("other"), false}); other.ID != one.ID || other.Request == one.Request {
		t.Error("the body decides about the request, not about the claim")
	}
	if other := claim(1, "new", Retry{"key", "operation", []byte("body"), false}); other.ID != one.ID || other.Request != one.Request {
		t.Error("the claim depends on the caller's secret")
	}
}
