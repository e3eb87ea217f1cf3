package store_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// with is the URL with a parameter more.
func with(address, parameter string) string {
	if strings.Contains(address, "?") {
		return address + "&" + parameter
	}
	return address + "?" + parameter
}

// TestCommitsWaitForTheDisk, whatever the role, the database or the URL says; what waits for more stays.
func TestCommitsWaitForTheDisk(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	address := cluster.URL(t)
	for set, want := range map[string]string{
		"remote_apply": "remote_apply", "on": "on", "remote_write": "on", "local": "on", "off": "on",
	} {
		cluster.Exec(t, "ALTER ROLE postgres SET synchronous_commit = "+set)
		if got := store.Setting(t, open(t, address), "synchronous_commit"); got != want {
			t.Errorf("the role has %s and a session gets %s, want %s", set, got, want)
		}
	}
	cluster.Exec(t, "ALTER ROLE postgres RESET synchronous_commit")
	for _, parameter := range []string{"synchronous_commit=off", "options=-c%20synchronous_commit%3Doff"} {
		if got := store.Setting(t, open(t, with(address, parameter)), "synchronous_commit"); got != "on" {
			t.Errorf("with %s a session gets %s", parameter, got)
		}
	}
}

// TestUnsafeServersAreRefused unless that was allowed.
func TestUnsafeServersAreRefused(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	address := cluster.URL(t)
	for _, name := range []string{"fsync", "full_page_writes"} {
		cluster.Stop(t)
		cluster.Setting(t, name, "off")
		cluster.Start(t)
		_, err := store.Open(t.Context(), address, store.Options{})
		want := "cannot open the database: PostgreSQL runs with fsync=off"
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "--allow-unsafe-postgres") {
			t.Errorf("with %s=off the error is %v", name, err)
		}
		openWith(t, address, store.Options{AllowUnsafe: true})
	}
}

// TestServersThatOnlyReadAreRefused: a standby, and a primary that was fenced off.
func TestServersThatOnlyReadAreRefused(t *testing.T) {
	for _, attrs := range []string{"any", "standby", "prefer-standby", "read-only", "primary"} {
		refused(t, with("postgres://u:s3cret@127.0.0.1:1/db?sslmode=disable", "target_session_attrs="+attrs), store.Options{},
			"must not set target_session_attrs to anything but read-write")
	}
	primary := pgtest.NewCluster(t)
	address := primary.URL(t)
	standby := primary.Standby(t)
	u, err := url.Parse(pgtest.Also(t, address, standby))
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, with(u.String(), "target_session_attrs=read-write"))
	_, u.Host, _ = strings.Cut(u.Host, ",")
	refused(t, u.String(), store.Options{Schema: store.AnySchema}, "cannot be reached", "the server is read-only")
	primary.Exec(t, "ALTER SYSTEM SET default_transaction_read_only = on")
	primary.Exec(t, "SELECT pg_reload_conf()")
	refused(t, address, store.Options{}, "cannot be reached", "the server is read-only")
	_, err = db.UpdateAccount(t.Context(), token.Permit{}, "a", func(*token.Account) error { return nil })
	wantKind(t, err, token.Unavailable)
	primary.Exec(t, "ALTER SYSTEM RESET default_transaction_read_only")
	primary.Exec(t, "SELECT pg_reload_conf()")
}
