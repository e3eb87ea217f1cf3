package service

import (
	"context"
	"time"

	"github.com/oapi-codegen/nullable"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// key is the id of an account or an environment in a path, "" if it cannot be one: not every database accepts every
// text that a path can contain.
func key(id string) string {
	if token.ValidKey(id) {
		return id
	}
	return ""
}

// null is null for the zero value.
func null[T comparable](value T) nullable.Nullable[T] {
	if value == *new(T) {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(value)
}

// all converts a list; an empty list stays a list, not null.
func all[From, To any](list []From, convert func(From) To) []To {
	converted := make([]To, 0, len(list))
	for _, entry := range list {
		converted = append(converted, convert(entry))
	}
	return converted
}

// value is the value of a parameter, zero if it was not given.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

func (h handler) query(p gen.ListServiceTokensParams) (token.Query, string) {
	limit, cursor := wire.Page(p.Limit, p.Cursor)
	return token.Query{
		Dialect: h.tokens.Dialect(string(value(p.Dialect))), State: token.State(value(p.Status)),
		Scope: token.Scope(value(p.TokenScope)), UserID: value(p.UserId),
		AccountID: value(p.AccountId), EnvironmentID: value(p.EnvironmentId), CreatedBy: value(p.CreatedByUserId),
		Usable: p.Usable, KeyID: value(p.Key), Limit: limit,
	}, cursor
}

// items are tokens, each with the verdict of a check.
func (h handler) items(ctx context.Context, tokens ...token.Token) ([]gen.ServiceToken, error) {
	verdicts, err := h.tokens.Verdicts(ctx, tokens...)
	if err != nil {
		return nil, err
	}
	items := make([]gen.ServiceToken, len(tokens))
	for i, t := range tokens {
		items[i] = h.item(t, verdicts[i])
	}
	return items, nil
}

// one is one token, unless there was an error already.
func (h handler) one(ctx context.Context, t token.Token, err error) (gen.ServiceToken, error) {
	if err != nil {
		return gen.ServiceToken{}, err
	}
	items, err := h.items(ctx, t)
	if err != nil {
		return gen.ServiceToken{}, err
	}
	return items[0], nil
}

func (h handler) item(t token.Token, v token.Verdict) gen.ServiceToken {
	return gen.ServiceToken{
		Dialect: gen.ServiceTokenDialect(t.Dialect.Name), Id: t.ID, Name: wire.NullText(t.Name),
		TokenScope: gen.ServiceTokenTokenScope(t.Scope), Status: gen.ServiceTokenStatus(t.StateAt(h.tokens.Now())),
		UserId: null(t.UserID), AccountId: wire.NullText(t.AccountID), EnvironmentId: wire.NullText(t.EnvironmentID),
		CreatedByUserId: null(t.CreatedBy), SuspendedByAdmin: t.SuspendedByAdmin, Introspector: t.Introspector,
		SelfRotation: t.SelfRotation, Usable: v.Usable, Because: null(gen.ServiceTokenBecause(v.Because)),
		Key: wire.NullText(t.KeyID), CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		ExpiresAt: wire.NullTime(t.ExpiresAt), LastUsedAt: wire.NullTime(t.LastUsedAt),
		RotatedAt: wire.NullTime(t.RotatedAt), PreviousEndsAt: wire.NullTime(t.Previous.EndsAt),
		PreviousLastUsedAt: wire.NullTime(t.Previous.LastUsedAt),
	}
}

// issued is one token with its secret. If the verdict cannot be had, it is that of an active token, which this one is:
// the secret is in no other response.
func (h handler) issued(ctx context.Context, t token.Token, secret string) gen.IssuedServiceToken {
	verdict := token.Verdict{Usable: true}
	if verdicts, err := h.tokens.Verdicts(ctx, t); err == nil {
		verdict = verdicts[0]
	}
	i := h.item(t, verdict)
	return gen.IssuedServiceToken{
		Dialect: gen.IssuedServiceTokenDialect(i.Dialect), Id: i.Id, Name: i.Name, Token: secret,
		TokenScope: gen.IssuedServiceTokenTokenScope(i.TokenScope), Status: gen.IssuedServiceTokenStatus(i.Status),
		UserId: i.UserId, AccountId: i.AccountId, EnvironmentId: i.EnvironmentId, CreatedByUserId: i.CreatedByUserId,
		SuspendedByAdmin: i.SuspendedByAdmin, Introspector: i.Introspector, SelfRotation: i.SelfRotation, Usable: i.Usable,
		Because: null(gen.IssuedServiceTokenBecause(verdict.Because)), Key: i.Key, CreatedAt: i.CreatedAt,
		UpdatedAt: i.UpdatedAt, ExpiresAt: i.ExpiresAt, LastUsedAt: i.LastUsedAt, RotatedAt: i.RotatedAt,
		PreviousEndsAt: i.PreviousEndsAt, PreviousLastUsedAt: i.PreviousLastUsedAt,
	}
}

// draft reads the body. What a token of the dialect does not have is a fault, and not left out silently.
func (h handler) draft(body gen.ServiceTokenDraft) (token.Draft, error) {
	d := token.Draft{
		Dialect: h.tokens.Dialect(string(body.Dialect)), Name: value(body.Name), Scope: token.Scope(value(body.TokenScope)),
		AccountID: body.AccountId, EnvironmentID: body.EnvironmentId, ExpiresAt: wire.Given(body.ExpiresAt),
		SelfRotation: value(body.SelfRotation),
	}
	var faults []token.Fault
	alien := func(given bool, pointer, detail string) {
		if given {
			faults = append(faults, token.Fault{Pointer: pointer, Detail: detail})
		}
	}
	if d.Dialect.OwnedByUser {
		const detail = "must be left out: a token of this dialect belongs to a user"
		alien(body.TokenScope != nil, token.MemberScope, detail)
		alien(body.AccountId != nil, token.MemberAccount, detail)
		alien(body.EnvironmentId != nil, token.MemberEnvironment, detail)
	} else {
		alien(body.Name != nil, token.MemberName, "must be left out: a token of this dialect has no name")
	}
	return d, token.Faulty(faults...)
}

// overlap reads a duration that the validator let through.
func overlap(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil { // longer than can be said
		return 0, token.Faulty(token.Fault{Pointer: token.MemberOverlap, Detail: "must be from 0s to 168h"})
	}
	return d, nil
}

func me(c token.Caller) gen.Me {
	m := gen.Me{
		User: nullable.NewNullNullable[gen.CallingUser](), Account: account(*c.Account), Role: null(gen.MeRole(c.Role)),
		Token: nullable.NewNullNullable[gen.CallingToken](), TokenScope: gen.MeTokenScopeUser,
		EnvironmentId: wire.NullText(""), ExpiresAt: wire.NullTime(c.ExpiresAt),
	}
	if c.User != nil {
		m.User.Set(callingUser(*c.User))
	}
	if t := c.Token; t != nil {
		m.Token.Set(gen.CallingToken{Dialect: gen.CallingTokenDialect(t.Dialect.Name), Id: t.ID})
		m.TokenScope, m.EnvironmentId = gen.MeTokenScope(t.Scope), wire.NullText(t.EnvironmentID)
	}
	return m
}

func callingUser(u token.User) gen.CallingUser {
	return gen.CallingUser{
		Id: u.ID, AdminUserId: u.AdminID, Issuer: wire.NullText(u.Issuer), Subject: u.Subject, Name: u.Name,
		Role: gen.CallingUserRole(u.Role), AccountId: u.AccountID, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

func user(u token.User) gen.User {
	return gen.User{
		Id: u.ID, AdminUserId: u.AdminID, Issuer: wire.NullText(u.Issuer), Subject: u.Subject, Name: u.Name,
		Role: gen.UserRole(u.Role), AccountId: u.AccountID, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}

func disabledUser(u token.User, created []gen.ServiceToken, next string) gen.DisabledUser {
	return gen.DisabledUser{
		Id: u.ID, AdminUserId: u.AdminID, Issuer: wire.NullText(u.Issuer), Subject: u.Subject, Name: u.Name,
		Role: gen.DisabledUserRole(u.Role), AccountId: u.AccountID, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
		CreatedTokens: created, CreatedTokensNextCursor: wire.NullText(next),
	}
}

func account(a token.Account) gen.Account {
	return gen.Account{
		Id: a.ID, Name: a.Name, Disabled: a.Disabled, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

func environment(e token.Environment) gen.Environment {
	return gen.Environment{
		Id: e.ID, AccountId: e.AccountID, Name: e.Name, Disabled: e.Disabled,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
}

// userDraft reads the body; an issuer that is null is the same as a missing one.
func userDraft(body gen.UserDraft) token.UserDraft {
	return token.UserDraft{
		Issuer: value(wire.Given(body.Issuer)), Subject: body.Subject, Name: body.Name,
		Role: token.Role(body.Role), AccountID: body.AccountId,
	}
}

func userChange(body gen.UserChange) token.UserChange {
	change := token.UserChange{AccountID: body.AccountId}
	if body.Role != nil {
		change.Role = new(token.Role(*body.Role))
	}
	return change
}
