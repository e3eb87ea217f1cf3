package token

import (
	"context"
	"testing"
)

// oneRow is a store of one user's token.
type oneRow struct {
	Store
	reads int
}

func (s *oneRow) FindSecret(_ context.Context, h Hash) (Identity, error) {
	s.reads++
	user := &User{ID: 1, Role: RoleMember, AccountID: "a"}
	return Identity{Token: &Token{Dialect: Muninx, UserID: 1, State: Active, Hash: h}, User: user, Account: &Account{ID: "a"}}, nil
}

// TestServiceWithoutMemory reads a credential each time, and forgets what it never knew.
func TestServiceWithoutMemory(t *testing.T) {
	store := &oneRow{}
	s := &Service{Store: store}
	secret := Muninx.Secrets.New()
	for range 3 {
		if _, err := s.Authenticate(t.Context(), secret); err != nil {
			t.Error(err)
		}
		s.Changed(Change{})
	}
	if store.reads != 3 {
		t.Errorf("%d readings", store.reads)
	}
	if _, err := s.StatusList(t.Context(), 1); KindOf(err) != NotFound {
		t.Errorf("a status list: %v", err)
	}
}
