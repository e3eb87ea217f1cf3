package audit

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Line implements [token.Prover].
func (l *Log) Line(e token.Event) []byte { return Line(e) }

// Checkpoint implements [token.Prover].
func (l *Log) Checkpoint(ctx context.Context) (token.Checkpoint, error) {
	step, err := l.Store.LastStep(ctx)
	if err == nil && step.Size == 0 {
		err = token.Errorf(token.NotFound, "there is no checkpoint yet")
	}
	return token.Checkpoint{Size: step.Size, Note: step.Checkpoint, Key: l.Key.Public()}, err
}

// Inclusion implements [token.Prover].
func (l *Log) Inclusion(ctx context.Context, event int64) (proof token.Proof, err error) {
	if proof.Checkpoint, err = l.Checkpoint(ctx); err != nil {
		return proof, err
	}
	if proof.Position, err = l.Store.Position(ctx, event); err != nil {
		return proof, err
	}
	if proof.Position >= proof.Checkpoint.Size { // it has come into the log just now
		return proof, token.Errorf(token.NotFound, "the event is not in the log yet")
	}
	leaf, err := l.Store.LogHashes(ctx, []int64{tlog.StoredHashIndex(0, proof.Position)})
	if err != nil {
		return proof, err
	}
	proof.Leaf = leaf[0]
	hashes, err := tlog.ProveRecord(proof.Checkpoint.Size, proof.Position, l.reader(ctx))
	proof.Hashes = plain(hashes)
	return proof, err
}

// Consistency implements [token.Prover].
func (l *Log) Consistency(ctx context.Context, size int64) (proof token.Proof, err error) {
	if proof.Checkpoint, err = l.Checkpoint(ctx); err != nil {
		return proof, err
	}
	if size < 1 || size > proof.Checkpoint.Size {
		return proof, token.Errorf(token.NotFound, "the log has never had so many events")
	}
	hashes, err := tlog.ProveTree(proof.Checkpoint.Size, size, l.reader(ctx))
	proof.Hashes = plain(hashes)
	return proof, err
}

func (l *Log) reader(ctx context.Context) hashReader {
	return func(numbers []int64) ([][32]byte, error) { return l.Store.LogHashes(ctx, numbers) }
}

func plain(hashes []tlog.Hash) [][32]byte {
	converted := make([][32]byte, len(hashes))
	for i, hash := range hashes {
		converted[i] = hash
	}
	return converted
}

// CheckInclusion verifies that a line is the event whose proof this is, in the log of a checkpoint that is signed with
// the key.
func CheckInclusion(line []byte, p token.Proof, key string) error {
	c, err := ReadCheckpoint(p.Checkpoint.Note, key)
	if err != nil {
		return err
	}
	path := make(tlog.RecordProof, len(p.Hashes))
	for i, hash := range p.Hashes {
		path[i] = hash
	}
	return tlog.CheckRecord(path, c.Size, c.Root, p.Position, tlog.RecordHash(line))
}
