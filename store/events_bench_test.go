package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/audit"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// BenchmarkEvents reports how many creates a second there are with events for one without. The two take turns in one
// run, each on a database of its own; the events come into the log meanwhile, as in a server.
func BenchmarkEvents(b *testing.B) {
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("sqlite/%d", clients), func(b *testing.B) { benchmarkEvents(b, sqliteURL, clients) })
		b.Run(fmt.Sprintf("postgres/%d", clients), func(b *testing.B) { benchmarkEvents(b, pgtest.URL, clients) })
	}
}

// rounds is how often they take turns.
const rounds = 10

func benchmarkEvents(b *testing.B, url func(testing.TB) string, clients int) {
	with, without := openWith(b, url(b), store.Options{}), openWith(b, url(b), store.Options{})
	store.Unrecorded(without)
	gatherBeside(b, with)
	var took [2]time.Duration
	callers := []func() error{}
	for _, d := range []*store.DB{with, without} {
		caller := aCaller(b, d)
		callers = append(callers, func() error {
			_, err := d.Create(b.Context(), anInsert(caller))
			return err
		})
	}
	n := max(b.N/rounds, clients)
	for range rounds {
		for i, create := range callers {
			start := time.Now()
			eachOf(b, n, clients, create)
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
	b.ReportMetric(float64(took[0].Microseconds())/float64(n*rounds), "µs/create")
}

// gatherBeside brings events into the log as a server does.
func gatherBeside(b *testing.B, d *store.DB) {
	key, err := audit.Ephemeral("https://tokens.example")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var log sync.WaitGroup
	log.Go(func() { (&audit.Log{Store: d, Key: key}).Run(ctx, func(err error) { b.Error(err) }) })
	b.Cleanup(func() { cancel(); log.Wait() })
}
