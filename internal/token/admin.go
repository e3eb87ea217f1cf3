package token

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"
)

// UserDraft is what an admin says of a new user.
type UserDraft struct {
	Issuer    string // OIDC issuer that knows the user, "" for a local user
	Subject   string
	Name      string
	Role      Role
	AccountID string // home account
}

// CreateUser registers a user.
func (s *Service) CreateUser(ctx context.Context, c Caller, d UserDraft) (User, error) {
	if err := c.requireAdmin(); err != nil {
		return User{}, err
	}
	faults := append(needText("/subject", d.Subject), needText(MemberName, d.Name)...)
	faults = append(faults, needRole(d.Role)...)
	found, err := s.needAccount(ctx, d.AccountID)
	if err != nil {
		return User{}, err
	}
	if err := Faulty(append(faults, found...)...); err != nil {
		return User{}, err
	}
	now := s.Now()
	u, err := s.Registry.CreateUser(ctx, s.adminPermit(ctx, &c, "create", false), User{
		AdminID: NewKey(now), Issuer: d.Issuer, Subject: d.Subject, Name: d.Name, Role: d.Role, AccountID: d.AccountID,
		CreatedAt: now, UpdatedAt: now,
	})
	if KindOf(err) == NameTaken {
		return User{}, &Error{Kind: NameTaken, Message: "another user has this subject", Err: err}
	}
	return u, err
}

// needText is the rule for names and subjects of the registry.
func needText(pointer, text string) []Fault {
	if utf8.RuneCountInString(text) > maxName || blank(text) {
		return []Fault{{Pointer: pointer, Detail: "must have 1 to 255 characters, not only white space"}}
	}
	if deceptive(text) {
		return []Fault{{Pointer: pointer, Detail: honestRule}}
	}
	return nil
}

// needAccount returns a fault if there is no such account, an error if that cannot be said.
func (s *Service) needAccount(ctx context.Context, id string) ([]Fault, error) {
	if ValidKey(id) {
		_, err := s.Registry.FindAccount(ctx, id)
		if err == nil || KindOf(err) != NotFound {
			return nil, err
		}
	}
	return []Fault{{Pointer: MemberAccount, Detail: "must be the id of an account"}}, nil
}

// GetUser returns a registered user.
func (s *Service) GetUser(ctx context.Context, c Caller, id int64) (User, error) {
	return ask(c, func() (User, error) { return s.Registry.FindUser(ctx, id) })
}

// ListUsers returns at most limit users after the cursor, and the cursor of the next page.
func (s *Service) ListUsers(ctx context.Context, c Caller, cursor string, limit int) ([]User, string, error) {
	return page(c, cursor, limit, decodeUser,
		func(after int64) ([]User, error) { return s.Registry.ListUsers(ctx, after, limit+1) },
		func(u User) string { return encodeUser(u.ID) })
}

// UserChange is what an admin changes of a user; nil stays as it is.
type UserChange struct {
	Role      *Role
	AccountID *string // home account
}

// ChangeUser changes the role or the home account of a user, and so what its tokens may do. The last enabled admin
// stays one.
func (s *Service) ChangeUser(ctx context.Context, c Caller, id int64, change UserChange) (User, error) {
	return ask(c, func() (User, error) {
		if err := s.judgeUserChange(ctx, change); err != nil {
			return User{}, err
		}
		defer s.Changed(Change{User: id})
		lower := change.Role != nil && *change.Role != RoleAdmin
		return s.Registry.UpdateUser(ctx, s.adminPermit(ctx, &c, "update", lower), id, func(u *User, otherAdmins int) error {
			before := *u
			u.Role, u.AccountID = orKept(change.Role, u.Role), orKept(change.AccountID, u.AccountID)
			if before.Role == RoleAdmin && u.Role != RoleAdmin && !u.Disabled && otherAdmins == 0 {
				return lastAdmin()
			}
			if *u != before {
				u.UpdatedAt = s.Now()
			}
			return nil
		})
	})
}

func (s *Service) judgeUserChange(ctx context.Context, change UserChange) error {
	var faults []Fault
	if change.Role != nil {
		faults = append(faults, needRole(*change.Role)...)
	}
	if change.AccountID != nil {
		found, err := s.needAccount(ctx, *change.AccountID)
		if err != nil {
			return err
		}
		faults = append(faults, found...)
	}
	return Faulty(faults...)
}

func needRole(r Role) []Fault {
	if slices.Contains(Roles, r) {
		return nil
	}
	return []Fault{{Pointer: "/role", Detail: "must be admin, introspector or member"}}
}

func lastAdmin() error { return Errorf(Conflict, "this is the last enabled admin") }

// orKept is what was asked for, or what there is.
func orKept[T any](asked *T, kept T) T {
	if asked != nil {
		return *asked
	}
	return kept
}

// Offboard disables a user and then suspends what the user created, see [Service.SuspendCreated].
func (s *Service) Offboard(ctx context.Context, c Caller, id int64) (User, error) {
	if c.Admin() && c.userID() == id {
		return User{}, Errorf(Conflict, "you cannot disable yourself and suspend what you created: ask another admin")
	}
	u, err := s.DisableUser(ctx, c, id)
	if err != nil {
		return User{}, err
	}
	return u, s.SuspendCreated(ctx, c, id)
}

// SuspendCreated suspends, as an admin does, every token of an account that the user created, and what those created in
// turn, so that whoever leaves takes no access along. Each is a change of its own: who repeats a call that failed goes
// on where that one stopped. A token may create another until its own turn comes, so it ends when there is nothing left
// to suspend.
func (s *Service) SuspendCreated(ctx context.Context, c Caller, userID int64) error {
	for {
		if n, err := s.suspendOnce(ctx, c, userID); n == 0 || err != nil {
			return err
		}
	}
}

// suspendOnce goes over what the user created once, and tells how many tokens it suspended.
func (s *Service) suspendOnce(ctx context.Context, c Caller, userID int64) (total int, err error) {
	for _, d := range s.Dialects.OrPublished() {
		if d.OwnedByUser || err != nil {
			continue
		}
		query := Query{Dialect: d, CreatedBy: userID, Limit: maxPage}
		err = s.Walk(ctx, c, query, "", Everything, func(tokens []Token) error {
			n, err := s.suspendAll(ctx, c, tokens)
			total += n
			return err
		})
	}
	return total, err
}

// suspendAll suspends those that can be suspended, and tells how many that were.
func (s *Service) suspendAll(ctx context.Context, c Caller, tokens []Token) (n int, err error) {
	for _, t := range tokens {
		status := t.StateAt(s.Now())
		if !status.Allows(Suspend) && !t.free(c, Suspend, status) {
			continue
		}
		switch _, err := s.Apply(ctx, c, t.Ref(), Suspend, Everything); KindOf(err) {
		case Conflict, NotFound: // others were faster
		default:
			if err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// maxPage is how many entries are read at once where all are wanted.
const maxPage = 100

// DisableUser stops a user's tokens. The last enabled admin stays enabled.
func (s *Service) DisableUser(ctx context.Context, c Caller, id int64) (User, error) {
	return s.switchUser(ctx, c, id, true)
}

// EnableUser lets a user's tokens work again.
func (s *Service) EnableUser(ctx context.Context, c Caller, id int64) (User, error) {
	return s.switchUser(ctx, c, id, false)
}

func (s *Service) switchUser(ctx context.Context, c Caller, id int64, disabled bool) (User, error) {
	return ask(c, func() (User, error) {
		defer s.Changed(Change{User: id})
		return s.Registry.UpdateUser(ctx, s.switchPermit(ctx, &c, disabled), id, func(u *User, otherAdmins int) error {
			if disabled && u.Role == RoleAdmin && otherAdmins == 0 {
				return lastAdmin()
			}
			set(&u.Disabled, &u.UpdatedAt, disabled, s.Now())
			return nil
		})
	})
}

// CreateAccount registers an account.
func (s *Service) CreateAccount(ctx context.Context, c Caller, name string) (Account, error) {
	return ask(c, func() (Account, error) {
		now := s.Now()
		a := Account{ID: NewKey(now), Name: name, CreatedAt: now, UpdatedAt: now}
		if err := Faulty(needText(MemberName, name)...); err != nil {
			return Account{}, err
		}
		return a, s.Registry.CreateAccount(ctx, s.adminPermit(ctx, &c, "create", false), a)
	})
}

// GetAccount returns an account.
func (s *Service) GetAccount(ctx context.Context, c Caller, id string) (Account, error) {
	return ask(c, func() (Account, error) { return s.Registry.FindAccount(ctx, id) })
}

// ListAccounts returns at most limit accounts after the cursor, and the cursor of the next page.
func (s *Service) ListAccounts(ctx context.Context, c Caller, cursor string, limit int) ([]Account, string, error) {
	return page(c, cursor, limit, decodeKey(accountList),
		func(after string) ([]Account, error) { return s.Registry.ListAccounts(ctx, after, limit+1) },
		func(a Account) string { return encodeKey(accountList, a.ID) })
}

// DisableAccount stops an account's tokens.
func (s *Service) DisableAccount(ctx context.Context, c Caller, id string) (Account, error) {
	return s.switchAccount(ctx, c, id, true)
}

// EnableAccount lets an account's tokens work again.
func (s *Service) EnableAccount(ctx context.Context, c Caller, id string) (Account, error) {
	return s.switchAccount(ctx, c, id, false)
}

func (s *Service) switchAccount(ctx context.Context, c Caller, id string, disabled bool) (Account, error) {
	return ask(c, func() (Account, error) {
		defer s.Changed(Change{Account: id})
		return s.Registry.UpdateAccount(ctx, s.switchPermit(ctx, &c, disabled), id, func(a *Account) error {
			set(&a.Disabled, &a.UpdatedAt, disabled, s.Now())
			return nil
		})
	})
}

// CreateEnvironment registers an environment of an account.
func (s *Service) CreateEnvironment(ctx context.Context, c Caller, accountID, name string) (Environment, error) {
	return ask(c, func() (Environment, error) {
		faults, err := s.needAccount(ctx, accountID)
		if err != nil {
			return Environment{}, err
		}
		if err := Faulty(append(needText(MemberName, name), faults...)...); err != nil {
			return Environment{}, err
		}
		now := s.Now()
		e := Environment{ID: NewKey(now), AccountID: accountID, Name: name, CreatedAt: now, UpdatedAt: now}
		return e, s.Registry.CreateEnvironment(ctx, s.adminPermit(ctx, &c, "create", false), e)
	})
}

// GetEnvironment returns an environment.
func (s *Service) GetEnvironment(ctx context.Context, c Caller, id string) (Environment, error) {
	return ask(c, func() (Environment, error) { return s.Registry.FindEnvironment(ctx, id) })
}

// ListEnvironments returns at most limit environments after the cursor, and the cursor of the next page.
func (s *Service) ListEnvironments(
	ctx context.Context, c Caller, cursor string, limit int,
) ([]Environment, string, error) {
	return page(c, cursor, limit, decodeKey(environmentList),
		func(after string) ([]Environment, error) { return s.Registry.ListEnvironments(ctx, after, limit+1) },
		func(e Environment) string { return encodeKey(environmentList, e.ID) })
}

// DisableEnvironment stops an environment's tokens.
func (s *Service) DisableEnvironment(ctx context.Context, c Caller, id string) (Environment, error) {
	return s.switchEnvironment(ctx, c, id, true)
}

// EnableEnvironment lets an environment's tokens work again.
func (s *Service) EnableEnvironment(ctx context.Context, c Caller, id string) (Environment, error) {
	return s.switchEnvironment(ctx, c, id, false)
}

func (s *Service) switchEnvironment(ctx context.Context, c Caller, id string, disabled bool) (Environment, error) {
	return ask(c, func() (Environment, error) {
		defer s.Changed(Change{Environment: id})
		return s.Registry.UpdateEnvironment(ctx, s.switchPermit(ctx, &c, disabled), id, func(e *Environment) error {
			set(&e.Disabled, &e.UpdatedAt, disabled, s.Now())
			return nil
		})
	})
}

// set changes a flag and, only if that is a change, the time of the last change.
func set(flag *bool, changed *time.Time, value bool, now time.Time) {
	if *flag != value {
		*flag, *changed = value, now
	}
}

// ask answers admins only.
func ask[T any](c Caller, question func() (T, error)) (T, error) {
	if err := c.requireAdmin(); err != nil {
		var none T
		return none, err
	}
	answer, err := question()
	if KindOf(err) == NotFound {
		err = &Error{Kind: NotFound, Message: "there is nothing with this id", Err: err}
	}
	return answer, err
}

// page answers admins with one page of a list that reads one entry more than it shows.
func page[T, K any](c Caller, cursor string, limit int, decode func(string) (K, bool), list func(K) ([]T, error),
	encode func(T) string) ([]T, string, error) {
	if err := c.requireAdmin(); err != nil {
		return nil, "", err
	}
	var after K
	if cursor != "" {
		var ok bool
		if after, ok = decode(cursor); !ok {
			return nil, "", badCursor()
		}
	}
	items, err := list(after)
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	return items[:limit], encode(items[limit-1]), nil
}
