package muninx_test

import (
	"os"
	"testing"

	"github.com/tokenwright/tokenwright/test/pgtest"
	"github.com/tokenwright/tokenwright/test/wiretest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestWire plays the stories of testdata.
func TestWire(t *testing.T) { wiretest.Run(t, "testdata/*.txt") }
