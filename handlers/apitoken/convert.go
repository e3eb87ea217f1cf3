package apitoken

import (
	gen "github.com/tokenwright/tokenwright/gen/apitoken"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

func ref(id string) token.Ref { return token.Ref{Dialect: token.APIToken, ID: id} }

// draft reads the body; null is the same as a missing member.
func draft(body gen.ApiTokenDetailsForCreate) token.Draft {
	return token.Draft{
		Dialect: token.APIToken, Scope: token.Scope(body.TokenScope),
		AccountID: wire.Given(body.AccountId), EnvironmentID: wire.Given(body.EnvironmentId),
		ExpiresAt: wire.Given(body.ExpiresAt),
	}
}

func query(p gen.ListApiTokensParams) (token.Query, string) {
	limit, cursor := wire.Page(p.Limit, p.Cursor)
	q := token.Query{Dialect: token.APIToken, Limit: limit}
	if p.Status != nil {
		q.State = token.State(*p.Status)
	}
	if p.TokenScope != nil {
		q.Scope = token.Scope(*p.TokenScope)
	}
	if p.AccountId != nil {
		q.AccountID = *p.AccountId
	}
	if p.EnvironmentId != nil {
		q.EnvironmentID = *p.EnvironmentId
	}
	return q, cursor
}

func (h handler) details(t token.Token) gen.ApiTokenDetails {
	status := t.StateAt(h.tokens.Now())
	return gen.ApiTokenDetails{
		AccountId: t.AccountID,
		AvailableActions: gen.ApiTokenAvailableActions{
			Activate: status.Allows(token.Activate), Delete: status.Allows(token.Delete),
			Revoke: status.Allows(token.Revoke), Suspend: status.Allows(token.Suspend),
		},
		CreatedByAdminUserId: wire.NullText(t.CreatedByAdminID),
		EnvironmentId:        wire.NullText(t.EnvironmentID),
		ExpiresAt:            t.ExpiresAt,
		Id:                   t.ID,
		InsertedAt:           t.CreatedAt,
		LastUsedAt:           wire.NullTime(t.LastUsedAt),
		Status:               gen.ApiTokenDetailsStatus(status),
		TokenScope:           gen.ApiTokenDetailsTokenScope(t.Scope),
		Type:                 gen.ApiToken,
		UpdatedAt:            t.UpdatedAt,
	}
}

func (h handler) success(t token.Token) gen.ApiTokenSuccess {
	return gen.ApiTokenSuccess{Status: gen.ApiTokenSuccessStatusSuccess, Details: h.details(t)}
}

func (h handler) list(p token.Page) gen.ApiTokenList {
	list := gen.ApiTokenList{
		Status: gen.ApiTokenListStatusSuccess, Details: []gen.ApiTokenDetails{}, NextCursor: wire.NullText(p.Next),
	}
	for _, t := range p.Tokens {
		list.Details = append(list.Details, h.details(t))
	}
	return list
}
