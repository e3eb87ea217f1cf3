// Package audit proves that events are what they were: it gathers them into a Merkle log (RFC 6962) whose checkpoints
// are signed, and finds what was changed afterwards. It knows golang.org/x/mod/sumdb, and neither databases nor HTTP.
// internal/server runs the [Log], handlers ask it for proofs, and cmd/tokenwright calls [Verify].
package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tokenwright/tokenwright/internal/token"
)

// GatherEvery is how often events are gathered: an event is in a checkpoint after this time and the duration of one
// write, as long as the database accepts writes.
const GatherEvery = 2 * time.Second

const (
	// mostTogether is about how many events one step of the log has, so that it holds up no other write for long.
	mostTogether = 1000
	// patience is how long a step may take, in which a busy database may let others go first.
	patience = 10 * time.Second
)

// Log gathers events.
type Log struct {
	Store token.LogStore
	Key   *Key
}

var _ token.Prover = (*Log)(nil)

// Run gathers until the context ends. It reports a failure once, and nil when it is over.
func (l *Log) Run(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(GatherEvery)
	defer ticker.Stop()
	failure := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := l.Gather(ctx)
		if ctx.Err() != nil {
			return
		}
		if text := textOf(err); text != failure {
			failure = text
			report(err)
		}
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Gather brings all events that were committed before the call into the log.
func (l *Log) Gather(ctx context.Context) error {
	for {
		ctx, cancel := context.WithTimeout(ctx, patience)
		var missing []int64
		n, err := l.Store.ExtendLog(ctx, mostTogether, func(e token.Extension) (token.LogStep, error) {
			missing = e.Missing
			return l.extend(e)
		})
		cancel()
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("events were removed before they were in the log: %d", missing)
		}
		if err != nil || n < mostTogether {
			return err
		}
	}
}

// extend makes a step, if the log is what the last checkpoint says: what somebody has changed is not signed again.
func (l *Log) extend(e token.Extension) (token.LogStep, error) {
	read := hashReader(e.Hashes)
	known, err := frontier(e.Size, read)
	if err != nil {
		return token.LogStep{}, err
	}
	if err := l.matches(e, known); err != nil {
		return token.LogStep{}, err
	}
	step := token.LogStep{First: e.Size, Size: e.Size, Hash: tlog.StoredHashCount(e.Size)}
	for _, event := range e.Events {
		hashes, err := tlog.StoredHashesForRecordHash(step.Size, tlog.RecordHash(Line(event)), known)
		if err != nil {
			return step, err
		}
		for _, hash := range hashes {
			known[step.Hash+int64(len(step.Hashes))] = hash
			step.Hashes = append(step.Hashes, hash)
		}
		step.Events = append(step.Events, event.ID)
		step.Highest = max(step.Highest, event.ID)
		step.Size++
	}
	root, err := tlog.TreeHash(step.Size, known)
	if err == nil {
		step.Checkpoint, err = l.Key.sign(Checkpoint{Size: step.Size, Root: root})
	}
	return step, err
}

// errOtherLog is why a log is not extended.
var errOtherLog = errors.New("the audit log in the database is not what its last checkpoint says; " +
	"tokenwright audit verify tells what has changed")

func (l *Log) matches(e token.Extension, known hashes) error {
	if e.Size == 0 && e.Checkpoint == "" {
		return nil
	}
	last, err := ReadCheckpoint(e.Checkpoint, l.Key.Public())
	if err != nil {
		return fmt.Errorf("the last checkpoint of the audit log in the database: %w", err)
	}
	root, err := tlog.TreeHash(e.Size, known)
	if err != nil {
		return err
	}
	if last != (Checkpoint{Size: e.Size, Root: root}) {
		return errOtherLog
	}
	return nil
}

// hashes are those of a tree by their numbers.
type hashes map[int64]tlog.Hash

// ReadHashes implements [tlog.HashReader].
func (h hashes) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(numbers))
	for i, number := range numbers {
		hash, ok := h[number]
		if !ok {
			return nil, fmt.Errorf("the hash %d is not known", number)
		}
		found[i] = hash
	}
	return found, nil
}

// hashReader reads hashes from a store.
type hashReader func(numbers []int64) ([][32]byte, error)

// ReadHashes implements [tlog.HashReader].
func (read hashReader) ReadHashes(numbers []int64) ([]tlog.Hash, error) {
	found, err := read(numbers)
	converted := make([]tlog.Hash, len(found))
	for i, hash := range found {
		converted[i] = hash
	}
	return converted, err
}

// frontier are the hashes on which the next ones of a tree depend, read at once.
func frontier(size int64, r tlog.HashReader) (hashes, error) {
	known := hashes{}
	if size == 0 {
		return known, nil
	}
	_, err := tlog.TreeHash(size, tlog.HashReaderFunc(func(numbers []int64) ([]tlog.Hash, error) {
		found, err := r.ReadHashes(numbers)
		for i, hash := range found {
			known[numbers[i]] = hash
		}
		return found, err
	}))
	return known, err
}

// tree is what [Verify] computes by itself: the hashes of the complete subtrees from left to right.
type tree struct {
	size   int64
	stack  []tlog.Hash
	stored []tlog.Hash // what the last add has added, in the order of their numbers
}

func (t *tree) add(leaf tlog.Hash) {
	t.stack = append(t.stack, leaf)
	t.stored = append(t.stored[:0], leaf)
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.stack) - 1
		parent := tlog.NodeHash(t.stack[last-1], t.stack[last])
		t.stack = append(t.stack[:last-1], parent)
		t.stored = append(t.stored, parent)
	}
	t.size++
}

func (t *tree) root() tlog.Hash {
	if len(t.stack) == 0 {
		return emptyRoot
	}
	root := t.stack[len(t.stack)-1]
	for _, left := range slices.Backward(t.stack[:len(t.stack)-1]) {
		root = tlog.NodeHash(left, root)
	}
	return root
}

func (t *tree) clone() tree { return tree{size: t.size, stack: slices.Clone(t.stack)} }
