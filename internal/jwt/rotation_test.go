package jwt

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// operator has a key directory, what the database would say, and a clock that moves when it is told to.
type operator struct {
	Directory
	t      *testing.T
	at     time.Time
	signed expiries
}

// expiries are the last ones by key, and of tokens that note no key under "", by when they were created.
type expiries map[string]time.Time

// LastExpiry implements [Tokens].
func (e expiries) LastExpiry(_ context.Context, keyID string, since time.Time) (time.Time, error) {
	if unnoted := e[""]; !unnoted.Before(since) && unnoted.After(e[keyID]) {
		return unnoted, nil
	}
	return e[keyID], nil
}

// operate makes a directory with its first key, when testClaims are issued.
func operate(t *testing.T) *operator {
	t.Helper()
	o := &operator{t: t, at: testIssued, signed: expiries{}}
	o.Directory = Directory{
		Path: filepath.Join(t.TempDir(), "keys"), Tokens: o.signed, Now: func() time.Time { return o.at },
	}
	o.must(o.Create())
	return o
}

func (o *operator) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// early fails the test unless the change has to wait, and says so in one line.
func (o *operator) early(err error) {
	o.t.Helper()
	if !errors.Is(err, ErrEarly) || strings.Contains(err.Error(), "\n") {
		o.t.Fatalf("got %v, want %v", err, ErrEarly)
	}
}

func (o *operator) rotated(emergency bool) Rotation {
	o.t.Helper()
	done, err := o.Rotate(emergency)
	o.must(err)
	return done
}

// server opens the directory like a server.
func (o *operator) server() *Keys {
	o.t.Helper()
	keys, err := Open(o.Path, testIssuer)
	o.must(err)
	return keys
}

// states counts the keys by state.
func (o *operator) states() map[state]int {
	o.t.Helper()
	m, err := readManifest(o.Path)
	o.must(err)
	count := map[state]int{}
	for _, e := range m.Keys {
		count[e.State]++
	}
	return count
}

// sign is noted in the database.
func (o *operator) sign(keys *Keys) string {
	o.t.Helper()
	jwt, id, err := keys.Sign(testClaims)
	o.must(err)
	o.signed[id] = testClaims.ExpiresAt
	return jwt
}

func (o *operator) retire(id string, emergency bool) error {
	o.t.Helper()
	return o.Retire(o.t.Context(), id, emergency)
}

func verified(t *testing.T, keys *Keys, jwts ...string) {
	t.Helper()
	for i, jwt := range jwts {
		if err := keys.Verify(jwt); err != nil {
			t.Errorf("JWT %d: %v", i, err)
		}
	}
}

// TestRotationLife has two servers that never start again.
func TestRotationLife(t *testing.T) {
	o := operate(t)
	servers := []*Keys{o.server(), o.server()}
	reread := func() {
		t.Helper()
		for _, s := range servers {
			o.must(s.refresh())
		}
	}
	first := servers[0].Active()
	old := []string{o.sign(servers[0]), o.sign(servers[1])}

	prepared := o.rotated(false)
	if prepared.Retired != "" || prepared.Active != first || prepared.Next == "" || !prepared.Ready.After(o.at.Add(MaxAge)) {
		t.Errorf("the first rotation: %+v", prepared)
	}
	_, err := o.Rotate(false)
	o.early(err)
	o.at = o.at.Add(MaxAge)
	_, err = o.Rotate(false)
	o.early(err)
	reread()
	o.at = prepared.Ready
	rotated := o.rotated(false)
	if rotated.Active != prepared.Next || rotated.Retired != first || rotated.Next == prepared.Next {
		t.Errorf("the second rotation: %+v after %+v", rotated, prepared)
	}

	reread1 := o.sign(servers[1]) // a server that has not looked yet signs with the old key
	o.must(servers[0].refresh())
	fresh := o.sign(servers[0])
	verified(t, servers[1], fresh, reread1)
	reread()
	if got := servers[1].Active(); got != prepared.Next {
		t.Errorf("%s signs, want %s", got, prepared.Next)
	}
	for _, s := range servers {
		verified(t, s, append(old, fresh, reread1, o.sign(s))...)
		if got := len(s.Public().Keys); got != 3 {
			t.Errorf("%d keys are published, want retired, active and next", got)
		}
	}

	o.early(o.retire(first, false))
	o.at = testClaims.ExpiresAt
	o.early(o.retire(first, false))
	o.at = testClaims.ExpiresAt.Add(margin)
	o.must(o.retire(first, false))
	reread()
	for _, s := range servers {
		refused(t, s, old[0])
		verified(t, s, fresh)
	}
	if _, err := os.Stat(filepath.Join(o.Path, first+keySuffix)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key file was left: %v", err)
	}
}

// TestRotateInterrupted ends the process before the one step that counts, with what may be left then.
func TestRotateInterrupted(t *testing.T) {
	o := operate(t)
	running := o.server()
	old := o.sign(running)
	prepared := o.rotated(false)
	o.must(running.refresh())
	before, err := os.ReadFile(filepath.Join(o.Path, manifestName))
	o.must(err)
	o.at = prepared.Ready
	o.must(o.add(&manifest{}, next))
	put(t, filepath.Join(o.Path, ".tmp-1"), before[:len(before)/2], 0o600)
	for _, s := range []*Keys{running, o.server()} {
		o.must(s.refresh())
		if s.Active() != prepared.Active || len(s.Public().Keys) != 2 {
			t.Errorf("%s signs, want %s of 2 keys", s.Active(), prepared.Active)
		}
		verified(t, s, old)
	}
	done := o.rotated(false)
	if done.Active != prepared.Next || done.Retired != prepared.Active || done.Next == prepared.Next {
		t.Errorf("rotated: %+v", done)
	}
	o.must(running.refresh())
	verified(t, running, old, o.sign(o.server()))
	if want := (map[state]int{active: 1, next: 1, retired: 1}); !maps.Equal(o.states(), want) {
		t.Errorf("keys %v, want %v", o.states(), want)
	}
}

// TestRotateFails: a manifest that cannot be written leaves all as it was.
func TestRotateFails(t *testing.T) {
	o := operate(t)
	prepared := o.rotated(false)
	o.at = prepared.Ready
	err := o.change(func(m *manifest) error {
		if _, err := m.succeed(o.at, false); err != nil {
			return err
		}
		m.Keys[0].Changed = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // which JSON cannot say
		return nil
	})
	if err == nil {
		t.Fatal("written")
	}
	if keys := o.server(); keys.Active() != prepared.Active {
		t.Errorf("%s signs, want %s", keys.Active(), prepared.Active)
	}
	if got := o.rotated(false); got.Active != prepared.Next {
		t.Errorf("rotated: %+v", got)
	}
}

// TestRotateTogether: of many that are ready for the same change, one makes it.
func TestRotateTogether(t *testing.T) {
	o := operate(t)
	o.at = o.rotated(false).Ready
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := o.Rotate(false); err == nil {
				made.Add(1)
			} else if !errors.Is(err, ErrEarly) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if want := (map[state]int{active: 1, next: 1, retired: 1}); made.Load() != 1 || !maps.Equal(o.states(), want) {
		t.Errorf("%d rotations left %v", made.Load(), o.states())
	}
}

// TestReadersDuringRotations: a reader never sees anything that is not usable, even while keys are removed.
func TestReadersDuringRotations(t *testing.T) {
	o := operate(t)
	servers := []*Keys{o.server(), o.server(), o.server()}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := s.refresh(); err != nil {
					t.Errorf("a reader: %v", err)
				}
				if err := s.Verify(sign(t, s)); err != nil {
					t.Errorf("a reader: %v", err)
				}
			}
		})
	}
	for range 10 {
		o.must(o.retire(o.rotated(true).Retired, true))
		o.rotated(true)
	}
	close(done)
	wg.Wait()
	last := o.server()
	for _, s := range servers {
		o.must(s.refresh())
		verified(t, last, o.sign(s))
		verified(t, s, o.sign(last))
	}
	if got := len(last.Public().Keys); got != 12 {
		t.Errorf("%d keys, want 12", got)
	}
}

// TestEmergency switches at once, with and without a next key, and takes the old key away.
func TestEmergency(t *testing.T) {
	for _, prepared := range []bool{false, true} {
		o := operate(t)
		keys, slow := o.server(), o.server()
		first, old := keys.Active(), o.sign(keys)
		if prepared {
			o.rotated(false)
		}
		done := o.rotated(true)
		if done.Retired != first || done.Active == first || done.Next == "" {
			t.Errorf("rotated: %+v", done)
		}
		o.must(keys.refresh())
		fresh := o.sign(keys)
		refused(t, slow, fresh)
		slow.spare.Store(true) // as Watch does
		verified(t, slow, fresh, old)

		o.early(o.retire(first, false))
		o.must(o.retire(first, true))
		o.must(keys.refresh())
		refused(t, keys, old)
		verified(t, keys, fresh)
	}
}

// TestUnknownKeysDoNotReadAtWill: ids that are made up cost at most one look at the directory between two of Watch.
func TestUnknownKeysDoNotReadAtWill(t *testing.T) {
	o := operate(t)
	keys := o.server()
	keys.spare.Store(true)
	if keys.byID("made up") != nil || keys.spare.Load() {
		t.Error("the look was not taken")
	}
	id := o.rotated(false).Next
	if keys.byID(id) != nil {
		t.Error("the directory was read again")
	}
	keys.spare.Store(true)
	if keys.byID(id) == nil {
		t.Error("the directory was not read again")
	}
}

func TestRetireRefuses(t *testing.T) {
	o := operate(t)
	o.rotated(false)
	infos, err := o.List(t.Context())
	o.must(err)
	for _, id := range []string{infos[0].ID, infos[1].ID, "", "nobody", "../" + infos[0].ID} {
		if err := o.retire(id, true); err == nil || errors.Is(err, ErrEarly) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if want := (map[state]int{active: 1, next: 1}); !maps.Equal(o.states(), want) {
		t.Errorf("files %v, want %v", o.states(), want)
	}
	if err := (Directory{Path: o.Path + "-not"}).Retire(t.Context(), "x", false); err == nil {
		t.Error("retired where nothing is")
	}
}

// TestRetireNeverUsed: a key that signed no token waits for the servers that may still sign with it, and for the status
// lists that it may have signed.
func TestRetireNeverUsed(t *testing.T) {
	o := operate(t)
	id := o.rotated(true).Retired
	o.early(o.retire(id, false))
	o.at = o.at.Add(maxListLife)
	o.early(o.retire(id, false))
	o.at = o.at.Add(margin + time.Second)
	o.must(o.retire(id, false))
}

// TestRetireAsksForUnnoted: tokens of which it was not noted who signed them count for each key that is old enough.
func TestRetireAsksForUnnoted(t *testing.T) {
	o := operate(t)
	id := o.rotated(true).Retired
	o.signed[""] = testClaims.ExpiresAt
	o.at = testClaims.ExpiresAt
	o.early(o.retire(id, false))
	o.at = o.at.Add(margin)
	o.must(o.retire(id, false))
}

// TestRetireNeedsAnAnswer: nothing is removed while the database does not say what was signed.
func TestRetireNeedsAnAnswer(t *testing.T) {
	o := operate(t)
	id := o.rotated(true).Retired
	o.at = o.at.AddDate(1, 0, 0)
	o.Tokens = away{}
	if err := o.retire(id, false); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	if _, err := o.List(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	verifies := o.server().ring().byID(id)
	if verifies == nil {
		t.Error("the key is gone")
	}
	o.must(o.retire(id, true))
}

var errAway = errors.New("away")

type away struct{}

func (away) LastExpiry(context.Context, string, time.Time) (time.Time, error) {
	return time.Time{}, errAway
}

// TestRetireWithoutRecords: a key from elsewhere may have signed anything.
func TestRetireWithoutRecords(t *testing.T) {
	o := operate(t)
	id := o.rotated(true).Retired
	rewrite(t, o.Path, func(m *manifest) {
		for i := range m.Keys {
			m.Keys[i].Created = time.Time{}
		}
	})
	o.at = o.at.AddDate(100, 0, 0)
	if err := o.retire(id, false); err == nil || !strings.Contains(err.Error(), "there is no record") {
		t.Errorf("got %v", err)
	}
	o.must(o.retire(id, true))
}

func TestList(t *testing.T) {
	o := operate(t)
	start := o.at.Add(time.Second).Truncate(time.Second)
	jwt := o.sign(o.server())
	prepared := o.rotated(false)
	o.at = prepared.Ready
	o.rotated(false)
	verified(t, o.server(), jwt)
	infos, err := o.List(t.Context())
	o.must(err)
	if len(infos) != 3 || infos[0].State != "active" {
		t.Fatalf("listed %+v", infos)
	}
	for _, i := range infos {
		want := Info{Entry: Entry{
			ID: i.ID, File: i.ID + keySuffix, State: i.State, Created: start, Published: start, Changed: prepared.Ready,
		}}
		switch i.State {
		case "next":
			want.Created, want.Published, want.Ready = o.at, o.at, o.at.Add(MaxAge+margin)
		case "retired":
			want.Until = testClaims.ExpiresAt
		}
		if i != want {
			t.Errorf("listed %+v, want %+v", i, want)
		}
	}
}

// TestListWithoutADatabase tells all but what the keys have signed.
func TestListWithoutADatabase(t *testing.T) {
	o := operate(t)
	o.sign(o.server())
	o.Tokens = nil
	infos, err := o.List(t.Context())
	o.must(err)
	if len(infos) != 1 || !infos[0].Until.IsZero() || infos[0].Created.IsZero() {
		t.Errorf("listed %+v", infos)
	}
}

// TestSignWithoutTheKey: a key that has been retired since, which a server sees at its next look, still signs. One
// whose file is gone does not, and that may pass.
func TestSignWithoutTheKey(t *testing.T) {
	o := operate(t)
	keys := o.server()
	old := o.rotated(true).Retired
	if _, id, err := keys.Sign(testClaims); err != nil || id != old {
		t.Errorf("signed by %s, want %s: %v", id, old, err)
	}
	o.must(o.retire(old, true))
	jwt, id, err := keys.Sign(testClaims)
	o.must(err)
	if id != o.server().Active() {
		t.Errorf("signed by %s, want the active key", id)
	}
	verified(t, o.server(), jwt)
	moved := o.Path + "-away"
	rename(t, o.Path, moved)
	for _, put := range []func() error{
		func() error { return nil },
		func() error { return os.Mkdir(o.Path, 0o700) },
	} {
		o.must(put())
		if jwt, _, err := keys.Sign(testClaims); !errors.Is(err, token.Unavailable) {
			t.Errorf("signed %s: %v", jwt, err)
		}
	}
	o.must(os.Remove(o.Path))
	rename(t, moved, o.Path)
	verified(t, o.server(), sign(t, keys))
}

func TestStatusListOutlivesNoKey(t *testing.T) {
	keys := testKeys(t)
	c := token.StatusClaims{List: 1, IssuedAt: testIssued, ExpiresAt: testIssued.Add(maxListLife), Bits: 2}
	if _, err := keys.SignStatusList(c); err != nil {
		t.Error(err)
	}
	c.ExpiresAt = c.ExpiresAt.Add(time.Second)
	if _, err := keys.SignStatusList(c); err == nil {
		t.Error("signed a list that outlives the key")
	}
}
