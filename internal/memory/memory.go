// Package memory is what a server keeps in memory of its store: rows of credentials and status lists, and whether they
// may be used. [Memory] is the one that is told of changes, by internal/token of its own and by the store's feed of
// those of others, and that tells all of them.
//
// It knows what a change makes worthless. It must not know what a row means for a verdict, which internal/token judges
// at every use, nor the database. internal/token calls it as [token.Memory].
package memory

import (
	"context"

	"github.com/tokenwright/tokenwright/internal/fresh"
	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Memory implements [token.Memory] and the follower of a store's feed.
type Memory struct {
	trust    *fresh.Trust
	rows     *rows
	lists    *statuslist.Lists
	readings fresh.Readings[token.Identity]
}

// New returns an empty one, of at most as many rows; of 0, each is read every time. Shared says that other processes
// change the store, too: the store's feed has to tell the memory, or it answers nothing.
func New(rows int, shared bool, lists statuslist.Config) *Memory {
	trust := fresh.NewTrust(shared, token.Stopwatch())
	return &Memory{trust: trust, rows: newRows(rows), lists: statuslist.New(lists, trust)}
}

// reader reads a row from the store.
type reader = func() (token.Identity, error)

// Row implements [token.Memory].
func (m *Memory) Row(h token.Hash) (token.Identity, bool) {
	if !m.trust.Holds() {
		return token.Identity{}, false
	}
	return m.rows.get(h)
}

// ReadRow implements [token.Memory].
func (m *Memory) ReadRow(ctx context.Context, h token.Hash, read reader) (token.Identity, error) {
	return m.readings.Get(ctx, string(h[:]), func() (token.Identity, error) { return m.rows.fill(h, read) })
}

// StatusList implements [token.Memory].
func (m *Memory) StatusList(ctx context.Context, number int64) (string, error) {
	return m.lists.Get(ctx, number)
}

// Changed implements [token.Memory].
func (m *Memory) Changed(c token.Change) {
	m.rows.changed(c)
	m.lists.Changed(c)
}

// Sending is called before a heartbeat is sent through the feed, see [fresh.Trust.Sending].
func (m *Memory) Sending() (heard func()) { return m.trust.Sending() }

// Lost says that changes by others may have been missed.
func (m *Memory) Lost() {
	m.trust.Lost()
	m.Changed(token.Change{})
}
