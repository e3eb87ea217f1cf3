package memory

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
)

// hashOf is the hash of the secret of the n-th token.
func hashOf(n int) (h token.Hash) {
	binary.BigEndian.PutUint64(h[:], uint64(n))
	return h
}

// textN is a text in memory of its own, as the driver of a database returns it.
func textN(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// shapes are rows as they come from the database, each in memory of its own.
var shapes = map[string]func(n int) token.Identity{
	"a token of each user":         func(n int) token.Identity { return ofUserN(n, n) },
	"ten tokens of each user":      func(n int) token.Identity { return ofUserN(n, n/10) },
	"tokens of one environment":    func(n int) token.Identity { return ofEnvironmentN(n, 1, 32) },
	"tokens of many environments":  func(n int) token.Identity { return ofEnvironmentN(n, n/3, 32) },
	"the longest names everywhere": func(n int) token.Identity { return ofEnvironmentN(n, n, 4*255) },
	"the shortest": func(n int) token.Identity {
		return token.Identity{Token: &token.Token{Seq: int64(n), Dialect: token.Unleash, ID: textN("%d", n), State: token.Active}}
	},
}

func tokenN(n int, dialect *token.Dialect, name string) *token.Token {
	now := time.Now().UTC()
	return &token.Token{
		Seq: int64(n), Dialect: dialect, ID: textN("%036d", n), Name: name, Hash: hashOf(n), State: token.State(textN("active")),
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now,
	}
}

func ofUserN(n, user int) token.Identity {
	id := token.Identity{Token: tokenN(n, token.Muninx, textN("token %d", n))}
	id.Token.UserID, id.Token.Scope = int64(user)+1, token.Scope(textN("user"))
	id.User = &token.User{
		ID: id.Token.UserID, AdminID: textN("%032d", user), Subject: textN("user-%d@example.com", user), Name: textN("User %d", user),
		Role: token.Role(textN("member")), AccountID: textN("%032d", user/100),
	}
	id.Account = &token.Account{ID: textN("%032d", user/100), Name: textN("Account %d", user/100)}
	return id
}

func ofEnvironmentN(n, environment, name int) token.Identity {
	id := token.Identity{Token: tokenN(n, token.APIToken, strings.Repeat("x", name))}
	id.Token.Scope, id.Token.KeyID = token.Scope(textN("environment")), textN("%043d", 1)
	id.Token.CreatedByAdminID = textN("%032d", 1)
	id.Token.AccountID, id.Token.EnvironmentID = textN("%032d", environment/2), textN("%032d", environment)
	id.Account = &token.Account{ID: textN("%032d", environment/2), Name: strings.Repeat("x", name)}
	id.Environment = &token.Environment{
		ID: textN("%032d", environment), AccountID: textN("%032d", environment/2), Name: strings.Repeat("x", name),
	}
	return id
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // the first one may have met a collection under way
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// TestBytes fills the cache several times over: it never takes more bytes than it may, by its own account, and that agrees
// with what the runtime has allocated, to a twentieth and never to less than three quarters.
func TestBytes(t *testing.T) {
	const limit = 4 << 20
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			m := New(limit, false, statuslist.Config{})
			before := heap()
			read := func(n int) {
				_, err := m.ReadRow(t.Context(), hashOf(n), func() (token.Identity, error) { return shape(n), nil })
				if err != nil || m.rows.used > limit {
					t.Fatalf("%d bytes are used, %v", m.rows.used, err)
				}
			}
			for n := range 2000 {
				read(n)
			}
			most := 3 * limit / (m.rows.used / 2000)
			for range most {
				n := rand.N(int(most))
				if _, kept := m.Row(hashOf(n)); !kept {
					read(n)
				}
			}
			counted, allocated, kept := m.rows.used, heap()-before, m.rows.kept.Len()
			t.Logf("%d rows of %d bytes each; allocated %d%% of what is counted", kept, counted/int64(kept), 100*allocated/counted)
			if counted < limit*9/10 || allocated > counted*21/20 || allocated < counted*3/4 {
				t.Errorf("%d bytes are counted and %d allocated, the limit is %d", counted, allocated, limit)
			}
			runtime.KeepAlive(m)
		})
	}
}

// TestWhatWasUsedLately stays when there is no more room.
func TestWhatWasUsedLately(t *testing.T) {
	m := New(costOf(t, 0)*8, false, statuslist.Config{})
	read := func(n int) {
		_, _ = m.ReadRow(t.Context(), hashOf(n), func() (token.Identity, error) { return ofUserN(n, n), nil })
	}
	for n := range 100 {
		read(n)
		if _, kept := m.Row(hashOf(0)); !kept {
			t.Fatalf("the row in use is gone after %d others", n)
		}
	}
	_, old := m.Row(hashOf(1))
	_, last := m.Row(hashOf(99))
	if old || !last {
		t.Errorf("kept are the oldest %t and the last %t", old, last)
	}
	m.Changed(token.Change{Token: 1}) // which was given up
	huge := strings.Repeat("x", plenty)
	_, _ = m.ReadRow(t.Context(), hashOf(100), func() (token.Identity, error) {
		return token.Identity{Token: &token.Token{Seq: 100, Name: huge}}, nil
	})
	if n := m.rows.kept.Len(); n != 0 || m.rows.used != 0 {
		t.Errorf("after a row that is larger than the cache %d rows of %d bytes are kept", n, m.rows.used)
	}
}
