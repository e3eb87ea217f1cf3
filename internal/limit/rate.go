package limit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often something may be done. The zero Rate is no limit.
type Rate struct {
	Count int           // so often
	Per   time.Duration // in that time: a second, a minute or an hour
	Burst int           // at once, after a pause
}

// units are the spellings of [Rate.Per].
var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// mostCount bounds the numbers of a rate. A limit above it would limit nothing.
const mostCount = 1_000_000

var errRate = errors.New("must be a rate like 100/s, 600/m or 20/s:200, with the burst after the colon; 0: no limit")

// UnmarshalText reads 20/s:200 and the like. Without a burst, all of one unit of time may come at once.
func (r *Rate) UnmarshalText(text []byte) error {
	*r = Rate{}
	if string(text) == "0" {
		return nil
	}
	steady, burst, bursts := strings.Cut(string(text), ":")
	count, unit, _ := strings.Cut(steady, "/")
	if !bursts {
		burst = count
	}
	read := Rate{Per: units[unit]}
	var err, err2 error
	read.Count, err = strconv.Atoi(count)
	read.Burst, err2 = strconv.Atoi(burst)
	if read.Per == 0 || errors.Join(err, err2) != nil || !within(read.Count) || !within(read.Burst) {
		return errRate
	}
	*r = read
	return nil
}

func within(n int) bool { return n >= 1 && n <= mostCount }

// String is the rate as [Rate.UnmarshalText] reads it.
func (r Rate) String() string {
	if r == (Rate{}) {
		return "0"
	}
	for unit, per := range units {
		if per == r.Per {
			return fmt.Sprintf("%d/%s:%d", r.Count, unit, r.Burst)
		}
	}
	return fmt.Sprintf("%d/%s:%d", r.Count, r.Per, r.Burst)
}

// words are the rate in a message.
func (r Rate) words() string {
	per := map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour"}[r.Per]
	if r.Burst == r.Count {
		return fmt.Sprintf("%d per %s", r.Count, per)
	}
	return fmt.Sprintf("%d at once, then %d per %s", r.Burst, r.Count, per)
}

// perSecond is the rate at which a bucket fills.
func (r Rate) perSecond() rate.Limit { return rate.Limit(float64(r.Count) / r.Per.Seconds()) }

// window is how long an empty bucket takes to fill, in whole seconds.
func (r Rate) window() int { return seconds(float64(r.Burst) / float64(r.perSecond())) }
