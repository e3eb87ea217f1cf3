package clients

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/pkg/client/rs"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"github.com/tokenwright/tokenwright/test/harness"
)

// verdict is what introspection says of a token (RFC 7662 section 2.2), as a library has read it.
type verdict struct {
	Active      bool   `json:"active"`
	Subject     string `json:"sub"`
	Username    string `json:"username"`
	Scope       string `json:"scope"`
	TokenType   string `json:"token_type"`
	Expires     int64  `json:"exp"`
	Issued      int64  `json:"iat"`
	NotBefore   int64  `json:"nbf"`
	Issuer      string `json:"iss"`
	ID          string `json:"jti"`
	Account     string `json:"account_id"`
	Environment string `json:"environment_id"`
	TokenScope  string `json:"token_scope"`
	Dialect     string `json:"dialect"`
}

// failure is an error of a library, with the error code of the server (RFC 6749 section 5.2).
type failure struct {
	Type   string `json:"type"`
	Status int    `json:"status"` // 0 where the library does not tell
	Code   string `json:"code"`
}

// outcome is what a library makes of one check.
type outcome struct {
	Claims  verdict `json:"claims"`
	Failure failure `json:"failure"`
}

// library introspects tokens with a credential.
type library func(t *testing.T, s *harness.Server, credential string, tokens ...string) []outcome

// libraries are all under test, each with the ways of authenticating that it has.
var libraries = map[string]library{
	"zitadel oidc, Basic":   zitadel(asBasic),
	"zitadel oidc, Bearer":  zitadel(asBearer),
	"openid-client, Basic":  openidClient("basic"),
	"openid-client, Bearer": openidClient("bearer"),
}

// zitadel is github.com/zitadel/oidc, which takes the address of introspection without discovery. It wants that of the
// token endpoint too, and does not call it.
func zitadel(client func(s *harness.Server, credential string) *http.Client) library {
	return func(t *testing.T, s *harness.Server, credential string, tokens ...string) []outcome {
		t.Helper()
		server, err := rs.NewResourceServerClientCredentials(t.Context(), s.URL, "any", credential,
			rs.WithStaticEndpoints(s.URL+"/unused", s.URL+"/introspect"), rs.WithClient(client(s, credential)))
		if err != nil {
			t.Fatal(err)
		}
		var all []outcome
		for _, token := range tokens {
			all = append(all, zitadelOutcome(t, server, token))
		}
		return all
	}
}

func asBasic(s *harness.Server, _ string) *http.Client { return s.Client }

// asBearer puts a Bearer in the place of the library's own credential, as programs do that hold an OAuth token.
func asBearer(s *harness.Server, credential string) *http.Client {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, s.Client)
	return oauth2.NewClient(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: credential}))
}

func zitadelOutcome(t *testing.T, server rs.ResourceServer, token string) outcome {
	t.Helper()
	r, err := rs.Introspect[*oidc.IntrospectionResponse](t.Context(), server, token)
	var refused *oidc.Error
	switch {
	case errors.As(err, &refused):
		return outcome{Failure: failure{Type: "oidc.Error", Code: string(refused.ErrorType)}}
	case err != nil:
		return outcome{Failure: failure{Type: err.Error()}}
	}
	more := func(claim string) string { text, _ := r.Claims[claim].(string); return text }
	return outcome{Claims: verdict{
		Active: r.Active, Subject: r.Subject, Username: r.Username, Scope: strings.Join(r.Scope, " "), TokenType: r.TokenType,
		Expires: int64(r.Expiration), Issued: int64(r.IssuedAt), NotBefore: int64(r.NotBefore), Issuer: r.Issuer, ID: r.JWTID,
		Account: more("account_id"), Environment: more("environment_id"), TokenScope: more("token_scope"), Dialect: more("dialect"),
	}}
}

// openidClient is openid-client of Node.js, by introspect.mjs.
func openidClient(scheme string) library {
	return func(t *testing.T, s *harness.Server, credential string, tokens ...string) []outcome {
		t.Helper()
		var all []outcome
		node(t, map[string]any{
			"issuer": s.URL, "endpoint": s.URL + "/introspect", "scheme": scheme, "credential": credential, "tokens": tokens,
		}, &all, nil, "introspect.mjs")
		if len(all) != len(tokens) {
			t.Fatalf("%d outcomes for %d tokens", len(all), len(tokens))
		}
		return all
	}
}
