package echoverify_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/verify"
	"github.com/tokenwright/tokenwright/verify/echoverify"
)

// Three tokens: one works, one does not, and about one the server cannot say anything.
const (
	alice   = "muninx_AliceAliceAliceAliceAliceAlice3db3Po"
	revoked = "muninx_GoneGoneGoneGoneGoneGoneGoneGo31MzAA"
	outage  = "user:00000000000000000000000000000000000000000000000000000000"
)

// tokenwright stands in for the server.
func tokenwright() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("token") == outage {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":%t,"sub":"alice","token_scope":"user"}`, r.FormValue("token") == alice)
	}))
}

func verifier(url string) *verify.Verifier {
	config := verify.Online(url, "the-credential-of-this-service")
	v, err := verify.New(config)
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func call(h http.Handler, method, secret string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func greet(c echo.Context) error {
	token, _ := echoverify.Token(c)
	return c.String(http.StatusOK, "Hello, "+token.Subject+"!")
}

func ExampleMiddleware() {
	server := tokenwright()
	defer server.Close()
	config := verify.Online(server.URL, "the-credential-of-this-service")
	v, err := verify.New(config)
	if err != nil {
		log.Fatal(err)
	}

	e := echo.New()
	e.Use(echoverify.Middleware(v))
	e.GET("/", func(c echo.Context) error {
		token, _ := echoverify.Token(c)
		return c.String(http.StatusOK, "Hello, "+token.Subject+"!")
	})

	fmt.Println(call(e, http.MethodGet, alice).Body)
	fmt.Println(call(e, http.MethodGet, revoked).Code)
	// Output:
	// Hello, alice!
	// 401
}

// TestSameAnswers holds the adapter against the middleware of net/http.
func TestSameAnswers(t *testing.T) {
	server := tokenwright()
	defer server.Close()
	for what, v := range map[string]*verify.Verifier{
		"plain": verifier(server.URL), "required": verifier(server.URL).Require(verify.Scope("account")),
	} {
		seen := 0
		e := echo.New()
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc { // as one that logs
			return func(c echo.Context) error { err := next(c); seen = c.Response().Status; return err }
		}, echoverify.Middleware(v))
		e.GET("/", greet)
		e.HEAD("/", greet)
		plain := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, _ := verify.FromContext(r.Context())
			w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
			fmt.Fprintf(w, "Hello, %s!", token.Subject)
		}))
		for _, secret := range []string{alice, revoked, outage, ""} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				a, b := call(e, method, secret), call(plain, method, secret)
				if a.Code != b.Code || fmt.Sprint(a.Header()) != fmt.Sprint(b.Header()) || a.Body.String() != b.Body.String() {
					t.Errorf("%s, %s %q: %d %v %q, want %d %v %q", what, method, secret, a.Code, a.Header(), a.Body, b.Code, b.Header(), b.Body)
				}
				if seen != a.Code {
					t.Errorf("%s, %s %q: Echo saw %d, the client %d", what, method, secret, seen, a.Code)
				}
			}
		}
	}
}
