package limit_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/limit"
)

// stopwatch is one that the test moves.
type stopwatch struct{ at atomic.Int64 }

func (s *stopwatch) now() time.Duration      { return time.Duration(s.at.Load()) }
func (s *stopwatch) advance(d time.Duration) { s.at.Add(int64(d)) }

func mustRate(t *testing.T, text string) (r limit.Rate) {
	t.Helper()
	if err := r.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return r
}

// taken is how many of so many are allowed.
func taken(b *limit.Buckets[string], key string, attempts int) (allowed int, last *limit.Exceeded) {
	for range attempts {
		if err := b.Take(key); err == nil {
			allowed++
		} else {
			errors.As(err, &last)
		}
	}
	return allowed, last
}

func TestBurstThenRate(t *testing.T) {
	var clock stopwatch
	b := limit.New[string]("failures", "failures", mustRate(t, "20/s:200"), clock.now)
	if allowed, _ := taken(b, "a", 300); allowed != 200 {
		t.Errorf("%d at once, want 200", allowed)
	}
	if allowed, _ := taken(b, "b", 300); allowed != 200 {
		t.Errorf("another key has %d, want 200", allowed)
	}
	clock.advance(time.Second)
	allowed, exceeded := taken(b, "a", 300)
	if allowed != 20 {
		t.Errorf("%d after a second, want 20", allowed)
	}
	if got, want := exceeded.PolicyField(), `"failures";q=200;w=10`; got != want {
		t.Errorf("the policy is %s, want %s", got, want)
	}
	if got, want := exceeded.StateField(), `"failures";r=0;t=1`; got != want {
		t.Errorf("the state is %s, want %s", got, want)
	}
	if got, want := exceeded.Error(), "too many failures: at most 200 at once, then 20 per second; try again in 1 s"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	clock.advance(time.Hour)
	if allowed, _ := taken(b, "a", 300); allowed != 200 {
		t.Errorf("%d after an hour, want 200", allowed)
	}
}

// TestWaitIsLongEnough: who waits as told is let in, and is not told to wait much longer than needed.
func TestWaitIsLongEnough(t *testing.T) {
	for _, text := range []string{"7/m:1", "1/h", "3/s:2", "100/s", "999/h:5"} {
		var clock stopwatch
		b := limit.New[string]("x", "x", mustRate(t, text), clock.now)
		for range 5 {
			_, exceeded := taken(b, "a", 1001)
			clock.advance(time.Duration(exceeded.Wait)*time.Second - time.Second - time.Millisecond)
			if exceeded.Wait > 1 && b.Take("a") == nil {
				t.Errorf("%s: a second less than %d would do", text, exceeded.Wait)
			}
			clock.advance(time.Second + time.Millisecond)
			if err := b.Take("a"); err != nil {
				t.Errorf("%s: after %d seconds: %v", text, exceeded.Wait, err)
			}
		}
	}
}

// TestMemoryIsBounded: a million keys are not remembered, and one that is used all the time is not forgotten for them.
func TestMemoryIsBounded(t *testing.T) {
	var clock stopwatch
	b := limit.New[int]("x", "x", mustRate(t, "1/h"), clock.now)
	_ = b.Take(-1)
	allowed := 0
	for key := range 100_000 {
		_ = b.Take(key)
		if key%1000 == 0 && b.Take(-1) == nil {
			allowed++
		}
	}
	if allowed > 0 {
		t.Errorf("the busy key was forgotten %d times", allowed)
	}
	if remembered := b.Len(); remembered > 20_000 {
		t.Errorf("%d keys are remembered", remembered)
	}
}

func TestConcurrentTakersShareABucket(t *testing.T) {
	var clock stopwatch
	b := limit.New[string]("x", "x", mustRate(t, "1/h:50"), clock.now)
	var allowed atomic.Int64
	var takers sync.WaitGroup
	for range 20 {
		takers.Go(func() {
			n, _ := taken(b, "a", 10)
			allowed.Add(int64(n))
		})
	}
	takers.Wait()
	if allowed.Load() != 50 {
		t.Errorf("%d were allowed, want 50", allowed.Load())
	}
}

func TestNoLimit(t *testing.T) {
	b := limit.New[string]("x", "x", mustRate(t, "0"), nil)
	if allowed, _ := taken(b, "a", 1000); allowed != 1000 {
		t.Errorf("%d were allowed", allowed)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]limit.Rate{
		"0": {}, "20/s:200": {20, time.Second, 200}, "100/s": {100, time.Second, 100}, "6/m": {6, time.Minute, 6},
		"5/h:1": {5, time.Hour, 1}, "1000000/s": {1_000_000, time.Second, 1_000_000},
	} {
		got := mustRate(t, text)
		if got != want {
			t.Errorf("%s is %+v", text, got)
		}
		if again := mustRate(t, got.String()); again != got {
			t.Errorf("%s is written %s", text, got)
		}
	}
	for _, text := range []string{
		"", "20", "20/", "/s", "20/s:", "20/s:0", "0/s", "-1/s", "20/d", "20 /s", "1.5/s", "20/s:5:5", "20/s:-1", "1000001/s", "00", "x",
	} {
		r := limit.Rate{Count: 1}
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}
