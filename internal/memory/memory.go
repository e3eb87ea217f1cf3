// Package memory caches parts of the store: rows of credentials and status lists, and whether they may be used.
// [Memory] receives all changes, those of this process from internal/token and those of others from the store's feed,
// and passes them on. It knows what a change invalidates. It must not know the database, nor what a row means for a
// verdict, which internal/token decides at every use. internal/token calls it as [token.Memory].
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

// New returns an empty Memory that uses at most this many bytes for rows; with 0, each row is read every time. Shared
// means that other processes change the store too: then the Memory is used only while it follows the store's feed.
func New(rows int64, shared bool, lists statuslist.Config) *Memory {
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

// Lost reports that changes by others may have been missed.
func (m *Memory) Lost() {
	m.trust.Lost()
	m.Changed(token.Change{})
}
