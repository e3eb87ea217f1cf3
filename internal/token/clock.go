package token

import "time"

// Clock tells the time; nil is the system's clock.
type Clock func() time.Time

// Now is UTC, in the milliseconds that the store keeps.
func (c Clock) Now() time.Time {
	if c == nil {
		c = time.Now
	}
	return c().UTC().Truncate(time.Millisecond)
}

// Stopwatch starts to measure a duration, on a clock that never goes back; what it returns tells how long ago that was.
func Stopwatch() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
