package token

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// refusalStore keeps what it is given, unless it has an error.
type refusalStore struct {
	EventStore
	err    error
	stored []Refusal
}

func (s *refusalStore) RecordRefusals(_ context.Context, all []Refusal) error {
	if s.err == nil {
		s.stored = append(s.stored, all...)
	}
	return s.err
}

// from is a context with the address of a client.
func from(t *testing.T, address string) context.Context {
	t.Helper()
	return context.WithValue(t.Context(), OriginKey{}, Origin{Address: address, Agent: "curl"})
}

// TestRefusedUsesAreCounted by token, reason and address; those of credentials that name no token are not.
func TestRefusedUsesAreCounted(t *testing.T) {
	w := newWorld(t)
	events := &refusalStore{}
	w.Events = events
	_, secret := w.put(t, Token{Dialect: personal, UserID: member})
	revoked, err := w.Authenticate(t.Context(), secret)
	ok(t, err)
	_, err = w.Apply(t.Context(), revoked, revoked.Token.Ref(), Revoke, Own)
	ok(t, err)
	for i, address := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		w.now = noon.Add(time.Duration(i) * time.Second)
		if _, err := w.Authenticate(from(t, address), secret); KindOf(err) != CredentialInvalid {
			t.Fatal(err)
		}
	}
	_, _ = w.Authenticate(t.Context(), personal.Secrets.New())
	_, _ = w.Authenticate(t.Context(), "nonsense")
	ok(t, w.FlushRefusals(t.Context()))
	ok(t, w.FlushRefusals(t.Context()))
	if len(events.stored) != 2 {
		t.Fatalf("stored: %+v", events.stored)
	}
	same(t, "the first", events.stored[0], Refusal{
		Token: revoked.Token.Ref(), Reason: "revoked", Origin: Origin{Address: "192.0.2.1", Agent: "curl"}, Count: 3,
		First: noon, Last: noon.Add(3 * time.Second),
	})
	same(t, "the address of the second", events.stored[1].Origin.Address, "192.0.2.2")
}

// TestRefusedInATransaction: a credential that lost its right after it was authenticated is refused, too.
func TestRefusedInATransaction(t *testing.T) {
	w := newWorld(t)
	events := &refusalStore{}
	w.Events = events
	_, secret := w.put(t, Token{Dialect: personal, UserID: member})
	caller, err := w.Authenticate(t.Context(), secret)
	ok(t, err)
	_, err = w.Apply(t.Context(), caller, caller.Token.Ref(), Revoke, Own)
	ok(t, err)
	_, _, err = w.Create(from(t, "192.0.2.7"), caller, Draft{Dialect: personal})
	if KindOf(err) != CredentialInvalid {
		t.Fatal(err)
	}
	ok(t, w.FlushRefusals(t.Context()))
	if len(events.stored) != 1 || events.stored[0].Origin.Address != "192.0.2.7" {
		t.Errorf("stored: %+v", events.stored)
	}
}

// TestPendingRefusalsAreBounded: of one token and of many. None is lost from the count.
func TestPendingRefusalsAreBounded(t *testing.T) {
	w := newWorld(t)
	events := &refusalStore{err: errors.New("away")}
	w.Events = events
	const tokens, addresses = 200, 100
	for seq := range tokens {
		id := Identity{Token: &Token{Seq: int64(seq + 1), Dialect: personal, ID: fmt.Sprint(seq), State: Revoked}}
		for i := range addresses {
			w.noteRefused(from(t, fmt.Sprint(i)), id, noon)
		}
	}
	if err := w.FlushRefusals(t.Context()); !errors.Is(err, events.err) {
		t.Error(err)
	}
	if n := len(w.refusals.pending); n > mostRefusals+1 {
		t.Errorf("%d are pending", n)
	}
	events.err = nil
	ok(t, w.FlushRefusals(t.Context()))
	total := int64(0)
	for _, r := range events.stored {
		total += r.Count
	}
	same(t, "the number of all", total, tokens*addresses)
}

// TestPermitsSayWhoActs, by which credential, and what is done.
func TestPermitsSayWhoActs(t *testing.T) {
	w := newWorld(t)
	member, admin, bound := w.user(t, member), w.user(t, admin), w.account(t, home.ID, homeEnv.ID)
	guest := w.guest(t, "", noon.Add(time.Hour))
	w.OIDC, w.signer.foreign = nil, false
	local := Caller{User: admin.User, Account: admin.Account, Role: RoleAdmin}
	for _, c := range []struct {
		caller Caller
		want   By
	}{
		{member, By{"user:3", member.Token.Ref().Object()}},
		{bound, By{"account:" + home.ID, bound.Token.Ref().Object()}},
		{guest, By{"user:7", "oidc:https://idp.example guest"}},
		{local, By{"user:1", ByDatabase}},
	} {
		same(t, "who acts", w.permit(t.Context(), &c.caller, func(Caller) error { return nil }).By, c.want)
	}
	last := func() Permit { return w.fake.Permits[len(w.fake.Permits)-1] }
	made, _, err := w.Create(t.Context(), member, Draft{Dialect: personal})
	ok(t, err)
	same(t, "the action of a create", last().Action, "")
	_, err = w.Apply(t.Context(), admin, made.Ref(), Suspend, Everything)
	ok(t, err)
	same(t, "the action", last().Action, "suspend")
	same(t, "who acts", last().By.Actor, "user:1")
	_, err = w.DisableAccount(t.Context(), admin, other.ID)
	ok(t, err)
	same(t, "the action", last().Action, "disable")
	_, err = w.EnableAccount(t.Context(), admin, other.ID)
	ok(t, err)
	same(t, "the action", last().Action, "enable")
}
