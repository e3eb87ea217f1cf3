// Package logline writes the records of log/slog as the handlers there do, to the byte, but several times faster where
// a record holds only plain text and numbers, as the access log's do: that line was a third of the cost of a check.
// cmd/tokenwright logs with it. It must not know what is logged.
package logline

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Handler is a [slog.Handler]. What it does not write itself, it leaves to the one of log/slog.
type Handler struct {
	slog.Handler
	json bool
	out  *output
}

// NewText returns a Handler like that of [slog.NewTextHandler].
func NewText(w io.Writer, level slog.Leveler) *Handler {
	out := &output{w: w}
	return &Handler{slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}), false, out}
}

// NewJSON returns a Handler like that of [slog.NewJSONHandler].
func NewJSON(w io.Writer, level slog.Leveler) *Handler {
	out := &output{w: w}
	return &Handler{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}), true, out}
}

// output writes one line at a time.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements [io.Writer].
func (o *output) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(line)
}

// lines are buffers for lines. One that has grown beyond maxLine is not kept.
var lines = sync.Pool{New: func() any { return new(line) }}

const maxLine = 4 << 10

// Handle implements [slog.Handler].
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	l := lines.Get().(*line) //nolint:forcetypeassert // nothing else is in there
	defer l.free()
	*l = line{text: l.text[:0], json: h.json}
	if !l.record(&r) {
		return h.Handler.Handle(ctx, r)
	}
	_, err := h.out.Write(l.text)
	return err
}

// line is a record in writing.
type line struct {
	text []byte
	json bool
	odd  bool // it has something that is not written here
}

func (l *line) free() {
	if cap(l.text) <= maxLine {
		lines.Put(l)
	}
}

// record reports false if the record has something that is not written here.
func (l *line) record(r *slog.Record) bool {
	if year := r.Time.Year(); r.Time.IsZero() || year < 0 || year > 9999 {
		return false
	}
	if l.json {
		l.text = append(l.text, '{')
	}
	l.key(slog.TimeKey)
	l.time(r.Time)
	l.key(slog.LevelKey)
	l.string(r.Level.String())
	l.key(slog.MessageKey)
	l.string(r.Message)
	r.Attrs(l.attr)
	if l.json {
		l.text = append(l.text, '}')
	}
	l.text = append(l.text, '\n')
	return !l.odd
}

func (l *line) key(name string) {
	switch n := len(l.text); {
	case l.json && n > len("{"):
		l.text = append(l.text, ',')
	case !l.json && n > 0:
		l.text = append(l.text, ' ')
	}
	l.string(name)
	if l.json {
		l.text = append(l.text, ':')
	} else {
		l.text = append(l.text, '=')
	}
}

func (l *line) attr(a slog.Attr) bool {
	l.key(a.Key)
	switch a.Value.Kind() {
	case slog.KindString:
		l.string(a.Value.String())
	case slog.KindInt64:
		l.text = strconv.AppendInt(l.text, a.Value.Int64(), 10)
	case slog.KindFloat64:
		l.float(a.Value.Float64())
	default:
		l.odd = true
	}
	return !l.odd
}

// float writes a number that encoding/json writes without an exponent.
func (l *line) float(f float64) {
	format := byte('g')
	if l.json {
		format = 'f'
	}
	l.odd = l.odd || f != 0 && !(f >= 1e-6 && f < 1e21)
	l.text = strconv.AppendFloat(l.text, f, format, -1, 64)
}

// What a character of a text asks for.
const (
	quotes  = 1 << iota // around the text, where the format has some without
	escapes             // which are not written here
)

// asks says it of each character.
var asks = func() (asks [256]byte) {
	for c := range asks {
		switch {
		case c < ' ' || c > '~' || c == '"' || c == '\\':
			asks[c] = escapes
		case c == ' ' || c == '=':
			asks[c] = quotes
		}
	}
	return asks
}()

// string writes a text that needs no escapes, in quotes where the format asks for them.
func (l *line) string(s string) {
	var all byte
	for i := range len(s) {
		all |= asks[s[i]]
	}
	l.odd = l.odd || all&escapes != 0
	if l.json || s == "" || all != 0 {
		l.text = append(append(append(l.text, '"'), s...), '"')
	} else {
		l.text = append(l.text, s...)
	}
}

// time writes RFC 3339: with three decimals as text, with those that it has as JSON.
func (l *line) time(t time.Time) {
	if l.json {
		l.text = append(t.AppendFormat(append(l.text, '"'), time.RFC3339Nano), '"')
		return
	}
	// This layout is much faster than others, but has no zeros at the end: so there are four decimals, of which one goes.
	end := len(l.text) + len("2006-01-02T15:04:05.000")
	l.text = t.Truncate(time.Millisecond).Add(time.Millisecond/10).AppendFormat(l.text, time.RFC3339Nano)
	l.text = slices.Delete(l.text, end, end+1)
}
