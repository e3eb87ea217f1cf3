package handlers_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/logline"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// counted is a response of which only the status and the size are kept, so that a measurement holds nothing of a recorder.
type counted struct {
	header http.Header
	status int
	size   int
}

func (w *counted) Header() http.Header { return w.header }

func (w *counted) WriteHeader(status int) { w.status = status }

func (w *counted) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.size += len(p)
	return len(p), nil
}

// instant is a store that decides at once and keeps nothing: what is left of a create is everything but the store.
type instant struct {
	token.Store
	facts  token.Facts
	listed []token.Token
}

func (s instant) Create(_ context.Context, in token.Insert) (token.Token, error) {
	t := in.Token
	t.Seq = 7
	err := in.Decide(&t, s.facts)
	if t.ID == "" {
		t.ID = "7"
	}
	return t, err
}

func (s instant) List(context.Context, token.Query) ([]token.Token, error) {
	return append([]token.Token(nil), s.listed...), nil
}

// cost is one kind of request to the handlers, from the router to the body of the response.
type cost struct {
	name, method, path, credential, media, body string
	status                                      int
}

func (c cost) request() *http.Request {
	u, err := url.ParseRequestURI(c.path)
	if err != nil {
		panic(err)
	}
	r := &http.Request{
		Method: c.method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "tokens.example",
		Header: http.Header{"Authorization": {"Bearer " + c.credential}, "User-Agent": {"cost"}}, Body: http.NoBody,
		RemoteAddr: "127.0.0.1:40000", RequestURI: c.path,
	}
	if c.body != "" {
		r.Header["Content-Type"] = []string{c.media}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(c.body)), int64(len(c.body))
	}
	return r
}

// answer serves the request once.
func (c cost) answer(t testing.TB, h http.Handler, r *http.Request) {
	w := counted{header: make(http.Header)}
	h.ServeHTTP(&w, r)
	if w.status != c.status {
		t.Fatalf("%s: %d instead of %d", c.name, w.status, c.status)
	}
}

// costly is a handler without a socket and, but for its cache, without a store, and the requests that it is measured by.
func costly(t testing.TB) (http.Handler, []cost) {
	s := harness.Start(t, harness.Options{Unchecked: true, Configure: unlimited})
	jwt := s.Do("POST", "/api/v1/api_token", s.Vars["member"], `{"token_scope":"account"}`).JSON()["token"].(string)
	for i := range 10 {
		s.Do("POST", "/tokens", s.Vars["admin"], `{"name":"one of a list"}`)
		s.Do("POST", "/api/v1/api_token", s.Vars["admin"], `{"token_scope":"account"}`)
		s.Do("POST", "/api/admin/user/tokens", s.Vars["admin"], fmt.Sprintf(`{"description":"no. %d of a list"}`, i))
	}
	ctx := t.Context()
	admin, err := s.Service.Authenticate(ctx, s.Vars["admin"])
	if err != nil {
		t.Fatal(err)
	}
	environment, err := s.Service.Registry.FindEnvironment(ctx, s.Vars["environment"])
	if err != nil {
		t.Fatal(err)
	}
	page := func(d *token.Dialect) instant {
		tokens, err := s.DB.List(ctx, token.Query{Dialect: d, Limit: 10})
		if err != nil || len(tokens) != 10 {
			t.Fatal(d.Name, len(tokens), err)
		}
		return instant{s.DB, token.Facts{User: admin.User, Account: admin.Account, Environment: &environment}, tokens}
	}
	stores := dialectStores{Store: s.DB, stores: map[*token.Dialect]instant{}}
	for _, d := range token.Published {
		stores.stores[d] = page(d)
	}
	service := &token.Service{
		Store: stores, Registry: s.Service.Registry, Signer: s.Service.Signer, Memory: s.Service.Memory,
	}
	h, err := handlers.New(handlers.Config{
		Tokens: service, PublicURL: s.URL, Log: slog.New(logline.NewText(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	const form, object = "application/x-www-form-urlencoded", "application/json"
	a := s.Vars["admin"]
	future := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	return h, []cost{
		{"verify/muninx", "GET", "/verify", s.Vars["member"], "", "", 204},
		{"verify/apitoken", "GET", "/verify", jwt, "", "", 204},
		{"introspect/muninx", "POST", "/introspect", a, form, "token=" + s.Vars["member"], 200},
		{"introspect/apitoken", "POST", "/introspect", a, form, "token=" + jwt, 200},
		{"create/muninx", "POST", "/tokens", a, object, `{ "name": "CI token" }`, 200},
		{"create/apitoken", "POST", "/api/v1/api_token", a, object, `{"token_scope":"environment","environment_id":"` +
			s.Vars["environment"] + `","expires_at":"` + future + `"}`, 200},
		{"create/unleash", "POST", "/api/admin/user/tokens", a, object,
			`{"description":"laptop","expiresAt":"` + future + `"}`, 201},
		{"list/muninx", "GET", "/tokens?limit=10", a, "", "", 200},
		{"list/apitoken", "GET", "/api/v1/api_token?limit=10", a, "", "", 200},
		{"list/unleash", "GET", "/api/admin/user/tokens?limit=10", a, "", "", 200},
		{"refused/muninx", "POST", "/tokens", a, object, `{ "name": "", "x": 1 }`, 400},
	}
}

// dialectStores has an instant store of each dialect.
type dialectStores struct {
	token.Store
	stores map[*token.Dialect]instant
}

func (s dialectStores) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	return s.stores[in.Token.Dialect].Create(ctx, in)
}

func (s dialectStores) List(ctx context.Context, q token.Query) ([]token.Token, error) {
	return s.stores[q.Dialect].List(ctx, q)
}

// BenchmarkRequest measures what a request costs above the sockets and without the store. The last one is what an empty
// handler costs.
func BenchmarkRequest(b *testing.B) {
	h, costs := costly(b)
	for _, c := range costs {
		b.Run(c.name, func(b *testing.B) { c.run(b, h) })
	}
	e := echo.New()
	e.Any("/*", func(c echo.Context) error {
		return c.JSONBlob(http.StatusOK, []byte(`{"active":true,"sub":"member","scope":"user","token_type":"Bearer"}`))
	})
	b.Run("bare", func(b *testing.B) { cost{name: "bare", method: "GET", path: "/", status: 200}.run(b, e) })
}

func (c cost) run(b *testing.B, h http.Handler) {
	b.ReportAllocs()
	for b.Loop() {
		c.answer(b, h, c.request())
	}
}
