package service

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/nullable"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// ListAuditEvents implements `GET /service/audit`.
func (h handler) ListAuditEvents(
	ctx context.Context, r gen.ListAuditEventsRequestObject,
) (gen.ListAuditEventsResponseObject, error) {
	p := r.Params
	limit, cursor := wire.Page(p.Limit, p.Cursor)
	events, next, err := h.tokens.ListEvents(ctx, authn.Caller(ctx), token.EventQuery{
		Actor: value(p.Actor), Object: value(p.Object), Action: value(p.Action), Dialect: string(value(p.Dialect)),
		Since: value(p.Since), Until: value(p.Until), Limit: limit,
	}, cursor)
	body := gen.AuditEventList{Items: all(events, event), NextCursor: wire.NullText(next)}
	return gen.ListAuditEvents200JSONResponse{Body: body}, err
}

func event(e token.Event) gen.AuditEvent {
	return gen.AuditEvent{
		Id: e.ID, At: e.At, Actor: e.Actor, Credential: e.Credential, Action: e.Action, Object: e.Object,
		Dialect: null(gen.AuditEventDialect(e.Dialect)), Address: e.Address, Agent: e.Agent, RequestId: e.Request,
		Before: members(e.Before), After: members(e.After),
	}
}

// members are those of a JSON object, null if there is none.
func members(text string) nullable.Nullable[map[string]any] {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return nullable.NewNullNullable[map[string]any]()
	}
	return nullable.NewNullableWithValue(object)
}

// GetAuditCheckpoint implements `GET /service/audit/checkpoint`.
func (h handler) GetAuditCheckpoint(
	ctx context.Context, _ gen.GetAuditCheckpointRequestObject,
) (gen.GetAuditCheckpointResponseObject, error) {
	c, err := h.tokens.LogCheckpoint(ctx, authn.Caller(ctx))
	body := gen.AuditCheckpoint{Size: c.Size, Checkpoint: c.Note, Key: c.Key}
	return gen.GetAuditCheckpoint200JSONResponse{Body: body}, err
}

// ProveAuditEvent implements `GET /service/audit/inclusion`.
func (h handler) ProveAuditEvent(
	ctx context.Context, r gen.ProveAuditEventRequestObject,
) (gen.ProveAuditEventResponseObject, error) {
	p, err := h.tokens.ProveEvent(ctx, authn.Caller(ctx), r.Params.Event)
	return gen.ProveAuditEvent200JSONResponse{Body: gen.AuditInclusion{
		Event: r.Params.Event, Position: p.Position, Leaf: hash(p.Leaf), Hashes: all(p.Hashes, hash),
		Size: p.Checkpoint.Size, Checkpoint: p.Checkpoint.Note,
	}}, err
}

// ProveAuditLog implements `GET /service/audit/consistency`.
func (h handler) ProveAuditLog(
	ctx context.Context, r gen.ProveAuditLogRequestObject,
) (gen.ProveAuditLogResponseObject, error) {
	p, err := h.tokens.ProveLog(ctx, authn.Caller(ctx), r.Params.From)
	return gen.ProveAuditLog200JSONResponse{Body: gen.AuditConsistency{
		From: r.Params.From, Hashes: all(p.Hashes, hash), Size: p.Checkpoint.Size, Checkpoint: p.Checkpoint.Note,
	}}, err
}

func hash(h [32]byte) gen.AuditHash { return base64.StdEncoding.EncodeToString(h[:]) }

const (
	exportPage = 500
	// pagePatience is how long the database and the client may take for a page: an export has no time limit, and each of
	// its pages has one.
	pagePatience = 20 * time.Second
)

// ExportAuditEvents implements `GET /service/audit/export`. The first page is read at once, so that a failure is an
// answer; after that it can only break the answer off.
func (h handler) ExportAuditEvents(
	ctx context.Context, r gen.ExportAuditEventsRequestObject,
) (gen.ExportAuditEventsResponseObject, error) {
	p := r.Params
	e := &export{tokens: h.tokens, ctx: ctx, caller: authn.Caller(ctx), query: token.EventQuery{
		Actor: value(p.Actor), Object: value(p.Object), Action: value(p.Action), Dialect: string(value(p.Dialect)),
		Since: value(p.Since), Until: value(p.Until), After: value(p.After), Limit: exportPage,
	}}
	return e, e.next()
}

// export is one on its way.
type export struct {
	tokens *token.Service
	ctx    context.Context //nolint:containedctx // of the request, whose time limit is not that of an export
	caller token.Caller
	query  token.EventQuery
	page   []token.Event
}

// next reads a page.
func (e *export) next() (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), pagePatience)
	defer cancel()
	e.page, e.caller, err = e.tokens.ExportPage(ctx, e.caller, e.query)
	if n := len(e.page); n > 0 {
		e.query.After = e.page[n-1].ID
	}
	return err
}

// VisitExportAuditEventsResponse streams the export.
func (e *export) VisitExportAuditEventsResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderContentType, "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	controller := http.NewResponseController(w)
	for {
		_ = controller.SetWriteDeadline(token.Clock(nil).Now().Add(pagePatience)) // not every writer has one
		var lines []byte
		for _, event := range e.page {
			lines = append(append(lines, e.tokens.EventLine(event)...), '\n')
		}
		if _, err := w.Write(lines); err != nil {
			return err
		}
		if len(e.page) < exportPage {
			return nil
		}
		if err := controller.Flush(); err != nil {
			return err
		}
		if err := e.next(); err != nil {
			return err
		}
	}
}
