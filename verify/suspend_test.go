package verify_test

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/tokenwright/tokenwright/verify"
)

// asleep is a clock whose machine was suspended for a time: its wall clock has gone on, and the one that never goes back
// has stood still. No function of the package time makes such a reading; the seconds of its wall clock are the upper bits of
// the first word.
func asleep(d time.Duration) func() time.Time {
	return func() time.Time {
		t := time.Now()
		(*[2]uint64)(unsafe.Pointer(&t))[0] += uint64(d/time.Second) << 30
		return t
	}
}

// TestSuspendedMachine: what was fetched before does not outlive its end because the machine slept.
func TestSuspendedMachine(t *testing.T) {
	if from := time.Now(); asleep(time.Hour)().Sub(from) > time.Minute || asleep(time.Hour)().Round(0).Sub(from.Round(0)) < time.Hour {
		t.Fatal("the clock of this test does not do what it should")
	}
	i := newIssuer(t)
	now := time.Now
	clock := func() time.Time { return now() }
	i.clock.advance(time.Since(start)) // the issuer's documents are of the present
	soon := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	i.publishList(with(with(i.listClaims(), fmt.Sprint(start.Add(time.Minute).Unix()), soon), `"ttl":10`, `"ttl":3600`))
	later := with(i.payload(0), fmt.Sprint(start.Add(time.Hour).Unix()), fmt.Sprint(time.Now().Add(24*time.Hour).Unix()))
	secret := i.sign(i.header(), later, nil)
	v := i.offline(t, func(c *verify.Config) { c.Now = clock })
	expect(t, "before", v, secret, nil)
	now = asleep(30 * time.Minute)
	expect(t, "half of the list's time later", v, secret, nil)
	now = asleep(2 * time.Hour)
	expect(t, "past the list's end", v, secret, verify.ErrUnavailable)

	o := server(t, active(""))
	now = time.Now
	online := ask(t, o.URL, "own", nil, func(c *verify.Config) { c.Now, c.CacheTTL = clock, time.Hour })
	expect(t, "active", online, someSecret, nil)
	now = asleep(2 * time.Hour)
	o.answer("/introspect", document("application/json", `{"active":false}`))
	expect(t, "a verdict from before", online, someSecret, verify.ErrInvalid)
}
