package wire

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

type key struct{}

// begin hands a request on whose connection has the context, and whose time is limited.
func begin(ctx context.Context, limit time.Duration, next func(ctx context.Context)) {
	nowhere := func(*http.Request) string { return "" }
	handler := Begin(Entrance{Client: nowhere, Limit: limit, Gate: Gate{Path: "/verify"}}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		next(r.Context())
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
}

// TestCallEnds has every reason for which a call ends reach what waits for it, at any depth.
func TestCallEnds(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		connection context.Context //nolint:containedctx // it is the case
		limit      time.Duration
		leave      context.CancelFunc
		want       error
	}{
		"deadline":   {t.Context(), time.Nanosecond, func() {}, context.DeadlineExceeded},
		"connection": {gone, time.Hour, leave, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			begin(c.connection, c.limit, func(ctx context.Context) {
				below, cancel := context.WithCancel(ctx)
				defer cancel()
				Put(ctx, key{}, "value")
				c.leave()
				<-below.Done()
				if err := ctx.Err(); !errors.Is(err, c.want) || !errors.Is(below.Err(), c.want) {
					t.Errorf("%v, below it %v", err, below.Err())
				}
				if ctx.Value(key{}) != "value" || below.Value(key{}) != "value" || requestID(below) == "" {
					t.Error("a value is lost")
				}
			})
		})
	}
}

// TestCallIsOver has nobody wait who begins to wait, or waits on, after the answer.
func TestCallIsOver(t *testing.T) {
	connection, leave := context.WithCancel(t.Context())
	var waited, late context.Context
	begin(connection, time.Hour, func(ctx context.Context) { waited = ctx; _ = ctx.Done() })
	begin(connection, time.Hour, func(ctx context.Context) { late = ctx })
	<-waited.Done()
	leave() // as net/http does it after each answer
	<-late.Done()
}
