package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestSubscribeGivesUp: a server that lets us in and then says no more does not keep us, and so does not keep the caches
// of a replica that hears nothing from being told so.
func TestSubscribeGivesUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go admit(listener)
	conn, err := pgx.Connect(t.Context(), "postgres://any@"+listener.Addr().String()+"/any?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	// Far more than subscribe's own limit; what is shown is that it has one.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := subscribe(ctx, conn); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("%v, and the caller's own time is over: %v", err, ctx.Err())
	}
}

// TestFeedOfAnotherServer is given up: rows come from where the newest connection leads to.
func TestFeedOfAnotherServer(t *testing.T) {
	config, err := parsePostgres(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &sessions{unsafe: true}
	config.ValidateConnect = s.judge
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	f := &feed{conn: conn, sessions: s}
	if err := f.send(t.Context(), "beat", true); err != nil {
		t.Error(err)
	}
	other := "another"
	s.current.Store(&other)
	if err := f.send(t.Context(), "beat", true); !errors.Is(err, errMoved) {
		t.Errorf("the error is %v", err)
	}
	if err := s.reuse(t.Context(), conn); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("the error is %v", err)
	}
}

// admit is a PostgreSQL server that answers nothing but the start of one connection.
func admit(listener net.Listener) {
	conn, err := listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if backend.Flush() != nil {
		return
	}
	for err == nil {
		_, err = backend.Receive()
	}
}

// readAsBefore is how servers read changes that know no accounts and environments.
func readAsBefore(message string) (c token.Change) {
	if _, err := fmt.Sscanf(message, "token %d list %d", &c.Token, &c.List); err != nil {
		c = token.Change{}
		_, _ = fmt.Sscanf(message, "user %d", &c.User)
	}
	return c
}

// TestFormsOfChanges: servers of several releases share a feed, so these forms stay. What a server does not know, it takes
// for a change of anything.
func TestFormsOfChanges(t *testing.T) {
	for message, want := range map[string]token.Change{
		"token 5 list 3": {Token: 5, List: 3},
		"token 5 list 0": {Token: 5},
		"user 7":         {User: 7},
		"all":            {},
		"account 06h00ggs26m7nbmb0v7xjtt3s4zzkknq":     {Account: "06h00ggs26m7nbmb0v7xjtt3s4zzkknq"},
		"environment 06h00ggs26m7nbmb0v7xjtt3s4zzkknq": {Environment: "06h00ggs26m7nbmb0v7xjtt3s4zzkknq"},
	} {
		if got := readChange(message); got != want {
			t.Errorf("%q is read as %+v, want %+v", message, got, want)
		}
		before := want
		before.Account, before.Environment = "", ""
		if got := readAsBefore(message); got != before {
			t.Errorf("an older server reads %q as %+v, want %+v", message, got, before)
		}
		if got := changeMessage(want); got != message {
			t.Errorf("%+v is announced as %q, want %q", want, got, message)
		}
	}
	for _, unknown := range []string{
		"", "token", "token 5", "token x list 3", "token 5 list 3 more", "token 0 list 3", "user", "user x", "user 7 more", "user 0",
		"user 07", "account", "account ", "environment ", "a newer form 5",
	} {
		if got := readChange(unknown); got != (token.Change{}) {
			t.Errorf("%q is read as %+v, want a change of anything", unknown, got)
		}
	}
}

// TestFeedThroughAPooler is given up, even if that was not noticed when it was begun: heartbeats come back through a pooler in
// transaction mode although many announcements do not.
func TestFeedThroughAPooler(t *testing.T) {
	config, err := parsePostgres(pgtest.Pooler(t, pgtest.URL(t)))
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	s, server := &sessions{unsafe: true}, "server"
	s.current.Store(&server)
	conn.PgConn().CustomData()[serverKey] = server
	f := &feed{conn: conn, sessions: s}
	if err := f.send(t.Context(), "beat", true); !errors.Is(err, errPooler) {
		t.Errorf("the error is %v", err)
	}
}
