package memory

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/internal/fresh"
	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
)

const tokens = 4

var states = []token.State{token.Active, token.Suspended, token.Revoked}

// The changes that others make. The first two tokens are those of a user, who moves to the other account at each change,
// the third is one of the first account's environment, the fourth one of the second account.
var (
	ofTokens   = [tokens]token.Change{{Token: 1, List: 1}, {Token: 2, List: 1}, {Token: 3, List: 1}, {Token: 4, List: 1}}
	ofUser     = token.Change{User: 1}
	ofAccounts = [2]token.Change{{Account: "first"}, {Account: "second"}}
	ofTest     = token.Change{Environment: "test"}

	allChanges = append(slices.Concat(ofTokens[:], ofAccounts[:]), ofUser, ofTest)
)

// database has a few tokens, each in a place of its own of one status list, and what other processes made of them and of
// what they depend on, and when.
type database struct {
	start time.Time

	mu      sync.Mutex
	commits map[token.Change][]time.Duration // of each change; the version of a thing is how many there were
}

func newDatabase() *database {
	return &database{start: time.Now(), commits: map[token.Change][]time.Duration{}}
}

func (d *database) now() time.Duration { return time.Since(d.start) }

func (d *database) commit(c token.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commits[c] = append(d.commits[c], d.now())
}

// version is that of a thing at the end of an instant.
func (d *database) version(c token.Change, at time.Duration) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, _ := slices.BinarySearch(d.commits[c], at+1)
	return n
}

// row has the version of each thing as its name.
func (d *database) row(i int) token.Identity {
	name := func(c token.Change) string { return fmt.Sprint(d.version(c, d.now())) }
	id := token.Identity{Token: &token.Token{Seq: int64(i) + 1, Name: name(ofTokens[i])}}
	account := 0
	switch i {
	case 0, 1:
		account = d.version(ofUser, d.now()) % 2
		id.User = &token.User{ID: ofUser.User, Name: name(ofUser), AccountID: ofAccounts[account].Account}
		id.Token.UserID = ofUser.User
	case 2:
		id.Environment = &token.Environment{ID: ofTest.Environment, Name: name(ofTest)}
		id.Token.AccountID, id.Token.EnvironmentID = ofAccounts[0].Account, ofTest.Environment
	case 3:
		account = 1
		id.Token.AccountID = ofAccounts[1].Account
	}
	id.Account = &token.Account{ID: ofAccounts[account].Account, Name: name(ofAccounts[account])}
	return id
}

func (d *database) standing(i int) token.Standing {
	state := states[d.version(ofTokens[i], d.now())%len(states)]
	return token.Standing{Entry: token.StatusEntry{List: 1, Index: int64(i)}, State: state}
}

func (d *database) FindStatusList(context.Context, int64) error { return nil }

func (d *database) StatusList(_ context.Context, _ int64, each func(token.Standing)) error {
	for i := range tokens {
		each(d.standing(i))
	}
	pause(200 * time.Millisecond)
	return nil
}

func (d *database) Standings(_ context.Context, seqs []int64) (found []token.Standing, _ error) {
	for _, seq := range seqs {
		found = append(found, d.standing(int(seq)-1))
	}
	pause(50 * time.Millisecond)
	return found, nil
}

// SignStatusList returns the statuses of the tokens as text.
func (d *database) SignStatusList(c token.StatusClaims) (string, error) {
	r, err := zlib.NewReader(bytes.NewReader(c.Packed))
	if err != nil {
		return "", err
	}
	first := make([]byte, 1)
	_, err = io.ReadFull(r, first)
	return string(text(func(i int) byte { return first[0] >> (2 * i) & 3 })), err
}

func text(status func(i int) byte) []byte {
	s := make([]byte, tokens)
	for i := range s {
		s[i] = '0' + status(i)
	}
	return s
}

func pause(most time.Duration) { time.Sleep(rand.N(most)) }

// pauses is mostly pause, but may be a long one.
func pauses(most, long time.Duration) {
	if rand.N(6) == 0 {
		most = long
	}
	pause(most)
}

// feed hands on what is put in, in order, after some time.
type feed struct {
	memory  *Memory
	mu      sync.Mutex
	pending []func()
}

func (f *feed) put(message func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = append(f.pending, message)
}

func (f *feed) take() (messages []func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	messages, f.pending = f.pending, nil
	return messages
}

// run is a connection that is slow now and then, breaks off without a word, and is made anew.
func (f *feed) run(ctx context.Context) {
	for ctx.Err() == nil {
		f.take()
		f.memory.Lost()
		for ctx.Err() == nil && rand.N(40) > 0 {
			if heard := f.memory.Sending(); heard != nil {
				f.put(heard)
			}
			pauses(10*time.Millisecond, 900*time.Millisecond)
			for _, message := range f.take() {
				message()
			}
			pause(150 * time.Millisecond)
		}
		pause(time.Second) // in which nobody knows
		f.memory.Lost()
		pause(200 * time.Millisecond)
	}
}

// TestGuarantee lets another process change tokens, and the feed be as bad as it can be: what is answered from memory was
// true less than [fresh.TrustFor] before, and what was read was true when the question came, for rows and lists alike.
func TestGuarantee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		m := New(costOf(t, 0, 1, 2), true, statuslist.Config{Store: d, Signer: d})
		f := &feed{memory: m}
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { f.run(ctx) })
		all.Go(func() {
			for ctx.Err() == nil {
				pause(400 * time.Millisecond)
				c := allChanges[rand.N(len(allChanges))]
				d.commit(c)
				f.put(func() { m.Changed(c) })
			}
		})
		var remembered, listed int
		all.Go(func() {
			for ctx.Err() == nil {
				pauses(20*time.Millisecond, 3*time.Second)
				if checkRow(t, m, d, rand.N(tokens)) {
					remembered++
				}
			}
		})
		for range 2 {
			all.Go(func() {
				for ctx.Err() == nil {
					pauses(50*time.Millisecond, 5*time.Second)
					checkRow(t, m, d, rand.N(tokens))
				}
			})
		}
		all.Go(func() {
			for ctx.Err() == nil {
				pauses(100*time.Millisecond, 5*time.Second)
				checkList(t, m, d)
				listed++
			}
		})
		time.Sleep(4 * time.Minute)
		stop()
		all.Wait()
		t.Logf("%d answers from memory, %d lists", remembered, listed)
		if remembered == 0 {
			t.Error("nothing was answered from memory")
		}
	})
}

// costOf is how many bytes the rows of these tokens take.
func costOf(t *testing.T, tokens ...int) int64 {
	t.Helper()
	m, d := New(plenty, false, statuslist.Config{}), newDatabase()
	for _, i := range tokens {
		_, _ = m.ReadRow(t.Context(), token.Hash{byte(i)}, func() (token.Identity, error) { return d.row(i), nil })
	}
	return m.rows.used
}

// checkRow asks about a token, and tells whether memory answered.
func checkRow(t *testing.T, m *Memory, d *database, i int) (remembered bool) {
	hash, came := token.Hash{byte(i)}, d.now()
	id, remembered := m.Row(hash)
	asOf := came - fresh.TrustFor
	if !remembered {
		asOf = came - 1
		id, _ = m.ReadRow(t.Context(), hash, func() (token.Identity, error) {
			pause(20 * time.Millisecond)
			row := d.row(i)
			pause(20 * time.Millisecond)
			return row, nil
		})
	}
	if id.Token == nil || id.Account == nil {
		t.Error("no row")
		return remembered
	}
	check := func(c token.Change, name string) {
		if got, err := strconv.Atoi(name); err != nil || got < d.version(c, asOf) {
			t.Errorf("at %v token %d has the version %q of %+v, want at least %d; from memory: %t",
				came, i, name, c, d.version(c, asOf), remembered)
		}
	}
	check(ofTokens[i], id.Token.Name)
	check(token.Change{Account: id.Account.ID}, id.Account.Name)
	if id.User != nil {
		check(ofUser, id.User.Name)
	}
	if id.Environment != nil {
		check(ofTest, id.Environment.Name)
	}
	return remembered
}

// checkList asks for the list: each token has one of the statuses that it had from just before the call to the answer.
func checkList(t *testing.T, m *Memory, d *database) {
	came := d.now()
	got, err := m.StatusList(t.Context(), 1)
	if err != nil {
		t.Error(err)
		return
	}
	for i := range tokens {
		had := false
		for v := d.version(ofTokens[i], came-fresh.TrustFor); v <= d.version(ofTokens[i], d.now()); v++ {
			had = had || got[i] == text(func(int) byte { return []byte{0, 2, 1}[v%len(states)] })[0]
		}
		if !had {
			t.Errorf("at %v token %d has the status %c", came, i, got[i])
		}
	}
}
