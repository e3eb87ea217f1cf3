package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/child"
)

// configOf is what the server is told for the flags of `serve`.
func configOf(t *testing.T, args ...string) server.Config {
	t.Helper()
	c := &cli{Serve: serveCmd{policyFlags: newPolicyFlags(token.Published)}}
	parser, err := newParserOf(c, &variables{getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"serve"}, args...)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Serve.settings()
	if err != nil {
		t.Fatal(err)
	}
	config, err := s.config(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestDefaultLimits are those that ship.
func TestDefaultLimits(t *testing.T) {
	c := configOf(t)
	for name, got := range map[string]struct {
		is   fmt.Stringer
		want string
	}{
		"requests":                       {c.Limits.Requests, "0"},
		"creates":                        {c.Limits.Creates, "100/s:100"},
		"failures of an address":         {c.Limits.Failures, "20/s:200"},
		"failures of a prefix":           {c.Limits.PrefixFailures, "0"},
		"checks":                         {c.Limits.Checks, "0"},
		"failures of checks":             {c.Limits.CheckFailures, "0"},
		"time for the head of a request": {c.HeaderTimeout, "5s"},
		"time for the next request":      {c.IdleTimeout, "2m0s"},
	} {
		if got.is.String() != got.want {
			t.Errorf("%s: %s, want %s", name, got.is, got.want)
		}
	}
	if c.Limits.Admins || c.Proxies != nil || c.TrustedProxy {
		t.Errorf("%+v", c)
	}
	if most := c.Connections; most.Max < 16 || most.Max > 16384 || most.PerAddress != most.Max/2 {
		t.Errorf("%+v", most)
	}
}

// TestProxySettings: networks are read with addresses and spaces, and the older flag reads the one header that it always
// has.
func TestProxySettings(t *testing.T) {
	c := configOf(t, "--trusted-proxies", "10.0.0.0/8, 192.0.2.1,2001:db8::/32,::ffff:198.51.100.0/120", "--proxy-header", "Forwarded")
	if got, want := fmt.Sprint(c.Proxies), "[10.0.0.0/8 192.0.2.1/32 2001:db8::/32 198.51.100.0/24]"; got != want || c.ProxyHeader != "Forwarded" {
		t.Errorf("%s %s, want %s", got, c.ProxyHeader, want)
	}
	if c = configOf(t, "--trusted-proxy"); !c.TrustedProxy || c.ProxyHeader != "X-Forwarded-For" {
		t.Errorf("%+v", c)
	}
}

// TestFailuresAsShipped floods the program with credentials that do not work: the burst and what is added meanwhile get
// 401, the others 429; the member goes on.
func TestFailuresAsShipped(t *testing.T) {
	p := launch(t, t.TempDir(), "--metrics-listen", "127.0.0.1:0", "--log-format", "json")
	counts := map[int]int{}
	begun := time.Now()
	const attempts = 600
	for i := range attempts {
		credential := []string{"muninx_x", token.Muninx.Secrets.New()}[i%2]
		status, _ := p.ask(t, "GET", "/tokens", credential, "")
		counts[status]++
	}
	most := 200 + int(20*time.Since(begun).Seconds()) + 1
	if got := counts[http.StatusUnauthorized]; got < 200 || got > most || got+counts[http.StatusTooManyRequests] != attempts {
		t.Errorf("of %d failures: %v, want 200 to %d with 401 and the rest with 429", attempts, counts, most)
	}
	p.works(t, p.credential(t))
	_, metrics := (&instance{address: metricsAddress(t, p.instance)}).askWith(t, http.DefaultClient, "GET", "/metrics", "", "")
	want := fmt.Sprintf(`tokenwright_limited_requests_total{limit="failures"} %d`, counts[http.StatusTooManyRequests])
	if !strings.Contains(metrics, want) {
		t.Errorf("the metrics do not have %s", want)
	}
}

const (
	fewFiles = 256
	manyIdle = 400
)

// TestIdleConnectionsKeepNobodyOut: with few files and more idle connections than these, new ones and half requests
// among them, another client is served, whether they come from one address or from many.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	for name, addresses := range map[string]int{"one address": 1, "many addresses": 8} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := newInstance(dir)
			p := child.ServeWithin(t, fewFiles, dir, []string{}, s.arguments([]string{"--metrics-listen", "127.0.0.1:0", "--log-format", "json"})[1:]...)
			s.address, s.log = p.Address, p.Log
			for i := range manyIdle {
				occupy(t, p.Address, fmt.Sprintf("127.0.0.%d", 1+i%addresses), i)
			}
			for range 5 {
				if status, body := s.ask(t, "POST", "/tokens", s.credential(t), `{"name":"x"}`); status != http.StatusOK {
					t.Errorf("an honest client gets %d %s", status, body)
				}
			}
			_, metrics := (&instance{address: metricsAddress(t, s)}).askWith(t, http.DefaultClient, "GET", "/metrics", "", "")
			if !strings.Contains(metrics, "tokenwright_connections_over_limit_total{limit=") || !strings.Contains(metrics, "tokenwright_connections ") {
				t.Error("the metrics do not tell")
			}
			if !strings.Contains(s.log.String(), "too many connections") || strings.Contains(s.log.String(), "too many open files") {
				t.Errorf("the log does not tell, or files ran out: %s", s.log)
			}
		})
	}
}

// occupy opens a connection that does nothing more: at once, after half a head, or after a request.
func occupy(t *testing.T, to, from string, i int) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	conn, err := dialer.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	sent := []string{"", "GET /healthz HTTP/1.1\r\nHo", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"}[i%3]
	_, _ = io.WriteString(conn, sent)
}
