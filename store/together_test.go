package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// waiting has the line's connections in use until everybody waits, so that they go together.
type waiting struct {
	t     *testing.T
	line  *line
	class class
	leave []func()
	all   sync.WaitGroup
}

func occupy(t *testing.T, l *line, connections int, c class) *waiting {
	t.Helper()
	w := &waiting{t: t, line: l, class: c}
	for range connections {
		leave, err := l.enter(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w.leave = append(w.leave, leave)
	}
	return w
}

// abreast is how many transactions there are at the same time, for changes or for those that take rights away.
func abreast(d *DB) int {
	if d.Shared() {
		return leaders
	}
	return 1
}

func lookingAbreast(d *DB) int {
	if d.Shared() {
		return leaders
	}
	return sqliteReaders
}

// add returns when the function waits.
func (w *waiting) add(fn func()) {
	before := w.line.waitingIn(w.class)
	w.all.Go(fn)
	for w.line.waitingIn(w.class) == before {
		time.Sleep(time.Millisecond)
	}
}

// let frees one connection, waits for all, and frees the others.
func (w *waiting) let() {
	w.leave[0]()
	w.all.Wait()
	for _, leave := range w.leave[1:] {
		leave()
	}
}

// together opens each kind of database, with a user and a token of it.
func together(t *testing.T, run func(t *testing.T, d *DB, owner token.Token)) {
	for name, url := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"), "postgres": pgtest.URL(t),
	} {
		t.Run(name, func(t *testing.T) {
			d := filled(t, url, 8)
			row, err := byKey[tokenRow](d.reader.WithContext(t.Context()), 1)
			if err != nil {
				t.Fatal(err)
			}
			owner, err := row.token(d.dialects)
			if err != nil {
				t.Fatal(err)
			}
			run(t, d, owner)
		})
	}
}

// named is a create for the owner that nothing refuses.
func named(owner token.Token, name string) token.Insert {
	in := token.Insert{Token: owner, Decide: func(*token.Token, token.Facts) error { return nil }}
	in.Token.Name, in.Token.ID = name, "id "+name
	in.Token.Hash = token.HashSecret(name)
	in.Permit = token.Permit{Token: owner.Seq, UserID: owner.UserID, Judge: func(id token.Identity) error {
		if id.Token == nil || id.Token.State != token.Active {
			return token.Errorf(token.CredentialInvalid, "gone")
		}
		return nil
	}}
	return in
}

// holds fails the test unless exactly these names are stored, of tokens that named made.
func holds(t *testing.T, d *DB, names ...string) {
	t.Helper()
	var got []string
	err := d.reader.WithContext(t.Context()).Model(&tokenRow{}).Where("name <> ''").Order("name").Pluck("name", &got).Error
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("stored are %q, %v, want %q", got, err, names)
	}
}

// TestChangesGoTogether: forty who wait are one commit, and each gets its own token.
func TestChangesGoTogether(t *testing.T) {
	together(t, func(t *testing.T, d *DB, owner token.Token) {
		w, before := occupy(t, d.changes.line, abreast(d), common), d.commits.Load()
		made := make([]token.Token, 40)
		names := make([]string, len(made))
		for i := range made {
			names[i] = fmt.Sprintf("name %02d", i)
			w.add(func() {
				var err error
				if made[i], err = d.Create(as(t.Context(), int64(i%3+1), int64(i)), named(owner, names[i])); err != nil {
					t.Error(err)
				}
			})
		}
		w.let()
		if commits := d.commits.Load() - before; commits != 1 {
			t.Errorf("%d commits", commits)
		}
		holds(t, d, names...)
		for i, m := range made {
			if found, err := d.Find(t.Context(), m.Ref()); err != nil || found != m || m.Name != names[i] {
				t.Errorf("made %+v, found %+v, %v", m, found, err)
			}
		}
	})
}

// TestEachFailsAlone: what is wrong with one change is nobody else's matter.
func TestEachFailsAlone(t *testing.T) {
	together(t, func(t *testing.T, d *DB, owner token.Token) {
		w := occupy(t, d.changes.line, abreast(d), nobodys)
		left, leave := context.WithCancel(t.Context())
		refusal := token.Errorf(token.LimitReached, "enough")
		for _, c := range []struct {
			name   string
			ctx    context.Context
			change func(*token.Insert)
			want   error
		}{
			{"a", t.Context(), func(*token.Insert) {}, nil},
			{"b", t.Context(), func(in *token.Insert) { in.Token.Hash = owner.Hash }, token.NameTaken},
			{"c", t.Context(), func(in *token.Insert) { in.Decide = func(*token.Token, token.Facts) error { return refusal } }, refusal},
			{"d", left, func(*token.Insert) {}, token.Canceled},
			{"e", t.Context(), func(in *token.Insert) { in.Token.UserID = 99 }, token.Internal},
			{"f", t.Context(), func(in *token.Insert) { in.Permit.Token = 99 }, token.CredentialInvalid},
			{"g", t.Context(), func(in *token.Insert) { in.Exclusive = true }, nil},
			{"h", t.Context(), func(in *token.Insert) { in.Exclusive = true }, nil},
			{"i", t.Context(), func(*token.Insert) {}, nil},
		} {
			w.add(func() {
				in := named(owner, c.name)
				c.change(&in)
				_, err := d.Create(c.ctx, in)
				if kind, ok := c.want.(token.Kind); ok && token.KindOf(err) != kind || !ok && !errors.Is(err, c.want) {
					t.Errorf("%s: %v, want %v", c.name, err, c.want)
				}
			})
		}
		w.add(func() {
			defer func() {
				if p := recover(); p != "on purpose" {
					t.Errorf("the panic is %v", p)
				}
			}()
			in := named(owner, "j")
			in.Decide = func(*token.Token, token.Facts) error { panic("on purpose") }
			_, _ = d.Create(t.Context(), in)
		})
		leave()
		for w.line.waitingIn(nobodys) > 9 { // of ten
			time.Sleep(time.Millisecond)
		}
		w.let()
		holds(t, d, "a", "g", "h", "i")
	})
}

// TestWhoLeavesDuringATransaction: the others of the same transaction do not notice, whoever began it.
func TestWhoLeavesDuringATransaction(t *testing.T) {
	together(t, func(t *testing.T, d *DB, owner token.Token) {
		for _, leaver := range []string{"0", "1", "2"} {
			w := occupy(t, d.changes.line, abreast(d), nobodys)
			leaving, leave := context.WithCancel(t.Context())
			defer leave()
			for i := range 3 {
				name := fmt.Sprint(i)
				in, ctx := named(owner, leaver+" leaves, "+name), t.Context()
				if name == leaver {
					ctx = leaving
				}
				in.Decide = func(*token.Token, token.Facts) error {
					leave()
					return nil
				}
				w.add(func() {
					if _, err := d.Create(ctx, in); (token.KindOf(err) == token.Canceled) != (name == leaver) {
						t.Errorf("%s leaves, %s gets %v", leaver, name, err)
					}
				})
			}
			w.let()
		}
		holds(t, d, "0 leaves, 1", "0 leaves, 2", "1 leaves, 0", "1 leaves, 2", "2 leaves, 0", "2 leaves, 1")
	})
}

// TestWhoLeavesHearsTheOutcome: whoever leaves while a change is on its way comes back when it is certain what became of
// it. Before that, memory could be told too early to forget what the change concerns, and keep it then.
func TestWhoLeavesHearsTheOutcome(t *testing.T) {
	together(t, func(t *testing.T, d *DB, owner token.Token) {
		first, err := d.Create(t.Context(), named(owner, "first"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := d.Create(t.Context(), named(owner, "second"))
		if err != nil {
			t.Fatal(err)
		}
		w := occupy(t, d.revokes.line, abreast(d), revoking)
		leaving, leave := context.WithCancel(t.Context())
		left, state := make(chan struct{}), token.State("")
		w.add(func() {
			_, _ = d.Update(leaving, token.Permit{Urgent: true}, first.Ref(), revoke)
			found, err := d.Find(t.Context(), first.Ref())
			if state = found.State; err != nil {
				t.Error(err)
			}
			close(left)
		})
		w.add(func() {
			_, err := d.Update(t.Context(), token.Permit{Urgent: true}, second.Ref(), func(x *token.Token) error {
				leave()
				select { // it may come back before the commit
				case <-left:
				case <-time.After(200 * time.Millisecond):
				}
				return revoke(x)
			})
			if err != nil {
				t.Error(err)
			}
		})
		w.let()
		<-left
		if found, err := d.Find(t.Context(), first.Ref()); err != nil || found.State != state {
			t.Errorf("the token was %s when its caller came back, and is %s, %v", state, found.State, err)
		}
	})
}

func revoke(t *token.Token) error {
	t.State = token.Revoked
	return nil
}

// TestRevokesGoTogether: one commit for all, and none is behind a create.
func TestRevokesGoTogether(t *testing.T) {
	together(t, func(t *testing.T, d *DB, owner token.Token) {
		made := make([]token.Token, 20)
		for i := range made {
			var err error
			if made[i], err = d.Create(t.Context(), named(owner, fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		w, before := occupy(t, d.revokes.line, abreast(d), revoking), d.commits.Load()
		for _, m := range made {
			w.add(func() {
				_, err := d.Update(t.Context(), token.Permit{Urgent: true}, m.Ref(), func(t *token.Token) error {
					t.State = token.Revoked
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		w.let()
		if commits := d.commits.Load() - before; commits != 1 {
			t.Errorf("%d commits", commits)
		}
		for _, m := range made {
			if found, err := d.Find(t.Context(), m.Ref()); err != nil || found.State != token.Revoked {
				t.Errorf("%v is %s, %v", m.Ref(), found.State, err)
			}
		}
	})
}

// TestHeldGuardsHoldUpNobodyElse: who has to wait for another transaction leaves the others.
func TestHeldGuardsHoldUpNobodyElse(t *testing.T) {
	d := filled(t, pgtest.URL(t), 16)
	owners := make([]token.Token, 2)
	for i, seq := range []int64{1, 9} { // of two users
		row, err := byKey[tokenRow](d.reader.WithContext(t.Context()), seq)
		if err != nil {
			t.Fatal(err)
		}
		if owners[i], err = row.token(d.dialects); err != nil {
			t.Fatal(err)
		}
	}
	held, let := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		err := d.writer.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
			err := d.take(tx, guard{kind: guardedUser, key: owners[0].UserID, alone: true})
			close(held)
			<-let
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	w := occupy(t, d.changes.line, abreast(d), nobodys)
	done := make(chan string, 2)
	for i, owner := range owners {
		w.add(func() {
			if _, err := d.Create(t.Context(), named(owner, fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
			done <- fmt.Sprint(i)
		})
	}
	w.leave[0]()
	if first := <-done; first != "1" {
		t.Errorf("%s did not wait", first)
	}
	close(let)
	if second := <-done; second != "0" {
		t.Errorf("%s came twice", second)
	}
	w.all.Wait()
	holder.Wait()
	w.leave[1]()
	holds(t, d, "0", "1")
}

// TestLookUpsGoTogether: what waits is read together, and each caller gets its own row, or none.
func TestLookUpsGoTogether(t *testing.T) {
	together(t, func(t *testing.T, d *DB, _ token.Token) {
		w := occupy(t, d.lookups.line, lookingAbreast(d), nobodys)
		for i := range 16 {
			w.add(func() {
				row := fillerRow(i)
				id, err := d.FindSecret(t.Context(), token.Hash(row.SecretHash))
				switch {
				case i < 8 && (err != nil || id.Token.ID != *row.PublicID):
					t.Errorf("%d: %+v, %v", i, id.Token, err)
				case i >= 8 && token.KindOf(err) != token.NotFound:
					t.Errorf("%d: %+v, %v, want none", i, id.Token, err)
				}
			})
		}
		w.let()
	})
}

// TestQuestionsGoTogether: lists and rows that callers wait for are read together. A row that one of them cannot read is
// nobody else's matter, nor is a statement that fails.
func TestQuestionsGoTogether(t *testing.T) {
	together(t, func(t *testing.T, d *DB, owner token.Token) {
		line := d.reading // of SQLite, where there is no round trip to share
		if d.Shared() {
			line = d.questions.line
		}
		w := occupy(t, line, lookingAbreast(d), nobodys)
		for i := range 4 {
			w.add(func() {
				found, err := d.Find(t.Context(), token.Ref{Dialect: token.Muninx, ID: *fillerRow(4 * i).PublicID})
				if missing := i >= 2; missing != (token.KindOf(err) == token.NotFound) || !missing && found.ID == "" {
					t.Errorf("%d: %+v, %v", i, found, err)
				}
			})
			w.add(func() {
				page, err := d.List(t.Context(), token.Query{UserID: owner.UserID, Limit: 1 + i})
				if err != nil || len(page) != min(1+i, 2) { // which is how many the owner has
					t.Errorf("%d: %d tokens, %v", i, len(page), err)
				}
			})
		}
		bad := errors.New("bad")
		for name, s := range map[string]statement{
			"its row":       {"SELECT 1", nil, func(columns) error { return bad }},
			"its statement": {"SELECT abs(-9223372036854775807 - i) FROM (SELECT 1 AS i) AS t", nil, func(columns) error { return nil }},
		} {
			w.add(func() {
				if err := d.ask(t.Context(), func() []statement { return []statement{s} }); err == nil {
					t.Errorf("%s: no error", name)
				}
			})
		}
		w.let()
	})
}

// TestChangesDoNotDeadlock changes the same few tokens from many callers, with and without taking rights away, while times
// of use are stored: nobody waits for somebody who waits for them.
func TestChangesDoNotDeadlock(t *testing.T) {
	d := filled(t, pgtest.URL(t), 64)
	deadlocks := func() (n int64) {
		Exec(t, d, "SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
		query := "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
		if err := d.writer.WithContext(t.Context()).Raw(query).Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	uses := map[int64]time.Time{}
	for seq := range int64(64) {
		uses[seq+1] = time.Now()
	}
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(5, uint64(i)))
			for range 60 {
				ref := token.Ref{Dialect: token.Muninx, ID: *fillerRow(4 * r.IntN(8)).PublicID}
				_, err := d.Update(t.Context(), token.Permit{Urgent: i%2 == 0}, ref, func(t *token.Token) error {
					t.UpdatedAt = t.UpdatedAt.Add(time.Millisecond)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 2 {
		all.Go(func() {
			for n := range 100 {
				later := map[int64]time.Time{}
				for seq := range uses {
					later[seq] = time.Now().Add(time.Duration(2*n+i) * time.Second)
				}
				if err := d.Touch(t.Context(), later); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var sum int64
	err := d.reader.WithContext(t.Context()).Raw("SELECT sum(updated_at) FROM tokens").Scan(&sum).Error
	if err != nil || sum != 32*60 {
		t.Errorf("%d changes are stored, %v, want %d", sum, err, 32*60)
	}
	if n := deadlocks(); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}
