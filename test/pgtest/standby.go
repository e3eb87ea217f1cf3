package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a copy of the server that follows it by streaming replication and answers reads.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	standby, err := makeCluster(c.bin, c.durable, func(s *Cluster) error { return s.copyOf(c.port) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.remove)
	return standby
}

func (c *Cluster) copyOf(port int) error {
	return c.program("pg_basebackup", "-D", filepath.Join(c.dir, "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync",
		"-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", superuser)
}

// Promote makes a standby the primary.
func (c *Cluster) Promote(t testing.TB) {
	t.Helper()
	c.Exec(t, "SELECT pg_promote()")
}

// PauseReplay has a standby go on answering with what it has now.
func (c *Cluster) PauseReplay(t testing.TB) {
	t.Helper()
	c.Exec(t, "SELECT pg_wal_replay_pause()")
}

// ResumeReplay has a standby catch up.
func (c *Cluster) ResumeReplay(t testing.TB) {
	t.Helper()
	c.Exec(t, "SELECT pg_wal_replay_resume()")
}

// Kill ends all processes of the server without a chance to write anything, and waits until nothing of them is left.
func (c *Cluster) Kill(t testing.TB) {
	t.Helper()
	pids, err := c.processes(t.Context())
	if err == nil {
		err = c.server.Signal(syscall.SIGKILL) // first: it would take the death of another for a reason to begin anew
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-c.server.Exited
	c.server = nil
	for _, pid := range pids {
		for syscall.Kill(pid, 0) == nil {
			time.Sleep(time.Millisecond)
		}
	}
}

// processes are the ids of all processes of the server but the first.
func (c *Cluster) processes(ctx context.Context) ([]int, error) {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// Exec runs one statement in the maintenance database as superuser.
func (c *Cluster) Exec(t testing.TB, statement string) {
	t.Helper()
	if err := c.exec(statement); err != nil {
		t.Fatal(err)
	}
}

// Setting changes a setting in the server's file, which it reads at the next [Cluster.Start].
func (c *Cluster) Setting(t testing.TB, name, value string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(c.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(file, "%s = '%s'\n", name, value)
		file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Also returns the URL with the other servers as further hosts, in this order.
func Also(t testing.TB, database string, others ...*Cluster) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		u.Host += ",127.0.0.1:" + strconv.Itoa(other.port)
	}
	return u.String()
}

// RequirePassword has the server ask this user for a password.
func (c *Cluster) RequirePassword(t testing.TB, user string) {
	t.Helper()
	path := filepath.Join(c.dir, "data", "pg_hba.conf")
	rules, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append([]byte("host all "+user+" 127.0.0.1/32 scram-sha-256\n"), rules...), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Exec(t, "SELECT pg_reload_conf()")
}
