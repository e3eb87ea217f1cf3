package main

import (
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// TestContractsOfEveryDialect: the command line speaks every published dialect.
func TestContractsOfEveryDialect(t *testing.T) {
	if len(contracts) != len(token.Published) {
		t.Errorf("%d contracts for %d dialects", len(contracts), len(token.Published))
	}
	for i, d := range token.Published {
		if contracts[i].dialect != d {
			t.Errorf("contract %d is that of %s, want %s", i, contracts[i].dialect, d)
		}
	}
}
