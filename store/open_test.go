package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func isKind(err, kind error) bool { return errors.Is(err, kind) }

// refused opens the database, which must fail with one line that has the words and no secret.
func refused(t *testing.T, address string, opts store.Options, words ...string) {
	t.Helper()
	opts.AllowUnsafe = true
	db, err := store.Open(t.Context(), address, opts)
	if err == nil {
		db.Close()
		t.Fatalf("%s was opened", address)
	}
	text := err.Error()
	if strings.ContainsAny(text, "\n\t") {
		t.Errorf("the error is not one line: %q", text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the error does not say %q: %s", word, text)
		}
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if strings.Contains(fmt.Sprintf("%v %+v", cause, cause), "s3cret") {
			t.Errorf("the error tells the password: %+v", cause)
		}
	}
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	for _, address := range []string{"", "file.db", "mysql://user:s3cret@localhost/db", ":memory:", "postgres"} {
		refused(t, address, store.Options{}, "must begin with sqlite: or postgres://")
	}
	refused(t, "sqlite:", store.Options{}, "path of a file")
	refused(t, "sqlite:"+t.TempDir(), store.Options{}, "cannot open the database")
	refused(t, "sqlite:/dev/null/a.db", store.Options{}, "cannot open the database")
}

func TestOpenNeverTellsThePassword(t *testing.T) {
	for _, address := range []string{
		"postgres://user:s3cret@127.0.0.1:1/db?sslmode=disable",
		"postgres://user:s3cret@127.0.0.1:1,127.0.0.1:2/db",
		"postgres://user:s3cret@no-such-host.invalid/db",
		"postgres://user@127.0.0.1:1/db?password=s3cret&sslmode=disable",
		"postgres://user:s3cret@127.0.0.1:port/db",
		"postgres://user:s3cret%zz@127.0.0.1:1/db",
		"postgres://user:a/s3cret@127.0.0.1:1/db",
		"postgres://user:a?s3cret@127.0.0.1:1/db",
		"postgresql://user:s3cret@127.0.0.1:1/db?sslmode=nonsense",
		"postgres:user=u password=s3cret",
	} {
		refused(t, address, store.Options{}, "cannot open the database")
	}
	known, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	known.User = url.UserPassword("nobody-known", "s3cret")
	refused(t, known.String(), store.Options{}, "cannot be reached", "nobody-known")
	refused(t, "postgres://user:s3cret@no-such-host.invalid/db", store.Options{}, "needs TLS", "sslmode=disable")
}

func TestOpenHonoursItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := store.Open(ctx, url, store.Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v, want context.Canceled", err)
		}
	})
}

func TestSchemaModes(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		refused(t, url, store.Options{Schema: store.RequireSchema}, "version 0", "tokenwright migrate up")
		db := openWith(t, url, store.Options{Schema: store.AnySchema})
		status, err := db.SchemaState(t.Context())
		if err != nil || status.Current != 0 || status.Wanted < 1 || len(status.Pending) == 0 {
			t.Fatalf("the status of an empty database is %+v, %v", status, err)
		}
		wantKind(t, db.Ping(t.Context()), token.Unavailable)
		_, err = db.FirstAdmin(t.Context())
		wantKind(t, err, token.Internal)
		for range 2 {
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		after, err := db.SchemaState(t.Context())
		if err != nil || after.Current != status.Wanted || len(after.Pending) != 0 {
			t.Errorf("the status after migration is %+v, %v", after, err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		openWith(t, url, store.Options{Schema: store.RequireSchema})
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		store.Exec(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (77, true)")
		for _, mode := range []store.Schema{store.MigrateSchema, store.RequireSchema} {
			refused(t, url, store.Options{Schema: mode}, "version 77", "newer", "knows 7")
		}
		if err := db.Migrate(t.Context()); err == nil {
			t.Error("a newer schema was migrated")
		}
		if err := db.Ping(t.Context()); err != nil { // a release that is being replaced goes on working
			t.Error(err)
		}
	})
}

func TestClosedDatabaseIsUnavailable(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db, err := store.Open(t.Context(), url, store.Options{AllowUnsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Close(), db.Close()); err != nil {
			t.Error(err)
		}
		wantKind(t, db.Ping(t.Context()), token.Unavailable)
		_, err = db.Find(t.Context(), token.Ref{Dialect: token.Muninx, ID: "x"})
		wantKind(t, err, token.Unavailable)
		_, err = db.UpdateAccount(t.Context(), token.Permit{}, "x", func(*token.Account) error { return nil })
		wantKind(t, err, token.Unavailable)
	})
}

// TestStartersTakeTurns has programs start together on an empty database.
func TestStartersTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		var starters [6]*exec.Cmd
		var output [len(starters)]bytes.Buffer
		for i := range starters {
			starters[i] = exec.Command(os.Args[0])
			starters[i].Env = append(os.Environ(), starterURL+"="+url)
			starters[i].Stdout, starters[i].Stderr = &output[i], &output[i]
		}
		for _, starter := range starters {
			if err := starter.Start(); err != nil {
				t.Fatal(err)
			}
		}
		for i, starter := range starters {
			if err := starter.Wait(); err != nil {
				t.Errorf("starter %d: %v: %s", i, err, &output[i])
			}
		}
		if err := open(t, url).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
