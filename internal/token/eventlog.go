package token

import "context"

// LogStep is what one step adds to the log of events. Positions in the log count from 0.
type LogStep struct {
	First  int64   // position of its first event, the size of the log before it
	Size   int64   // of the log with it
	Events []int64 // the ID of the event at each position
	// Hashes are those that the events add to the Merkle tree, numbered in the order in which they are stored, and Hash
	// is the number of the first one.
	Hash       int64
	Hashes     [][32]byte
	Highest    int64  // of Events
	Checkpoint string // of the tree with it, a signed note
}

// Extension is what a step of the log begins with. Its members are read in the transaction that stores the step.
type Extension struct {
	Size       int64  // of the log
	Checkpoint string // the last one, "" if there is none
	Events     []Event
	Missing    []int64 // events that were to come into the log, and are gone
	// Hashes reads hashes of the tree by their numbers.
	Hashes func(numbers []int64) ([][32]byte, error)
}

// LogStore keeps the log of events, which proves that none of them was changed. Rows of it are only added.
type LogStore interface {
	// ExtendLog calls next with events that are not in the log, at least most if there are so many, and stores the step
	// that it returns. It calls nothing if there are no such events, or if another process is extending the log. The
	// error of next ends the transaction and is returned as it is. It returns how many events there were.
	ExtendLog(ctx context.Context, most int, next func(Extension) (LogStep, error)) (int, error)
	// LastStep is the last step without Events, Hashes and Highest; the zero step if there is none.
	LastStep(ctx context.Context) (LogStep, error)
	// LogStep is the first step that ends after the position; the zero step if there is none.
	LogStep(ctx context.Context, position int64) (LogStep, error)
	// LogHashes reads hashes of the tree by their numbers.
	LogHashes(ctx context.Context, numbers []int64) ([][32]byte, error)
	// Position returns that of an event, [NotFound] if the log does not have it.
	Position(ctx context.Context, event int64) (int64, error)
	// EventsWith returns the events that have these IDs, by ID.
	EventsWith(ctx context.Context, ids []int64) (map[int64]Event, error)
	// Waiting is how many events wait for their place in the log.
	Waiting(ctx context.Context) (int64, error)
	// Settled returns, in ascending order, the IDs of events after a given one that do not wait for their place in the
	// log: sooner or later read, a step has them.
	Settled(ctx context.Context, after int64, limit int) ([]int64, error)
}
