package wire

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// The validator costs much even where there is nothing to say, and almost every body is valid. What follows finds that
// out at little cost for the plain schemas that bodies have. It never rejects: where it is not sure, the validator
// judges, so that there is one verdict.

// anyText is the one pattern that is known here: there is a character that is not white space.
const anyText = `\S`

// plainSchema reports whether [fits] knows all that the schema demands. Whatever else a schema can demand, now or in a
// later version of the library, makes a difference to the copy.
func plainSchema(s *openapi3.Schema) bool {
	known := openapi3.Schema{
		Type: s.Type, Nullable: s.Nullable, Enum: s.Enum, Format: s.Format, Pattern: s.Pattern,
		MinLength: s.MinLength, MaxLength: s.MaxLength, MinItems: s.MinItems, MaxItems: s.MaxItems, Items: s.Items,
		Required: s.Required, Properties: s.Properties, AdditionalProperties: s.AdditionalProperties,
		Min: s.Min, Max: s.Max, ReadOnly: s.ReadOnly, // of numbers, which [fits] leaves to the validator; and not judged
		Title: s.Title, Description: s.Description, Example: s.Example, Deprecated: s.Deprecated, // say nothing
		Extensions: s.Extensions, Origin: s.Origin,
	}
	demands := !reflect.DeepEqual(*s, known) //nolint:govet // no error is part of a schema
	if demands || s.Pattern != "" && s.Pattern != anyText || s.Format != "" && s.Format != "date-time" ||
		s.AdditionalProperties.Schema != nil {
		return false
	}
	for _, member := range s.Properties {
		if !plainSchema(member.Value) {
			return false
		}
	}
	return s.Items == nil || plainSchema(s.Items.Value)
}

// fits reports whether the value is known to satisfy a plain schema; false says nothing.
func fits(value any, s *openapi3.Schema) bool {
	switch v := value.(type) {
	case nil:
		return s.Nullable
	case string:
		return fitsText(v, s)
	case []any:
		return fitsArray(v, s)
	case map[string]any:
		return fitsObject(v, s)
	}
	return false
}

func fitsText(v string, s *openapi3.Schema) bool {
	length := len(v)
	if s.MinLength != 0 || s.MaxLength != nil {
		length = utf8.RuneCountInString(v)
	}
	return s.Type.Is(openapi3.TypeString) && within(length, s.MinLength, s.MaxLength) &&
		(len(s.Enum) == 0 || slices.ContainsFunc(s.Enum, func(known any) bool { return known == any(v) })) &&
		(s.Pattern == "" || strings.ContainsFunc(v, func(r rune) bool { return r > ' ' && r <= '~' })) &&
		(s.Format == "" || checkTime(v) == nil)
}

func fitsArray(v []any, s *openapi3.Schema) bool {
	return s.Type.Is(openapi3.TypeArray) && s.Items != nil && len(s.Enum) == 0 &&
		within(len(v), s.MinItems, s.MaxItems) &&
		!slices.ContainsFunc(v, func(item any) bool { return !fits(item, s.Items.Value) })
}

func fitsObject(v map[string]any, s *openapi3.Schema) bool {
	if !s.Type.Is(openapi3.TypeObject) || len(s.Enum) > 0 || !hasAll(v, s.Required) {
		return false
	}
	for name, given := range v {
		member := s.Properties[name]
		if member == nil && !open(s) || member != nil && !fits(given, member.Value) {
			return false
		}
	}
	return true
}

// fitsForm reports whether a form is known to satisfy a plain schema, with each parameter once and in plain text.
func fitsForm(form url.Values, s *openapi3.Schema) bool {
	for name, values := range form {
		member := s.Properties[name]
		if len(values) > 1 || !plain(name) || !plain(values[0]) ||
			member == nil && !open(s) || member != nil && !fitsText(values[0], member.Value) {
			return false
		}
	}
	return s.Type.Is(openapi3.TypeObject) && len(s.Enum) == 0 && hasAll(form, s.Required)
}

// open reports whether the objects of the schema may have members that it does not declare.
func open(s *openapi3.Schema) bool {
	return s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has
}

func hasAll[V any](object map[string]V, names []string) bool {
	for _, name := range names {
		if _, ok := object[name]; !ok {
			return false
		}
	}
	return true
}

func within(n int, least uint64, most *uint64) bool {
	return uint64(n) >= least && (most == nil || uint64(n) <= *most) //nolint:gosec // a length is not negative
}
