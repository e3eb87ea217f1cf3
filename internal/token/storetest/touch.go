package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

var touchTests = map[string]func(*testing.T, *world){
	"touch keeps the latest use":           touchKeepsTheLatest,
	"touch changes nothing else":           touchChangesNothingElse,
	"touch takes many and unknown tokens":  touchTakesMany,
	"touches of many callers do not block": touchesDoNotBlock,
}

func touchKeepsTheLatest(t *testing.T, w *world) {
	made := w.create(t, w.muninx(w.member))
	for _, step := range []struct{ use, want time.Duration }{
		{time.Minute, time.Minute}, {time.Second, time.Minute}, {time.Minute, time.Minute}, {time.Hour, time.Hour},
	} {
		ok(t, w.Touch(t.Context(), map[int64]time.Time{made.Seq: noon.Add(step.use)}))
		same(t, "the last use", w.find(t, made.Ref()).LastUsedAt, noon.Add(step.want))
	}
}

func touchChangesNothingElse(t *testing.T, w *world) {
	made, other := w.create(t, w.full()), w.create(t, w.full())
	ok(t, w.Touch(t.Context(), nil))
	ok(t, w.Touch(t.Context(), map[int64]time.Time{made.Seq: noon.Add(24 * time.Hour)}))
	want := made
	want.LastUsedAt = noon.Add(24 * time.Hour)
	same(t, "the token", w.find(t, made.Ref()), want)
	same(t, "another token", w.find(t, other.Ref()), other)
}

func touchTakesMany(t *testing.T, w *world) {
	first := w.create(t, w.muninx(w.member))
	uses := map[int64]time.Time{}
	for i := range int64(1700) {
		uses[first.Seq+i] = noon.Add(time.Duration(i) * time.Second)
	}
	last := first
	for range 20 {
		last = w.create(t, w.muninx(w.member))
	}
	ok(t, w.Touch(t.Context(), uses))
	for _, made := range []token.Token{first, last} {
		same(t, "the last use", w.find(t, made.Ref()).LastUsedAt, uses[made.Seq])
	}
	ok(t, w.Touch(t.Context(), map[int64]time.Time{first.Seq + 100_000: noon}))
}

// touchesDoNotBlock has many callers touch the same tokens while these mint others.
func touchesDoNotBlock(t *testing.T, w *world) {
	var made []token.Token
	uses := map[int64]time.Time{}
	for range 50 {
		made = append(made, w.create(t, w.muninx(w.member)))
		uses[made[len(made)-1].Seq] = time.Time{}
	}
	errs := together(12, func(i int) error {
		mine := map[int64]time.Time{}
		for seq := range uses {
			mine[seq] = noon.Add(time.Duration(i) * time.Second)
		}
		minted := w.muninx(w.member)
		minted.MintedBy = made[i].Seq
		_, err := w.Create(t.Context(), insert(minted))
		return errors.Join(w.Touch(t.Context(), mine), err)
	})
	tally(t, errs, map[token.Kind]int{"": 12})
	for _, m := range made {
		same(t, "the last use", w.find(t, m.Ref()).LastUsedAt, noon.Add(11*time.Second))
	}
}
