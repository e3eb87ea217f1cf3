package client_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/test/world"
)

// TestMain starts the server that the examples call.
func TestMain(m *testing.M) { world.Main(m) }
