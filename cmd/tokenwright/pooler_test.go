package main

import (
	"path/filepath"
	"testing"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestCommandsThroughAPooler fail without the server's own URL, and say which flag is missing.
func TestCommandsThroughAPooler(t *testing.T) {
	direct := pgtest.URL(t)
	pooler := pgtest.Pooler(t, direct)
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	command(t, nil, "keys", "init", "--key-directory", keys).ok(t)
	for _, args := range [][]string{
		{"migrate", "up"}, {"migrate", "status"}, {"bootstrap", "--credential-file", filepath.Join(dir, "first")},
		{"serve", "--listen", "127.0.0.1:0", "--key-directory", keys, "--bootstrap-credential-file", filepath.Join(dir, "serve")},
	} {
		args = append(args, "--allow-unsafe-postgres", "--database-url", pooler)
		command(t, nil, args...).refused(t, exitFailure, "with --direct-database-url")
	}
	for _, args := range [][]string{
		{"migrate", "up"}, {"migrate", "status"}, {"bootstrap", "--credential-file", filepath.Join(dir, "first")},
	} {
		args = append(args, "--allow-unsafe-postgres", "--database-url", pooler, "--direct-database-url", direct)
		command(t, nil, args...).ok(t)
	}
}
