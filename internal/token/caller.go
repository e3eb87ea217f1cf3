package token

import (
	"cmp"
	"context"
	"time"
)

// Caller is who makes a request: the owner of a credential, within the limits of that credential. It is an argument
// of every method of [Service].
type Caller struct {
	User      *User     // nil where the credential belongs to an account
	Account   *Account  // home account of User, or the account of the credential
	Token     *Token    // the credential; nil where an OIDC issuer vouched for User
	Role      Role      // what User may do; "" without a User
	ExpiresAt time.Time // when the credential ends; zero: never

	secret    Hash   // of Token, by which the caller came
	proof     string // the credential, or whom an OIDC issuer vouched for: what only the caller has, see [retry]
	federated bool   // an OIDC issuer vouched for the user, and
	claimed   Role   // its claim said this; "" leaves the role to the registry
}

// again returns the caller as it is now, from a new reading of what it was made of, and refuses one that has lost its
// right since it was authenticated.
func (c Caller) again(id Identity, now time.Time) (Caller, error) {
	if c.Token != nil {
		if id.Secret = c.secret; !id.usable(now) {
			return Caller{}, id.refusal(now)
		}
		return id.Caller(), nil
	}
	switch {
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return Caller{}, invalidCredential(errEnded)
	case id.User == nil || id.Account == nil:
		return Caller{}, invalidCredential(errGone)
	case id.User.Disabled:
		return Caller{}, id.User.refusal()
	}
	c.User, c.Account, c.Role = id.User, id.Account, cmp.Or(c.claimed, id.User.Role)
	return c, nil
}

// Share names whose share of a server's places something takes up. The zero Share is nobody's.
type Share struct {
	UserID    int64
	AccountID string // of a caller without a user
	Token     int64  // Seq of the credential
	Address   string // of a client, as long as it is not known who calls
}

// Nobodys reports whether the share is no known caller's.
func (s Share) Nobodys() bool { return s.UserID == 0 && s.AccountID == "" && s.Token == 0 }

// Share is the caller's.
func (c Caller) Share() Share {
	if c.User != nil {
		return Share{UserID: c.User.ID, Token: c.tokenSeq()}
	}
	return Share{AccountID: c.AccountID(), Token: c.tokenSeq()}
}

// ShareKey is the key under which a context holds the [Share] of the caller for whom something is done. Only a store's
// queues ask for it; no rule does.
type ShareKey struct{}

// ShareOf is the share that the context names, nobody's if it names none.
func ShareOf(ctx context.Context) Share {
	share, _ := ctx.Value(ShareKey{}).(Share)
	return share
}

// adminPermit is that of an admin for an action, named for its event; urgent if it takes rights away.
func (s *Service) adminPermit(ctx context.Context, c *Caller, action string, urgent bool) Permit {
	p := s.permit(ctx, c, Caller.requireAdmin)
	p.Action, p.Urgent = action, urgent
	return p
}

// switchPermit is that of an admin who disables or enables something.
func (s *Service) switchPermit(ctx context.Context, c *Caller, disabled bool) Permit {
	if disabled {
		return s.adminPermit(ctx, c, "disable", true)
	}
	return s.adminPermit(ctx, c, "enable", false)
}

// permit is the right of the caller to make a change, judged anew where the change is made: the caller must still work,
// and may has to allow it. From then on c is the caller as it was found there.
func (s *Service) permit(ctx context.Context, c *Caller, may func(Caller) error) Permit {
	p := Permit{Token: c.tokenSeq(), UserID: c.userID(), By: c.by(), Clock: s.Clock}
	if c.Token != nil {
		p.AccountID, p.EnvironmentID = c.Token.AccountID, c.Token.EnvironmentID
	}
	p.Judge = func(id Identity) (err error) {
		now := s.Now()
		if *c, err = c.again(id, now); err != nil {
			s.noteRefused(ctx, id, now)
			return err
		}
		return may(*c)
	}
	return p
}

// Admin reports whether the caller may do everything.
func (c Caller) Admin() bool { return c.Role == RoleAdmin }

// AccountID is the caller's own account.
func (c Caller) AccountID() string { return c.Account.ID }

// environmentID is the one environment that the credential is bound to, "" if it is not bound.
func (c Caller) environmentID() string {
	if c.User != nil || c.Token == nil {
		return ""
	}
	return c.Token.EnvironmentID
}

// tokenSeq is the Seq of the credential, 0 if it is no token of this server.
func (c Caller) tokenSeq() int64 {
	if c.Token == nil {
		return 0
	}
	return c.Token.Seq
}

// userID is the id of the caller's user, 0 if it has none.
func (c Caller) userID() int64 {
	if c.User == nil {
		return 0
	}
	return c.User.ID
}

// Reach says on which way a caller comes to tokens.
type Reach int

const (
	// Own is the reach of a dialect: what its caller may see there.
	Own Reach = iota
	// Everything is the administration of all tokens of all dialects; only admins have it.
	Everything
	// Owned is everything for admins, and for others what they may see in the dialects, all of which it may mean at once.
	Owned
)

// enter decides whether the caller may use the tokens of the dialect at all.
func (c Caller) enter(d *Dialect, r Reach) error {
	switch {
	case r == Everything:
		return c.requireAdmin()
	case r == Owned && (d == nil || d.OwnedByUser):
		return nil // others' tokens do not exist
	case d.OwnedByUser && c.User == nil:
		return Errorf(Forbidden, "the credential belongs to no user, and these tokens are a user's own")
	case !d.OwnedByUser && !c.Admin() && c.Account.Disabled:
		return Errorf(Forbidden, "the caller's home account is disabled")
	}
	return nil
}

func (c Caller) requireAdmin() error {
	if !c.Admin() {
		return Errorf(Forbidden, "this needs the role admin")
	}
	return nil
}

// sees decides whether a token exists for the caller.
func (c Caller) sees(t Token, r Reach) bool {
	switch {
	case r == Everything:
		return c.Admin()
	case r == Owned && c.Admin():
		return true
	case t.Dialect.OwnedByUser:
		return c.User != nil && t.UserID == c.User.ID
	}
	return c.seesAccount(t.AccountID) && c.seesEnvironment(t.EnvironmentID)
}

func (c Caller) seesAccount(id string) bool { return c.Admin() || id == c.AccountID() }

// seesEnvironment is asked about an environment of an account that the caller sees.
func (c Caller) seesEnvironment(id string) bool {
	return c.environmentID() == "" || id == c.environmentID()
}

// may decides whether the caller may do the action to tokens of the dialect that it sees.
func (c Caller) may(a Action) error {
	if c.User == nil && a != Revoke {
		return Errorf(Forbidden, "a credential that belongs to no user may not %s a token", a)
	}
	return nil
}

// seesNothing reports whether the query is for what the caller never sees any of.
func (c Caller) seesNothing(q Query, r Reach) bool {
	others := q.UserID != 0 && q.UserID != c.userID()
	nobodys := q.Dialect != nil && q.Dialect.OwnedByUser && c.User == nil
	return q.EnvironmentID != "" && !c.seesEnvironment(q.EnvironmentID) ||
		q.AccountID != "" && !c.seesAccount(q.AccountID) || r == Owned && !c.Admin() && (others || nobodys)
}

// narrow limits a query to what the caller sees.
func (c Caller) narrow(q Query, r Reach) Query {
	switch {
	case r == Everything, r == Owned && c.Admin():
	case q.Dialect == nil:
		q.Owner = c.owner()
	case q.Dialect.OwnedByUser:
		q.UserID = c.userID()
	case !c.Admin():
		q.AccountID = c.AccountID()
		if id := c.environmentID(); id != "" {
			q.EnvironmentID = id
		}
	}
	return q
}

// owner is what a caller who is no admin has.
func (c Caller) owner() *Owner {
	o := &Owner{UserID: c.userID(), EnvironmentID: c.environmentID()}
	if !c.Account.Disabled {
		o.AccountID = c.AccountID()
	}
	return o
}
