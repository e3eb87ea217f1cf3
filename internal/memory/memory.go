// Package memory is what a server keeps in memory of its store: rows of credentials and status lists, and whether they may
// be used. [Memory] is the one that is told of changes, by internal/token of its own and by the store's feed of those of
// others, and that tells all of them.
//
// It knows what a change makes worthless. It must not know what a row means for a verdict, which internal/token judges at
// every use, nor the database. internal/token calls it as [token.Memory].
package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/tokenwright/tokenwright/internal/fresh"
	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Config is what a memory is made of.
type Config struct {
	Store     token.StatusStore
	Signer    statuslist.Signer
	Clock     token.Clock
	Rows      int           // how many are kept at most; 0: each is read every time
	StatusTTL time.Duration // see [statuslist.Config]; 0 is [statuslist.DefaultTTL]
	Shared    bool          // other processes change the store, too, and the store's feed tells the memory
	Stopwatch func() time.Duration
}

// Memory implements [token.Memory] and the follower of a store's feed.
type Memory struct {
	trust    *fresh.Trust
	rows     *rows
	lists    *statuslist.Lists
	readings fresh.Readings[token.Identity]
}

// New returns an empty one.
func New(c Config) *Memory {
	if c.Stopwatch == nil {
		c.Stopwatch = token.Stopwatch()
	}
	trust := fresh.NewTrust(c.Shared, c.Stopwatch)
	return &Memory{trust: trust, rows: newRows(c.Rows), lists: statuslist.New(statuslist.Config{
		Store: c.Store, Signer: c.Signer, Trust: trust, Clock: c.Clock, Stopwatch: c.Stopwatch,
		TTL: cmp.Or(c.StatusTTL, statuslist.DefaultTTL),
	})}
}

// Row implements [token.Memory].
func (m *Memory) Row(h token.Hash) (token.Identity, bool) {
	if !m.trust.Holds() {
		return token.Identity{}, false
	}
	return m.rows.get(h)
}

// ReadRow implements [token.Memory].
func (m *Memory) ReadRow(
	ctx context.Context, h token.Hash, read func() (token.Identity, error),
) (token.Identity, error) {
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
