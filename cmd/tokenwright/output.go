package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/oapi-codegen/nullable"
)

// printer writes results as tables or as JSON.
type printer struct {
	out  io.Writer
	json bool
}

// column is one column of a table of things.
type column[T any] struct {
	title string
	cell  func(T) string
}

// printOne writes one thing: itself in JSON, a table with one row else.
func printOne[T any](p printer, columns []column[T], thing T) error {
	if p.json {
		return p.printJSON(thing)
	}
	return printTable(p, columns, []T{thing})
}

// printAll writes a list.
func printAll[T any](p printer, columns []column[T], things []T) error {
	if p.json {
		return p.printJSON(things)
	}
	return printTable(p, columns, things)
}

func printTable[T any](p printer, columns []column[T], things []T) error {
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	line := func(cell func(column[T]) string) {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cell(c)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	line(func(c column[T]) string { return c.title })
	for _, thing := range things {
		line(func(c column[T]) string { return printable(c.cell(thing)) })
	}
	return table.Flush()
}

func (p printer) printJSON(v any) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, printableJSON(text.String()))
	return err
}

// say writes a line for people; JSON has no place for it.
func (p printer) say(format string, args ...any) error {
	if p.json {
		return nil
	}
	_, err := fmt.Fprintf(p.out, format+"\n", args...)
	return err
}

// printable keeps what others have named their things from steering the terminal.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// printableJSON is printable for JSON, with the escapes that leave its meaning as it is.
func printableJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// stamp is a time in a table.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// orNone is a value that may be missing, in a table.
func orNone[T any](n nullable.Nullable[T], show func(T) string) string {
	value, err := n.Get()
	if err != nil {
		return "-"
	}
	return show(value)
}

func same(text string) string { return text }

// enabled is the state of a thing that can be disabled, in a table.
func enabled(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

// optional is nil for "", as the members and parameters that may be left out have it.
func optional[T ~string](text string) *T {
	if text == "" {
		return nil
	}
	value := T(text)
	return &value
}

// unlessZero is a member that is left out where there is no value for it.
func unlessZero[T comparable](value T) (n nullable.Nullable[T]) {
	if value != *new(T) {
		n.Set(value)
	}
	return n
}

// next is the cursor of the next page, "" at the end.
func next(n nullable.Nullable[string]) string {
	cursor, err := n.Get()
	if err != nil {
		return ""
	}
	return cursor
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
