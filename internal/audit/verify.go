package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Finding is something that is not as it was when it came into the log.
type Finding struct {
	Position int64 // in the log, from 0; -1: the log has no place for it
	Event    int64 // ID; 0: no single event
	Problem  string
}

// String is the finding in one line.
func (f Finding) String() string {
	text := f.Problem
	if f.Event != 0 {
		text = fmt.Sprintf("event %d %s", f.Event, text)
	}
	if f.Position >= 0 {
		text = fmt.Sprintf("at position %d: %s", f.Position, text)
	}
	return text
}

// Report says what [Verify] has found. Findings are in the order of the log.
type Report struct {
	Size       int64  // of the log: so many events are covered
	Checkpoint string // the last one
	Uncovered  int64  // events that are not in the log yet
	Findings   []Finding
}

// mostFindings is how many are told.
const mostFindings = 100

// Verify compares every event that is in the log with the log, and the log with its checkpoints, whose signatures must
// be of one of the keys. A log whose end was cut off looks like a shorter one: only a checkpoint from outside, "" if
// there is none, tells that it was longer. An error means that the verification was not finished.
func Verify(ctx context.Context, s token.LogStore, keys []string, outside string) (Report, error) {
	v := &verification{store: s, keys: keys}
	if outside != "" {
		c, err := ReadCheckpoint(outside, keys...)
		if err != nil {
			return Report{}, fmt.Errorf("the checkpoint from outside: %w", err)
		}
		v.outside = &c
	}
	settled, err := v.settled(ctx)
	if err != nil {
		return Report{}, err
	}
	if err := v.steps(ctx); err != nil {
		return Report{}, err
	}
	v.strangers(settled)
	v.ending()
	if v.report.Uncovered, err = s.Waiting(ctx); err != nil {
		return Report{}, err
	}
	slices.SortStableFunc(v.report.Findings, func(a, b Finding) int {
		return cmp.Compare(uint64(a.Position), uint64(b.Position)) //nolint:gosec // -1 comes last
	})
	v.report.Size = v.byLog.size
	return v.report, nil
}

// verification is one on its way.
type verification struct {
	store   token.LogStore
	keys    []string
	outside *Checkpoint
	report  Report

	byRows tree  // from the events as they are
	byLog  tree  // from the hashes of events that the log has
	proven int64 // up to where a checkpoint has agreed
	lost   bool  // a step is wrong in a way that leaves later checkpoints without meaning

	logged []int64 // the events that the log has
}

func (v *verification) find(position, event int64, format string, args ...any) {
	if len(v.report.Findings) < mostFindings {
		v.report.Findings = append(v.report.Findings, Finding{position, event, fmt.Sprintf(format, args...)})
	}
}

// settled are the events that the log has or will have when its steps are read.
func (v *verification) settled(ctx context.Context) (all []int64, err error) {
	const page = 10_000
	for after := int64(-1 << 63); ; {
		ids, err := v.store.Settled(ctx, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
		if len(ids) < page {
			return all, nil
		}
		after = ids[len(ids)-1]
	}
}

// steps goes through the log.
func (v *verification) steps(ctx context.Context) error {
	for at := int64(0); ; {
		step, err := v.store.LogStep(ctx, at)
		if err != nil || step.Size == 0 {
			return err
		}
		if problem := malformed(step, at); problem != "" {
			v.find(at, 0, "%s", problem)
			v.lost = true
		}
		entries, err := v.entries(ctx, step)
		if err != nil {
			return err
		}
		if v.lost {
			v.differing(entries)
			v.byLog.size = step.Size
		} else {
			v.judge(step, entries)
		}
		at = max(at+1, endOf(step, at))
	}
}

// malformed is what is wrong with the form of a step that follows on the others, "" if nothing is.
func malformed(s token.LogStep, at int64) string {
	switch {
	case s.First > at:
		return fmt.Sprintf("the log has nothing for the positions %d to %d: a step was removed or moved", at, s.First-1)
	case s.First < at:
		return fmt.Sprintf("the step of the log that ends at %d begins at %d", s.Size, s.First)
	case int64(len(s.Events)) != s.Size-s.First:
		return fmt.Sprintf("the step of the log that ends at %d has %d events", s.Size, len(s.Events))
	case s.Hash != tlog.StoredHashCount(s.First),
		int64(len(s.Hashes)) != tlog.StoredHashCount(s.Size)-tlog.StoredHashCount(s.First):
		return fmt.Sprintf("the hashes of the step of the log that ends at %d are not those that it has to have", s.Size)
	case s.Highest != slices.Max(s.Events):
		return fmt.Sprintf("the step of the log that ends at %d does not have %d as its highest event", s.Size, s.Highest)
	}
	return ""
}

// endOf is where the next step should begin, even if one of the numbers was altered.
func endOf(s token.LogStep, at int64) int64 {
	if n := int64(len(s.Events)); s.First == at && s.Size-s.First != n {
		return s.First + n
	}
	return s.Size
}

// entry is a position of the log.
type entry struct {
	position int64
	id       int64
	event    *token.Event // as it is, nil if it is gone
	row      tlog.Hash    // of event
	logged   tlog.Hash    // that the log has
}

func (v *verification) entries(ctx context.Context, s token.LogStep) ([]entry, error) {
	events, err := v.store.EventsWith(ctx, s.Events)
	if err != nil {
		return nil, err
	}
	v.logged = append(v.logged, s.Events...)
	entries := make([]entry, 0, len(s.Events))
	for i, id := range s.Events {
		e := entry{position: s.First + int64(i), id: id}
		if event, here := events[id]; here {
			e.event, e.row = &event, tlog.RecordHash(Line(event))
		}
		if leaf := tlog.StoredHashIndex(0, e.position) - tlog.StoredHashCount(s.First); leaf < int64(len(s.Hashes)) {
			e.logged = s.Hashes[leaf]
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// grow adds hashes of events to a tree, and returns at which positions the log has other hashes of the tree.
func (v *verification) grow(t *tree, s token.LogStep, entries []entry, hash func(entry) tlog.Hash) (other []int64) {
	next := 0
	for _, e := range entries {
		t.add(hash(e))
		for i, want := range t.stored {
			if i > 0 && s.Hashes[next+i] != want {
				other = append(other, e.position)
			}
		}
		next += len(t.stored)
	}
	return other
}

// judge compares what the events and the log say with the checkpoint, and tells what is to be believed.
func (v *verification) judge(s token.LogStep, entries []entry) {
	before := v.byLog.clone()
	otherByRows := v.grow(&v.byRows, s, entries, func(e entry) tlog.Hash { return e.row })
	otherByLog := v.grow(&v.byLog, s, entries, func(e entry) tlog.Hash { return e.logged })
	c, err := ReadCheckpoint(s.Checkpoint, v.keys...)
	if err == nil && c.Size != s.Size {
		err = fmt.Errorf("it is one of %d events", c.Size)
	}
	switch {
	case err != nil:
		v.find(s.Size-1, 0, "the checkpoint of the first %d events: %v", s.Size, err)
		v.differing(entries)
		v.byRows = v.byLog.clone()
	case c.Root == v.byRows.root():
		for _, e := range entries {
			if e.row != e.logged {
				v.find(e.position, e.id, "is as it was, but its hash in the log was altered")
			}
		}
		v.tree(otherByRows)
		v.byLog = v.byRows.clone()
	case c.Root == v.byLog.root():
		v.differing(entries)
		v.tree(otherByLog)
		v.byRows = v.byLog.clone()
	default:
		if !v.differing(entries) {
			v.find(v.proven, 0, "the events at the positions %d to %d are not those of the checkpoint: "+
				"some were altered together with their hashes in the log", v.proven, s.Size-1)
		}
		v.lost = true
		return
	}
	if err == nil {
		v.proven, v.report.Checkpoint = s.Size, s.Checkpoint
	}
	v.compareOutside(before, entries)
}

func (v *verification) tree(positions []int64) {
	for _, position := range positions {
		v.find(position, 0, "a hash of the tree was altered")
	}
}

// mostCompared bounds how many events are compared with each other to find out where one has come from.
const mostCompared = 100

// differing tells which events are not what the log says, and whether there are any.
func (v *verification) differing(entries []entry) bool {
	var wrong []entry
	for _, e := range entries {
		if e.row != e.logged {
			wrong = append(wrong, e)
		}
	}
	compared := wrong[:min(len(wrong), mostCompared)]
	for _, e := range wrong {
		switch from, moved := e.origin(compared); {
		case e.event == nil:
			v.find(e.position, e.id, "was removed")
		case moved:
			v.find(e.position, e.id, "was moved: here is what was event %d, at position %d", from.id, from.position)
		default:
			v.find(e.position, e.id, "was altered")
		}
	}
	return len(wrong) > 0
}

// origin is where what is there now has come from: under another number, or from another position.
func (e entry) origin(others []entry) (from entry, moved bool) {
	if e.event == nil {
		return entry{}, false
	}
	for _, other := range others {
		event := *e.event
		event.ID = other.id
		if other.position != e.position && (e.row == other.logged || tlog.RecordHash(Line(event)) == other.logged) {
			return other, true
		}
	}
	return entry{}, false
}

// compareOutside compares the log with the checkpoint from outside if that ends in this step, before which there was
// the tree.
func (v *verification) compareOutside(t tree, entries []entry) {
	if v.outside == nil || v.outside.Size <= t.size || v.outside.Size > t.size+int64(len(entries)) {
		return
	}
	for _, e := range entries[:v.outside.Size-t.size] {
		t.add(e.logged)
	}
	if t.root() != v.outside.Root {
		v.find(-1, 0, "the first %d events of the log are not those of the checkpoint from outside", t.size)
	}
}

// strangers tells which events the log should have and has not.
func (v *verification) strangers(settled []int64) {
	slices.Sort(v.logged)
	for _, id := range settled {
		if _, found := slices.BinarySearch(v.logged, id); !found {
			v.find(-1, id, "is not in the log: it was added to the database, or its place in the log was removed")
		}
	}
}

// ending compares the end of the log with the checkpoint from outside.
func (v *verification) ending() {
	if end := v.byLog.size; v.outside != nil && v.outside.Size > end {
		v.find(end, 0, "the log was cut off: the checkpoint from outside covers %d events, and the log has %d",
			v.outside.Size, end)
	}
}
