// Package limit holds token buckets: how often each of many may do a thing, in bounded memory. It knows neither HTTP
// nor what is limited. handlers asks it before what callers do and after they failed to authenticate.
package limit

import (
	"fmt"
	"math"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// mostKeys is how many keys a [Buckets] remembers, which takes about 250 bytes each. Who is forgotten has a full bucket
// again. To profit from that, a client needs more keys than these, and so many may do a great deal in any case: at 20 a
// second each, 320,000 a second.
const mostKeys = 16_384

// Buckets are token buckets by key. A nil one limits nothing.
type Buckets[K comparable] struct {
	name    string // of the policy
	what    string // is limited, in the plural
	rate    Rate
	now     func() time.Duration // on a clock that never goes back
	buckets *lru.Cache[K, *rate.Limiter]
}

// New returns full buckets, nil if the rate is none. The name is that of the policy in RateLimit-Policy, and what says
// in a message what there are too many of.
func New[K comparable](name, what string, r Rate, now func() time.Duration) *Buckets[K] {
	if r == (Rate{}) {
		return nil
	}
	buckets, _ := lru.New[K, *rate.Limiter](mostKeys) // which fails only below 1
	return &Buckets[K]{name, what, r, now, buckets}
}

// Take takes one from the bucket of the key. The error is an [*Exceeded] if it is empty.
func (b *Buckets[K]) Take(key K) error {
	if b == nil {
		return nil
	}
	bucket, now := b.of(key), time.Unix(0, 0).Add(b.now())
	if bucket.AllowN(now, 1) {
		return nil
	}
	missing := 1 - bucket.TokensAt(now)
	return &Exceeded{Policy: b.name, What: b.what, Rate: b.rate, Wait: seconds(missing / float64(b.rate.perSecond()))}
}

func (b *Buckets[K]) of(key K) *rate.Limiter {
	if bucket, ok := b.buckets.Get(key); ok {
		return bucket
	}
	bucket := rate.NewLimiter(b.rate.perSecond(), b.rate.Burst)
	if other, ok, _ := b.buckets.PeekOrAdd(key, bucket); ok {
		return other
	}
	return bucket
}

// seconds rounds up, since who waits for the whole time must not come too early.
func seconds(s float64) int { return max(1, int(math.Ceil(s))) }

// Exceeded is the error for what was done too often.
type Exceeded struct {
	Policy string
	What   string
	Rate   Rate
	Wait   int // seconds until it may be done again
}

// Error may be shown to the caller.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("too many %s: at most %s; try again in %d s", e.What, e.Rate.words(), e.Wait)
}

// PolicyField is the value of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): the bucket as a quota for the
// time in which it fills.
func (e *Exceeded) PolicyField() string {
	return fmt.Sprintf(`"%s";q=%d;w=%d`, e.Policy, e.Rate.Burst, e.Rate.window())
}

// StateField is the value of RateLimit: nothing is left for so many seconds.
func (e *Exceeded) StateField() string { return fmt.Sprintf(`"%s";r=0;t=%d`, e.Policy, e.Wait) }

// Len is how many keys are remembered.
func (b *Buckets[K]) Len() int { return b.buckets.Len() }
