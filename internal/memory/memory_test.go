package memory

import (
	"errors"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
)

// credential is one whose row has this Seq.
func credential(seq int64) (token.Hash, func() (token.Identity, error)) {
	return token.Hash{byte(seq)}, func() (token.Identity, error) {
		return token.Identity{Token: &token.Token{Seq: seq}}, nil
	}
}

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
	use := func(seq int64) step {
		return func(_ *testing.T, m *Memory) {
			h, _ := credential(seq)
			m.Row(h)
		}
	}
	changed := func(c token.Change) step { return func(_ *testing.T, m *Memory) { m.Changed(c) } }
	during := func(c token.Change) step { // a change comes while 1 is read
		return func(t *testing.T, m *Memory) {
			h, row := credential(1)
			_, _ = m.ReadRow(t.Context(), h, func() (token.Identity, error) { m.Changed(c); return row() })
		}
	}
	result := func(id token.Identity, failure error) step {
		return func(t *testing.T, m *Memory) {
			h, _ := credential(1)
			_, _ = m.ReadRow(t.Context(), h, func() (token.Identity, error) { return id, failure })
		}
	}
	for name, c := range map[string]struct {
		limit int
		steps []step
		want  []int64
	}{
		"what was read":                     {2, []step{read(1, 2)}, []int64{1, 2}},
		"a bounded number":                  {2, []step{read(1, 2, 3)}, []int64{2, 3}},
		"what was used lately":              {2, []step{read(1, 2), use(1), read(3)}, []int64{1, 3}},
		"none":                              {0, []step{read(1, 2)}, nil},
		"a change of one":                   {2, []step{read(1, 2), changed(token.Change{Token: 1})}, []int64{2}},
		"a change of one that is not":       {2, []step{read(1, 2), changed(token.Change{Token: 3})}, []int64{1, 2}},
		"a change of one that was given up": {2, []step{read(1, 2, 3), changed(token.Change{Token: 1})}, []int64{2, 3}},
		"a change of a user":                {2, []step{read(1, 2), changed(token.Change{User: 7})}, nil},
		"a change of anything":              {2, []step{read(1, 2), changed(token.Change{})}, nil},
		"read anew":                         {2, []step{read(1), changed(token.Change{Token: 1}), read(1)}, []int64{1}},
		"changed while it was read":         {2, []step{during(token.Change{Token: 1})}, nil},
		"another changed meanwhile":         {2, []step{during(token.Change{Token: 2})}, nil},
		"a user changed meanwhile":          {2, []step{during(token.Change{User: 2})}, nil},
		"no row":                            {2, []step{result(token.Identity{}, token.NotFound)}, nil},
		"a row of nobody's token":           {2, []step{result(token.Identity{User: &token.User{}}, nil)}, nil},
		"a failure":                         {2, []step{result(token.Identity{Token: &token.Token{Seq: 1}}, errors.New("x"))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(c.limit, false, statuslist.Config{})
			for _, step := range c.steps {
				step(t, m)
			}
			var got []int64
			for seq := range int64(4) {
				h, _ := credential(seq)
				if id, ok := m.Row(h); ok {
					got = append(got, id.Token.Seq)
				}
			}
			if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] || len(got) > 1 && got[1] != c.want[1] {
				t.Errorf("kept are %v, want %v", got, c.want)
			}
			if n := len(m.rows.bySeq); n != len(got) {
				t.Errorf("%d rows have a name, %d are kept", n, len(got))
			}
		})
	}
}

// TestMemoryWithoutRows follows a feed like any other, and its lists are right.
func TestMemoryWithoutRows(t *testing.T) {
	d := &database{start: time.Now()}
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
		d.commit(0)
		m.Changed(token.Change{Token: 1, List: 1})
		m.Lost()
		m.Sending()()
	}
}

// TestMemoryIsLost: it answers nothing until a heartbeat is heard that was sent later, and what was read before is gone.
func TestMemoryIsLost(t *testing.T) {
	m := New(3, true, statuslist.Config{})
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
