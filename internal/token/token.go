// Package token holds the rules of an API token: its nouns, its states, the formats of ids and secrets, who may do
// what, and the [Service] that the HTTP dialects call. It imports the standard library only; whatever needs a
// database or a third-party library is behind a small interface that the package declares.
//
// It knows what the published dialects differ in, as values ([Dialect]), and must not know HTTP, SQL or JSON.
// handlers and cmd/tokenwright call it; store, internal/memory, internal/jwt and internal/oidc implement what it needs.
package token

import (
	"slices"
	"time"
)

// Scope says how far a token reaches.
type Scope string

// A user token acts as its user; the others reach an account with its environments, or one environment.
const (
	ScopeUser        Scope = "user"
	ScopeAccount     Scope = "account"
	ScopeEnvironment Scope = "environment"
)

// State is the condition of a token.
type State string

// Active, Suspended and Revoked are stored. Expired is computed from the clock and never stored.
const (
	Active    State = "active"
	Suspended State = "suspended"
	Revoked   State = "revoked"
	Expired   State = "expired"
)

// States lists every state that an answer can carry.
var States = []State{Active, Suspended, Revoked, Expired}

// Action is a change of a token's state that a caller can ask for.
type Action string

// The actions. Delete removes the token from every list and leaves a tombstone.
const (
	Activate Action = "activate"
	Suspend  Action = "suspend"
	Revoke   Action = "revoke"
	Delete   Action = "delete"
)

// transitions is the one table of what can be done to a token in each state. A token that is missing from the row of
// its state refuses the action with [Conflict].
var transitions = map[State][]Action{
	Active:    {Suspend, Revoke},
	Suspended: {Activate, Revoke},
	Revoked:   {Delete},
	Expired:   {Delete},
}

// Allows reports whether a token in state s takes the action a.
func (s State) Allows(a Action) bool { return slices.Contains(transitions[s], a) }

// Ref names a token: public ids are unique within a dialect only.
type Ref struct {
	Dialect *Dialect
	ID      string
}

// Object names the token in a log.
func (r Ref) Object() string { return "token:" + r.Dialect.Name + "/" + r.ID }

// valid reports whether a token can have the name.
func (r Ref) valid() bool { return r.Dialect != nil && r.Dialect.IDs.Valid(r.ID) }

// Token is an issued API token, without its secret.
type Token struct {
	Seq              int64    // order of insertion, given by the store; never shown except as an id of the form [Numbers]
	Dialect          *Dialect `json:"-"` // not in what is kept of a token, see [kept]
	ID               string   // public id
	Hash             Hash     // of the secret
	Name             string   // name (muninx) or description (unleash); "" is none
	Scope            Scope
	UserID           int64  // the owner where [Dialect.OwnedByUser], else 0
	AccountID        string // the account (apitoken), else ""
	EnvironmentID    string // the environment of an apitoken of [ScopeEnvironment], else ""
	State            State  // as stored; answers use [Token.StateAt]
	SuspendedByAdmin bool   // then only an admin activates it
	Introspector     bool   // an admin let it check the tokens of others (RFC 7662)
	SelfRotation     bool   // its owner let it rotate itself
	RoleLimit        Role   // of a user's token: it acts with this role where its user has a higher one; "": no limit
	CreatedBy        int64  // user whose credential created it, 0 if that was an account's token
	CreatedByAdminID string // admin-user id of CreatedBy if an admin created it, else ""
	MintedBy         int64  // Seq of the token that authenticated its creation, 0 if none did
	KeyID            string // kid of the key that signed its secret; "" if none did, or if that was not noted then
	CreatedAt        time.Time
	UpdatedAt        time.Time
	ExpiresAt        time.Time   // zero: never
	LastUsedAt       time.Time   // zero: never used
	DeletedAt        time.Time   // zero: not deleted
	Entry            StatusEntry // of Hash; zero: its status is not published
	Rotations        int64       // secrets that it got after the first one, cancelled ones too
	RotatedAt        time.Time   // when Hash took the place of another one; zero: it is that of the first secret
	Previous         Previous    // zero: there is none
}

// Previous is the secret whose place a token's current one took, as long as nothing else took its own. It works until
// it ends.
type Previous struct {
	Hash       Hash
	KeyID      string
	Entry      StatusEntry
	RotatedAt  time.Time // as [Token.RotatedAt] when it was the current one
	EndsAt     time.Time
	LastUsedAt time.Time // zero: never used
}

// worksAt reports whether there is such a secret that has not ended.
func (p Previous) worksAt(now time.Time) bool { return p.Hash != (Hash{}) && now.Before(p.EndsAt) }

// Ref returns the token's name.
func (t Token) Ref() Ref { return Ref{t.Dialect, t.ID} }

// StateAt is the state at the time now: revoked before expired before suspended before active.
func (t Token) StateAt(now time.Time) State {
	if t.State != Revoked && !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return Expired
	}
	return t.State
}

// Deleted reports whether only the tombstone is left.
func (t Token) Deleted() bool { return !t.DeletedAt.IsZero() }
