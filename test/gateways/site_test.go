// Package gateways runs the set-ups of docs/gateways.md on the real servers, in front of a real Tokenwright and an
// application that writes down what reaches it.
package gateways

import (
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/harness"
)

// gateway is one of the servers of the document.
type gateway struct {
	name     string // of the program
	language string // of its block in the document
	listen   string // what the block says of its own address, and
	bound    func(address string) string
	run      func(t *testing.T, dir, setup string) *process
}

var gateways = []gateway{
	{"nginx", "nginx", "listen 8000;", func(a string) string { return "listen " + a + ";" }, runNginx},
	{"caddy", "caddyfile", "\n:8000 {", func(a string) string { return "\nhttp://" + a + " {\n\tbind 127.0.0.1" }, runCaddy},
}

// runNginx stays one process, so that nothing of it can outlive the test.
func runNginx(t *testing.T, dir, setup string) *process {
	var main strings.Builder
	main.WriteString("daemon off;\nmaster_process off;\npid nginx.pid;\nevents {}\nhttp {\naccess_log off;\n")
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		main.WriteString(kind + "_temp_path " + kind + ";\n")
	}
	main.WriteString("include tokenwright.conf;\n}\n")
	write(t, filepath.Join(dir, "tokenwright.conf"), setup)
	write(t, filepath.Join(dir, "nginx.conf"), main.String())
	return launch(t, dir, find(t, "nginx"), "-p", dir, "-c", "nginx.conf", "-e", "stderr")
}

func runCaddy(t *testing.T, dir, setup string) *process {
	write(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n}\n"+setup)
	return launch(t, dir, find(t, "caddy"), "run", "--config", "Caddyfile", "--adapter", "caddyfile")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// block is the only block of a language in the document.
func block(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/gateways.md")
	must(t, err)
	parts := strings.Split(string(text), "\n```"+language+"\n")
	if len(parts) != 2 {
		t.Fatalf("the document has %d blocks of %s", len(parts)-1, language)
	}
	setup, _, _ := strings.Cut(parts[1], "\n```")
	return setup + "\n"
}

// setup is the document's block with the addresses of this test.
func (g gateway) setup(t *testing.T, s *site, address string) string {
	t.Helper()
	text := block(t, g.language)
	for _, change := range [][2]string{
		{g.listen, g.bound(address)}, {"127.0.0.1:8080", s.checks.address}, {"127.0.0.1:9000", s.app.address},
		{"ACCOUNT", s.tokenwright.Vars["account"]},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("the block of %s has no %q", g.name, change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	return text
}

// site is a gateway with what is behind it.
type site struct {
	gateway     gateway
	tokenwright *harness.Server
	checks      *recorder // in front of Tokenwright
	app         *recorder
	url         string
	client      *http.Client
}

// each runs the test with every gateway, in front of one Tokenwright.
func each(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	tokenwright := harness.Start(t, harness.Options{})
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, g, tokenwright))
		})
	}
}

func start(t *testing.T, g gateway, tokenwright *harness.Server) *site {
	t.Helper()
	s := &site{gateway: g, tokenwright: tokenwright, client: &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	target, err := url.Parse(tokenwright.URL)
	must(t, err)
	s.checks = record(t, httputil.NewSingleHostReverseProxy(target))
	s.app = record(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	for range 3 { // in case someone takes the free port first
		address := freeAddress(t)
		dir := home(t)
		if err = g.run(t, dir, g.setup(t, s, address)).await(address); err == nil {
			s.url = "http://" + address
			return s
		}
	}
	t.Fatal(err)
	return nil
}

// request is what a recorder got.
type request struct {
	method, uri string
	header      http.Header
	size        int64
	sum         [sha256.Size]byte
}

// recorder is a server that writes down its requests.
type recorder struct {
	address  string
	handler  http.Handler
	server   *httptest.Server
	mu       sync.Mutex
	requests []request
}

func record(t *testing.T, h http.Handler) *recorder {
	t.Helper()
	r := &recorder{handler: h}
	listener, err := child.Listen() // since a port that anybody may get cannot be had again, see replace
	must(t, err)
	r.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: r, ReadHeaderTimeout: patience}}
	r.server.Start()
	r.address = r.server.Listener.Addr().String()
	t.Cleanup(func() { r.server.Close() })
	return r
}

// ServeHTTP writes the request down and has the handler answer it.
func (r *recorder) ServeHTTP(w http.ResponseWriter, got *http.Request) {
	hash := sha256.New()
	size, _ := io.Copy(hash, got.Body)
	r.mu.Lock()
	r.requests = append(r.requests, request{got.Method, got.RequestURI, got.Header.Clone(), size, [sha256.Size]byte(hash.Sum(nil))})
	r.mu.Unlock()
	got.Body = http.NoBody
	r.handler.ServeHTTP(w, got)
}

// take returns the requests since the last call.
func (r *recorder) take() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.requests = nil }()
	return slices.Clone(r.requests)
}

// replace has another server answer at the recorder's address; nil is none.
func (r *recorder) replace(t *testing.T, serve func(net.Listener)) {
	t.Helper()
	r.server.CloseClientConnections()
	r.server.Close()
	if serve == nil {
		return
	}
	listener, err := net.Listen("tcp", r.address)
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go serve(listener)
}
