// Package ogen has clients that ogen generates live the life of a token. They are the strictest readers: an answer whose
// status, media type, header or member is not what the contract says is an error. It is a module of its own, since its
// generated code is made by `make clients-setup` and not committed.
package ogen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ogen-go/ogen/ogenerrors"

	"github.com/tokenwright/tokenwright/test/clients/ogen/gen/apitoken"
	"github.com/tokenwright/tokenwright/test/clients/ogen/gen/muninx"
	"github.com/tokenwright/tokenwright/test/clients/ogen/gen/service"
	"github.com/tokenwright/tokenwright/test/clients/ogen/gen/unleash"
	"github.com/tokenwright/tokenwright/test/harness"
)

// credential authenticates with each contract in the way that it has.
type credential string

type (
	asMuninx   struct{ credential }
	asAPIToken struct{ credential }
	asUnleash  struct{ credential }
	asService  struct{ credential }
)

func (c asMuninx) Bearer(context.Context, muninx.OperationName) (muninx.Bearer, error) {
	return muninx.Bearer{Token: string(c.credential)}, nil
}

func (c asAPIToken) Bearer(context.Context, apitoken.OperationName) (apitoken.Bearer, error) {
	return apitoken.Bearer{Token: string(c.credential)}, nil
}

// ApiKey is the bare secret in Authorization; Bearer would overwrite it.
func (c asUnleash) ApiKey(context.Context, unleash.OperationName) (unleash.ApiKey, error) { //nolint:revive // ogen names it
	return unleash.ApiKey{APIKey: string(c.credential)}, nil
}

func (asUnleash) Bearer(context.Context, unleash.OperationName) (unleash.Bearer, error) {
	return unleash.Bearer{}, ogenerrors.ErrSkipClientSecurity
}

func (c asService) Bearer(context.Context, service.OperationName) (service.Bearer, error) {
	return service.Bearer{Token: string(c.credential)}, nil
}

func (asService) Basic(context.Context, service.OperationName) (service.Basic, error) {
	return service.Basic{}, ogenerrors.ErrSkipClientSecurity
}

// clients are those of all contracts with one credential.
type clients struct {
	muninx   *muninx.Client
	apitoken *apitoken.Client
	unleash  *unleash.Client
	service  *service.Client
}

func connect(t *testing.T, web *http.Client, server, secret string) clients {
	t.Helper()
	c := credential(secret)
	m, err1 := muninx.NewClient(server, asMuninx{c}, muninx.WithClient(web))
	a, err2 := apitoken.NewClient(server, asAPIToken{c}, apitoken.WithClient(web))
	u, err3 := unleash.NewClient(server, asUnleash{c}, unleash.WithClient(web))
	s, err4 := service.NewClient(server, asService{c}, service.WithClient(web))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return clients{m, a, u, s}
}

// is asks for an answer of one type, which stands for its status.
func is[T any](t *testing.T) func(answer any, err error) T {
	t.Helper()
	return func(answer any, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := answer.(T)
		if !ok {
			t.Fatalf("the answer is %T: %+v", answer, answer)
		}
		return got
	}
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// people are the world with the clients of those who take part in a token's life.
type people struct {
	harness.World
	mine, boss clients
}

func meet(t *testing.T) people {
	t.Helper()
	w := harness.StartWorld(t)
	return people{w, connect(t, w.Client, w.URL, w.Vars["member"]), connect(t, w.Client, w.URL, w.Vars["admin"])}
}

// works is the id of the token whose secret this is; "" if it does not work.
func (p people) works(t *testing.T, secret string) string {
	t.Helper()
	answer, err := connect(t, p.Client, p.URL, secret).service.GetMe(t.Context())
	if refused, ok := answer.(*service.IntrospectTokenUnauthorizedHeaders); ok {
		same(t, "a token that does not work", refused.Response.Type.String(), "urn:tokenwright:problem:credential-invalid")
		return ""
	}
	return is[*service.MeHeaders](t)(answer, err).Response.Token.Value.ID
}

// governed takes a token through the states that only an admin can give it.
func (p people) governed(t *testing.T, dialect, id, secret string) {
	t.Helper()
	ctx, changed, boss := t.Context(), is[*service.ServiceTokenHeaders](t), p.boss.service
	same(t, "fresh", p.works(t, secret), id)
	suspended := changed(boss.SuspendServiceToken(ctx, service.SuspendServiceTokenParams{Dialect: dialect, ID: id}))
	same(t, "suspend", suspended.Response.Status, service.ServiceTokenStatusSuspended)
	same(t, "suspended", p.works(t, secret), "")
	activated := changed(boss.ActivateServiceToken(ctx, service.ActivateServiceTokenParams{Dialect: dialect, ID: id}))
	same(t, "activate", activated.Response.Status, service.ServiceTokenStatusActive)
	same(t, "active", p.works(t, secret), id)
	revoked := changed(boss.RevokeServiceToken(ctx, service.RevokeServiceTokenParams{Dialect: dialect, ID: id}))
	same(t, "revoke", revoked.Response.Status, service.ServiceTokenStatusRevoked)
	same(t, "revoked", p.works(t, secret), "")
}

func TestMuninx(t *testing.T) {
	p, ctx := meet(t), t.Context()
	mine := p.mine.muninx
	made := is[*muninx.TokenCreatedHeaders](t)(mine.CreateToken(ctx, &muninx.TokenCreate{Name: "ogen"}, muninx.CreateTokenParams{}))
	same(t, "cache", made.CacheControl, "no-store")
	id, secret := made.Response.ID, made.Response.Token
	page := is[*muninx.TokenListHeaders](t)(mine.ListTokens(ctx, muninx.ListTokensParams{Limit: muninx.NewOptInt32(1)}))
	same(t, "newest", page.Response.Items[0].ID, id)
	cursor := muninx.NewOptString(page.Response.NextCursor.Value)
	rest := is[*muninx.TokenListHeaders](t)(mine.ListTokens(ctx, muninx.ListTokensParams{Cursor: cursor}))
	same(t, "last page", rest.Response.NextCursor.Null, true)
	p.governed(t, "muninx", id, secret)
	got := is[*muninx.TokenHeaders](t)(mine.GetToken(ctx, muninx.GetTokenParams{ID: id}))
	same(t, "status", got.Response.Status, muninx.TokenStatusRevoked)
	is[*muninx.DeleteTokenNoContent](t)(mine.DeleteToken(ctx, muninx.DeleteTokenParams{ID: id}))
	gone := is[*muninx.GetTokenNotFound](t)(mine.GetToken(ctx, muninx.GetTokenParams{ID: id}))
	same(t, "gone", gone.Response.RequestID, gone.XRequestID)
}

func TestMuninxErrors(t *testing.T) {
	p, ctx := meet(t), t.Context()
	create := func(c *muninx.Client, name string) (any, error) {
		return c.CreateToken(ctx, &muninx.TokenCreate{Name: name}, muninx.CreateTokenParams{})
	}
	empty := is[*muninx.CreateTokenBadRequest](t)(create(p.mine.muninx, ""))
	same(t, "400", empty.Response.Errors[0].Pointer.Value, "/name")
	long := is[*muninx.CreateTokenRequestEntityTooLarge](t)(create(p.mine.muninx, strings.Repeat("x", 70_000)))
	same(t, "413", long.Response.Status, 413)
	unknown := is[*muninx.CreateTokenUnauthorized](t)(create(connect(t, p.Client, p.URL, "unknown").muninx, "x"))
	same(t, "401", unknown.WWWAuthenticate != "", true)
	body := &apitoken.ApiTokenDetailsForCreate{TokenScope: apitoken.ApiTokenDetailsForCreateTokenScopeAccount}
	scoped := is[*apitoken.ApiTokenCreatedHeaders](t)(p.mine.apitoken.CreateApiToken(ctx, body, apitoken.CreateApiTokenParams{}))
	userless := connect(t, p.Client, p.URL, scoped.Response.Token)
	is[*muninx.CreateTokenForbidden](t)(create(userless.muninx, "x"))
	text := connect(t, &http.Client{Transport: asText{p.Client.Transport}}, p.URL, p.Vars["member"])
	is[*muninx.CreateTokenUnsupportedMediaType](t)(create(text.muninx, "x"))
	at := func(status int) *muninx.Client {
		return connect(t, http.DefaultClient, fmt.Sprintf("%s/%d", p.Refusing, status), "x").muninx
	}
	same(t, "429", is[*muninx.ListTokensTooManyRequestsHeaders](t)(create(at(429), "x")).RetryAfter, 1)
	same(t, "500", is[*muninx.CreateTokenInternalServerError](t)(create(at(500), "x")).Response.Status, 500)
	same(t, "503", is[*muninx.ListTokensServiceUnavailableHeaders](t)(create(at(503), "x")).RetryAfter, 1)
}

// asText says of every body that it is no JSON.
type asText struct{ http.RoundTripper }

func (a asText) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Content-Type", "text/plain")
	return a.RoundTripper.RoundTrip(r)
}

func TestAPIToken(t *testing.T) {
	p, ctx := meet(t), t.Context()
	mine, changed := p.mine.apitoken, is[*apitoken.ApiTokenSuccessHeaders](t)
	made := is[*apitoken.ApiTokenCreatedHeaders](t)(mine.CreateApiToken(ctx, &apitoken.ApiTokenDetailsForCreate{
		TokenScope:    apitoken.ApiTokenDetailsForCreateTokenScopeEnvironment,
		EnvironmentID: apitoken.NewOptNilString(p.Vars["environment"]),
	}, apitoken.CreateApiTokenParams{}))
	id, secret := string(made.Response.Details.ID), made.Response.Token
	same(t, "environment", made.Response.Details.EnvironmentID.Value, p.Vars["environment"])
	same(t, "fresh", p.works(t, secret), id)
	key := apitoken.ApiTokenID(id)
	suspended := changed(mine.SuspendApiToken(ctx, apitoken.SuspendApiTokenParams{ID: key}))
	same(t, "suspend", suspended.Response.Details.Status, apitoken.ApiTokenDetailsStatusSuspended)
	same(t, "suspended", p.works(t, secret), "")
	activated := changed(mine.ActivateApiToken(ctx, apitoken.ActivateApiTokenParams{ID: key}))
	same(t, "activate", activated.Response.Details.AvailableActions.Suspend, true)
	same(t, "active", p.works(t, secret), id)
	page := is[*apitoken.ApiTokenListHeaders](t)(mine.ListApiTokens(ctx, apitoken.ListApiTokensParams{}))
	same(t, "listed", page.Response.Details[0].ID, key)
	early := is[*apitoken.DeleteApiTokenConflict](t)(mine.DeleteApiToken(ctx, apitoken.DeleteApiTokenParams{ID: key}))
	same(t, "409", early.Response.Code, apitoken.ApiTokenErrorCodeConflict)
	revoked := changed(mine.RevokeApiToken(ctx, apitoken.RevokeApiTokenParams{ID: key}))
	same(t, "revoke", revoked.Response.Details.Status, apitoken.ApiTokenDetailsStatusRevoked)
	same(t, "revoked", p.works(t, secret), "")
	is[*apitoken.DeleteApiTokenNoContent](t)(mine.DeleteApiToken(ctx, apitoken.DeleteApiTokenParams{ID: key}))
	is[*apitoken.GetApiTokenNotFound](t)(mine.GetApiToken(ctx, apitoken.GetApiTokenParams{ID: key}))
}

func TestAPITokenErrors(t *testing.T) {
	p, ctx := meet(t), t.Context()
	create := func(c *apitoken.Client, change func(*apitoken.ApiTokenDetailsForCreate)) (any, error) {
		body := &apitoken.ApiTokenDetailsForCreate{TokenScope: apitoken.ApiTokenDetailsForCreateTokenScopeAccount}
		change(body)
		return c.CreateApiToken(ctx, body, apitoken.CreateApiTokenParams{})
	}
	none := func(*apitoken.ApiTokenDetailsForCreate) {}
	late := is[*apitoken.CreateApiTokenBadRequest](t)(create(p.mine.apitoken, func(b *apitoken.ApiTokenDetailsForCreate) {
		b.ExpiresAt = apitoken.NewOptNilDateTime(time.Now().Add(-time.Hour))
	}))
	faults, ok := late.Response.Errors.Get()
	if !ok || faults["expires_at"][0] != "must be in the future" {
		t.Errorf("400: %+v", late.Response)
	}
	long := is[*apitoken.CreateApiTokenRequestEntityTooLarge](t)(create(p.mine.apitoken, func(b *apitoken.ApiTokenDetailsForCreate) {
		b.AccountID = apitoken.NewOptNilString(strings.Repeat("x", 70_000))
	}))
	same(t, "413", long.Response.Code, apitoken.ApiTokenErrorCodePayloadTooLarge)
	unknown := is[*apitoken.CreateApiTokenUnauthorized](t)(create(connect(t, p.Client, p.URL, "unknown").apitoken, none))
	same(t, "401", unknown.Response.Code, apitoken.ApiTokenErrorCodeUnauthorized)
	bound := is[*apitoken.ApiTokenCreatedHeaders](t)(create(p.mine.apitoken, func(b *apitoken.ApiTokenDetailsForCreate) {
		b.TokenScope = apitoken.ApiTokenDetailsForCreateTokenScopeEnvironment
		b.EnvironmentID = apitoken.NewOptNilString(p.Vars["environment"])
	}))
	narrow := connect(t, p.Client, p.URL, bound.Response.Token).apitoken
	same(t, "403", is[*apitoken.CreateApiTokenForbidden](t)(create(narrow, none)).Response.Code, apitoken.ApiTokenErrorCodeForbidden)
	text := connect(t, &http.Client{Transport: asText{p.Client.Transport}}, p.URL, p.Vars["member"]).apitoken
	is[*apitoken.CreateApiTokenUnsupportedMediaType](t)(create(text, none))
	at := func(status int) *apitoken.Client {
		return connect(t, http.DefaultClient, fmt.Sprintf("%s/%d", p.Refusing, status), "x").apitoken
	}
	same(t, "429", is[*apitoken.ListApiTokensTooManyRequestsHeaders](t)(create(at(429), none)).RetryAfter, 1)
	is[*apitoken.CreateApiTokenInternalServerError](t)(create(at(500), none))
	same(t, "503", is[*apitoken.ListApiTokensServiceUnavailableHeaders](t)(create(at(503), none)).RetryAfter, 1)
}

func TestUnleash(t *testing.T) {
	p, ctx := meet(t), t.Context()
	mine, body := p.mine.unleash, &unleash.PatSchema{Description: unleash.NewOptString("ogen")}
	made := is[*unleash.PatCreatedSchemaHeaders](t)(mine.CreatePat(ctx, body, unleash.CreatePatParams{}))
	id, secret := made.Response.ID, made.Response.Secret
	same(t, "location", made.Location.String(), fmt.Sprintf("%s/api/admin/user/tokens/%d", p.URL, id))
	page := is[*unleash.PatsSchemaHeaders](t)(mine.GetPats(ctx, unleash.GetPatsParams{}))
	same(t, "listed", page.Response.Pats[0].Description.Value, "ogen")
	same(t, "taken", is[*unleash.CreatePatConflict](t)(mine.CreatePat(ctx, body, unleash.CreatePatParams{})).Response.Name, unleash.ApiErrorSchemaNameNameExistsError)
	is[*unleash.PatsSchemaHeaders](t)(connect(t, p.Client, p.URL, secret).unleash.GetPats(ctx, unleash.GetPatsParams{}))
	p.governed(t, "unleash", fmt.Sprint(id), secret)
	same(t, "get", is[*unleash.PatItemSchemaHeaders](t)(mine.GetPat(ctx, unleash.GetPatParams{ID: id})).Response.ID, id)
	is[*unleash.DeletePatOK](t)(mine.DeletePat(ctx, unleash.DeletePatParams{ID: id}))
	gone := is[*unleash.GetPatNotFound](t)(mine.GetPat(ctx, unleash.GetPatParams{ID: id}))
	same(t, "gone", gone.Response.Name, unleash.ApiErrorSchemaNameNotFoundError)
}

func TestUnleashErrors(t *testing.T) {
	p, ctx := meet(t), t.Context()
	create := func(c *unleash.Client, body unleash.PatSchema) (any, error) {
		return c.CreatePat(ctx, &body, unleash.CreatePatParams{})
	}
	past := unleash.PatSchema{ExpiresAt: unleash.NewOptDateTime(time.Now().Add(-time.Hour))}
	early := is[*unleash.CreatePatBadRequest](t)(create(p.mine.unleash, past))
	same(t, "400", early.Response.Details[0].Path.Value, "/body/expiresAt")
	long := unleash.PatSchema{Description: unleash.NewOptString(strings.Repeat("x", 70_000))}
	is[*unleash.CreatePatRequestEntityTooLarge](t)(create(p.mine.unleash, long))
	unknown := is[*unleash.CreatePatUnauthorized](t)(create(connect(t, p.Client, p.URL, "unknown").unleash, unleash.PatSchema{}))
	same(t, "401", unknown.Response.Name, unleash.ApiErrorSchemaNameUnauthorizedError)
	text := connect(t, &http.Client{Transport: asText{p.Client.Transport}}, p.URL, p.Vars["member"]).unleash
	is[*unleash.CreatePatUnsupportedMediaType](t)(create(text, unleash.PatSchema{}))
	for range 10 {
		is[*unleash.PatCreatedSchemaHeaders](t)(create(p.mine.unleash, unleash.PatSchema{}))
	}
	full := is[*unleash.CreatePatForbidden](t)(create(p.mine.unleash, unleash.PatSchema{}))
	same(t, "403", full.Response.Name, unleash.ApiErrorSchemaNameOperationDeniedError)
	at := func(status int) *unleash.Client {
		return connect(t, http.DefaultClient, fmt.Sprintf("%s/%d", p.Refusing, status), "x").unleash
	}
	is[*unleash.GetPatsTooManyRequestsHeaders](t)(create(at(429), unleash.PatSchema{}))
	is[*unleash.CreatePatInternalServerError](t)(create(at(500), unleash.PatSchema{}))
	is[*unleash.GetPatsServiceUnavailableHeaders](t)(create(at(503), unleash.PatSchema{}))
}

func TestService(t *testing.T) {
	p, ctx := meet(t), t.Context()
	boss, open := p.boss.service, connect(t, p.Client, p.URL, "").service
	same(t, "health", is[*service.HealthHeaders](t)(open.GetHealth(ctx)).Response.Status, service.HealthStatusOk)
	same(t, "keys", len(is[*service.KeySetHeaders](t)(open.GetKeys(ctx, service.GetKeysParams{})).Response.Keys), 1)
	is[*service.GetSpecOKApplicationYamlHeaders](t)(open.GetSpec(ctx, service.GetSpecParams{Name: "muninx.yaml"}))
	jwt := &apitoken.ApiTokenDetailsForCreate{TokenScope: apitoken.ApiTokenDetailsForCreateTokenScopeAccount}
	is[*apitoken.ApiTokenCreatedHeaders](t)(p.mine.apitoken.CreateApiToken(ctx, jwt, apitoken.CreateApiTokenParams{}))
	is[*service.GetStatusListOKHeaders](t)(open.GetStatusList(ctx, service.GetStatusListParams{List: 1}))
	made := is[*service.UserHeaders](t)(boss.CreateUser(ctx, &service.UserDraft{
		Subject: "ogen", Name: "ogen", Role: service.UserDraftRoleMember, AccountID: p.Vars["account"],
	}))
	id := made.Response.ID
	same(t, "location", made.Location.String(), fmt.Sprintf("%s/service/users/%d", p.URL, id))
	first := is[*service.UserTokenHeaders](t)(boss.CreateUserToken(ctx, &service.UserTokenDraft{Name: "first"},
		service.CreateUserTokenParams{ID: id}))
	verdict := is[*service.IntrospectionHeaders](t)(boss.IntrospectToken(ctx, &service.IntrospectionRequest{Token: first.Response.Token}))
	same(t, "introspected", verdict.Response.Jti.Value, first.Response.ID)
	verified := is[*service.VerifyRequestNoContent](t)(asGateway(t, p, first.Response.Token).VerifyRequest(ctx, service.VerifyRequestParams{}))
	same(t, "verified", verified.XTokenID, first.Response.ID)
	is[*service.DisabledUserHeaders](t)(boss.DisableUser(ctx, service.DisableUserParams{ID: id}))
	same(t, "disabled", p.works(t, first.Response.Token), "")
	is[*service.DisableUserConflict](t)(boss.DisableUser(ctx, service.DisableUserParams{ID: 1}))
	small := is[*service.CreateUserForbidden](t)(p.mine.service.CreateUser(ctx, &service.UserDraft{
		Subject: "x", Name: "x", Role: service.UserDraftRoleMember, AccountID: p.Vars["account"],
	}))
	same(t, "403", small.Response.Type.String(), "urn:tokenwright:problem:forbidden")
	unknown := connect(t, p.Client, p.URL, "unknown").service
	refused := is[*service.IntrospectTokenUnauthorized](t)(unknown.IntrospectToken(ctx, &service.IntrospectionRequest{Token: "x"}))
	same(t, "introspection", refused.Response.Error.Value, "invalid_client")
	is[*service.GetUserNotFound](t)(boss.GetUser(ctx, service.GetUserParams{ID: 404}))
	is[*service.CreateAccountBadRequest](t)(boss.CreateAccount(ctx, &service.AccountDraft{}))
}

// asGateway sends a credential with operations that are open to everybody, as gateways do.
func asGateway(t *testing.T, p people, secret string) *service.Client {
	t.Helper()
	return connect(t, &http.Client{Transport: handedOn{p.Client.Transport, secret}}, p.URL, "").service
}

type handedOn struct {
	http.RoundTripper
	secret string
}

func (h handedOn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+h.secret)
	return h.RoundTripper.RoundTrip(r)
}

// TestVerify: a client sends a credential where the contract asks for one, also to what judges it by itself.
func TestVerify(t *testing.T) {
	p, ctx := meet(t), t.Context()
	answer := is[*service.VerifyRequestNoContent](t)(p.mine.service.VerifyRequest(ctx, service.VerifyRequestParams{}))
	same(t, "subject", answer.XTokenSubject, "member")
	asked := service.VerifyRequestParams{Scope: service.NewOptWantedScope(service.WantedScopeAccount)}
	refused := is[*service.VerifyRequestForbidden](t)(p.mine.service.VerifyRequest(ctx, asked))
	same(t, "challenge", refused.WWWAuthenticate, `Bearer realm="tokenwright", error="insufficient_scope"`)
}
