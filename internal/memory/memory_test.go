package memory

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
)

// credential is one whose row has this Seq. 1 and 2 are tokens of users, 3 and 4 of accounts; the odd ones depend on one
// account, the even ones on another.
func credential(seq int64) (token.Hash, func() (token.Identity, error)) {
	h := token.Hash{byte(seq)}
	id := token.Identity{Token: &token.Token{Seq: seq, Hash: h}, Account: &token.Account{ID: "odd"}}
	if seq%2 == 0 {
		id.Account.ID = "even"
	}
	switch seq {
	case 1, 2:
		id.User = &token.User{ID: 70 + seq, AccountID: id.Account.ID}
		id.Token.UserID = id.User.ID
	case 3:
		id.Environment = &token.Environment{ID: "test", AccountID: id.Account.ID}
		id.Token.EnvironmentID = id.Environment.ID
		fallthrough
	default:
		id.Token.AccountID = id.Account.ID
	}
	return h, func() (token.Identity, error) { return id, nil }
}

// plenty is more than a test needs.
const plenty = 1 << 20

// TestRows: what is kept, and what makes it go.
func TestRows(t *testing.T) {
	type step func(t *testing.T, m *Memory)
	read := func(seqs ...int64) step {
		return func(t *testing.T, m *Memory) {
			for _, seq := range seqs {
				h, row := credential(seq)
				if id, err := m.ReadRow(t.Context(), h, row); err != nil || id.Token.Seq != seq {
					t.Errorf("%v %v", id, err)
				}
			}
		}
	}
	changed := func(c token.Change) step { return func(_ *testing.T, m *Memory) { m.Changed(c) } }
	during := func(steps ...step) step { // while 1 is read
		return func(t *testing.T, m *Memory) {
			h, row := credential(1)
			_, _ = m.ReadRow(t.Context(), h, func() (token.Identity, error) {
				for _, step := range steps {
					step(t, m)
				}
				return row()
			})
		}
	}
	result := func(id token.Identity, failure error) step {
		return func(t *testing.T, m *Memory) {
			h, _ := credential(1)
			_, _ = m.ReadRow(t.Context(), h, func() (token.Identity, error) { return id, failure })
		}
	}
	token1, user1 := token.Change{Token: 1}, token.Change{User: 71}
	odd, even, test := token.Change{Account: "odd"}, token.Change{Account: "even"}, token.Change{Environment: "test"}
	var many []step // changes of others, more than are remembered
	for seq := range int64(remembered + 1) {
		many = append(many, changed(token.Change{Token: 100 + seq}))
	}
	for name, c := range map[string]struct {
		limit int64
		steps []step
		want  []int64
	}{
		"what was read":                     {plenty, []step{read(1, 2)}, []int64{1, 2}},
		"none":                              {0, []step{read(1, 2)}, nil},
		"read again":                        {plenty, []step{read(1, 2, 1, 2)}, []int64{1, 2}},
		"a change of one":                   {plenty, []step{read(1, 2), changed(token1)}, []int64{2}},
		"a change of one that is not":       {plenty, []step{read(1, 2), changed(token.Change{Token: 3})}, []int64{1, 2}},
		"a change of a user":                {plenty, []step{read(1, 2, 3, 4), changed(user1)}, []int64{2, 3, 4}},
		"a change of a user who is not":     {plenty, []step{read(1, 2, 3, 4), changed(token.Change{User: 1})}, []int64{1, 2, 3, 4}},
		"a change of an account":            {plenty, []step{read(1, 2, 3, 4), changed(odd)}, []int64{2, 4}},
		"a change of an environment":        {plenty, []step{read(1, 2, 3, 4), changed(test)}, []int64{1, 2, 4}},
		"changes of both accounts":          {plenty, []step{read(1, 2, 3, 4), changed(odd), changed(even)}, nil},
		"kinds are told apart":              {plenty, []step{read(3), changed(token.Change{Environment: "odd"}), changed(token.Change{Account: "test"})}, []int64{3}},
		"a change of anything":              {plenty, []step{read(1, 2), changed(token.Change{})}, nil},
		"read anew":                         {plenty, []step{read(1), changed(token1), read(1)}, []int64{1}},
		"read anew after its user changed":  {plenty, []step{read(1, 2), changed(user1), read(1)}, []int64{1, 2}},
		"changed while it was read":         {plenty, []step{during(changed(token1))}, nil},
		"another changed meanwhile":         {plenty, []step{during(changed(token.Change{Token: 2}))}, []int64{1}},
		"its user changed meanwhile":        {plenty, []step{during(changed(user1))}, nil},
		"another user changed meanwhile":    {plenty, []step{during(changed(token.Change{User: 72}))}, []int64{1}},
		"its account changed meanwhile":     {plenty, []step{during(changed(odd))}, nil},
		"another account changed meanwhile": {plenty, []step{during(changed(even))}, []int64{1}},
		"anything changed meanwhile":        {plenty, []step{during(changed(token.Change{}))}, nil},
		"changed first, then others":        {plenty, []step{during(append([]step{changed(user1)}, many[:9]...)...)}, nil},
		"others, as many as are remembered": {plenty, []step{during(many[:remembered]...)}, []int64{1}},
		"others, more than are remembered":  {plenty, []step{during(many...)}, nil},
		"what changed before":               {plenty, append([]step{changed(token1), read(1)}, many...), []int64{1}},
		"no row":                            {plenty, []step{result(token.Identity{}, token.NotFound)}, nil},
		"a row of nobody's token":           {plenty, []step{result(token.Identity{User: &token.User{}}, nil)}, nil},
		"a failure":                         {plenty, []step{result(token.Identity{Token: &token.Token{Seq: 1}}, errors.New("x"))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(c.limit, false, statuslist.Config{})
			for _, step := range c.steps {
				step(t, m)
			}
			var got []int64
			for seq := range int64(5) {
				h, row := credential(seq)
				if id, ok := m.Row(h); ok {
					got = append(got, id.Token.Seq)
					want, _ := row()
					want.Secret = h
					if !reflect.DeepEqual(id, want) {
						t.Errorf("kept is %+v, want %+v", id, want)
					}
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("kept are %v, want %v", got, c.want)
			}
			m.Changed(token.Change{Account: "odd"})
			m.Changed(token.Change{Account: "even"})
			if r := m.rows; r.kept.Len() != 0 || len(r.bySeq) != 0 || len(r.owners) != 0 || r.used != 0 {
				t.Errorf("%d rows, %d numbers, %d owners and %d bytes are left of nothing",
					r.kept.Len(), len(r.bySeq), len(r.owners), r.used)
			}
		})
	}
}

// TestMemoryWithoutRows follows a feed like any other, and its lists are right.
func TestMemoryWithoutRows(t *testing.T) {
	d := newDatabase()
	m := New(0, true, statuslist.Config{Store: d, Signer: d})
	m.Lost()
	m.Changed(token.Change{Token: 1, List: 1})
	m.Sending()()
	h, row := credential(1)
	if _, err := m.ReadRow(t.Context(), h, row); err != nil {
		t.Error(err)
	}
	if _, kept := m.Row(h); kept {
		t.Error("a row is kept")
	}
	for _, want := range []string{"0000", "2000", "1000"} {
		if got, err := m.StatusList(t.Context(), 1); err != nil || got != want {
			t.Errorf("the list says %s, want %s; %v", got, want, err)
		}
		d.commit(ofTokens[0])
		m.Changed(token.Change{Token: 1, List: 1})
		m.Lost()
		m.Sending()()
	}
}

// TestMemoryIsLost: it answers nothing until a heartbeat is heard that was sent later, and what was read before is gone.
func TestMemoryIsLost(t *testing.T) {
	m := New(plenty, true, statuslist.Config{})
	kept := func(what string, want ...bool) {
		t.Helper()
		for i, want := range want {
			h, _ := credential(int64(i) + 1)
			if _, got := m.Row(h); got != want {
				t.Errorf("%s: the row of %d is kept: %t", what, i+1, got)
			}
		}
	}
	read := func(seq int64) {
		h, row := credential(seq)
		_, _ = m.ReadRow(t.Context(), h, row)
	}
	read(1)
	kept("at the start", false)
	heard := m.Sending()
	heard()
	kept("heard", true)
	m.Lost()
	read(2)
	heard()
	kept("lost", false, false)
	m.Sending()()
	kept("heard again", false, true)
}

// TestOneCopyOfEachOwner: rows share what they depend on, and a row that says something else of it takes the place of those
// that were read before.
func TestOneCopyOfEachOwner(t *testing.T) {
	m := New(plenty, false, statuslist.Config{})
	read := func(n byte, name string) {
		t.Helper()
		_, err := m.ReadRow(t.Context(), token.Hash{n}, func() (token.Identity, error) {
			return token.Identity{
				Token: &token.Token{Seq: int64(n), Hash: token.Hash{n}, UserID: 1},
				User:  &token.User{ID: 1, Name: name, AccountID: "a"}, Account: &token.Account{ID: "a"},
			}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	row := func(n byte) token.Identity { id, _ := m.Row(token.Hash{n}); return id }
	read(1, "old")
	read(2, "old")
	if a, b := row(1), row(2); a.User == nil || a.User != b.User || a.Account == nil || a.Account != b.Account {
		t.Errorf("%p and %p, %p and %p", a.User, b.User, a.Account, b.Account)
	}
	read(3, "new")
	if row(1).User != nil || row(2).User != nil || row(3).User.Name != "new" {
		t.Errorf("%v %v %v", row(1).User, row(2).User, row(3).User)
	}
	m.Changed(token.Change{User: 1})
	if n := len(m.rows.owners); n != 0 || row(3).User != nil {
		t.Errorf("%d owners are left", n)
	}
}

// TestSecretsOfOneToken go together, in whatever order they came, and one alone where there is no room for all.
func TestSecretsOfOneToken(t *testing.T) {
	m := New(plenty, false, statuslist.Config{})
	read := func(seq int64, secrets ...byte) {
		for _, secret := range secrets {
			h, row := credential(seq)
			h[31] = secret
			if _, err := m.ReadRow(t.Context(), h, row); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept := func(seq int64) (n int) {
		for secret := range byte(4) {
			h, _ := credential(seq)
			h[31] = secret
			if id, ok := m.Row(h); ok && id.Token.Seq == seq && id.Secret == h {
				n++
			}
		}
		return n
	}
	for _, order := range [][]byte{{0, 1, 2, 3}, {3, 1, 2}, {2, 2, 0, 2}} {
		read(1, order...)
		read(2, 0, 1)
		m.Changed(token.Change{Token: 1})
		if kept(1) != 0 || kept(2) != 2 {
			t.Errorf("after a change, %d and %d secrets are kept", kept(1), kept(2))
		}
	}
	read(1, 0, 1, 2)
	for left := m.rows.kept.Len() - 1; left >= 0; left-- {
		m.rows.kept.RemoveOldest()
		if n := kept(1) + kept(2); n != left {
			t.Errorf("%d secrets are kept, want %d", n, left)
		}
	}
	if r := m.rows; len(r.bySeq) != 0 || len(r.owners) != 0 || r.used != 0 {
		t.Errorf("left over: %d rows, %d owners, %d bytes", len(r.bySeq), len(r.owners), r.used)
	}
}
