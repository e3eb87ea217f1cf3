package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// feedChannel is where changes are announced to the other processes on the same database.
	feedChannel = "tokenwright_changes"
	// beatEvery is how long the feed listens before it sends the next heartbeat.
	beatEvery = 150 * time.Millisecond
	// beatWait is how long a heartbeat may be on its way before the feed counts as lost.
	beatWait = time.Second
	// feedRetry is the pause before a lost feed is set up again.
	feedRetry = 200 * time.Millisecond
)

// Follower hears of changes that any process made.
type Follower interface {
	// Changed tells of a change after its commit.
	Changed(c token.Change)
	// Sending marks the moment before a heartbeat is sent. The returned function is to be called when the heartbeat has
	// come back: by then every change that was committed before it was sent has been reported. Nil means that no heartbeat
	// is needed.
	Sending() (heard func())
	// Lost reports that changes may have been missed.
	Lost()
}

// Shared reports whether other processes may change the database, so that memory has to follow their changes.
func (d *DB) Shared() bool { return d.backend.follow != nil }

// Follow tells the follower of all changes until the context ends, and report of every loss of the feed. On a database
// that is not [DB.Shared] there is nothing to tell.
func (d *DB) Follow(ctx context.Context, f Follower, report func(error)) {
	if d.Shared() {
		d.backend.follow(ctx, f, report)
	}
}

// feedSource is a PostgreSQL, which hands announcements on in the order of their commits. A heartbeat that comes back
// therefore says that every change which was committed before it was sent has been told already.
type feedSource struct {
	config   *pgx.ConnConfig // of the connection that hears of changes
	sessions *sessions
}

func (s feedSource) follow(ctx context.Context, f Follower, report func(error)) {
	for ctx.Err() == nil {
		err := s.listen(ctx, f)
		f.Lost()
		if ctx.Err() == nil {
			report(fmt.Errorf("lost the feed: %w", err))
			sleep(ctx, feedRetry)
		}
	}
}

// changeMessage is how a change is announced. Servers of other releases read it too: a form never changes its meaning,
// and one that a server does not know is a change of anything to it.
func changeMessage(c token.Change) string {
	switch {
	case c.Token != 0:
		return fmt.Sprintf("token %d list %d", c.Token, c.List)
	case c.User != 0:
		return fmt.Sprintf("user %d", c.User)
	case c.Account != "":
		return "account " + c.Account
	case c.Environment != "":
		return "environment " + c.Environment
	}
	return "all"
}

// readChange reads what changeMessage wrote. Everything else is a change of anything.
func readChange(message string) (c token.Change) {
	kind, of, _ := strings.Cut(message, " ")
	switch kind {
	case "token":
		_, _ = fmt.Sscanf(message, "token %d list %d", &c.Token, &c.List)
	case "user":
		c.User, _ = strconv.ParseInt(of, 10, 64)
	case "account":
		c.Account = of
	case "environment":
		c.Environment = of
	}
	if changeMessage(c) != message {
		return token.Change{}
	}
	return c
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// listen follows the feed over a connection of its own until that fails.
func (s feedSource) listen(ctx context.Context, f Follower) error {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatWait)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if err := subscribe(ctx, conn); err != nil {
		return err
	}
	f.Lost() // rows read before now may have changed unnoticed
	feed := &feed{conn: conn, sessions: s.sessions, follower: f, name: "beat " + rand.Text()}
	defer feed.sessions.forget() // whatever cut this connection may have cut the others
	for ctx.Err() == nil {
		if err := feed.beat(ctx); err != nil {
			return err
		}
		if err := feed.hear(ctx, beatEvery); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// subscribe has the time limit of a heartbeat, since a server may hang without an error.
func subscribe(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, beatWait)
	defer cancel()
	_, err := conn.Exec(ctx, "LISTEN "+feedChannel)
	return err
}

// feed is one connection that listens.
type feed struct {
	conn     *pgx.Conn
	sessions *sessions
	follower Follower
	name     string // of this process's heartbeats
	sent     int
}

// errMoved is the error for a feed that comes from a different server than the rows.
var errMoved = errors.New("it came from a different server than the newest connection")

// beat sends a heartbeat and waits until it comes back. If none is needed, it only checks that the server is alive.
func (f *feed) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatWait)
	defer cancel()
	f.sent++
	own := fmt.Sprintf("%s %d", f.name, f.sent)
	heard := f.follower.Sending()
	if err := f.send(ctx, own, heard != nil); err != nil || heard == nil {
		return err
	}
	for {
		n, err := f.conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload == own {
			heard()
			return nil
		}
		f.tell(n.Payload)
	}
}

// sign checks that the server accepts writes. It sends a heartbeat only if one is needed: that costs a transaction id,
// and the lock that serializes all notifications.
const sign = `SELECT current_setting('transaction_read_only'), pg_backend_pid()::text,
	CASE WHEN $1 THEN pg_notify($2, $3)::text END`

// send fails unless rows come from the same server, it accepts writes, and the session is the one that listens.
func (f *feed) send(ctx context.Context, own string, needed bool) error {
	if !f.sessions.leads(f.conn) {
		return errMoved
	}
	var readOnly, process string
	err := f.conn.QueryRow(ctx, sign, needed, feedChannel, own).Scan(&readOnly, &process, nil)
	switch {
	case err != nil:
		return err
	case readOnly != "off":
		return errReadOnly
	case process != processOf(f.conn.PgConn()):
		return errPooler
	}
	return nil
}

// hear passes on notifications until the time is over.
func (f *feed) hear(ctx context.Context, until time.Duration) error {
	listening, cancel := context.WithTimeout(ctx, until)
	defer cancel()
	for {
		n, err := f.conn.WaitForNotification(listening)
		switch {
		case err == nil:
			f.tell(n.Payload)
		case listening.Err() != nil && !f.conn.IsClosed():
			return nil
		default:
			return err
		}
	}
}

// tell passes on one notification.
func (f *feed) tell(message string) {
	if !strings.HasPrefix(message, "beat ") {
		f.follower.Changed(readChange(message))
	}
}
