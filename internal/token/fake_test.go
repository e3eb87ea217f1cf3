package token

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// Fake is a store and a registry in memory, for the tests of the rules; the contract holds it to what a database does.
// A change works on a copy of everything, which takes the place of what was there when the change ends well. A reader
// has what was there when it came.
type Fake struct {
	// Fault, unless it is nil, is asked for an error by the name of the method before each call, and after a change was
	// stored with ", stored" behind the name: so a database is lost before it could say that it did something.
	Fault func(method string) error

	// Permits are those of the changes that were asked for.
	Permits []Permit

	rows atomic.Pointer[rows]
	turn chan struct{} // to make a change
}

// rows are tokens and users in the order of their numbers, from 1, and the others by their ids.
type rows struct {
	tokens       []Token
	former       map[Hash]former
	entries      int64 // that were given
	users        []User
	accounts     map[string]Account
	environments map[string]Environment
	claims       map[Hash]fakeClaim
	maxima       Maxima
}

// fakeClaim is a [Claim] with its answer.
type fakeClaim struct {
	Claim
	answer []byte
}

// former is a secret that a token does not have any more.
type former struct {
	token int64
	entry StatusEntry
}

// NewFake returns an empty one.
func NewFake() *Fake {
	f := &Fake{turn: make(chan struct{}, 1)}
	f.rows.Store(&rows{
		former: map[Hash]former{}, accounts: map[string]Account{}, environments: map[string]Environment{},
		claims: map[Hash]fakeClaim{},
	})
	return f
}

func (f *Fake) refuse(ctx context.Context, method string) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Canceled
	case ctx.Err() != nil:
		return Unavailable
	case f.Fault == nil:
		return nil
	}
	return f.Fault(method)
}

// read answers from what is there.
func read[T any](ctx context.Context, f *Fake, method string, answer func(*rows) (T, error)) (T, error) {
	if err := f.refuse(ctx, method); err != nil {
		var none T
		return none, err
	}
	return answer(f.rows.Load())
}

// change stores what do has made of a copy, and returns what do returned.
func change[T any](ctx context.Context, f *Fake, method string, p Permit, do func(*rows) (T, error)) (T, error) {
	var none T
	if err := f.refuse(ctx, method); err != nil {
		return none, err
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return none, f.refuse(ctx, method)
	}
	f.Permits = append(f.Permits, p)
	before := f.rows.Load()
	if p.Judge != nil {
		if err := p.Judge(before.caller(p)); err != nil {
			return none, err
		}
	}
	after := &rows{slices.Clone(before.tokens), maps.Clone(before.former), before.entries, slices.Clone(before.users),
		maps.Clone(before.accounts), maps.Clone(before.environments), maps.Clone(before.claims), before.maxima}
	result, err := do(after)
	if err == nil {
		err = f.refuse(ctx, method+", to be stored")
	}
	if err != nil {
		return none, err
	}
	f.rows.Store(after)
	if err := f.refuse(context.WithoutCancel(ctx), method+", stored"); err != nil {
		return none, err
	}
	return result, nil
}

// pick returns a copy of the row with a number, nil if there is none.
func pick[T any](all []T, number int64) *T {
	if number < 1 || number > int64(len(all)) {
		return nil
	}
	row := all[number-1]
	return &row
}

// find is pick by id.
func find[T any](all map[string]T, id string) *T {
	if row, ok := all[id]; ok {
		return &row
	}
	return nil
}

// found is the row, or that there is none.
func found[T any](row *T) (T, error) {
	if row == nil {
		return *new(T), NotFound
	}
	return *row, nil
}

func (r *rows) token(ref Ref) *Token {
	i := slices.IndexFunc(r.tokens, func(t Token) bool { return t.Ref() == ref })
	return pick(r.tokens, int64(i)+1)
}

// identity is the token with what it depends on.
func (r *rows) identity(t *Token) Identity {
	if t == nil {
		return Identity{}
	}
	id := Identity{Token: t, User: pick(r.users, t.UserID), Account: find(r.accounts, t.AccountID),
		Environment: find(r.environments, t.EnvironmentID)}
	if id.User != nil {
		id.Account = find(r.accounts, id.User.AccountID)
	}
	return id
}

func (r *rows) caller(p Permit) Identity {
	if p.Token != 0 {
		return r.identity(pick(r.tokens, p.Token))
	}
	if user := pick(r.users, p.UserID); user != nil {
		return Identity{User: user, Account: find(r.accounts, user.AccountID)}
	}
	return Identity{}
}

func (f *Fake) Create(ctx context.Context, in Insert) (Token, error) {
	return change(ctx, f, "Create", in.Permit, func(r *rows) (Token, error) {
		if err := r.claimed(in.Claim); err != nil {
			return Token{}, err
		}
		t := in.Token
		if err := in.Decide(&t, r.facts(t, in)); err != nil {
			return Token{}, err
		}
		t.Seq = int64(len(r.tokens)) + 1
		if t.Dialect.IDs.New == nil {
			t.ID = strconv.FormatInt(t.Seq, 10)
		}
		if !t.ExpiresAt.IsZero() {
			t.ExpiresAt = t.ExpiresAt.UTC().Truncate(time.Millisecond)
		}
		return t, cmp.Or(r.insert(t), r.claim(in.Claim, t))
	})
}

func (r *rows) claimed(c *Claim) error {
	if c == nil {
		return nil
	}
	if held, ok := r.claims[c.ID]; ok && held.ExpiresAt.After(c.MadeAt) {
		return &Claimed{held.Request, held.answer}
	}
	return nil
}

func (r *rows) claim(c *Claim, t Token) error {
	if c == nil {
		return nil
	}
	answer, err := c.Seal(t)
	r.claims[c.ID] = fakeClaim{*c, answer}
	return err
}

func (f *Fake) ForgetClaims(ctx context.Context, now time.Time) (bool, error) {
	return change(ctx, f, "ForgetClaims", Permit{}, func(r *rows) (bool, error) {
		maps.DeleteFunc(r.claims, func(_ Hash, c fakeClaim) bool { return !c.ExpiresAt.After(now) })
		return false, nil
	})
}

func (r *rows) facts(t Token, in Insert) Facts {
	facts := Facts{User: pick(r.users, t.UserID), Environment: find(r.environments, t.EnvironmentID)}
	if facts.Account = find(r.accounts, t.AccountID); t.AccountID == "" && facts.Environment != nil {
		facts.Account = find(r.accounts, facts.Environment.AccountID)
	}
	if t.Dialect.PublishesStatus {
		facts.Entry = r.entry(t.Dialect)
	}
	for _, other := range r.tokens {
		if in.Most > 0 && other.Dialect == t.Dialect && facts.Account != nil && other.AccountID == facts.Account.ID &&
			!other.Deleted() {
			facts.Held++
		}
		if in.Exclusive && other.Dialect == t.Dialect && other.UserID == t.UserID && t.UserID != 0 && !other.Deleted() {
			facts.Held++
			facts.NameTaken = facts.NameTaken || t.Name != "" && other.Name == t.Name
		}
	}
	return facts
}

func (r *rows) entry(d *Dialect) StatusEntry {
	if !d.PublishesStatus {
		return StatusEntry{}
	}
	r.entries++
	return StatusEntryOf([]byte("key"), r.entries-1)
}

func (r *rows) insert(t Token) error {
	for _, other := range r.tokens {
		sameName := t.Dialect.UniqueNames && t.Name != "" && other.Name == t.Name && other.UserID == t.UserID &&
			!other.Deleted() && other.Dialect == t.Dialect
		if other.Hash == t.Hash || other.Ref() == t.Ref() || sameName {
			return NameTaken
		}
	}
	r.tokens = append(r.tokens, t)
	return nil
}

func (f *Fake) Find(ctx context.Context, ref Ref) (Token, error) {
	return read(ctx, f, "Find", func(r *rows) (Token, error) { return found(r.token(ref)) })
}

func (f *Fake) FindSecret(ctx context.Context, hash Hash) (Identity, error) {
	return read(ctx, f, "FindSecret", func(r *rows) (Identity, error) {
		i := slices.IndexFunc(r.tokens, func(t Token) bool { return t.Hash == hash || t.Previous.Hash == hash })
		id := r.identity(pick(r.tokens, cmp.Or(int64(i)+1, r.former[hash].token)))
		if id.Secret = hash; id.Token == nil {
			return Identity{}, NotFound
		}
		return id, nil
	})
}

func (f *Fake) Identities(ctx context.Context, seqs []int64) (map[int64]Identity, error) {
	return read(ctx, f, "Identities", func(r *rows) (map[int64]Identity, error) {
		all := map[int64]Identity{}
		for _, seq := range seqs {
			if t := pick(r.tokens, seq); t != nil {
				all[seq] = r.identity(t)
			}
		}
		return all, nil
	})
}

func (f *Fake) List(ctx context.Context, q Query) ([]Token, error) {
	return read(ctx, f, "List", func(r *rows) (page []Token, err error) {
		for _, t := range r.tokens {
			if r.selects(q, t) && (q.After == 0 || q.Ascending == (t.Seq > q.After) && t.Seq != q.After) {
				page = append(page, t)
			}
		}
		if !q.Ascending {
			slices.Reverse(page)
		}
		return page[:min(q.Limit, len(page))], nil
	})
}

func (r *rows) selects(q Query, t Token) bool {
	id := r.identity(&t)
	return !t.Deleted() && (q.Dialect == nil || q.Dialect == t.Dialect) &&
		cmp.Or(q.UserID, t.UserID) == t.UserID && cmp.Or(q.AccountID, t.AccountID) == t.AccountID &&
		cmp.Or(q.EnvironmentID, t.EnvironmentID) == t.EnvironmentID && cmp.Or(q.Scope, t.Scope) == t.Scope &&
		q.Owner.has(t) && cmp.Or(q.KeyID, t.KeyID) == t.KeyID && cmp.Or(q.State, t.StateAt(q.Now)) == t.StateAt(q.Now) &&
		(q.CreatedBy == 0 || q.CreatedBy == r.maker(t)) && (q.NotOwnedBy == 0 || q.NotOwnedBy != t.UserID) &&
		(q.Usable == nil || *q.Usable == (id.usable(q.Now) && id.verifiable(q.Keys)))
}

func (o *Owner) has(t Token) bool {
	return o == nil || t.UserID != 0 && t.UserID == o.UserID ||
		t.AccountID != "" && t.AccountID == o.AccountID && cmp.Or(o.EnvironmentID, t.EnvironmentID) == t.EnvironmentID
}

// maker is the user who created the token, or the token that created it, and so on.
func (r *rows) maker(t Token) int64 {
	for minter := &t; minter != nil; minter = pick(r.tokens, minter.MintedBy) {
		if minter.CreatedBy != 0 {
			return minter.CreatedBy
		}
	}
	return 0
}

func (f *Fake) Update(ctx context.Context, p Permit, ref Ref, set func(*Token) error) (Token, error) {
	return change(ctx, f, "Update", p, func(r *rows) (Token, error) { return r.update(ref, set) })
}

func (f *Fake) Rotate(
	ctx context.Context, p Permit, ref Ref, c *Claim, set func(*Token, StatusEntry) error,
) (Token, error) {
	return change(ctx, f, "Rotate", p, func(r *rows) (Token, error) {
		if err := r.claimed(c); err != nil {
			return Token{}, err
		}
		t, err := r.update(ref, func(t *Token) error { return set(t, r.entry(t.Dialect)) })
		if err != nil {
			return Token{}, err
		}
		return t, r.claim(c, t)
	})
}

func (r *rows) update(ref Ref, set func(*Token) error) (Token, error) {
	t := r.token(ref)
	if t == nil {
		return Token{}, NotFound
	}
	before, to := *t, *t
	if err := set(&to); err != nil {
		return Token{}, err
	}
	for _, other := range r.tokens {
		if to.Dialect.UniqueNames && to.Name != "" && other.Name == to.Name && other.UserID == to.UserID &&
			!other.Deleted() && other.Dialect == to.Dialect && other.Seq != to.Seq && !to.Deleted() {
			return Token{}, NameTaken
		}
	}
	t.State, t.SuspendedByAdmin, t.Introspector = to.State, to.SuspendedByAdmin, to.Introspector
	t.UpdatedAt, t.DeletedAt, t.ExpiresAt = to.UpdatedAt, to.DeletedAt, to.ExpiresAt
	t.Name, t.SelfRotation, t.Hash, t.KeyID, t.Entry = to.Name, to.SelfRotation, to.Hash, to.KeyID, to.Entry
	t.Rotations, t.RotatedAt, t.Previous = to.Rotations, to.RotatedAt, to.Previous
	for _, s := range []Previous{{Hash: before.Hash, Entry: before.Entry}, before.Previous} {
		if s.Hash != (Hash{}) && s.Hash != t.Hash && s.Hash != t.Previous.Hash {
			r.former[s.Hash] = former{t.Seq, s.Entry}
		}
	}
	r.tokens[t.Seq-1] = *t
	return *t, nil
}

func (f *Fake) Touch(ctx context.Context, uses map[int64]time.Time) error {
	_, err := change(ctx, f, "Touch", Permit{}, func(r *rows) (none struct{}, err error) {
		for seq, at := range uses {
			if t := pick(r.tokens, seq); t != nil && at.After(t.LastUsedAt) {
				r.tokens[seq-1].LastUsedAt = at
			}
		}
		return none, nil
	})
	return err
}

func (f *Fake) TouchPrevious(ctx context.Context, uses map[Hash]time.Time) error {
	_, err := change(ctx, f, "TouchPrevious", Permit{}, func(r *rows) (none struct{}, err error) {
		for i, t := range r.tokens {
			if at := uses[t.Previous.Hash]; at.After(t.Previous.LastUsedAt) {
				r.tokens[i].Previous.LastUsedAt = at
			}
		}
		return none, nil
	})
	return err
}

func (f *Fake) FindStatusList(ctx context.Context, list int64) error {
	_, err := read(ctx, f, "FindStatusList", func(r *rows) (none struct{}, err error) {
		if list == 0 || !slices.ContainsFunc(r.tokens, func(t Token) bool { return t.Entry.List == list }) {
			return none, NotFound
		}
		return none, nil
	})
	return err
}

func (f *Fake) StatusList(ctx context.Context, list int64, each func(Standing)) error {
	_, err := read(ctx, f, "StatusList", func(r *rows) (none struct{}, err error) {
		for _, t := range r.tokens {
			for i, s := range r.standings(t) {
				if s.Entry.List == list && list != 0 && (i > 0 || s.State != Active || s.Deleted || s.Disabled) {
					each(s)
				}
			}
		}
		return none, nil
	})
	return err
}

func (f *Fake) Standings(ctx context.Context, seqs []int64) ([]Standing, error) {
	return read(ctx, f, "Standings", func(r *rows) (all []Standing, err error) {
		for _, seq := range seqs {
			if t := pick(r.tokens, seq); t != nil {
				all = append(all, r.standings(*t)...)
			}
		}
		return all, nil
	})
}

// standings are those of the current secret, if it has one, and of all others.
func (r *rows) standings(t Token) (all []Standing) {
	id := r.identity(&t)
	disabled := id.Account != nil && id.Account.Disabled || id.Environment != nil && id.Environment.Disabled
	if t.Entry.List != 0 {
		all = append(all, Standing{t.Entry, t.State, t.Deleted(), disabled, time.Time{}})
	}
	if t.Previous.Entry.List != 0 {
		all = append(all, Standing{t.Previous.Entry, t.State, t.Deleted(), disabled, t.Previous.EndsAt})
	}
	for _, s := range r.former {
		if s.token == t.Seq && s.entry.List != 0 {
			all = append(all, Standing{s.entry, Revoked, false, false, time.Time{}})
		}
	}
	return all
}
