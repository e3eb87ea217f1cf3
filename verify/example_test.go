package verify_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/tokenwright/tokenwright/verify"
)

// Two tokens, of which the first one works.
const (
	alice   = "muninx_AliceAliceAliceAliceAliceAlice3db3Po"
	revoked = "muninx_GoneGoneGoneGoneGoneGoneGoneGo31MzAA"
)

// tokenwright stands in for the server, so that the examples can be run.
func tokenwright() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":%t,"sub":"alice","token_scope":"user"}`, r.FormValue("token") == alice)
	}))
}

// call sends a request with a token to a handler.
func call(h http.Handler, secret string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A service asks Tokenwright about the tokens that it receives.
func ExampleOnline() {
	server := tokenwright()
	defer server.Close()

	config := verify.Online(server.URL, "the-credential-of-this-service")
	v, err := verify.New(config)
	if err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := verify.FromContext(r.Context())
		fmt.Fprintf(w, "Hello, %s!", token.Subject)
	})
	handler := v.Middleware(hello)

	fmt.Println(call(handler, alice).Body)
	fmt.Println(call(handler, revoked).Code)
	// Output:
	// Hello, alice!
	// 401
}

// A service checks JWTs by itself, and needs Tokenwright only now and then, for the keys and the status lists.
func ExampleOffline() {
	config := verify.Offline("https://tokens.example")
	v, err := verify.New(config)
	if err != nil {
		log.Fatal(err)
	}
	handler := v.Middleware(http.NotFoundHandler())

	fmt.Println(call(handler, "not-a-jwt").Header().Get("WWW-Authenticate"))
	// Output: Bearer realm="tokenwright", error="invalid_token"
}

// A part of a service takes the tokens of users only.
func ExampleVerifier_Require() {
	server := tokenwright()
	defer server.Close()
	config := verify.Online(server.URL, "the-credential-of-this-service")
	v, err := verify.New(config)
	if err != nil {
		log.Fatal(err)
	}
	users := v.Require(verify.Scope("user")).Middleware(http.NotFoundHandler())
	accounts := v.Require(verify.Scope("account")).Middleware(http.NotFoundHandler())

	fmt.Println(call(users, alice).Code, call(accounts, alice).Code)
	// Output: 404 403
}

// Without HTTP, as in a consumer of a queue: an outage is not a refusal.
func ExampleVerifier_Check() {
	server := tokenwright()
	config := verify.Online(server.URL, "the-credential-of-this-service")
	config.CacheTTL = 0 // a revoke shows at once
	v, err := verify.New(config)
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)

	_, err = v.Check(r.Context(), revoked)
	fmt.Println(errors.Is(err, verify.ErrInvalid))
	server.Close()
	_, err = v.Check(r.Context(), alice)
	fmt.Println(errors.Is(err, verify.ErrUnavailable))
	// Output:
	// true
	// true
}
