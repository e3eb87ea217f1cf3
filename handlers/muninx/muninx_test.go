package muninx_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/test/wiretest"
)

// TestWire plays the stories of testdata.
func TestWire(t *testing.T) { wiretest.Run(t, "testdata/*.txt") }
