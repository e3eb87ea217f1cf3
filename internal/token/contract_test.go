package token_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/internal/token/storetest"
)

// TestFakeKeepsTheContract: the rules are tested on a store that does what the stores do that are shipped.
func TestFakeKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Store { return token.NewFake() })
}
