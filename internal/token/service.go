package token

import (
	"cmp"
	"context"
	"time"
)

// Service is what the dialects call. Its members are set once, before the first call.
type Service struct {
	Store    Store
	Registry Registry
	Signer   Signer
	// OIDC vouches for callers with a JWT of another issuer; nil if none is configured.
	OIDC Federation
	// Memory answers for what was read lately; nil reads each credential every time, and publishes no status lists.
	Memory Memory
	// FederatedMaxLifetime is how long a token lives at most that a caller made with a JWT of another issuer; 0: no
	// maximum.
	FederatedMaxLifetime time.Duration
	// Dialects are those that the server speaks; nil is [Published].
	Dialects Dialects
	// Policies are the operator's limits, by dialect. One that is missing has its [Dialect.Policy].
	Policies map[*Dialect]Policy
	Clock    Clock
	// RetryKey is a secret of all servers that share the store, of [RetryKeySize] bytes, and not in the store. Without it,
	// answers are not kept, see [Retry].
	RetryKey []byte

	// Events keeps the audit trail; nil has refused uses of credentials recorded nowhere.
	Events EventStore
	// Prover proves what happened; the methods about the log of events need it.
	Prover Prover

	uses         uses[int64] // by the Seq of the token
	previousUses uses[Hash]  // of previous secrets
	claims       claims
	refusals     refusals
}

// Policy is what an operator sets for the tokens of a dialect.
type Policy struct {
	DefaultLifetime time.Duration // of a token for which no expiry was asked; 0: it never expires
	MaxLifetime     time.Duration // 0: no maximum
	MaxTokens       int           // of a user or account that are not deleted, expired ones included; 0: no limit
}

// Ref names a token by what somebody wrote. What cannot be the name of one, such as that of an unknown dialect, becomes
// a name that no token has, so that only who may look is told that there is none.
func (s *Service) Ref(dialect, id string) Ref {
	ref, _ := s.Dialects.OrPublished().Ref(dialect, id)
	return ref
}

// Dialect returns the one with this name, nil if there is none.
func (s *Service) Dialect(name string) *Dialect { return s.Dialects.OrPublished().Named(name) }

// policy is the operator's for a dialect, or else the dialect's own.
func (s *Service) policy(d *Dialect) Policy {
	if p, ok := s.Policies[d]; ok {
		return p
	}
	return d.Policy
}

// Now is the one clock, see [Clock.Now].
func (s *Service) Now() time.Time { return s.Clock.Now() }

// Clock tells the time; nil is the system's clock.
type Clock func() time.Time

// Now is UTC, in the milliseconds that the store keeps.
func (c Clock) Now() time.Time {
	if c == nil {
		c = time.Now
	}
	return c().UTC().Truncate(time.Millisecond)
}

// Stopwatch starts to measure a duration, on a clock that never goes back; what it returns tells how long ago that was.
func Stopwatch() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// Get returns a token that the caller sees.
func (s *Service) Get(ctx context.Context, c Caller, ref Ref, r Reach) (Token, error) {
	if err := c.enter(ref.Dialect, r); err != nil {
		return Token{}, err
	}
	if !ref.valid() {
		return Token{}, notFound()
	}
	t, err := s.Store.Find(ctx, ref)
	if KindOf(err) == NotFound || err == nil && (t.Deleted() || !c.sees(t, r)) {
		return Token{}, notFound()
	}
	if err != nil {
		return Token{}, err
	}
	return s.used(t), nil
}

// notFound reads the same for a token that does not exist and for one that the caller does not see.
func notFound() error { return Errorf(NotFound, "there is no such token") }

// Page is a part of a list.
type Page struct {
	Tokens []Token
	Next   string // cursor of the next page, "" at the end
}

// List returns the tokens that the query selects among those that the caller sees. Cursor is [Page.Next] of the page
// before, "" for the first page. The query's After, Now and Keys are set here.
func (s *Service) List(ctx context.Context, c Caller, q Query, cursor string, r Reach) (Page, error) {
	q, err := s.begin(ctx, c, q, cursor, r)
	if err != nil {
		return Page{}, err
	}
	tokens, more, err := s.list(ctx, q)
	page := Page{Tokens: tokens}
	if more {
		page.Next = encodeCursor(tokens[len(tokens)-1].Ref())
	}
	return page, err
}

// Walk shows the tokens that [Service.List] would return in pages, all of them, a page at a time: the query's Limit is
// the size of what is read at once. It shows an empty page only if there are no tokens.
func (s *Service) Walk(ctx context.Context, c Caller, q Query, cursor string, r Reach, show func([]Token) error) error {
	q, err := s.begin(ctx, c, q, cursor, r)
	for more := true; more && err == nil; {
		var tokens []Token
		if tokens, more, err = s.list(ctx, q); err == nil {
			err = show(tokens)
		}
		if more {
			q.After = tokens[len(tokens)-1].Seq
		}
	}
	return err
}

// begin judges the question for a list and sets where that begins. A limit of 0 means that the caller sees nothing of
// it.
func (s *Service) begin(ctx context.Context, c Caller, q Query, cursor string, r Reach) (Query, error) {
	if err := c.enter(q.Dialect, r); err != nil {
		return q, err
	}
	if c.seesNothing(q, r) {
		return Query{}, nil
	}
	after, err := s.after(ctx, c, q.Dialect, cursor, r)
	q = c.narrow(q, r)
	if q.Usable != nil {
		q.Keys = s.Signer.KeyIDs()
	}
	q.After, q.Now = after, s.Now()
	return q, err
}

// list reads at most as many tokens as the limit says, and tells whether there are more.
func (s *Service) list(ctx context.Context, q Query) (tokens []Token, more bool, err error) {
	limit := q.Limit
	if limit == 0 {
		return nil, false, nil
	}
	q.Limit++ // to know whether there are more
	if tokens, err = s.Store.List(ctx, q); err != nil {
		return nil, false, err
	}
	if more = len(tokens) > limit; more {
		tokens = tokens[:limit]
	}
	for i, t := range tokens {
		tokens[i] = s.used(t)
	}
	return tokens, more, nil
}

// after returns the Seq of the token that the cursor names. A cursor that names a token which the caller does not
// see, or one of another dialect's list, is as bad as one that names none, so that cursors tell nothing.
func (s *Service) after(ctx context.Context, c Caller, d *Dialect, cursor string, r Reach) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	ref, ok := decodeCursor(s.Dialects.OrPublished(), cursor)
	if !ok || d != nil && d != ref.Dialect {
		return 0, badCursor()
	}
	t, err := s.Store.Find(ctx, ref)
	if KindOf(err) == NotFound || err == nil && !c.sees(t, r) {
		return 0, badCursor()
	}
	return t.Seq, err
}

// Apply does the action to a token that the caller sees, if the table of transitions allows it.
func (s *Service) Apply(ctx context.Context, c Caller, ref Ref, a Action, r Reach) (Token, error) {
	if err := c.enter(ref.Dialect, r); err != nil {
		return Token{}, err
	}
	if err := c.may(a); err != nil {
		return Token{}, err
	}
	if !ref.valid() {
		return Token{}, notFound()
	}
	var changed []Change
	permit := s.permit(ctx, &c, func(c Caller) error { return cmp.Or(c.enter(ref.Dialect, r), c.may(a)) })
	change := func(t *Token) error {
		changed = t.Changes() // even of a tombstone: the answer that it is gone must be true for the cache, too
		if t.Deleted() || !c.sees(*t, r) {
			return notFound()
		}
		return t.apply(c, a, s.Now())
	}
	permit.Action, permit.Urgent = string(a), a != Activate
	var t Token
	var err error
	if permit.Urgent {
		err = s.futile(ctx, ref, change)
	}
	if err == nil {
		t, err = s.Store.Update(ctx, permit, ref, change)
	}
	s.forget(changed)
	if KindOf(err) == NotFound {
		return Token{}, notFound()
	}
	return s.used(t), err
}

// futile is why a change would change nothing, tried on a copy. What takes rights away goes before all others, and so
// must not be asked of tokens that are not there, as often as somebody pleases. Its caller is judged as for a reading:
// nothing changes.
func (s *Service) futile(ctx context.Context, ref Ref, change func(*Token) error) error {
	t, err := s.Store.Find(ctx, ref)
	if err == nil {
		err = change(&t)
	}
	switch KindOf(err) {
	case NotFound, Conflict, Forbidden:
		return err
	}
	return nil // the change itself finds out
}

// Changes are what a change of the token, as it was before, is to those who follow: one for each status list that may
// have to follow. A secret that is new stands in its list as active, as if it were not there.
func (t Token) Changes() []Change {
	changes := []Change{{Token: t.Seq, List: t.Entry.List}}
	if list := t.Previous.Entry.List; list != 0 && list != t.Entry.List {
		changes = append(changes, Change{Token: t.Seq, List: list})
	}
	return changes
}

// forget comes after a change of a token was stored, or perhaps stored, and before its answer.
func (s *Service) forget(changes []Change) {
	for _, c := range changes {
		s.Changed(c)
	}
}

// Changed forgets what is kept in memory of what was changed. It comes after the commit.
func (s *Service) Changed(c Change) {
	if s.Memory != nil {
		s.Memory.Changed(c)
	}
}

// free reports whether the caller may do the action whatever the table of transitions says: some dialects delete from
// any state, and an admin's suspension takes the place of the owner's, which the owner could undo.
func (t *Token) free(c Caller, a Action, status State) bool {
	return a == Delete && t.Dialect.DeletesFromAnyState ||
		a == Suspend && status == Suspended && !t.SuspendedByAdmin && c.Admin()
}

// apply changes the token in place.
func (t *Token) apply(c Caller, a Action, now time.Time) error {
	if status := t.StateAt(now); !status.Allows(a) && !t.free(c, a, status) {
		return Errorf(Conflict, "the token is %s, and %s is not possible then", status, a)
	}
	if a == Activate && t.SuspendedByAdmin && !c.Admin() {
		return Errorf(Forbidden, "an admin suspended the token, and only an admin can activate it")
	}
	switch a {
	case Activate:
		t.State, t.SuspendedByAdmin = Active, false
	case Suspend:
		t.State, t.SuspendedByAdmin = Suspended, c.Admin()
	case Revoke:
		t.State = Revoked
	case Delete:
		t.DeletedAt = now
		if t.Dialect.DeletesFromAnyState {
			t.State = Revoked
		}
	}
	t.UpdatedAt = now
	return nil
}
