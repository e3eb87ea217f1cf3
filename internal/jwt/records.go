package jwt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// fact is something that is known about a key besides its state.
type fact string

const (
	// created comes before the key itself. A key that has it was never seen without its records.
	created fact = "created"
	// published comes after the key could be seen, and so never says too early a time.
	published fact = "published"
	activated fact = "activated"
	// replaced says that another key takes over, before that one does and again when it is done.
	replaced fact = "replaced"
	// until comes before a signature: no token that the key signed expires later.
	until fact = "until"
)

// A record is an empty file whose name says key, fact and time: `<kid>.until.20270304T000000Z.at`. Names alone need no
// lock among the servers that write them, cannot be half written, outlive copies and renames of the key, and come with
// the same listing as the keys. Of several records of one fact the latest counts; none is ever changed.
const (
	recordSuffix = ".at"
	recordTime   = "20060102T150405Z"
)

// records are all that is recorded in a directory, by key.
type records map[string]map[fact]time.Time

// add reads the name of a record. What is none, such as a fact of a newer release, is left alone.
func (r records) add(name string) {
	parts := strings.Split(strings.TrimSuffix(name, recordSuffix), ".")
	if len(parts) != 3 {
		return
	}
	at, err := time.Parse(recordTime, parts[2])
	if err != nil {
		return
	}
	id, f := parts[0], fact(parts[1])
	if r[id] == nil {
		r[id] = map[fact]time.Time{}
	}
	if at.After(r[id][f]) {
		r[id][f] = at
	}
}

// lastRecord is the end of the last year that a record can say, which is also the last in which a token can expire.
var lastRecord = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// record writes a record for good. The time is rounded up to the second.
func record(dir, id string, f fact, at time.Time) error {
	at = roundUp(at.UTC(), time.Second)
	path := filepath.Join(dir, id+"."+string(f)+"."+at.Format(recordTime)+recordSuffix)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return syncDir(dir)
}

func roundUp(t time.Time, step time.Duration) time.Time {
	up := t.Truncate(step)
	if up.Before(t) {
		up = up.Add(step)
	}
	if up.After(lastRecord) {
		return lastRecord
	}
	return up
}

// horizon is what is recorded as [until] for a token: its expiry, rounded up by at most a day or a sixteenth of its
// lifetime. So the record has to be raised rarely, and there are few of them even if every token outlives the one before.
func horizon(issued, expires time.Time) time.Time {
	step, lifetime := 24*time.Hour, expires.Sub(issued)
	for step <= lifetime/32 {
		step *= 2
	}
	return roundUp(expires.UTC(), step)
}

// promise makes sure that the record of the key covers the expiry, before anything is signed. A directory that is gone or full
// may be back soon; an empty one in its place, as of a mount that is away, is left empty.
func (k *Keys) promise(key *key, issued, expires time.Time) error {
	if k.dir == "" || key.promised.Load() >= expires.Unix() {
		return nil
	}
	k.promising.Lock()
	defer k.promising.Unlock()
	if key.promised.Load() >= expires.Unix() {
		return nil
	}
	end := horizon(issued, expires)
	err := holds(k.dir, key.id)
	if err == nil {
		err = record(k.dir, key.id, until, end)
	}
	if err != nil {
		return token.Wrap(token.Unavailable, fmt.Errorf("the expiry of a token cannot be recorded in the key directory: %w", err))
	}
	key.promised.Store(end.Unix())
	return nil
}

// holds looks for the key in the directory. It may get its next state meanwhile, which is why the states are in this order.
func holds(dir, id string) error {
	for _, st := range []state{next, active, retired} {
		_, err := os.Stat(filepath.Join(dir, fileName(id, st)))
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("the key %s is not there: %w", id, fs.ErrNotExist)
}

// writable tells early of a directory in which nothing can be recorded, in which then nothing can be signed.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("the server has to write to its key directory: %w", err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("key directory: %w", err)
	}
	return nil
}
