package token

import (
	"context"
	"strconv"
	"time"
)

// Event is an entry of the audit trail: a change, or uses of a credential that were refused. It holds no secret and no
// hash of one.
type Event struct {
	ID         int64     // given by the store; a later one may be committed earlier
	At         time.Time // in milliseconds
	Actor      string    // user:ID or account:ID, "" if it is not known who acted
	Credential string    // token:DIALECT/ID, oidc:ISSUER SUBJECT or [ByDatabase]
	Action     string    // what was done, such as token.create
	Object     string    // to what, as in the log: token:DIALECT/ID, user:ID, account:ID or environment:ID
	Dialect    string    // of the token that is the object
	Origin
	Before string // the members that changed, as a JSON object; "": there was nothing before, or nothing changed
	After  string // the same members afterwards
}

// ByDatabase is the credential of who needs none, because the database itself is at hand.
const ByDatabase = "database"

// Origin says where a request came from.
type Origin struct {
	Address string // of the client
	Agent   string // the start of what its User-Agent says
	Request string // the id of the request in the log
}

// OriginKey is the key under which a context holds the [Origin] of the request for which something is done.
type OriginKey struct{}

// OriginOf is the origin in the context, the zero one where no request is behind what is done.
func OriginOf(ctx context.Context) Origin {
	origin, _ := ctx.Value(OriginKey{}).(Origin)
	return origin
}

// By says who makes a change, for its [Event].
type By struct {
	Actor, Credential string
}

// by names the caller.
func (c Caller) by() By {
	b := By{Credential: ByDatabase}
	switch {
	case c.User != nil:
		b.Actor = "user:" + strconv.FormatInt(c.User.ID, 10)
	case c.Account != nil:
		b.Actor = "account:" + c.Account.ID
	}
	switch {
	case c.Token != nil:
		b.Credential = c.Token.Ref().Object()
	case c.federated:
		b.Credential = "oidc:" + c.User.Issuer + " " + c.User.Subject
	}
	return b
}

// EventQuery selects events. Zero members select everything.
type EventQuery struct {
	Actor, Object, Action, Dialect string

	Since     time.Time // at this time or later
	Until     time.Time // before this time
	After     int64     // ID of the last event of the page before
	Ascending bool      // by ID; else newest first
	Limit     int       // at least 1
}

// EventStore keeps events, with the same errors as [Store], which stores those of changes.
type EventStore interface {
	// RecordRefusals stores an event for each refusal: they describe no change that would bring one.
	RecordRefusals(ctx context.Context, all []Refusal) error
	// Events returns a page of them.
	Events(ctx context.Context, q EventQuery) ([]Event, error)
}
