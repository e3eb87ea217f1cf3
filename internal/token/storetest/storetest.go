// Package storetest is the contract of [token.Store], [token.StatusStore] and [token.Registry] as tests. Every
// implementation runs them:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Store { … })
//	}
//
// None of them measures time, and those about races hold for every order in which the parts may run.
package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Store is what is tested.
type Store interface {
	token.Store
	token.StatusStore
	token.Registry
}

// Run runs every test with an empty store of its own from open, which also sees to closing it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, group := range []map[string]func(*testing.T, *world){
		createTests, factsTests, tokenTests, listTests, touchTests, registryTests, interruptTests,
		raceTests, revocationTests, permitTests, statusTests, rotationTests, claimTests,
	} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			t.Run(name, func(t *testing.T) { group[name](t, newWorld(t, open(t))) })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(initializeTests)) {
		t.Run(name, func(t *testing.T) { initializeTests[name](t, open(t)) })
	}
}

// kind fails the test unless err has the kind; the kind "" is no error.
func kind(t testing.TB, err error, want token.Kind) {
	t.Helper()
	if got := kindOf(err); got != want {
		t.Errorf("error %v is of kind %q, want %q", err, got, want)
	}
}

// kindOf is "" for no error.
func kindOf(err error) token.Kind {
	if err == nil {
		return ""
	}
	return token.KindOf(err)
}

// ok ends the test if there is an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same fails the test unless the two are equal.
func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%+v, want\n%+v", what, got, want)
	}
}

// sameFact fails the test unless got is present and equal to want.
func sameFact[T comparable](t testing.TB, what string, got *T, want T) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is missing", what)
		return
	}
	same(t, what, *got, want)
}

// together runs n calls at the same time and returns their errors.
func together(n int, run func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{})
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			<-gate
			errs[i] = run(i)
		})
	}
	close(gate)
	running.Wait()
	return errs
}

// tally fails the test unless the errors are as many of each kind as wanted; the kind "" is success.
func tally(t testing.TB, errs []error, want map[token.Kind]int) {
	t.Helper()
	got := map[token.Kind]int{}
	for _, err := range errs {
		got[kindOf(err)]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("outcomes are %v, want %v; errors: %v", got, want, errors.Join(errs...))
	}
}

// listAll pages through everything that the query selects.
func listAll(ctx context.Context, s Store, q token.Query) ([]token.Token, error) {
	var all []token.Token
	for {
		page, err := s.List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all, nil
		}
		q.After = page[len(page)-1].Seq
	}
}

// noon is when everything in these tests is made: in UTC and whole milliseconds, as stores keep it.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 123e6, time.UTC)
