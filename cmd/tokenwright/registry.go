package main

import (
	"context"
	"strconv"

	"github.com/oapi-codegen/nullable"

	service "github.com/tokenwright/tokenwright/gen/service/client"
)

// listFlags are those of every list.
type listFlags struct {
	remoteFlags `embed:""`
	Limit       int `default:"0" help:"The most entries to list; 0: all."`
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

// userCmd looks after users.
type userCmd struct {
	Create  userCreateCmd  `cmd:"" help:"Register a user."`
	List    userListCmd    `cmd:"" help:"List users."`
	Disable userDisableCmd `cmd:"" help:"Disable a user: its tokens stop."`
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
	Subject     string `required:"" help:"What the issuer, or you, call the user; unique there."`
	Name        string `required:"" help:"The name of the user."`
	Role        string `required:"" enum:"admin,introspector,member" help:"admin, introspector or member."`
	Account     string `required:"" placeholder:"ID" help:"The home account."`
	Issuer      string `placeholder:"URL" help:"The OIDC issuer that knows the user. Default: none, a local user."`
}

// Run implements the command.
func (c *userCreateCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	draft := service.UserDraft{
		Subject: c.Subject, Name: c.Name, Role: service.UserDraftRole(c.Role), AccountId: c.Account,
	}
	if c.Issuer != "" {
		draft.Issuer = nullable.NewNullableWithValue(c.Issuer)
	}
	response, err := r.service.CreateUser(ctx, draft)
	u, err := made(func(u service.User) bool { return u.Id != 0 }, response, err)
	if err != nil {
		return err
	}
	return printOne(r.printer, userColumns, u)
}

type userListCmd struct {
	listFlags `embed:""`
}

// Run implements the command.
func (c *userListCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	users, err := collect(c.Limit, func(cursor *string, size *int32) ([]service.User, string, error) {
		p, err := answer[service.UserList](r.service.ListUsers(ctx, &service.ListUsersParams{Limit: size, Cursor: cursor}))
		return p.Items, next(p.NextCursor), err
	})
	if err != nil {
		return err
	}
	return printAll(r.printer, userColumns, users)
}

// userFlags name one user.
type userFlags struct {
	remoteFlags `embed:""`
	ID          int64 `arg:"" name:"id" help:"The id of the user."`
}

type (
	userDisableCmd struct {
		userFlags `embed:""`
	}
	userEnableCmd struct {
		userFlags `embed:""`
	}
)

// Run implements the command.
func (c *userDisableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	u, err := answer[service.User](r.service.DisableUser(ctx, c.ID))
	if err != nil {
		return err
	}
	return printOne(r.printer, userColumns, u)
}

// Run implements the command.
func (c *userEnableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	u, err := answer[service.User](r.service.EnableUser(ctx, c.ID))
	if err != nil {
		return err
	}
	return printOne(r.printer, userColumns, u)
}

type userTokenCmd struct {
	userFlags   `embed:""`
	Name        string `required:"" help:"The name of the token."`
	Expires     string `placeholder:"WHEN" help:"When it expires: a time like 2030-01-31T00:00:00Z or a lifetime like 30d. Default: as late as the server allows."`
	secretFlags `embed:""`
}

// Run implements the command.
func (c *userTokenCmd) Run(ctx context.Context, out *streams) error {
	expiry, err := parseExpiry(c.Expires)
	if err != nil {
		return err
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	draft := service.UserTokenDraft{Name: c.Name}
	if !expiry.IsZero() {
		draft.ExpiresAt = nullable.NewNullableWithValue(expiry)
	}
	return c.issue(r.printer, "muninx", func() (created, error) {
		t, err := answer[service.UserToken](r.service.CreateUserToken(ctx, c.ID, draft))
		return created{t.Id, t.Token, t}, err
	})
}
