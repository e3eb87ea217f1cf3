package apitoken

import (
	"net/http"
	"strconv"
	"time"

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

// created is the response of a create. It implements [gen.CreateApiTokenResponseObject].
type created struct {
	token.Token
	secret string
	now    time.Time
	retry  *token.Retry
}

// VisitCreateApiTokenResponse sends a [gen.ApiTokenCreated].
func (r created) VisitCreateApiTokenResponse(w http.ResponseWriter) error {
	wire.SayReplayed(w, r.retry)
	return wire.SendJSON(w, http.StatusOK, r.append)
}

func (r created) append(b []byte) []byte {
	b = appendDetails(append(b, `{"details":`...), r.Token, r.now)
	b = wire.AppendText(append(b, `,"status":"success","token":`...), r.secret)
	return append(b, '}')
}

// page is the response of a list. It implements [gen.ListApiTokensResponseObject].
type page struct {
	token.Page
	now time.Time
}

// VisitListApiTokensResponse sends a [gen.ApiTokenList].
func (p page) VisitListApiTokensResponse(w http.ResponseWriter) error {
	return wire.SendJSON(w, http.StatusOK, p.append)
}

func (p page) append(b []byte) []byte {
	b = wire.AppendList(append(b, `{"details":`...), p.Tokens, func(b []byte, t token.Token) []byte {
		return appendDetails(b, t, p.now)
	})
	b = wire.AppendNullText(append(b, `,"next_cursor":`...), p.Next)
	return append(b, `,"status":"success"}`...)
}

// appendDetails appends what [handler.details] returns.
func appendDetails(b []byte, t token.Token, now time.Time) []byte {
	status := t.StateAt(now)
	b = wire.AppendText(append(b, `{"account_id":`...), t.AccountID)
	b = strconv.AppendBool(append(b, `,"available_actions":{"activate":`...), status.Allows(token.Activate))
	b = strconv.AppendBool(append(b, `,"delete":`...), status.Allows(token.Delete))
	b = strconv.AppendBool(append(b, `,"revoke":`...), status.Allows(token.Revoke))
	b = strconv.AppendBool(append(b, `,"suspend":`...), status.Allows(token.Suspend))
	b = wire.AppendNullText(append(b, `},"created_by_admin_user_id":`...), t.CreatedByAdminID)
	b = wire.AppendNullText(append(b, `,"environment_id":`...), t.EnvironmentID)
	b = wire.AppendTime(append(b, `,"expires_at":`...), t.ExpiresAt)
	b = wire.AppendText(append(b, `,"id":`...), t.ID)
	b = wire.AppendTime(append(b, `,"inserted_at":`...), t.CreatedAt)
	b = wire.AppendNullTime(append(b, `,"last_used_at":`...), t.LastUsedAt)
	b = wire.AppendText(append(b, `,"status":`...), status)
	b = wire.AppendText(append(b, `,"token_scope":`...), t.Scope)
	b = wire.AppendTime(append(b, `,"type":"api_token","updated_at":`...), t.UpdatedAt)
	return append(b, '}')
}
