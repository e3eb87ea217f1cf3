package store_test

import (
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// BenchmarkCreate creates tokens as requests do, one caller after the other and many at once.
func BenchmarkCreate(b *testing.B) {
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("sqlite/%d", clients), func(b *testing.B) { benchmarkCreate(b, sqliteURL(b), clients) })
		b.Run(fmt.Sprintf("postgres/%d", clients), func(b *testing.B) { benchmarkCreate(b, pgtest.URL(b), clients) })
	}
}

func benchmarkCreate(b *testing.B, url string, clients int) {
	d := openWith(b, url, store.Options{})
	caller := aCaller(b, d)
	b.ReportAllocs()
	before := cpu()
	b.ResetTimer()
	each(b, clients, func() error {
		_, err := d.Create(b.Context(), anInsert(caller))
		return err
	})
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// each has the clients do it b.N times together.
func each(b *testing.B, clients int, do func() error) {
	b.Helper()
	eachOf(b, b.N, clients, do)
}

// eachOf has the clients do it n times together.
func eachOf(b *testing.B, n, clients int, do func() error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// cpu is what this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// aCaller is a user with a token.
func aCaller(tb testing.TB, d *store.DB) token.Token {
	tb.Helper()
	if err := d.CreateAccount(tb.Context(), token.Permit{}, token.Account{ID: "account"}); err != nil {
		tb.Fatal(err)
	}
	u, err := d.CreateUser(tb.Context(), token.Permit{}, token.User{AdminID: "1", Role: token.RoleAdmin, AccountID: "account"})
	if err != nil {
		tb.Fatal(err)
	}
	t, err := d.Create(tb.Context(), token.Insert{Token: aToken(u.ID), Decide: func(*token.Token, token.Facts) error { return nil }})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func aToken(user int64) token.Token {
	t := token.Token{Dialect: token.Muninx, ID: token.UUIDs.New(time.Now()), Name: "bench", Scope: token.ScopeUser, State: token.Active,
		UserID: user, CreatedBy: user, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	_, _ = rand.Read(t.Hash[:])
	return t
}

// anInsert is a create by the caller, who has to be judged.
func anInsert(caller token.Token) token.Insert {
	in := token.Insert{Token: aToken(caller.UserID), Decide: func(*token.Token, token.Facts) error { return nil }}
	in.Token.MintedBy = caller.Seq
	in.Permit = token.Permit{Token: caller.Seq, UserID: caller.UserID, Judge: func(token.Identity) error { return nil }}
	return in
}

// BenchmarkLookUp looks secrets up as checks do whose rows are not in memory.
func BenchmarkLookUp(b *testing.B) {
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("sqlite/%d", clients), func(b *testing.B) { benchmarkLookUp(b, sqliteURL(b), clients) })
		b.Run(fmt.Sprintf("postgres/%d", clients), func(b *testing.B) { benchmarkLookUp(b, pgtest.URL(b), clients) })
	}
}

func benchmarkLookUp(b *testing.B, url string, clients int) {
	d := openWith(b, url, store.Options{})
	caller := aCaller(b, d)
	hashes := make([]token.Hash, 1000)
	for i := range hashes {
		made, err := d.Create(b.Context(), anInsert(caller))
		if err != nil {
			b.Fatal(err)
		}
		hashes[i] = made.Hash
	}
	var next atomic.Int64
	b.ReportAllocs()
	before := cpu()
	b.ResetTimer()
	each(b, clients, func() error {
		_, err := d.FindSecret(b.Context(), hashes[next.Add(1)%1000])
		return err
	})
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}
