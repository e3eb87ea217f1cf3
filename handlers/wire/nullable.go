package wire

import (
	"time"

	"github.com/oapi-codegen/nullable"
)

// NullTime is null for the zero time. An unset nullable would be written as the zero value.
func NullTime(t time.Time) nullable.Nullable[time.Time] {
	if t.IsZero() {
		return nullable.NewNullNullable[time.Time]()
	}
	return nullable.NewNullableWithValue(t)
}

// NullText is null for the empty text.
func NullText(s string) nullable.Nullable[string] {
	if s == "" {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(s)
}

// Given is the value that was sent, nil if it is missing or null.
func Given[T any](n nullable.Nullable[T]) *T {
	value, err := n.Get()
	if err != nil {
		return nil
	}
	return &value
}
