//go:build allocations

package token

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/allocations"
)

// TestAllocations compares the making and the hashing of secrets and ids.
func TestAllocations(t *testing.T) {
	secret, jwt := Muninx.Secrets.New(), strings.Repeat("x", 900)
	for _, c := range []struct {
		name  string
		bound int
		work  func()
	}{
		{"hash of a secret", 0, func() { HashSecret(secret) }},
		{"hash of a JWT", 0, func() { HashSecret(jwt) }},
		{"form of a secret", 2, func() { Published.OfSecret(secret) }},
		{"secret", 5, func() { Muninx.Secrets.New() }},
		{"UUID", 1, func() { UUIDs.New(time.Time{}) }},
		{"key", 2, func() { Keys.New(time.Time{}) }},
	} {
		t.Run(c.name, func(t *testing.T) { allocations.Compare(t, c.bound, c.work) })
	}
}
