package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var initializeTests = map[string]func(*testing.T, Store){
	"initialize stores the seed once":          initializeOnce,
	"initialize undone by deliver":             initializeUndone,
	"initialize undone by a panic of deliver":  initializePanics,
	"initialize cancelled in deliver is whole": initializeCancelled,
	"initialize of many callers stores one":    initializeOfMany,
}

func seed() token.Seed {
	home := account("seed")
	w := &world{home: home}
	return token.Seed{
		Account:      home,
		Environments: []token.Environment{environment("seed-1", home), environment("seed-2", home)},
		User:         w.newUser(token.RoleAdmin),
		Token:        w.token(token.Muninx, token.ScopeUser),
		Maxima:       token.Maxima{Lifetime: 36 * time.Hour, Tokens: 7},
	}
}

func delivered() error { return nil }

func initializeOnce(t *testing.T, s Store) {
	in := seed()
	none, err := s.Maxima(t.Context())
	ok(t, err)
	same(t, "the maxima of an empty registry", none, token.Maxima{})
	stored, err := s.Initialize(t.Context(), in, delivered)
	ok(t, err)
	same(t, "whether it stored", stored, true)
	id, err := s.FindSecret(t.Context(), in.Token.Hash)
	ok(t, err)
	user, made := in.User, in.Token
	user.ID = 1
	made.Seq, made.UserID = id.Token.Seq, user.ID
	sameFact(t, "the token", id.Token, made)
	sameFact(t, "the user", id.User, user)
	sameFact(t, "the account", id.Account, in.Account)
	for _, want := range in.Environments {
		got, err := s.FindEnvironment(t.Context(), want.ID)
		ok(t, err)
		same(t, "the environment", got, want)
	}
	admin, err := s.FirstAdmin(t.Context())
	ok(t, err)
	same(t, "the admin", admin, user)
	maxima, err := s.Maxima(t.Context())
	ok(t, err)
	same(t, "the maxima", maxima, in.Maxima)

	stored, err = s.Initialize(t.Context(), seed(), func() error {
		t.Error("deliver was called for a registry that has a user")
		return nil
	})
	ok(t, err)
	same(t, "whether it stored again", stored, false)
}

// untouched fails the test unless the store is as empty as it was, and shows that it can still be initialized.
func untouched(t *testing.T, s Store) {
	t.Helper()
	users, err := s.ListUsers(t.Context(), 0, 10)
	ok(t, err)
	accounts, err := s.ListAccounts(t.Context(), "", 10)
	ok(t, err)
	tokens, err := s.List(t.Context(), token.Query{Limit: 10})
	ok(t, err)
	same(t, "the number of things stored", len(users)+len(accounts)+len(tokens), 0)
	stored, err := s.Initialize(t.Context(), seed(), delivered)
	ok(t, err)
	same(t, "whether it stored at last", stored, true)
}

func initializeUndone(t *testing.T, s Store) {
	refusal := errors.New("no room for the file")
	stored, err := s.Initialize(t.Context(), seed(), func() error { return refusal })
	same(t, "the error of deliver", err, refusal)
	same(t, "whether it stored", stored, false)
	untouched(t, s)
}

func initializePanics(t *testing.T, s Store) {
	panics(t, func() {
		_, _ = s.Initialize(t.Context(), seed(), func() error { panic("deliver") })
	})
	untouched(t, s)
}

// initializeCancelled: however it ends, the answer agrees with what is stored.
func initializeCancelled(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	stored, err := s.Initialize(ctx, seed(), func() error {
		cancel()
		return nil
	})
	_, missing := s.FirstAdmin(t.Context())
	if stored {
		ok(t, err)
		ok(t, missing)
		return
	}
	kind(t, err, token.Canceled)
	untouched(t, s)
}

func initializeOfMany(t *testing.T, s Store) {
	var stored, deliveries atomic.Int64
	errs := together(8, func(int) error {
		first, err := s.Initialize(t.Context(), seed(), func() error {
			deliveries.Add(1)
			return nil
		})
		if first {
			stored.Add(1)
		}
		return err
	})
	tally(t, errs, map[token.Kind]int{"": 8})
	same(t, "how many stored", stored.Load(), 1)
	same(t, "how many delivered", deliveries.Load(), 1)
	users, err := s.ListUsers(t.Context(), 0, 10)
	ok(t, err)
	same(t, "how many users there are", len(users), 1)
}
