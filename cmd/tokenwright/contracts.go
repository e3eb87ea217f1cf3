package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	apitoken "github.com/tokenwright/tokenwright/gen/apitoken/client"
	muninx "github.com/tokenwright/tokenwright/gen/muninx/client"
	service "github.com/tokenwright/tokenwright/gen/service/client"
	unleash "github.com/tokenwright/tokenwright/gen/unleash/client"
	"github.com/tokenwright/tokenwright/internal/token"
)

// listed is a token as a table shows it. In JSON it is the server's response.
type listed struct {
	dialect, id, name, scope, status string
	createdAt, expiresAt, lastUsedAt string
	response                         any
}

// MarshalJSON implements [json.Marshaler].
func (t listed) MarshalJSON() ([]byte, error) { return json.Marshal(t.response) }

var tokenColumns = []column[listed]{
	{"DIALECT", func(t listed) string { return t.dialect }},
	{"ID", func(t listed) string { return t.id }},
	{"NAME", func(t listed) string { return t.name }},
	{"SCOPE", func(t listed) string { return t.scope }},
	{"STATUS", func(t listed) string { return t.status }},
	{"CREATED", func(t listed) string { return t.createdAt }},
	{"EXPIRES", func(t listed) string { return t.expiresAt }},
	{"LAST USED", func(t listed) string { return t.lastUsedAt }},
}

// operation does something to the token with this id.
type operation func(ctx context.Context, id string) (listed, error)

// tokenAPI reaches tokens through one contract of the server.
type tokenAPI interface {
	list(ctx context.Context, c *tokenListCmd) ([]listed, error)
	// operations on one token, by the name of the command.
	operations() map[string]operation
}

// contract is a dialect as the command line speaks it.
type contract struct {
	dialect *token.Dialect
	members []string // flags of `token create` that become members of the request
	needs   func(c *tokenCreateCmd) error
	filters bool // its list can be filtered
	silent  bool // a delete does not tell whether there was such a token
	create  func(ctx context.Context, r *remote, c *tokenCreateCmd, expiry time.Time) (created, error)
	tokens  func(r *remote) tokenAPI
}

// contracts is the table of the dialects.
var contracts = []contract{
	{
		dialect: token.Muninx, members: []string{"name"},
		needs: func(c *tokenCreateCmd) error {
			if c.Name == "" {
				return wrong("name", "is required for the dialect muninx")
			}
			return nil
		},
		create: func(ctx context.Context, r *remote, c *tokenCreateCmd, _ time.Time) (created, error) {
			t, err := decode[muninx.TokenCreated](r.muninx.CreateToken(ctx,
				&muninx.CreateTokenParams{IdempotencyKey: optional[string](c.Key)}, muninx.TokenCreate{Name: c.Name}))
			return created{t.Id, t.Token, t, false}, err
		},
		tokens: func(r *remote) tokenAPI { return muninxTokens{r.muninx} },
	},
	{
		dialect: token.APIToken, members: []string{"scope", "account", "environment", "expires"}, filters: true,
		needs: func(c *tokenCreateCmd) error {
			if c.Scope != "account" && c.Scope != "environment" {
				return wrong("scope", "must be account or environment for the dialect apitoken")
			}
			return nil
		},
		create: func(ctx context.Context, r *remote, c *tokenCreateCmd, expiry time.Time) (created, error) {
			params := &apitoken.CreateApiTokenParams{IdempotencyKey: optional[string](c.Key)}
			t, err := decode[apitoken.ApiTokenCreated](r.apitoken.CreateApiToken(ctx, params, apitoken.ApiTokenDetailsForCreate{
				TokenScope: apitoken.ApiTokenDetailsForCreateTokenScope(c.Scope), AccountId: unlessZero(c.Account),
				EnvironmentId: unlessZero(c.Environment), ExpiresAt: unlessZero(expiry),
			}))
			return created{t.Details.Id, t.Token, t, false}, err
		},
		tokens: func(r *remote) tokenAPI { return apitokenTokens{r.apitoken} },
	},
	{
		dialect: token.Unleash, members: []string{"description", "expires"}, silent: true,
		needs: func(*tokenCreateCmd) error { return nil },
		create: func(ctx context.Context, r *remote, c *tokenCreateCmd, expiry time.Time) (created, error) {
			params := &unleash.CreatePatParams{IdempotencyKey: optional[string](c.Key)}
			draft := unleash.PatSchema{Description: optional[string](c.Description), ExpiresAt: given(expiry)}
			t, err := decode[unleash.PatCreatedSchema](r.unleash.CreatePat(ctx, params, draft))
			return created{strconv.FormatInt(t.Id, 10), t.Secret, t, false}, err
		},
		tokens: func(r *remote) tokenAPI { return unleashTokens{r.unleash} },
	},
}

// contractOf is the one of a dialect that the flags admit.
func contractOf(dialect string) contract {
	return contracts[slices.IndexFunc(contracts, func(c contract) bool { return c.dialect.Name == dialect })]
}

// dialectVars are how help texts and flags list the dialects.
func dialectVars() kong.Vars {
	names := make([]string, len(contracts))
	for i, c := range contracts {
		names[i] = c.dialect.Name
	}
	last := len(names) - 1
	return kong.Vars{
		"dialects": strings.Join(names, ","), "one_dialect": strings.Join(names[:last], ", ") + " or " + names[last],
	}
}

// tokens is the administration of all tokens, or the contract of the dialect.
func (r *remote) tokens(dialect string, admin bool) tokenAPI {
	if admin {
		return allTokens{r.service, dialect}
	}
	return contractOf(dialect).tokens(r)
}

// convert is the answer of an operation as a table shows it.
func convert[T any](show func(T) listed, r *http.Response, err error) (listed, error) {
	value, err := decode[T](r, err)
	if err != nil {
		return listed{}, err
	}
	return show(value), nil
}

// done is the result of an operation whose response has no body.
func done(r *http.Response, err error) (listed, error) {
	_, _, err = receive(r, err)
	return listed{}, err
}

func convertAll[T any](show func(T) listed, values []T) []listed {
	all := make([]listed, len(values))
	for i, v := range values {
		all[i] = show(v)
	}
	return all
}

type muninxTokens struct{ client *muninx.Client }

func showMuninx(t muninx.Token) listed {
	return listed{
		dialect: "muninx", id: t.Id, name: t.Name, scope: "user", status: string(t.Status), createdAt: stamp(t.CreatedAt),
		expiresAt: orNone(t.ExpiresAt, stamp), lastUsedAt: orNone(t.LastUsedAt, stamp), response: t,
	}
}

func (d muninxTokens) list(ctx context.Context, c *tokenListCmd) ([]listed, error) {
	return collect(c.Limit, func(cursor *string, size *int32) ([]listed, string, error) {
		p, err := decode[muninx.TokenList](d.client.ListTokens(ctx, &muninx.ListTokensParams{Limit: size, Cursor: cursor}))
		return convertAll(showMuninx, p.Items), next(p.NextCursor), err
	})
}

func (d muninxTokens) operations() map[string]operation {
	return map[string]operation{
		"show": func(ctx context.Context, id string) (listed, error) {
			r, err := d.client.GetToken(ctx, id)
			return convert(showMuninx, r, err)
		},
		"delete": func(ctx context.Context, id string) (listed, error) { return done(d.client.DeleteToken(ctx, id)) },
	}
}

type apitokenTokens struct{ client *apitoken.Client }

func showAPIToken(t apitoken.ApiTokenDetails) listed {
	return listed{
		dialect: "apitoken", id: t.Id, name: "-", scope: string(t.TokenScope), status: string(t.Status),
		createdAt: stamp(t.InsertedAt), expiresAt: stamp(t.ExpiresAt), lastUsedAt: orNone(t.LastUsedAt, stamp), response: t,
	}
}

func (d apitokenTokens) list(ctx context.Context, c *tokenListCmd) ([]listed, error) {
	return collect(c.Limit, func(cursor *string, size *int32) ([]listed, string, error) {
		p, err := decode[apitoken.ApiTokenList](d.client.ListApiTokens(ctx, &apitoken.ListApiTokensParams{
			Limit: size, Cursor: cursor, Status: optional[apitoken.ListApiTokensParamsStatus](c.Status),
			TokenScope: optional[apitoken.ListApiTokensParamsTokenScope](c.Scope),
			AccountId:  optional[string](c.Account), EnvironmentId: optional[string](c.Environment),
		}))
		return convertAll(showAPIToken, p.Details), next(p.NextCursor), err
	})
}

func (d apitokenTokens) operations() map[string]operation {
	one := func(call func(context.Context, string, ...apitoken.RequestEditorFn) (*http.Response, error)) operation {
		return func(ctx context.Context, id string) (listed, error) {
			r, err := call(ctx, id)
			return convert(func(s apitoken.ApiTokenSuccess) listed { return showAPIToken(s.Details) }, r, err)
		}
	}
	return map[string]operation{
		"show":     one(d.client.GetApiToken),
		"suspend":  one(d.client.SuspendApiToken),
		"activate": one(d.client.ActivateApiToken),
		"revoke":   one(d.client.RevokeApiToken),
		"delete": func(ctx context.Context, id string) (listed, error) {
			return done(d.client.DeleteApiToken(ctx, id))
		},
	}
}

type unleashTokens struct{ client *unleash.Client }

func showUnleash(t unleash.PatItemSchema) listed {
	return listed{
		dialect: "unleash", id: strconv.FormatInt(t.Id, 10), name: orNone(t.Description, same), scope: "user", status: "-",
		createdAt: stamp(t.CreatedAt), expiresAt: stamp(t.ExpiresAt), lastUsedAt: orNone(t.SeenAt, stamp), response: t,
	}
}

// nextLink matches the link to the next page (RFC 8288), where this contract puts the cursor.
var nextLink = regexp.MustCompile(`<([^>]*)>; rel="next"`)

func (d unleashTokens) list(ctx context.Context, c *tokenListCmd) ([]listed, error) {
	return collect(c.Limit, func(cursor *string, size *int32) ([]listed, string, error) {
		body, header, err := receive(d.client.GetPats(ctx, &unleash.GetPatsParams{Limit: size, Cursor: cursor}))
		if err != nil {
			return nil, "", err
		}
		var p unleash.PatsSchema
		if err := json.Unmarshal(body, &p); err != nil {
			return nil, "", strange(err)
		}
		next := ""
		if link := nextLink.FindStringSubmatch(header.Get("Link")); link != nil {
			if u, err := url.Parse(link[1]); err == nil {
				next = u.Query().Get("cursor")
			}
		}
		return convertAll(showUnleash, p.Pats), next, nil
	})
}

func (d unleashTokens) operations() map[string]operation {
	one := func(do func(ctx context.Context, id int64) (listed, error)) operation {
		return func(ctx context.Context, text string) (listed, error) {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return listed{}, &usageError{"the id of an unleash token must be a number"}
			}
			return do(ctx, id)
		}
	}
	return map[string]operation{
		"show": one(func(ctx context.Context, id int64) (listed, error) {
			r, err := d.client.GetPat(ctx, id)
			return convert(showUnleash, r, err)
		}),
		"delete": one(func(ctx context.Context, id int64) (listed, error) { return done(d.client.DeletePat(ctx, id)) }),
	}
}

// allTokens is the administration of all tokens.
type allTokens struct {
	client  *service.Client
	dialect string // "" for all
}

func showService(t service.ServiceToken) listed {
	status := string(t.Status)
	if because, err := t.Because.Get(); err == nil {
		status += ", but " + string(because)
	}
	return listed{
		dialect: string(t.Dialect), id: t.Id, name: orNone(t.Name, same), scope: string(t.TokenScope),
		status: status, createdAt: stamp(t.CreatedAt), expiresAt: orNone(t.ExpiresAt, stamp),
		lastUsedAt: orNone(t.LastUsedAt, stamp), response: t,
	}
}

// given is the value of a flag, nil if it was not given.
func given[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}

func (d allTokens) list(ctx context.Context, c *tokenListCmd) ([]listed, error) {
	var usable *bool
	if c.Usable != "" {
		usable = new(c.Usable == "yes")
	}
	return collect(c.Limit, func(cursor *string, size *int32) ([]listed, string, error) {
		p, err := decode[service.ServiceTokenList](d.client.ListServiceTokens(ctx, &service.ListServiceTokensParams{
			Limit: size, Cursor: cursor, UserId: given(c.User), CreatedByUserId: given(c.CreatedBy),
			Usable: usable, Key: given(c.Key),
			Dialect:    optional[service.ListServiceTokensParamsDialect](d.dialect),
			Status:     optional[service.ListServiceTokensParamsStatus](c.Status),
			TokenScope: optional[service.ListServiceTokensParamsTokenScope](c.Scope),
			AccountId:  optional[string](c.Account), EnvironmentId: optional[string](c.Environment),
		}))
		return convertAll(showService, p.Items), next(p.NextCursor), err
	})
}

func (d allTokens) operations() map[string]operation {
	one := func(call func(context.Context, string, string, ...service.RequestEditorFn) (*http.Response, error)) operation {
		return func(ctx context.Context, id string) (listed, error) {
			r, err := call(ctx, d.dialect, id)
			return convert(showService, r, err)
		}
	}
	return map[string]operation{
		"show":     one(d.client.GetServiceToken),
		"suspend":  one(d.client.SuspendServiceToken),
		"activate": one(d.client.ActivateServiceToken),
		"revoke":   one(d.client.RevokeServiceToken),
		"delete": func(ctx context.Context, id string) (listed, error) {
			return done(d.client.DeleteServiceToken(ctx, d.dialect, id))
		},
	}
}
