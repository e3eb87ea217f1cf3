package server

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/handlers"
)

// door is a web server with few connections, whose requests to /busy last until they are released.
type door struct {
	t        *testing.T
	all      *connections
	address  string
	begun    chan struct{} // has one for each request to /busy
	released chan struct{}
}

func open(t *testing.T, most Connections, proxies handlers.Proxies) *door {
	t.Helper()
	d := &door{
		t: t, all: newConnections(most, proxies, slog.New(slog.DiscardHandler)),
		begun: make(chan struct{}, 100), released: make(chan struct{}),
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{ConnState: d.all.state, ConnContext: connContext, ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/busy" {
				d.begun <- struct{}{}
				<-d.released
			}
		})}
	d.address = listener.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(d.all.limit(handlers.Listener(listener))) }()
	t.Cleanup(func() {
		web.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return d
}

// client is one connection.
type client struct {
	net.Conn
	t      *testing.T
	answer *bufio.Reader
}

func (d *door) connect() client {
	d.t.Helper()
	conn, err := new(net.Dialer).DialContext(d.t.Context(), "tcp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return client{conn, d.t, bufio.NewReader(conn)}
}

func (c client) send(path string) {
	_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
}

// answered reads the answer, and reports whether there is one.
func (c client) answered() bool {
	response, err := http.ReadResponse(c.answer, nil)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (c client) works(what string) {
	c.t.Helper()
	if c.send("/"); !c.answered() {
		c.t.Errorf("%s is not answered", what)
	}
}

func (c client) closed(what string) {
	c.t.Helper()
	if n, err := c.answer.Read(make([]byte, 1)); err == nil {
		c.t.Errorf("%s gets %d bytes, want its end", what, n)
	}
}

// TestLongestIdleGivesWay: the connection that has been idle longest is closed for a new one, and a busy one is not.
func TestLongestIdleGivesWay(t *testing.T) {
	d := open(t, Connections{Max: 3}, handlers.Proxies{})
	busy, first, second := d.connect(), d.connect(), d.connect()
	busy.send("/busy")
	<-d.begun
	second.works("the second")
	first.works("the first") // which the second has now been idle for longer than
	third := d.connect()
	third.works("the third")
	second.closed("the second")
	first.works("the first")
	close(d.released)
	if !busy.answered() {
		t.Error("the busy one is not answered")
	}
}

// TestSilentConnectionsGiveWay: those that have never sent a request do, in the order in which they came.
func TestSilentConnectionsGiveWay(t *testing.T) {
	d := open(t, Connections{Max: 2}, handlers.Proxies{})
	first, second := d.connect(), d.connect()
	_, _ = io.WriteString(first, "GET / HTTP/1.1\r\nHo")
	d.connect().works("the third")
	first.closed("the first")
	second.works("the second")
}

// TestAllBusy: a new connection waits until one has become idle.
func TestAllBusy(t *testing.T) {
	d := open(t, Connections{Max: 2}, handlers.Proxies{})
	first, second := d.connect(), d.connect()
	first.send("/busy")
	second.send("/busy")
	<-d.begun
	<-d.begun
	third := d.connect()
	third.send("/")
	d.released <- struct{}{}
	if !third.answered() {
		t.Error("the third is not answered")
	}
	close(d.released)
}

// TestAddressIsFull: where all connections of an address are busy, a further one is refused, but not that of a proxy.
func TestAddressIsFull(t *testing.T) {
	for name, proxies := range map[string]handlers.Proxies{
		"": {}, "proxy": {Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, "older flag": {Anyone: true},
	} {
		d := open(t, Connections{Max: 10, PerAddress: 2}, proxies)
		for range 2 {
			d.connect().send("/busy")
			<-d.begun
		}
		third := d.connect()
		if name == "" {
			third.closed("the third")
		} else {
			third.works(name)
		}
		close(d.released)
	}
}

// TestEndedConnectionsAreForgotten: nothing is left of those that clients have closed.
func TestEndedConnectionsAreForgotten(t *testing.T) {
	d := open(t, Connections{Max: 5, PerAddress: 5}, handlers.Proxies{})
	for range 50 {
		c := d.connect()
		c.works("one of many")
		c.Close()
	}
	deadline := time.Now().Add(30 * time.Second)
	for d.all.count() > 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if d.all.count() != 0 || len(d.all.addresses) != 0 || d.all.open.idle != 0 {
		t.Errorf("%d are left, of %d addresses, %d idle", d.all.count(), len(d.all.addresses), d.all.open.idle)
	}
}

// TestWaitingEndsWithTheServer: an Accept that waits for room does not hold up a stop.
func TestWaitingEndsWithTheServer(t *testing.T) {
	d := open(t, Connections{Max: 1}, handlers.Proxies{})
	d.connect().send("/busy")
	<-d.begun
	d.connect().send("/")
	t.Cleanup(func() { close(d.released) })
}

func TestMaximaFit(t *testing.T) {
	files := fileLimit()
	c, err := Connections{}.Fit(10)
	if err != nil || c.Max > mostConnections || c.Max > files || c.Max < fewestConnections || c.PerAddress != c.Max/2 {
		t.Errorf("%+v %v", c, err)
	}
	if c, err = (Connections{Max: 20, PerAddress: 20}).Fit(10); err != nil || c != (Connections{20, 20}) {
		t.Errorf("%+v %v", c, err)
	}
	if _, err = (Connections{Max: files}).Fit(10); err == nil {
		t.Error("as many connections as files are accepted")
	}
}
