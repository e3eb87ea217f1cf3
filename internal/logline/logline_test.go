package logline

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyText is text that is sometimes plain, and sometimes what needs escapes.
var anyText = rapid.OneOf(rapid.StringMatching(`[ -~]{0,12}`), rapid.StringMatching(`[a-z_:/.]{1,20}`), rapid.String())

// anyAttr is an attribute of any kind.
func anyAttr(t *rapid.T) slog.Attr {
	key := anyText.Draw(t, "key")
	return rapid.SampledFrom([]func() slog.Attr{
		func() slog.Attr { return slog.String(key, anyText.Draw(t, "text")) },
		func() slog.Attr { return slog.Int64(key, rapid.Int64().Draw(t, "int")) },
		func() slog.Attr { return slog.Float64(key, rapid.Float64().Draw(t, "float")) },
		func() slog.Attr {
			return slog.Float64(key, float64(rapid.Int64Range(0, 1e8).Draw(t, "microseconds"))/1000)
		},
		func() slog.Attr { return slog.Any(key, errors.New(anyText.Draw(t, "error"))) },
		func() slog.Attr { return slog.Bool(key, true) },
		func() slog.Attr { return slog.Group(key, slog.Int("a", 1)) },
		func() slog.Attr { return slog.Attr{} },
	}).Draw(t, "kind")()
}

func anyTime(t *rapid.T) time.Time {
	zone := time.FixedZone("", rapid.IntRange(-50000, 50000).Draw(t, "zone")/60*60)
	return rapid.SampledFrom([]time.Time{
		{}, time.Now(), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(rapid.Int64Range(-6e10, 2.5e11).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).In(zone),
		time.UnixMilli(rapid.Int64Range(0, 2.5e14).Draw(t, "ms")).In(zone),
	}).Draw(t, "time")
}

// TestSameBytes writes any record with these handlers and with those of log/slog.
func TestSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := slog.NewRecord(anyTime(t), slog.Level(rapid.IntRange(-9, 9).Draw(t, "level")), anyText.Draw(t, "message"), 0)
		for range rapid.IntRange(0, 9).Draw(t, "attributes") {
			r.AddAttrs(anyAttr(t))
		}
		compare(t, r)
	})
}

type failer interface {
	Errorf(format string, arguments ...any)
}

// compare reports whether both records were written without log/slog.
func compare(t failer, r slog.Record) {
	var text, json, wantText, wantJSON bytes.Buffer
	level := slog.Level(math.MinInt)
	for _, h := range []slog.Handler{
		NewText(&text, level), slog.NewTextHandler(&wantText, &slog.HandlerOptions{Level: level}),
		NewJSON(&json, level), slog.NewJSONHandler(&wantJSON, &slog.HandlerOptions{Level: level}),
	} {
		if err := h.Handle(context.Background(), r.Clone()); err != nil {
			t.Errorf("%v", err)
		}
	}
	if text.String() != wantText.String() {
		t.Errorf("text: %q instead of %q", &text, &wantText)
	}
	if json.String() != wantJSON.String() {
		t.Errorf("JSON: %q instead of %q", &json, &wantJSON)
	}
}

// access is a line of the access log.
func access() slog.Record {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	r.AddAttrs(
		slog.String("request_id", "33cc24ea-8d5c-4bb6-a8ea-7ce65a31a7ea"), slog.String("dialect", "service"),
		slog.String("operation", "verifyRequest"), slog.String("method", "GET"), slog.Int("status", 204),
		slog.Float64("duration_ms", 0.025), slog.String("client", "127.0.0.1"),
		slog.String("caller", "user:1 token:muninx/01a20042-1f0e-7226-9636-c15c87c5f366"),
	)
	return r
}

// TestAccessLine has the line of the access log written here, and alike.
func TestAccessLine(t *testing.T) {
	r := access()
	for _, json := range []bool{false, true} {
		if l := (&line{json: json}); !l.record(&r) {
			t.Errorf("left to log/slog: %q", l.text)
		}
	}
	compare(t, access())
}

// TestMore has attributes and groups of a logger, which log/slog writes, come between lines written here.
func TestMore(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(NewText(&text, slog.LevelWarn))
	log.With("a", 1).WithGroup("g").Warn("x", "b", 2)
	log.Warn("y", "c", 3)
	log.Info("not logged")
	if got := bytes.Count(text.Bytes(), []byte("\n")); got != 2 || !bytes.Contains(text.Bytes(), []byte("msg=x a=1 g.b=2\n")) {
		t.Errorf("%d lines: %s", got, &text)
	}
}

func BenchmarkText(b *testing.B) { benchmark(b, NewText(discard{}, nil)) }
func BenchmarkSlog(b *testing.B) { benchmark(b, slog.NewTextHandler(discard{}, nil)) }

func benchmark(b *testing.B, h slog.Handler) {
	b.ReportAllocs()
	r := access()
	for b.Loop() {
		if err := h.Handle(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
