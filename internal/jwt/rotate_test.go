package jwt

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// operator has a key directory and a clock that moves when it is told to.
type operator struct {
	Directory
	t  *testing.T
	at time.Time
}

// operate makes a directory with its first key, when testClaims are issued.
func operate(t *testing.T) *operator {
	t.Helper()
	o := &operator{t: t, at: testIssued}
	o.Directory = Directory{Path: filepath.Join(t.TempDir(), "keys"), Now: func() time.Time { return o.at }}
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

// files counts the key files by state.
func (o *operator) files() map[state]int {
	o.t.Helper()
	l, err := list(o.Path)
	o.must(err)
	count := map[state]int{}
	for _, name := range l.keys {
		_, st, err := parseName(name)
		o.must(err)
		count[st]++
	}
	return count
}

func (o *operator) signed(keys *Keys) string {
	o.t.Helper()
	return sign(o.t, keys)
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
	old := []string{o.signed(servers[0]), o.signed(servers[1])}

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

	reread1 := o.signed(servers[1]) // a server that has not looked yet signs with the old key
	o.must(servers[0].refresh())
	fresh := o.signed(servers[0])
	verified(t, servers[1], fresh, reread1)
	reread()
	if got := servers[1].Active(); got != prepared.Next {
		t.Errorf("%s signs, want %s", got, prepared.Next)
	}
	for _, s := range servers {
		verified(t, s, append(old, fresh, reread1, o.signed(s))...)
		if got := len(s.Public().Keys); got != 3 {
			t.Errorf("%d keys are published, want retired, active and next", got)
		}
	}

	o.early(o.Retire(first, false))
	o.at = testClaims.ExpiresAt
	o.early(o.Retire(first, false))
	o.at = horizon(testIssued, testClaims.ExpiresAt).Add(margin)
	o.must(o.Retire(first, false))
	reread()
	for _, s := range servers {
		refused(t, s, old[0])
		verified(t, s, fresh)
	}
	if l, err := list(o.Path); err != nil || len(l.known[first]) > 0 {
		t.Errorf("records were left: %v, %v", l.known[first], err)
	}
}

// TestRotateInterrupted ends the process after each step.
func TestRotateInterrupted(t *testing.T) {
	for done := range 7 {
		t.Run(fmt.Sprint(done, " steps"), func(t *testing.T) {
			o := operate(t)
			running := o.server()
			old := o.signed(running)
			o.at = o.rotated(false).Ready
			r, err := load(o.Path)
			o.must(err)
			steps := o.steps(r.active, r.heir())
			if len(steps) != 6 {
				t.Fatalf("%d steps", len(steps))
			}
			for _, step := range steps[:done] {
				o.must(step())
			}
			started := o.server()
			o.must(running.refresh())
			if running.Active() != started.Active() {
				t.Errorf("one server signs with %s, another with %s", running.Active(), started.Active())
			}
			want := r.active.id
			if done >= 2 {
				want = r.heir().id
			}
			if started.Active() != want {
				t.Errorf("%s signs, want %s", started.Active(), want)
			}
			verified(t, started, old, o.signed(running))
			verified(t, running, old, o.signed(started))
			o.finish(r)
		})
	}
}

// finish rotates once more and holds what must be true then, whatever was done of the rotation before.
func (o *operator) finish(before *ring) {
	o.t.Helper()
	_, err := o.Rotate(false)
	if err != nil {
		o.early(err) // the rotation was complete
	}
	keys := o.server()
	if want := (map[state]int{active: 1, next: 1, retired: 1}); !maps.Equal(o.files(), want) {
		o.t.Errorf("files %v, want %v", o.files(), want)
	}
	if keys.Active() != before.heir().id || keys.ring().left != nil {
		o.t.Errorf("%s signs, want %s", keys.Active(), before.heir().id)
	}
	if k := keys.ring().byID(before.active.id); k == nil || k.state != retired {
		o.t.Errorf("the old key is %v", k)
	}
	_, err = o.Rotate(false)
	o.early(err)
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
	if want := (map[state]int{active: 1, next: 1, retired: 1}); made.Load() != 1 || !maps.Equal(o.files(), want) {
		t.Errorf("%d rotations left %v", made.Load(), o.files())
	}
}

// TestReadersDuringRotations: a reader may have to try again, but never sees anything that is not usable.
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
				if err := s.refresh(); err != nil && !errors.Is(err, errUnsteady) {
					t.Errorf("a reader: %v", err)
				}
				if err := s.Verify(sign(t, s)); err != nil {
					t.Errorf("a reader: %v", err)
				}
			}
		})
	}
	for range 10 {
		o.rotated(true)
	}
	close(done)
	wg.Wait()
	last := o.server()
	for _, s := range servers {
		o.must(s.refresh())
		verified(t, last, o.signed(s))
		verified(t, s, o.signed(last))
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
		first, old := keys.Active(), o.signed(keys)
		if prepared {
			o.rotated(false)
		}
		done := o.rotated(true)
		if done.Retired != first || done.Active == first || done.Next == "" {
			t.Errorf("rotated: %+v", done)
		}
		o.must(keys.refresh())
		fresh := o.signed(keys)
		refused(t, slow, fresh)
		slow.spare.Store(true) // as Watch does
		verified(t, slow, fresh, old)

		o.early(o.Retire(first, false))
		o.must(o.Retire(first, true))
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
	infos, err := o.List()
	o.must(err)
	for _, id := range []string{infos[0].ID, infos[1].ID, "", "nobody", "../" + infos[0].ID} {
		if err := o.Retire(id, true); err == nil || errors.Is(err, ErrEarly) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if want := (map[state]int{active: 1, next: 1}); !maps.Equal(o.files(), want) {
		t.Errorf("files %v, want %v", o.files(), want)
	}
	if err := (Directory{Path: o.Path + "-not"}).Retire("x", false); err == nil {
		t.Error("retired where nothing is")
	}
}

// TestRetireNeverUsed: a key that signed nothing only waits for the servers that may still sign with it.
func TestRetireNeverUsed(t *testing.T) {
	o := operate(t)
	id := o.rotated(true).Retired
	o.early(o.Retire(id, false))
	o.at = o.at.Add(margin + time.Second)
	o.must(o.Retire(id, false))
}

// TestRetireWithoutRecords: a key from elsewhere may have signed anything.
func TestRetireWithoutRecords(t *testing.T) {
	o := operate(t)
	id := o.rotated(true).Retired
	o.must(forget(o.Path, id))
	o.at = o.at.AddDate(100, 0, 0)
	if err := o.Retire(id, false); err == nil || !strings.Contains(err.Error(), "nothing is recorded") {
		t.Errorf("got %v", err)
	}
	o.must(o.Retire(id, true))
}

// TestRetiredByHand counts from when it is noticed.
func TestRetiredByHand(t *testing.T) {
	o := operate(t)
	id := o.server().Active()
	o.rotated(false)
	r, err := load(o.Path)
	o.must(err)
	o.must(o.move(r.heir(), active))
	if _, err := load(o.Path); err == nil || !strings.Contains(err.Error(), "two active keys") {
		t.Errorf("two active keys without a record: %v", err)
	}
	o.must(o.move(r.active, retired))
	o.at = o.at.Add(time.Hour)
	o.early(o.Retire(id, false))
	o.at = o.at.Add(margin + time.Second)
	o.must(o.Retire(id, false))
}

// TestPublishingIsRecorded: a next key without a record, as one that was copied, waits from when it is noticed.
func TestPublishingIsRecorded(t *testing.T) {
	o := operate(t)
	o.must(forget(o.Path, o.rotated(false).Next))
	o.at = o.at.Add(time.Hour)
	_, err := o.Rotate(false)
	o.early(err)
	o.at = o.at.Add(MaxAge + margin + time.Second)
	if done := o.rotated(false); done.Retired == "" {
		t.Errorf("rotated: %+v", done)
	}
}

func TestList(t *testing.T) {
	o := operate(t)
	start := o.at.Add(time.Second).Truncate(time.Second)
	jwt := o.signed(o.server())
	prepared := o.rotated(false)
	o.at = prepared.Ready
	o.rotated(false)
	verified(t, o.server(), jwt)
	infos, err := o.List()
	o.must(err)
	if len(infos) != 3 || infos[0].State != "active" {
		t.Fatalf("listed %+v", infos)
	}
	for _, i := range infos {
		want := Info{ID: i.ID, State: i.State, Created: start, Published: start, Changed: prepared.Ready}
		switch i.State {
		case "next":
			want.Created, want.Published, want.Ready = o.at, o.at, o.at.Add(MaxAge+margin)
		case "retired":
			want.Until = horizon(testIssued, testClaims.ExpiresAt)
		}
		if i != want {
			t.Errorf("listed %+v, want %+v", i, want)
		}
	}
}

// TestPromise: the latest expiry is on disk before a signature, and rarely written.
func TestPromise(t *testing.T) {
	o := operate(t)
	keys := o.server()
	o.signed(keys)
	end := horizon(testIssued, testClaims.ExpiresAt)
	l, err := list(o.Path)
	o.must(err)
	if got := l.known[keys.Active()][until]; got.Before(testClaims.ExpiresAt) || !got.Equal(end) {
		t.Errorf("recorded %s for %s", got, testClaims.ExpiresAt)
	}
	entries := len(l.all)
	c := testClaims
	for c.ExpiresAt.Before(end) {
		_, _, err := keys.Sign(c)
		o.must(err)
		c.ExpiresAt = c.ExpiresAt.Add(12 * time.Hour)
	}
	if l, err = list(o.Path); err != nil || len(l.all) != entries {
		t.Errorf("%d names, want %d: %v", len(l.all), entries, err)
	}
	moved := o.Path + "-away"
	rename(t, o.Path, moved)
	o.signed(keys) // recorded before
	if _, _, err := o.server2(moved).Sign(testClaims); err != nil {
		t.Errorf("another server did not find the record: %v", err)
	}
	c.ExpiresAt = end.Add(time.Second)
	if jwt, _, err := keys.Sign(c); err == nil {
		t.Errorf("signed %s without a record", jwt)
	}
}

// TestPromiseOfAKey that has been retired since, which a server sees at its next look, is kept. That of one that is gone is not.
func TestPromiseOfAKey(t *testing.T) {
	o := operate(t)
	keys := o.server()
	retired := o.rotated(true).Retired
	o.signed(keys)
	if got := o.server().ring().known[retired][until]; got.IsZero() {
		t.Error("nothing is recorded of the retired key")
	}
	for _, name := range o.server().ring().names {
		o.must(os.Remove(filepath.Join(o.Path, name)))
	}
	before, err := os.ReadDir(o.Path)
	o.must(err)
	c := testClaims
	c.ExpiresAt = c.ExpiresAt.AddDate(1, 0, 0)
	if jwt, _, err := keys.Sign(c); !errors.Is(err, token.Unavailable) {
		t.Errorf("signed %s: %v", jwt, err)
	}
	after, err := os.ReadDir(o.Path)
	o.must(err)
	if len(after) != len(before) {
		t.Errorf("%d names, want %d", len(after), len(before))
	}
}

// server2 opens a directory that cannot be written any more.
func (o *operator) server2(dir string) *Keys {
	o.t.Helper()
	keys, err := Open(dir, testIssuer)
	o.must(err)
	keys.dir = filepath.Join(dir, "nowhere")
	return keys
}

func TestHorizon(t *testing.T) {
	const day = 24 * time.Hour
	names := map[string]bool{}
	for days := 0; days < 2_900_000; days += 1 + days/1000 {
		expires := testIssued.AddDate(0, 0, days).Add(time.Hour)
		got := horizon(testIssued, expires)
		if got.After(lastRecord) || got.Before(expires) || got.Sub(expires) > max(day, expires.Sub(testIssued)/16) {
			t.Fatalf("%s became %s", expires, got)
		}
		names[got.Format(recordTime)] = true
	}
	if len(names) > 1000 {
		t.Errorf("%d records", len(names))
	}
}

// TestStrangeRecords are left alone.
func TestStrangeRecords(t *testing.T) {
	o := operate(t)
	id := o.server().Active()
	for _, name := range []string{"x.at", ".at", id + ".until.tomorrow.at", id + ".loved.20260101T000000Z.at", id + ".until.at", "a.b.c.d.at"} {
		o.must(os.WriteFile(filepath.Join(o.Path, name), nil, 0o600))
	}
	keys := o.server()
	if got := keys.ring().known[id]; !got[until].IsZero() || got[created].IsZero() {
		t.Errorf("records %v", got)
	}
	if names := keys.ring().names; !slices.Equal(names, []string{id + ".active.pem"}) {
		t.Errorf("keys %v", names)
	}
}
