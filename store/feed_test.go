package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

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
