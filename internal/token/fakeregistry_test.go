package token

import (
	"context"
	"maps"
	"slices"
)

func (f *Fake) CreateUser(ctx context.Context, p Permit, u User) (User, error) {
	return change(ctx, f, "CreateUser", p, func(r *rows) (User, error) {
		for _, other := range r.users {
			if other.AdminID == u.AdminID || other.Issuer == u.Issuer && other.Subject == u.Subject {
				return User{}, NameTaken
			}
		}
		u.ID = int64(len(r.users)) + 1
		r.users = append(r.users, u)
		return u, nil
	})
}

func (f *Fake) FindUser(ctx context.Context, id int64) (User, error) {
	return read(ctx, f, "FindUser", func(r *rows) (User, error) { return found(pick(r.users, id)) })
}

func (f *Fake) FindSubject(ctx context.Context, issuer, subject string) (Identity, error) {
	return read(ctx, f, "FindSubject", func(r *rows) (Identity, error) {
		for _, u := range r.users {
			if issuer != "" && u.Issuer == issuer && u.Subject == subject {
				return r.caller(Permit{UserID: u.ID}), nil
			}
		}
		return Identity{}, NotFound
	})
}

func (f *Fake) ListUsers(ctx context.Context, after int64, limit int) ([]User, error) {
	return read(ctx, f, "ListUsers", func(r *rows) ([]User, error) {
		rest := r.users[min(after, int64(len(r.users))):]
		return rest[:min(limit, len(rest))], nil
	})
}

func (f *Fake) UpdateUser(ctx context.Context, p Permit, id int64, set func(*User, int) error) (User, error) {
	return change(ctx, f, "UpdateUser", p, func(r *rows) (User, error) {
		u := pick(r.users, id)
		if u == nil {
			return User{}, NotFound
		}
		otherAdmins := 0
		for _, other := range r.users {
			if other.ID != id && other.Role == RoleAdmin && !other.Disabled {
				otherAdmins++
			}
		}
		to := *u
		if err := set(&to, otherAdmins); err != nil {
			return User{}, err
		}
		u.Role, u.AccountID, u.Disabled, u.UpdatedAt = to.Role, to.AccountID, to.Disabled, to.UpdatedAt
		r.users[id-1] = *u
		return *u, nil
	})
}

// add inserts a row with an id of its own.
func add[T any](all map[string]T, id string, row T) (none struct{}, err error) {
	if find(all, id) != nil {
		return none, NameTaken
	}
	all[id] = row
	return none, nil
}

// after is a page by id.
func after[T any](all map[string]T, id string, limit int) (page []T) {
	for _, next := range slices.Sorted(maps.Keys(all)) {
		if next > id && len(page) < limit {
			page = append(page, all[next])
		}
	}
	return page
}

func (f *Fake) CreateAccount(ctx context.Context, p Permit, a Account) error {
	_, err := change(ctx, f, "CreateAccount", p, func(r *rows) (struct{}, error) { return add(r.accounts, a.ID, a) })
	return err
}

func (f *Fake) FindAccount(ctx context.Context, id string) (Account, error) {
	return read(ctx, f, "FindAccount", func(r *rows) (Account, error) { return found(find(r.accounts, id)) })
}

func (f *Fake) ListAccounts(ctx context.Context, last string, limit int) ([]Account, error) {
	return read(ctx, f, "ListAccounts", func(r *rows) ([]Account, error) { return after(r.accounts, last, limit), nil })
}

func (f *Fake) UpdateAccount(ctx context.Context, p Permit, id string, set func(*Account) error) (Account, error) {
	return change(ctx, f, "UpdateAccount", p, func(r *rows) (Account, error) {
		a, err := found(find(r.accounts, id))
		to := a
		if err == nil {
			err = set(&to)
		}
		a.Disabled, a.UpdatedAt = to.Disabled, to.UpdatedAt
		r.accounts[id] = a
		return a, err
	})
}

func (f *Fake) CreateEnvironment(ctx context.Context, p Permit, e Environment) error {
	_, err := change(ctx, f, "CreateEnvironment", p, func(r *rows) (struct{}, error) {
		return add(r.environments, e.ID, e)
	})
	return err
}

func (f *Fake) FindEnvironment(ctx context.Context, id string) (Environment, error) {
	return read(ctx, f, "FindEnvironment", func(r *rows) (Environment, error) {
		return found(find(r.environments, id))
	})
}

func (f *Fake) ListEnvironments(ctx context.Context, last string, limit int) ([]Environment, error) {
	return read(ctx, f, "ListEnvironments", func(r *rows) ([]Environment, error) {
		return after(r.environments, last, limit), nil
	})
}

func (f *Fake) UpdateEnvironment(
	ctx context.Context, p Permit, id string, set func(*Environment) error,
) (Environment, error) {
	return change(ctx, f, "UpdateEnvironment", p, func(r *rows) (Environment, error) {
		e, err := found(find(r.environments, id))
		to := e
		if err == nil {
			err = set(&to)
		}
		e.Disabled, e.UpdatedAt = to.Disabled, to.UpdatedAt
		r.environments[id] = e
		return e, err
	})
}

func (f *Fake) FirstAdmin(ctx context.Context) (User, error) {
	return read(ctx, f, "FirstAdmin", func(r *rows) (User, error) {
		i := slices.IndexFunc(r.users, func(u User) bool { return u.Role == RoleAdmin && !u.Disabled })
		return found(pick(r.users, int64(i)+1))
	})
}

func (f *Fake) Initialize(ctx context.Context, seed Seed, deliver func() error) (bool, error) {
	return change(ctx, f, "Initialize", Permit{}, func(r *rows) (bool, error) {
		if len(r.users) > 0 {
			return false, nil
		}
		seed.User.ID = 1
		seed.Token.Seq, seed.Token.UserID = 1, seed.User.ID
		r.users, r.tokens = []User{seed.User}, []Token{seed.Token}
		r.accounts[seed.Account.ID] = seed.Account
		for _, e := range seed.Environments {
			r.environments[e.ID] = e
		}
		r.maxima = seed.Maxima
		return true, deliver()
	})
}

func (f *Fake) Maxima(ctx context.Context) (Maxima, error) {
	return read(ctx, f, "Maxima", func(r *rows) (Maxima, error) { return r.maxima, nil })
}
