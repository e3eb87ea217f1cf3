package server

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Connections says how many may be open at the same time. A server without maxima is for tests.
type Connections struct {
	Max        int // in all; 0: any number
	PerAddress int // from one address, or network of IPv6, that is not a proxy's; 0: any number
}

const (
	// mostConnections is the default maximum, and takes some 200 MB. What the process may open can be less.
	mostConnections = 16_384
	// fewestConnections are tried even where the process may open very few files.
	fewestConnections = 16
	// otherFiles is more than this process opens for anything but clients and the connections to PostgreSQL.
	otherFiles = 64
)

// Fit sets the maxima that are zero to the defaults, by how many files the process may open besides so many connections
// to a database. From one address half of all may come.
func (c Connections) Fit(database int) (Connections, error) {
	files := fileLimit()
	room := max(fewestConnections, files-otherFiles-database)
	if c.Max > room {
		return c, fmt.Errorf("must be at most %d: the process may open %d files (ulimit -n), and needs some for the rest",
			room, files)
	}
	c.Max = cmp.Or(c.Max, min(room, mostConnections))
	c.PerAddress = cmp.Or(c.PerAddress, max(1, c.Max/2))
	return c, nil
}

// connections are those that are open. Where there are too many, the one that has been idle longest gives way. One that
// is new, or sends the head of a request, is idle, too: net/http calls it active only when the head is complete.
type connections struct {
	max     Connections
	proxies handlers.Proxies
	log     *slog.Logger
	elapsed func() time.Duration
	observe func(limit string) // for metrics; nil: none

	mu        sync.Mutex
	changed   sync.Cond // some became idle or ended, or the server stops
	open      queue
	addresses map[string]*queue
	stopped   bool
	warned    time.Duration // when the log was last told that there are too many; 0: never
}

// queue has connections, of which those that are idle are in the order in which they became so.
type queue struct {
	all  list.List // of *connection
	idle int       // how many are
}

// connection is one that is counted.
type connection struct {
	net.Conn
	all  *connections
	from string
	busy bool // a request is answered
	gone bool

	place, placeOfAddress *list.Element
}

// The limits of connections, for the log and metrics.
const (
	tooManyInAll  = "max-connections"
	tooManyFromIt = "max-connections-per-address"
)

func newConnections(maxima Connections, proxies handlers.Proxies, log *slog.Logger) *connections {
	all := &connections{
		max: maxima, proxies: proxies, log: log, elapsed: token.Stopwatch(), addresses: map[string]*queue{},
	}
	all.changed.L = &all.mu
	return all
}

// limit returns a listener whose connections are counted.
func (cs *connections) limit(l net.Listener) net.Listener { return &countingListener{l, cs} }

type countingListener struct {
	net.Listener
	all *connections
}

// Accept waits while all connections are busy: the system's queue keeps more of them than this process may.
func (l *countingListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.all.add(conn); c != nil {
			return c, nil
		}
		conn.Close() //nolint:errcheck // there is nobody to tell
	}
}

// Close also ends an [countingListener.Accept] that waits for room.
func (l *countingListener) Close() error {
	l.all.stop()
	return l.Listener.Close()
}

func (cs *connections) stop() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.stopped = true
	cs.changed.Broadcast()
}

// add counts the connection and makes room for it. It is nil if its address has too many, of which none is idle.
func (cs *connections) add(conn net.Conn) *connection {
	c := &connection{Conn: conn, all: cs, from: cs.addressOf(conn)}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if own := cs.addresses[c.from]; own != nil && c.from != "" && full(own, cs.max.PerAddress) {
		cs.tooMany(tooManyFromIt)
		if !own.closeIdle() {
			return nil
		}
	}
	if full(&cs.open, cs.max.Max) {
		cs.tooMany(tooManyInAll)
	}
	for full(&cs.open, cs.max.Max) && !cs.stopped {
		if !cs.open.closeIdle() {
			cs.changed.Wait()
		}
	}
	own := cs.addresses[c.from]
	if own == nil {
		own = &queue{}
		cs.addresses[c.from] = own
	}
	c.place, c.placeOfAddress = cs.open.all.PushBack(c), own.all.PushBack(c)
	cs.open.idle++
	own.idle++
	return c
}

// count is how many are open.
func (cs *connections) count() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.open.all.Len()
}

func full(q *queue, most int) bool { return most > 0 && q.all.Len() >= most }

// addressOf is "" for a proxy, which has as many connections as its clients need.
func (cs *connections) addressOf(conn net.Conn) string {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || cs.proxies.Trusts(peer.Addr()) {
		return ""
	}
	return handlers.Network(peer.Addr().Unmap().WithZone("").String())
}

// closeIdle closes the connection that has been idle longest; false if none is. It is called under the lock.
func (q *queue) closeIdle() bool {
	for q.idle > 0 {
		c := q.all.Front().Value.(*connection) //nolint:forcetypeassert // nothing else is put in
		if !c.busy {
			c.all.remove(c)
			c.Conn.Close() //nolint:errcheck // there is nobody to tell
			return true
		}
		q.all.MoveToBack(q.all.Front()) // where it goes anyway when it becomes idle
	}
	return false
}

// warnEvery is how often the log says that there are too many connections.
const warnEvery = time.Minute

// tooMany counts and logs that there are.
func (cs *connections) tooMany(limit string) {
	if cs.observe != nil {
		cs.observe(limit)
	}
	now := cs.elapsed()
	if cs.warned > 0 && now-cs.warned < warnEvery {
		return
	}
	cs.warned = now
	cs.log.Warn("too many connections; closing those that have been idle longest", "limit", limit)
}

// rest comes when a request was answered, work when the head of one is there. Both are called under the lock.
func (cs *connections) rest(c *connection) {
	if c.gone || !c.busy {
		return
	}
	c.busy = false
	cs.open.all.MoveToBack(c.place)
	cs.addresses[c.from].all.MoveToBack(c.placeOfAddress)
	cs.countIdle(c, 1)
	cs.changed.Broadcast()
}

func (cs *connections) work(c *connection) {
	if !c.gone && !c.busy {
		c.busy = true
		cs.countIdle(c, -1)
	}
}

func (cs *connections) countIdle(c *connection, by int) {
	cs.open.idle += by
	cs.addresses[c.from].idle += by
}

// remove is called under the lock.
func (cs *connections) remove(c *connection) {
	if c.gone {
		return
	}
	cs.work(c)
	c.gone = true
	cs.open.all.Remove(c.place)
	own := cs.addresses[c.from]
	if own.all.Remove(c.placeOfAddress); own.all.Len() == 0 {
		delete(cs.addresses, c.from)
	}
	cs.changed.Broadcast()
}

// state is for [http.Server.ConnState].
func (cs *connections) state(conn net.Conn, state http.ConnState) {
	c := counted(conn)
	if c == nil {
		return
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	switch state {
	case http.StateIdle:
		cs.rest(c)
	case http.StateActive:
		cs.work(c)
	}
}

// counted finds the connection below TLS.
func counted(conn net.Conn) *connection {
	for {
		if c, ok := conn.(*connection); ok {
			return c
		}
		outer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = outer.NetConn()
	}
}

// NetConn is for those who look for what is below.
func (c *connection) NetConn() net.Conn { return c.Conn }

// Close implements [net.Conn].
func (c *connection) Close() error {
	c.all.mu.Lock()
	c.all.remove(c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite lets net/http end a connection so that its last response is still read.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// connContext is for [http.Server.ConnContext].
func connContext(ctx context.Context, conn net.Conn) context.Context {
	if c := counted(conn); c != nil {
		conn = c.Conn
	}
	return handlers.ConnContext(ctx, conn)
}
