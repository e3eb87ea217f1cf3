// Package pgtest gives tests a throw-away PostgreSQL. The server is started when the first test asks for it, keeps its
// files in a temporary directory and ends with the test binary. A test that cannot get one fails. It is skipped only where
// go test was told -short, as make check does, which is for who has nothing but Go.
package pgtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/child"
)

// shared is the server that all tests of a binary use.
var shared struct {
	sync.Mutex
	inMain  bool // so that someone stops it
	cluster *Cluster
	err     error // why there is none; asked once
}

// Main runs the tests and stops the server that they may have started, and is [child.Main] too. It is for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	shared.inMain = true
	defer func() {
		shared.Lock()
		defer shared.Unlock()
		if shared.cluster != nil {
			shared.cluster.remove()
		}
	}()
	return child.Main(m)
}

// URL makes an empty database, which goes with the test, and returns its URL. The package of the test needs [Main].
func URL(t testing.TB) string {
	t.Helper()
	needed(t)
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		t.Fatal("pgtest: the TestMain of this package does not call pgtest.Main")
	}
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = newCluster(false)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster.URL(t)
}

// NewCluster starts a server for this test alone, which may take it away and bring it back. It has the settings of a server
// at work: it keeps what it has committed.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	needed(t)
	c, err := newCluster(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.remove)
	return c
}

// needed skips the test where no PostgreSQL is to be asked for.
func needed(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs PostgreSQL, which go test -short does without")
	}
}

// URL makes an empty database, which goes with the test, and returns its URL. The server must be running.
func (c *Cluster) URL(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", c.databases.Add(1))
	if err := c.exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !c.running() {
			return // the directory goes as a whole
		}
		if err := c.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.url(name)
}

// Stop takes the server away: connections are cut and new ones refused.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
}

// Start brings the server back under the same URL, with the data that it had.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) url(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", superuser, c.port, database)
}

// exec runs one statement in the maintenance database.
func (c *Cluster) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}
