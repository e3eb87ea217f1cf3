package fresh

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// clock is a stopwatch that stands still.
type clock time.Duration

func (c *clock) read() time.Duration { return time.Duration(*c) }

// TestTrust is every edge of who may trust memory, and until when.
func TestTrust(t *testing.T) {
	const ms = time.Millisecond
	type feed struct {
		*Trust
		clock
		heard func()
	}
	at := func(when time.Duration) func(*feed) { return func(f *feed) { f.clock = clock(when) } }
	send := func(f *feed) { f.heard = f.Sending() }
	hear := func(f *feed) { f.heard() }
	lose := func(f *feed) { f.Lost() }
	for name, c := range map[string]struct {
		alone bool
		steps []func(*feed)
		want  bool
	}{
		"nobody else":                        {true, nil, true},
		"nobody else, at any time":           {true, []func(*feed){at(time.Hour)}, true},
		"nothing was heard":                  {false, nil, false},
		"a heartbeat is on its way":          {false, []func(*feed){send}, false},
		"a heartbeat was heard":              {false, []func(*feed){send, hear}, true},
		"just before the end":                {false, []func(*feed){send, hear, at(TrustFor - 1)}, true},
		"the end":                            {false, []func(*feed){send, hear, at(TrustFor)}, false},
		"it counts from the sending":         {false, []func(*feed){send, at(600 * ms), hear, at(TrustFor)}, false},
		"heard too late":                     {false, []func(*feed){send, at(TrustFor), hear}, false},
		"another one":                        {false, []func(*feed){send, hear, at(500 * ms), send, hear, at(1199 * ms)}, true},
		"the second is on its way":           {false, []func(*feed){send, hear, at(500 * ms), send, at(TrustFor)}, false},
		"lost":                               {false, []func(*feed){send, hear, lose}, false},
		"sent before the loss":               {false, []func(*feed){send, lose, hear}, false},
		"sent after the loss":                {false, []func(*feed){send, hear, lose, send, hear}, true},
		"lost twice":                         {false, []func(*feed){send, hear, lose, lose, send, hear}, true},
		"sent between two losses":            {false, []func(*feed){lose, send, lose, hear}, false},
		"the first is heard after the other": {false, []func(*feed){send, func(f *feed) { first := f.heard; at(500 * ms)(f); send(f); hear(f); first() }, at(900 * ms)}, true},
	} {
		f := &feed{}
		f.Trust = NewTrust(!c.alone, f.read)
		for _, step := range c.steps {
			step(f)
		}
		if got := f.Holds(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestHeartbeatsAreForThoseWhoRely: none is sent where nobody asked for a second.
func TestHeartbeatsAreForThoseWhoRely(t *testing.T) {
	var c clock
	trust := NewTrust(true, c.read)
	for _, step := range []struct {
		at   time.Duration
		asks bool
		want bool
	}{
		{0, false, true}, // at the start, whoever comes
		{idleAfter - 1, false, true},
		{idleAfter, false, false},
		{time.Hour, false, false},
		{time.Hour, true, true},
		{time.Hour + idleAfter - 1, false, true},
		{time.Hour + idleAfter, false, false},
	} {
		c = clock(step.at)
		if step.asks {
			trust.Holds()
		}
		if got := trust.Sending() != nil; got != step.want {
			t.Errorf("at %v, asked %t: %t", step.at, step.asks, got)
		}
	}
}

// TestAwait: who waits for a heartbeat waits for one, and not for what does not come.
func TestAwait(t *testing.T) {
	for name, c := range map[string]struct {
		shared bool
		before func(*Trust)
		while  func(*Trust, context.CancelFunc) // nil: it must not wait
		want   bool
	}{
		"nobody else":      {false, func(*Trust) {}, nil, true},
		"lost":             {true, func(*Trust) {}, nil, false},
		"heard":            {true, func(trust *Trust) { trust.Sending()() }, nil, true},
		"idle":             {true, idle, func(trust *Trust, _ context.CancelFunc) { trust.Sending()() }, true},
		"lost meanwhile":   {true, idle, func(trust *Trust, _ context.CancelFunc) { trust.Lost() }, false},
		"who waits leaves": {true, idle, func(_ *Trust, leave context.CancelFunc) { leave() }, false},
		"heard too late": {true, idle, func(trust *Trust, _ context.CancelFunc) {
			heard := trust.Sending()
			time.Sleep(TrustFor)
			heard()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				trust := NewTrust(c.shared, func() time.Duration { return time.Since(start) })
				c.before(trust)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				got := make(chan bool, 1)
				go func() { got <- trust.Await(ctx) }()
				synctest.Wait()
				if waits := len(got) == 0; waits != (c.while != nil) {
					t.Fatalf("it waits: %t", waits)
				}
				if c.while != nil {
					c.while(trust, leave)
				}
				if holds := <-got; holds != c.want {
					t.Errorf("%t", holds)
				}
			})
		})
	}
}

// idle hears a heartbeat, and then nobody asks for a while.
func idle(trust *Trust) {
	trust.Sending()()
	time.Sleep(2 * idleAfter)
}
