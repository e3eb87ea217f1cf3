package service

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"pgregory.net/rapid"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/draw"
)

// anyVerdict is one about a token of any dialect, or that there is none.
func anyVerdict(t *rapid.T, issuer string) verdict {
	if !rapid.Bool().Draw(t, "active") {
		return verdict{nil, issuer}
	}
	entry := draw.Token(t, rapid.SampledFrom(token.Published).Draw(t, "dialect"))
	id := token.Identity{Token: &entry, Account: &token.Account{ID: draw.Text(t, "account")}}
	if rapid.Bool().Draw(t, "of a user") {
		id.User = &token.User{Name: draw.Text(t, "user")}
	}
	return verdict{&token.Introspection{Identity: id, Subject: draw.Text(t, "subject")}, issuer}
}

// generated is the verdict as a value of the generated type.
func generated(v verdict) gen.Introspection {
	if v.Introspection == nil {
		return gen.Introspection{}
	}
	t := v.Token
	g := gen.Introspection{
		Active: true, Sub: &v.Subject, Scope: new(string(t.Scope)), TokenType: new("Bearer"),
		Iat: new(t.CreatedAt.Unix()), Nbf: new(t.CreatedAt.Unix()), Iss: &v.issuer, Jti: &t.ID,
		AccountId: &v.Account.ID, TokenScope: new(gen.IntrospectionTokenScope(t.Scope)),
		Dialect: new(gen.IntrospectionDialect(t.Dialect.Name)),
	}
	if !t.ExpiresAt.IsZero() {
		g.Exp = new(t.ExpiresAt.Unix())
	}
	if v.User != nil {
		g.Username = &v.User.Name
	}
	if t.EnvironmentID != "" {
		g.EnvironmentId = &t.EnvironmentID
	}
	return g
}

// TestVerdictIsTheGeneratedOne compares the responses of introspection with the generated types, encoded by
// encoding/json.
func TestVerdictIsTheGeneratedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		issuer := draw.Text(t, "issuer")
		one, batch := anyVerdict(t, issuer), verdicts{}
		results := gen.IntrospectionResults{Results: []gen.Introspection{}}
		for range rapid.IntRange(0, 3).Draw(t, "tokens") {
			v := anyVerdict(t, issuer)
			batch, results.Results = append(batch, v), append(results.Results, generated(v))
		}
		w := httptest.NewRecorder()
		if err := one.VisitIntrospectTokenResponse(w); err != nil {
			t.Fatal(err)
		}
		compare(t, w, generated(one))
		w = httptest.NewRecorder()
		if err := batch.VisitIntrospectTokensResponse(w); err != nil {
			t.Fatal(err)
		}
		compare(t, w, results)
	})
}

func compare(t *rapid.T, w *httptest.ResponseRecorder, want any) {
	text, err := json.Marshal(want)
	if got := w.Body.String(); err != nil || got != string(text)+"\n" {
		t.Fatalf("%s\ninstead of\n%s (%v)", got, text, err)
	}
}
