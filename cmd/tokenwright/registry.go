package main

import (
	"context"
	"fmt"
	"strconv"

	service "github.com/tokenwright/tokenwright/gen/service/client"
	"github.com/tokenwright/tokenwright/internal/token"
)

// listFlags are the flags of every list command.
type listFlags struct {
	remoteFlags `embed:""`
	Limit       int `default:"0" help:"Maximum number of entries to list; 0: all."`
}

func (f listFlags) check() error {
	if f.Limit < 0 {
		return wrong("limit", "must not be negative")
	}
	return nil
}

func (f listFlags) connect(out *streams) (*remote, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.remoteFlags.connect(out)
}

// connector is a set of flags that says which server to call.
type connector interface {
	connect(out *streams) (*remote, error)
}

// showOne calls the server and prints the one thing in its response.
func showOne[T any](flags connector, out *streams, columns []column[T], call func(r *remote) (T, error)) error {
	r, err := flags.connect(out)
	if err != nil {
		return err
	}
	one, err := call(r)
	if err != nil {
		return err
	}
	return printOne(r.printer, columns, one)
}

// showAll reads a list page by page, up to a limit, and prints it.
func showAll[T any](
	flags connector, out *streams, columns []column[T], limit int,
	page func(r *remote, cursor *string, size *int32) ([]T, string, error),
) error {
	r, err := flags.connect(out)
	if err != nil {
		return err
	}
	list, err := collect(limit, func(cursor *string, size *int32) ([]T, string, error) { return page(r, cursor, size) })
	if err != nil {
		return err
	}
	return printAll(r.printer, columns, list)
}

// userCmd manages users.
type userCmd struct {
	Create  userCreateCmd  `cmd:"" help:"Register a user."`
	List    userListCmd    `cmd:"" help:"List users."`
	Update  userUpdateCmd  `cmd:"" help:"Change the role or home account of a user."`
	Disable userDisableCmd `cmd:"" help:"Disable a user. The user's tokens stop working."`
	Enable  userEnableCmd  `cmd:"" help:"Enable a user again."`
	Token   userTokenCmd   `cmd:"" help:"Create a muninx token for a user, such as a first credential."`
}

var userColumns = []column[service.User]{
	{"ID", func(u service.User) string { return strconv.FormatInt(u.Id, 10) }},
	{"SUBJECT", func(u service.User) string { return u.Subject }},
	{"NAME", func(u service.User) string { return u.Name }},
	{"ROLE", func(u service.User) string { return string(u.Role) }},
	{"STATE", func(u service.User) string { return enabled(u.Disabled) }},
	{"ACCOUNT", func(u service.User) string { return u.AccountId }},
	{"ISSUER", func(u service.User) string { return orNone(u.Issuer, same) }},
}

type userCreateCmd struct {
	remoteFlags `embed:""`
	Subject     string `required:"" help:"Subject (sub) of the user, unique per issuer."`
	Name        string `required:"" help:"The name of the user."`
	Role        string `required:"" enum:"admin,introspector,member" help:"admin, introspector or member."`
	Account     string `required:"" placeholder:"ID" help:"The home account."`
	Issuer      string `placeholder:"URL" help:"The OIDC issuer of the user. Default: none, a local user."`
}

func (c *userCreateCmd) Run(ctx context.Context, out *streams) error {
	draft := service.UserDraft{
		Subject: c.Subject, Name: c.Name, Role: service.UserDraftRole(c.Role), AccountId: c.Account,
		Issuer: unlessZero(c.Issuer),
	}
	return showOne(c, out, userColumns, func(r *remote) (service.User, error) {
		response, err := r.service.CreateUser(ctx, draft)
		return made(func(u service.User) bool { return u.Id != 0 }, response, err)
	})
}

type userListCmd struct {
	listFlags `embed:""`
}

func (c *userListCmd) Run(ctx context.Context, out *streams) error {
	type users = []service.User
	return showAll(c, out, userColumns, c.Limit, func(r *remote, cursor *string, size *int32) (users, string, error) {
		p, err := decode[service.UserList](r.service.ListUsers(ctx, &service.ListUsersParams{Limit: size, Cursor: cursor}))
		return p.Items, next(p.NextCursor), err
	})
}

// userFlags name one user.
type userFlags struct {
	remoteFlags `embed:""`
	ID          int64 `arg:"" name:"id" help:"The id of the user."`
}

type (
	userUpdateCmd struct {
		userFlags `embed:""`
		Role      string `enum:",admin,introspector,member" default:"" placeholder:"ROLE" help:"@user_role"`
		Account   string `placeholder:"ID" help:"The new home account."`
	}
	userDisableCmd struct {
		userFlags `embed:""`
		Created   bool `help:"Also suspend the apitoken tokens that the user created; only an admin can activate them."`
	}
	userEnableCmd struct {
		userFlags `embed:""`
	}
)

func (c *userUpdateCmd) Run(ctx context.Context, out *streams) error {
	if c.Role == "" && c.Account == "" {
		return &usageError{"nothing to change: give --role, --account or both"}
	}
	change := service.UserChange{Role: optional[service.UserChangeRole](c.Role), AccountId: optional[string](c.Account)}
	return showOne(c, out, userColumns, func(r *remote) (service.User, error) {
		return decode[service.User](r.service.UpdateUser(ctx, c.ID, change))
	})
}

func (c *userDisableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	params := &service.DisableUserParams{Created: given(c.Created)}
	u, err := decode[service.DisabledUser](r.service.DisableUser(ctx, c.ID, params))
	if err != nil {
		return err
	}
	if r.printer.json {
		return r.printer.printJSON(u)
	}
	if err := printAll(r.printer, disabledColumns, []service.DisabledUser{u}); err != nil || len(u.CreatedTokens) == 0 {
		return err
	}
	more := ""
	if u.CreatedTokensNextCursor.IsSpecified() && !u.CreatedTokensNextCursor.IsNull() {
		more = fmt.Sprintf(", and more: see `tokenwright token list --all --created-by %d`", c.ID)
	}
	if err := r.say("\nThe user created these tokens of accounts and environments%s:", more); err != nil {
		return err
	}
	return printAll(r.printer, tokenColumns, convertAll(showService, u.CreatedTokens))
}

var disabledColumns = []column[service.DisabledUser]{
	{"ID", func(u service.DisabledUser) string { return strconv.FormatInt(u.Id, 10) }},
	{"SUBJECT", func(u service.DisabledUser) string { return u.Subject }},
	{"NAME", func(u service.DisabledUser) string { return u.Name }},
	{"STATE", func(u service.DisabledUser) string { return enabled(u.Disabled) }},
}

func (c *userEnableCmd) Run(ctx context.Context, out *streams) error {
	return showOne(c, out, userColumns, func(r *remote) (service.User, error) {
		return decode[service.User](r.service.EnableUser(ctx, c.ID))
	})
}

type userTokenCmd struct {
	userFlags   `embed:""`
	Name        string `required:"" help:"The name of the token."`
	Expires     string `placeholder:"WHEN" help:"@user_token_expires"`
	Key         string `name:"idempotency-key" placeholder:"KEY" help:"@idempotency_key"`
	secretFlags `embed:""`
}

func (c *userTokenCmd) Run(ctx context.Context, out *streams) error {
	expiry, err := parseExpiry(c.Expires)
	if err != nil {
		return err
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	params := &service.CreateUserTokenParams{IdempotencyKey: optional[string](c.Key)}
	draft := service.UserTokenDraft{Name: c.Name, ExpiresAt: unlessZero(expiry)}
	return c.issue(r.printer, token.CredentialDialect.Name, func() (created, error) {
		t, err := decode[service.UserToken](r.service.CreateUserToken(ctx, c.ID, params, draft))
		return created{t.Id, t.Token, t, false}, err
	})
}
