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
	users        []User
	accounts     map[string]Account
	environments map[string]Environment
	maxima       Maxima
}

// NewFake returns an empty one.
func NewFake() *Fake {
	f := &Fake{turn: make(chan struct{}, 1)}
	f.rows.Store(&rows{accounts: map[string]Account{}, environments: map[string]Environment{}})
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
	after := &rows{slices.Clone(before.tokens), slices.Clone(before.users), maps.Clone(before.accounts),
		maps.Clone(before.environments), before.maxima}
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
		return t, r.insert(t)
	})
}

func (r *rows) facts(t Token, in Insert) Facts {
	facts := Facts{User: pick(r.users, t.UserID), Environment: find(r.environments, t.EnvironmentID)}
	if facts.Account = find(r.accounts, t.AccountID); t.AccountID == "" && facts.Environment != nil {
		facts.Account = find(r.accounts, facts.Environment.AccountID)
	}
	if t.Dialect.PublishesStatus {
		facts.Entry = StatusEntryOf([]byte("key"), int64(len(r.tokens)))
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
		i := slices.IndexFunc(r.tokens, func(t Token) bool { return t.Hash == hash })
		if i < 0 {
			return Identity{}, NotFound
		}
		return r.identity(pick(r.tokens, int64(i)+1)), nil
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
		cmp.Or(q.KeyID, t.KeyID) == t.KeyID && cmp.Or(q.State, t.StateAt(q.Now)) == t.StateAt(q.Now) &&
		(q.CreatedBy == 0 || q.CreatedBy == r.maker(t)) && (q.NotOwnedBy == 0 || q.NotOwnedBy != t.UserID) &&
		(q.Usable == nil || *q.Usable == (id.usable(q.Now) && id.verifiable(q.Keys)))
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
	return change(ctx, f, "Update", p, func(r *rows) (Token, error) {
		t := r.token(ref)
		if t == nil {
			return Token{}, NotFound
		}
		to := *t
		if err := set(&to); err != nil {
			return Token{}, err
		}
		t.State, t.SuspendedByAdmin, t.Introspector = to.State, to.SuspendedByAdmin, to.Introspector
		t.UpdatedAt, t.DeletedAt = to.UpdatedAt, to.DeletedAt
		r.tokens[t.Seq-1] = *t
		return *t, nil
	})
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
			if s := r.standing(t); t.Entry.List == list && list != 0 && (s.State != Active || s.Deleted || s.Disabled) {
				each(s)
			}
		}
		return none, nil
	})
	return err
}

func (f *Fake) Standings(ctx context.Context, seqs []int64) ([]Standing, error) {
	return read(ctx, f, "Standings", func(r *rows) (all []Standing, err error) {
		for _, seq := range seqs {
			if t := pick(r.tokens, seq); t != nil && t.Entry.List != 0 {
				all = append(all, r.standing(*t))
			}
		}
		return all, nil
	})
}

func (r *rows) standing(t Token) Standing {
	id := r.identity(&t)
	disabled := id.Account != nil && id.Account.Disabled || id.Environment != nil && id.Environment.Disabled
	return Standing{t.Entry, t.State, t.Deleted(), disabled}
}
