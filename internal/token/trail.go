package token

import (
	"context"
	"strconv"
)

// Prover proves what happened.
type Prover interface {
	// Line is an event in the form whose hash is in the log.
	Line(e Event) []byte
	// Checkpoint is the last one, [NotFound] if there is none yet.
	Checkpoint(ctx context.Context) (Checkpoint, error)
	// Inclusion proves that the event is in the log of the last checkpoint, [NotFound] if it is not.
	Inclusion(ctx context.Context, event int64) (Proof, error)
	// Consistency proves that the log of the last checkpoint begins with the first size events of an earlier one,
	// [NotFound] if it never had so many.
	Consistency(ctx context.Context, size int64) (Proof, error)
}

// Checkpoint is the signed state of the log of events.
type Checkpoint struct {
	Size int64  // of the log
	Note string // the signed note
	Key  string // that verifies it
}

// Proof belongs to a checkpoint (RFC 6962 section 2.1).
type Proof struct {
	Checkpoint Checkpoint
	Position   int64    // of the event, from 0
	Leaf       [32]byte // the hash of the event
	Hashes     [][32]byte
}

const eventList = "event/"

// ListEvents returns at most as many events as the query's Limit says after the cursor, and the cursor of the next
// page.
func (s *Service) ListEvents(ctx context.Context, c Caller, q EventQuery, cursor string) ([]Event, string, error) {
	limit := q.Limit
	q.Limit++ // to know whether there are more
	return page(c, cursor, limit, decodeNumber(eventList),
		func(after int64) ([]Event, error) {
			q.After = after
			return s.Events.Events(ctx, q)
		},
		func(e Event) string { return encodeKey(eventList, strconv.FormatInt(e.ID, 10)) })
}

// ExportPage returns a page of an export, and the caller as it is now: an export takes longer than a credential may
// live.
func (s *Service) ExportPage(ctx context.Context, c Caller, q EventQuery) ([]Event, Caller, error) {
	c, err := s.still(ctx, c)
	if err == nil {
		err = c.requireAdmin()
	}
	if err != nil {
		return nil, c, err
	}
	q.Ascending = true
	events, err := s.Events.Events(ctx, q)
	return events, c, err
}

// still is the caller from a new reading, or why its credential does not work any more.
func (s *Service) still(ctx context.Context, c Caller) (Caller, error) {
	var id Identity
	var err error
	if c.Token != nil {
		var found map[int64]Identity
		found, err = s.Store.Identities(ctx, []int64{c.Token.Seq})
		id = found[c.Token.Seq]
	} else {
		id, err = s.Registry.FindSubject(ctx, c.User.Issuer, c.User.Subject)
	}
	if err != nil && KindOf(err) != NotFound {
		return c, err
	}
	return c.again(id, s.Now())
}

// EventLine is an event as it is exported.
func (s *Service) EventLine(e Event) []byte { return s.Prover.Line(e) }

// LogCheckpoint returns the last checkpoint of the log of events.
func (s *Service) LogCheckpoint(ctx context.Context, c Caller) (Checkpoint, error) {
	return ask(c, func() (Checkpoint, error) { return s.Prover.Checkpoint(ctx) })
}

// ProveEvent proves that an event is in the log.
func (s *Service) ProveEvent(ctx context.Context, c Caller, event int64) (Proof, error) {
	return ask(c, func() (Proof, error) { return s.Prover.Inclusion(ctx, event) })
}

// ProveLog proves that the log has only grown since it had this size.
func (s *Service) ProveLog(ctx context.Context, c Caller, size int64) (Proof, error) {
	return ask(c, func() (Proof, error) { return s.Prover.Consistency(ctx, size) })
}
