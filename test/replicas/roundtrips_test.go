package replicas

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// counter is a way to a PostgreSQL server that counts the round trips of all connections but those that listen.
type counter struct {
	listener net.Listener
	target   string
	trips    atomic.Int64
}

// counting returns a counter and the URL through it.
func counting(t testing.TB, database string) (*counter, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	c := &counter{listener: listener, target: u.Host}
	go c.accept()
	u.Host = listener.Addr().String()
	return c, u.String()
}

func (c *counter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", c.target)
		if err != nil {
			client.Close()
			continue
		}
		listens := new(atomic.Bool)
		go func() {
			defer to.Close()
			_, _ = io.Copy(to, io.TeeReader(client, lookout{listens}))
		}()
		go func() {
			defer client.Close()
			_, _ = io.Copy(client, io.TeeReader(to, &messages{each: func(kind byte) {
				if kind == 'Z' && !listens.Load() { // ReadyForQuery: the server has answered all that it was sent
					c.trips.Add(1)
				}
			}}))
		}()
	}
}

// lookout notices a connection that listens.
type lookout struct{ listens *atomic.Bool }

func (l lookout) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("LISTEN ")) {
		l.listens.Store(true)
	}
	return len(p), nil
}

// messages takes a server's stream apart: each message is a letter, its length and its content.
type messages struct {
	each func(kind byte)
	head []byte
	skip int
}

func (m *messages) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if m.skip > 0 {
			n := min(m.skip, len(rest))
			m.skip, rest = m.skip-n, rest[n:]
			continue
		}
		m.head, rest = append(m.head, rest[0]), rest[1:]
		if len(m.head) == 5 {
			m.each(m.head[0])
			m.skip, m.head = int(binary.BigEndian.Uint32(m.head[1:]))-4, nil
		}
	}
	return len(p), nil
}

// work is a kind of request, of which the n-th is made to a server.
type work struct {
	cache int64 // bytes
	most  float64
	do    func(n int, s *harness.Server) harness.Answer
	want  int
}

// kinds are the requests whose round trips are counted.
func kinds(subjects []*subject) map[string]work {
	verify := func(n int, s *harness.Server) harness.Answer {
		return s.Do("GET", "/verify", subjects[n%len(subjects)].secret, "")
	}
	introspect := func(n int, s *harness.Server) harness.Answer {
		return s.Do("POST", "/introspect", s.Vars["introspector"], "token="+subjects[n%len(subjects)].secret,
			"Content-Type", "application/x-www-form-urlencoded")
	}
	return map[string]work{
		"verify, warm":         {16 << 20, 0.1, verify, http.StatusNoContent},
		"introspect, warm":     {16 << 20, 0.1, introspect, http.StatusOK},
		"verify, uncached":     {0, 1.1, verify, http.StatusNoContent},
		"introspect, uncached": {0, 1.1, introspect, http.StatusOK},
		"create, warm": {16 << 20, 2.1, func(_ int, s *harness.Server) harness.Answer {
			return s.Do("POST", "/tokens", s.Vars["member"], `{"name":"one of many"}`)
		}, http.StatusOK},
	}
}

// TestRoundTripsDoNotGrowWithReplicas counts the round trips of a request with 1, 2 and 4 servers on one database, and
// through a pooler.
func TestRoundTripsDoNotGrowWithReplicas(t *testing.T) {
	alone := map[string]float64{}
	for _, c := range []struct {
		servers int
		pooled  bool
	}{{1, false}, {2, false}, {4, false}, {2, true}} {
		for _, cache := range []int64{0, 16 << 20} {
			for name, trips := range tripsOf(t, c.servers, c.pooled, cache) {
				t.Logf("%d servers, %s: %.2f round trips a request; through a pooler: %t", c.servers, name, trips, c.pooled)
				if c.servers == 1 {
					alone[name] = trips
				}
				if most := kinds(nil)[name].most; trips > most || trips > alone[name]+0.1 {
					t.Errorf("at most %.1f are expected, and one server alone made %.2f", most, alone[name])
				}
			}
		}
	}
}

// tripsOf makes requests to n servers in turn and returns the round trips of one, for each kind with this cache.
func tripsOf(t *testing.T, n int, pooled bool, cache int64) map[string]float64 {
	t.Helper()
	database, direct := pgtest.URL(t), ""
	if pooled {
		direct, database = database, pgtest.Pooler(t, database)
	}
	count, address := counting(t, database)
	servers := start(t, n, harness.Options{DatabaseURL: address, Configure: func(c *server.Config) {
		c.CacheSize, c.Database.DirectURL = cache, direct
	}})
	trips := map[string]float64{}
	for name, w := range kinds([]*subject{create(t, servers[0]), create(t, servers[0])}) {
		if w.cache == cache {
			trips[name] = count.of(t, servers, w)
		}
	}
	for _, s := range servers {
		s.Stop()
	}
	return trips
}

// of is the least of several attempts: what else is done now and then, and a heartbeat that is late on a busy machine, only
// add.
func (c *counter) of(t *testing.T, servers []*harness.Server, w work) float64 {
	t.Helper()
	const requests = 200
	do := func(i int) {
		if a := w.do(i/len(servers), servers[i%len(servers)]); a.Status != w.want {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	for i := range 10 * len(servers) { // until each has its connections, and heartbeats come back
		do(i)
	}
	least := math.Inf(1)
	for range 3 {
		before := c.trips.Load()
		for i := range requests {
			do(i)
		}
		least = min(least, float64(c.trips.Load()-before)/requests)
	}
	return least
}
