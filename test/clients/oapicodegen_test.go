package clients

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	apitoken "github.com/tokenwright/tokenwright/gen/apitoken/client"
	muninx "github.com/tokenwright/tokenwright/gen/muninx/client"
	service "github.com/tokenwright/tokenwright/gen/service/client"
	unleash "github.com/tokenwright/tokenwright/gen/unleash/client"
	"github.com/tokenwright/tokenwright/test/harness"
)

// clients are the Go clients that this repository offers, which oapi-codegen generates, with one credential.
type clients struct {
	muninx   *muninx.ClientWithResponses
	apitoken *apitoken.ClientWithResponses
	unleash  *unleash.ClientWithResponses
	service  *service.ClientWithResponses
}

// connect makes the clients of a server. Their answers are checked against the contracts, unless web is another client.
func connect(web *http.Client, server, credential string) clients {
	authorize := bearer(credential)
	return clients{
		must(muninx.NewClientWithResponses(server, muninx.WithHTTPClient(web), muninx.WithRequestEditorFn(authorize))),
		must(apitoken.NewClientWithResponses(server, apitoken.WithHTTPClient(web), apitoken.WithRequestEditorFn(authorize))),
		must(unleash.NewClientWithResponses(server, unleash.WithHTTPClient(web), unleash.WithRequestEditorFn(authorize))),
		must(service.NewClientWithResponses(server, service.WithHTTPClient(web), service.WithRequestEditorFn(authorize))),
	}
}

// must is the result of what has to be done, as every request that the server answers at all.
func must[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

// present is a member of an answer that has to be there.
func present[T any](t *testing.T, value *T, answer interface{ Status() string }) T {
	t.Helper()
	if value == nil {
		t.Fatalf("the answer is another: %s", answer.Status())
	}
	return *value
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// goWorld is the world with the clients of those who take part in a token's life.
type goWorld struct {
	harness.World
	mine, boss clients
}

func newGoWorld(t *testing.T) goWorld {
	t.Helper()
	w := harness.StartWorld(t)
	return goWorld{w, connect(w.Client, w.URL, w.Vars["member"]), connect(w.Client, w.URL, w.Vars["admin"])}
}

// works is the id of the token whose secret this is; "" if it does not work.
func (w goWorld) works(t *testing.T, secret string) string {
	t.Helper()
	me := must(connect(w.Client, w.URL, secret).service.GetMeWithResponse(t.Context()))
	if problem := me.ApplicationproblemJSON401; problem != nil {
		same(t, "a token that does not work", problem.Type, "urn:tokenwright:problem:credential-invalid")
		return ""
	}
	return present(t, me.JSON200, me).Token.MustGet().Id
}

// governed takes a token through the states that only an admin can give it.
func (w goWorld) governed(t *testing.T, dialect, id, secret string) {
	t.Helper()
	ctx := t.Context()
	same(t, "fresh", w.works(t, secret), id)
	suspended := must(w.boss.service.SuspendServiceTokenWithResponse(ctx, dialect, id))
	same(t, "suspend", present(t, suspended.JSON200, suspended).Status, service.ServiceTokenStatusSuspended)
	same(t, "suspended", w.works(t, secret), "")
	activated := must(w.boss.service.ActivateServiceTokenWithResponse(ctx, dialect, id))
	same(t, "activate", present(t, activated.JSON200, activated).Status, service.ServiceTokenStatusActive)
	same(t, "active", w.works(t, secret), id)
	revoked := must(w.boss.service.RevokeServiceTokenWithResponse(ctx, dialect, id))
	same(t, "revoke", present(t, revoked.JSON200, revoked).Status, service.ServiceTokenStatusRevoked)
	same(t, "revoked", w.works(t, secret), "")
}

func TestOapiCodegenMuninx(t *testing.T) {
	w, ctx := newGoWorld(t), t.Context()
	mine := w.mine.muninx
	made := must(mine.CreateTokenWithResponse(ctx, nil, muninx.TokenCreate{Name: "go"}))
	token := present(t, made.JSON200, made)
	same(t, "name", token.Name, "go")
	limit := int32(1)
	page := must(mine.ListTokensWithResponse(ctx, &muninx.ListTokensParams{Limit: &limit}))
	list := present(t, page.JSON200, page)
	same(t, "newest", list.Items[0].Id, token.Id)
	same(t, "expires", list.Items[0].ExpiresAt.IsNull(), true)
	cursor := list.NextCursor.MustGet()
	rest := must(mine.ListTokensWithResponse(ctx, &muninx.ListTokensParams{Cursor: &cursor}))
	same(t, "older", present(t, rest.JSON200, rest).Items[0].Name, "fixture")
	w.governed(t, "muninx", token.Id, token.Token)
	got := must(mine.GetTokenWithResponse(ctx, token.Id))
	same(t, "status", present(t, got.JSON200, got).Status, muninx.Revoked)
	same(t, "delete", must(mine.DeleteTokenWithResponse(ctx, token.Id)).StatusCode(), 204)
	gone := must(mine.GetTokenWithResponse(ctx, token.Id))
	problem := present(t, gone.ApplicationproblemJSON404, gone)
	same(t, "gone", problem.Type, "urn:tokenwright:problem:not-found")
	same(t, "request id", problem.RequestId, gone.Headers404.XRequestId)
}

func TestOapiCodegenAPIToken(t *testing.T) {
	w, ctx := newGoWorld(t), t.Context()
	mine := w.mine.apitoken
	made := must(mine.CreateApiTokenWithResponse(ctx, nil, apitoken.ApiTokenDetailsForCreate{
		TokenScope:    apitoken.ApiTokenDetailsForCreateTokenScopeEnvironment,
		EnvironmentId: nullable.NewNullableWithValue(w.Vars["environment"]),
		ExpiresAt:     nullable.NewNullableWithValue(time.Now().Add(time.Hour)),
	}))
	created := present(t, made.JSON200, made)
	token, secret := created.Details, created.Token
	same(t, "environment", token.EnvironmentId.MustGet(), w.Vars["environment"])
	same(t, "fresh", w.works(t, secret), token.Id)
	suspended := must(mine.SuspendApiTokenWithResponse(ctx, token.Id))
	same(t, "suspend", present(t, suspended.JSON200, suspended).Details.Status, apitoken.ApiTokenDetailsStatusSuspended)
	same(t, "suspended", w.works(t, secret), "")
	activated := must(mine.ActivateApiTokenWithResponse(ctx, token.Id))
	same(t, "activate", present(t, activated.JSON200, activated).Details.Status, apitoken.ApiTokenDetailsStatusActive)
	same(t, "active", w.works(t, secret), token.Id)
	environment := w.Vars["environment"]
	page := must(mine.ListApiTokensWithResponse(ctx, &apitoken.ListApiTokensParams{EnvironmentId: &environment}))
	same(t, "listed", present(t, page.JSON200, page).Details[0].Id, token.Id)
	early := must(mine.DeleteApiTokenWithResponse(ctx, token.Id))
	same(t, "delete too early", present(t, early.JSON409, early).Code, apitoken.Conflict)
	revoked := must(mine.RevokeApiTokenWithResponse(ctx, token.Id))
	same(t, "revoke", present(t, revoked.JSON200, revoked).Details.Status, apitoken.ApiTokenDetailsStatusRevoked)
	same(t, "revoked", w.works(t, secret), "")
	same(t, "delete", must(mine.DeleteApiTokenWithResponse(ctx, token.Id)).StatusCode(), 204)
	gone := must(mine.GetApiTokenWithResponse(ctx, token.Id))
	same(t, "gone", present(t, gone.JSON404, gone).Code, apitoken.NotFound)
}

func TestOapiCodegenUnleash(t *testing.T) {
	w, ctx := newGoWorld(t), t.Context()
	mine, description := w.mine.unleash, "go"
	made := must(mine.CreatePatWithResponse(ctx, nil, unleash.PatSchema{Description: &description}))
	token := present(t, made.JSON201, made)
	same(t, "location", made.Headers201.Location, fmt.Sprintf("%s/api/admin/user/tokens/%d", w.URL, token.Id))
	page := must(mine.GetPatsWithResponse(ctx, &unleash.GetPatsParams{}))
	same(t, "listed", present(t, page.JSON200, page).Pats[0].Description.MustGet(), "go")
	twice := must(mine.CreatePatWithResponse(ctx, nil, unleash.PatSchema{Description: &description}))
	same(t, "taken", present(t, twice.JSON409, twice).Name, unleash.NameExistsError)
	w.governed(t, "unleash", fmt.Sprint(token.Id), token.Secret)
	got := must(mine.GetPatWithResponse(ctx, token.Id))
	same(t, "get", present(t, got.JSON200, got).UserId, token.UserId)
	same(t, "delete", must(mine.DeletePatWithResponse(ctx, token.Id)).StatusCode(), 200)
	gone := must(mine.GetPatWithResponse(ctx, token.Id))
	same(t, "gone", present(t, gone.JSON404, gone).Name, unleash.NotFoundError)
}

func TestOapiCodegenService(t *testing.T) {
	w, ctx := newGoWorld(t), t.Context()
	boss := w.boss.service
	made := must(boss.CreateUserWithResponse(ctx, service.UserDraft{
		Subject: "go", Name: "Go", Role: service.UserDraftRoleMember, AccountId: w.Vars["account"],
	}))
	user := present(t, made.JSON201, made)
	same(t, "location", made.Headers201.Location, fmt.Sprintf("%s/service/users/%d", w.URL, user.Id))
	first := must(boss.CreateUserTokenWithResponse(ctx, user.Id, nil, service.UserTokenDraft{Name: "first"}))
	token := present(t, first.JSON201, first)
	verdict := must(boss.IntrospectTokenWithFormdataBodyWithResponse(ctx, service.IntrospectionRequest{Token: token.Token}))
	same(t, "introspected", *present(t, verdict.JSON200, verdict).Jti, token.Id)
	verified := must(connect(w.Client, w.URL, token.Token).service.VerifyRequestWithResponse(ctx, &service.VerifyRequestParams{}))
	same(t, "verified", present(t, verified.Headers204, verified).XTokenId, token.Id)
	disabled := must(boss.DisableUserWithResponse(ctx, user.Id, &service.DisableUserParams{}))
	same(t, "disable", present(t, disabled.JSON200, disabled).Disabled, true)
	same(t, "disabled", w.works(t, token.Token), "")
	same(t, "delete", must(boss.DeleteServiceTokenWithResponse(ctx, "muninx", token.Id)).StatusCode(), 204)
	last := must(boss.DisableUserWithResponse(ctx, 1, &service.DisableUserParams{}))
	same(t, "the last admin", present(t, last.ApplicationproblemJSON409, last).Type, "urn:tokenwright:problem:conflict")
	small := must(w.mine.service.ListUsersWithResponse(ctx, &service.ListUsersParams{}))
	same(t, "a member", present(t, small.ApplicationproblemJSON403, small).Type, "urn:tokenwright:problem:forbidden")
	unknown := connect(w.Client, w.URL, "unknown").service
	refused := must(unknown.IntrospectTokenWithFormdataBodyWithResponse(ctx, service.IntrospectionRequest{Token: token.Token}))
	same(t, "introspection", *present(t, refused.ApplicationproblemJSON401, refused).Error, "invalid_client")
	empty := must(boss.CreateAccountWithResponse(ctx, service.AccountDraft{}))
	same(t, "a fault", *(*present(t, empty.ApplicationproblemJSON400, empty).Errors)[0].Pointer, "/name")
}

// TestOapiCodegenErrors reads the errors that every create may have, in each contract: those that the caller made, and
// those that the server did.
func TestOapiCodegenErrors(t *testing.T) {
	w, ctx := newGoWorld(t), t.Context()
	long, text := []byte(`{"name":"`+strings.Repeat("x", 70_000)+`"}`), "text/plain"
	body := func(content []byte) *bytes.Reader { return bytes.NewReader(content) }
	m, a, u := w.mine.muninx, w.mine.apitoken, w.mine.unleash
	tooLong := must(m.CreateTokenWithBodyWithResponse(ctx, nil, "application/json", body(long)))
	same(t, "muninx 413", present(t, tooLong.ApplicationproblemJSON413, tooLong).Status, 413)
	noJSON := must(m.CreateTokenWithBodyWithResponse(ctx, nil, text, body([]byte("x"))))
	same(t, "muninx 415", present(t, noJSON.ApplicationproblemJSON415, noJSON).Status, 415)
	aLong := must(a.CreateApiTokenWithBodyWithResponse(ctx, nil, "application/json", body(long)))
	same(t, "apitoken 413", present(t, aLong.JSON413, aLong).Code, apitoken.PayloadTooLarge)
	aText := must(a.CreateApiTokenWithBodyWithResponse(ctx, nil, text, body([]byte("x"))))
	same(t, "apitoken 415", present(t, aText.JSON415, aText).Code, apitoken.UnsupportedMediaType)
	uLong := must(u.CreatePatWithBodyWithResponse(ctx, nil, "application/json", body(long)))
	same(t, "unleash 413", present(t, uLong.JSON413, uLong).Name, unleash.PayloadTooLargeError)
	uText := must(u.CreatePatWithBodyWithResponse(ctx, nil, text, body([]byte("x"))))
	same(t, "unleash 415", present(t, uText.JSON415, uText).Name, unleash.ContentTypeError)

	past := nullable.NewNullableWithValue(time.Now().Add(-time.Hour))
	invalid := must(a.CreateApiTokenWithResponse(ctx, nil, apitoken.ApiTokenDetailsForCreate{TokenScope: "account", ExpiresAt: past}))
	faulty := present(t, invalid.JSON400, invalid)
	same(t, "apitoken 400", faulty.Code, apitoken.ValidationErrors)
	if faults := present(t, faulty.Errors, invalid); !slices.Equal(faults["expires_at"], []string{"must be in the future"}) {
		t.Errorf("apitoken 400: %v", faults)
	}
	malformed := must(a.CreateApiTokenWithBodyWithResponse(ctx, nil, "application/json", body([]byte("{"))))
	if e := present(t, malformed.JSON400, malformed); e.Code != apitoken.BadRequest || e.Errors != nil {
		t.Errorf("apitoken 400: %#v", e)
	}
	scoped := must(a.CreateApiTokenWithResponse(ctx, nil, apitoken.ApiTokenDetailsForCreate{TokenScope: "account"}))
	userless := connect(w.Client, w.URL, present(t, scoped.JSON200, scoped).Token)
	noUser := must(userless.muninx.ListTokensWithResponse(ctx, &muninx.ListTokensParams{}))
	same(t, "muninx 403", present(t, noUser.ApplicationproblemJSON403, noUser).Status, 403)
	noPats := must(userless.unleash.GetPatsWithResponse(ctx, &unleash.GetPatsParams{}))
	same(t, "unleash 403", present(t, noPats.JSON403, noPats).Name, unleash.ForbiddenError)
	nobody := connect(w.Client, w.URL, "unknown")
	noTokens := must(nobody.apitoken.ListApiTokensWithResponse(ctx, &apitoken.ListApiTokensParams{}))
	same(t, "apitoken 401", present(t, noTokens.JSON401, noTokens).Code, apitoken.Unauthorized)
	same(t, "challenge", noTokens.Headers401.WWWAuthenticate != "", true)
}

// TestOapiCodegenFaultsOfTheServer reads what the server answers only when something is out of order.
func TestOapiCodegenFaultsOfTheServer(t *testing.T) {
	w, ctx := harness.StartWorld(t), t.Context()
	at := func(status int) clients {
		return connect(http.DefaultClient, fmt.Sprintf("%s/%d", w.Refusing, status), "x")
	}
	m := must(at(503).muninx.CreateTokenWithResponse(ctx, nil, muninx.TokenCreate{Name: "x"}))
	same(t, "muninx 503", present(t, m.ApplicationproblemJSON503, m).Status, 503)
	same(t, "retry", m.Headers503.RetryAfter, 1)
	a := must(at(429).apitoken.CreateApiTokenWithResponse(ctx, nil, apitoken.ApiTokenDetailsForCreate{TokenScope: "account"}))
	same(t, "apitoken 429", present(t, a.JSON429, a).Code, apitoken.TooManyRequests)
	u := must(at(500).unleash.CreatePatWithResponse(ctx, nil, unleash.PatSchema{}))
	same(t, "unleash 500", present(t, u.JSON500, u).Name, unleash.UnknownError)
	s := must(at(503).service.GetReadinessWithResponse(ctx))
	same(t, "service 503", present(t, s.ApplicationproblemJSON503, s).Type, "urn:tokenwright:problem:service-unavailable")
}
