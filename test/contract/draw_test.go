package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// longest is how long a text is drawn that may be longer still.
const longest = 300

// ignored are the members of a request that the contract says are not looked at.
var ignored = map[string][]string{"createPat": {"id", "secret", "createdAt", "seenAt", "userId"}}

// good draws a value that fits the schema.
func good(t *rapid.T, s *openapi3.Schema, label string) any {
	if s.Nullable && rapid.IntRange(0, 3).Draw(t, label+" null") == 0 {
		return nil
	}
	switch {
	case len(s.Enum) > 0:
		return rapid.SampledFrom(slices.DeleteFunc(slices.Clone(s.Enum), func(v any) bool { return v == nil })).Draw(t, label)
	case s.Type.Is("object"):
		return goodObject(t, s, label)
	case s.Type.Is("array"):
		n := rapid.IntRange(int(s.MinItems), int(min(*s.MaxItems, s.MinItems+4))).Draw(t, label+" length")
		items := make([]any, n)
		for i := range items {
			items[i] = good(t, s.Items.Value, fmt.Sprintf("%s %d", label, i))
		}
		return items
	case s.Type.Is("boolean"):
		return rapid.Bool().Draw(t, label)
	case s.Type.Is("integer"):
		return rapid.Int64Range(1, 1<<40).Draw(t, label)
	case s.Format == "date-time":
		return goodDate(t, label)
	case s.Type.Is("string"):
		return goodText(t, s, label)
	}
	panic("no generator for " + label)
}

func goodObject(t *rapid.T, s *openapi3.Schema, label string) map[string]any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, name) || rapid.Bool().Draw(t, label+name+"?") {
			object[name] = good(t, s.Properties[name].Value, label+name)
		}
	}
	return object
}

// goodDate draws a time between tomorrow and half a year from now in some spelling of RFC 3339.
func goodDate(t *rapid.T, label string) string {
	after := time.Duration(rapid.Int64Range(int64(24*time.Hour), int64(180*24*time.Hour)).Draw(t, label))
	zone := time.FixedZone("", rapid.IntRange(-12*60, 14*60).Draw(t, label+" zone")*60)
	layout := rapid.SampledFrom([]string{time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00"}).Draw(t, label+" layout")
	return time.Now().Add(after).In(zone).Format(layout)
}

// goodText draws a text of any characters but U+0000, which no contract admits.
func goodText(t *rapid.T, s *openapi3.Schema, label string) string {
	most := longest
	if s.MaxLength != nil {
		most = int(min(*s.MaxLength, longest))
	}
	text := strings.ReplaceAll(rapid.StringN(int(s.MinLength), most, -1).Draw(t, label), "\x00", "0")
	if s.Pattern == "" { // else it is a name, and the only pattern that there is asks for more than white space
		return text
	}
	text = strings.Map(honest, text)
	if strings.TrimFunc(text, blank) == "" {
		_, first := utf8.DecodeRuneInString(text)
		text = "x" + text[first:]
	}
	return text
}

// honest replaces what the description of a name excludes, since no pattern says it that all readers of patterns take.
func honest(r rune) rune {
	if unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
		return '0'
	}
	return r
}

// blank is white space as ECMA-262 has it, whose rules the patterns of OpenAPI follow. Unicode's differ in two characters.
func blank(r rune) bool { return r == '\ufeff' || unicode.IsSpace(r) && r != '\u0085' }

// fault is a change that makes a good request a bad one.
type fault struct {
	name  string
	make  func(body map[string]any)
	query string
}

// faults are all ways in which one member can be wrong, and one too many.
func faults(o operation, s *openapi3.Schema) []fault {
	media, _ := o.body()
	var all []fault
	if closed := s.AdditionalProperties.Has; closed != nil && !*closed {
		all = append(all, fault{name: "there is an unknown member", make: func(b map[string]any) { b["unknown"] = nil }})
		all = append(all, fault{"there is an unknown parameter", func(map[string]any) {}, "?unknown=1"})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(ignored[o.id], name) {
			continue
		}
		if slices.Contains(s.Required, name) {
			all = append(all, fault{name: name + " is missing", make: func(b map[string]any) { delete(b, name) }})
		}
		for _, bad := range badValues(s.Properties[name].Value, media == form) {
			label := fmt.Sprintf("%s is %.40v", name, bad)
			all = append(all, fault{name: label, make: func(b map[string]any) { b[name] = bad }})
		}
	}
	return all
}

// badValues are values that do not fit the schema. A form has only texts.
func badValues(s *openapi3.Schema, textsOnly bool) []any {
	candidates := []any{"", " \t\u3000", "text", strings.Repeat("ä", 256), strings.Repeat("a", 16385)}
	if s.Format == "date-time" {
		candidates = append(candidates, "2099-02-30T00:00:00Z", "2099-01-01", "2099-01-01 00:00:00Z", "2099-01-01T00:00:00",
			"2099-01-01T24:00:00Z", "2099-01-01T00:00:00+25:00", "2020-01-01T00:00:00Z", 4070908800.0)
	}
	if !textsOnly {
		candidates = append(candidates, nil, true, 0.0, -1.0, 1.5, []any{}, []any{"text"}, []any{1.0}, []any{nil}, map[string]any{})
	}
	if s.MaxItems != nil {
		candidates = append(candidates, slices.Repeat([]any{"x"}, int(*s.MaxItems)+1))
	}
	if s.Pattern != "" { // which Go's regular expressions read in ASCII only
		return append(fitless(s, candidates), "\ufeff", "\u00a0\u2028\u205f")
	}
	return fitless(s, candidates)
}

// fitless are the candidates that do not fit the schema.
func fitless(s *openapi3.Schema, candidates []any) []any {
	date := s.Format == "date-time" // of which every candidate is wrong, those of the past too
	return slices.DeleteFunc(candidates, func(v any) bool {
		_, text := v.(string)
		return (!date || !text) && s.VisitJSON(v) == nil
	})
}
