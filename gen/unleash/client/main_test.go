package client_test

import (
	"log"
	"os"
	"testing"
)

// TestMain wants the server that the examples call.
func TestMain(m *testing.M) {
	if os.Getenv("TOKENWRIGHT_SERVER") == "" {
		log.Fatal("the examples call a server; `go test ./test/modules` starts one and runs them")
	}
	os.Exit(m.Run())
}
