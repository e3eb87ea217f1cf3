package main

import (
	"context"

	service "github.com/tokenwright/tokenwright/gen/service/client"
)

// accountCmd manages accounts.
type accountCmd struct {
	Create  accountCreateCmd                      `cmd:"" help:"Register an account."`
	List    listCmd[service.Account, accounts]    `cmd:"" help:"List accounts."`
	Disable disableCmd[service.Account, accounts] `cmd:"" set:"thing=account" help:"${command_account_disable}"`
	Enable  enableCmd[service.Account, accounts]  `cmd:"" set:"thing=account" help:"Enable an account again."`
}

// environmentCmd manages environments.
type environmentCmd struct {
	Create  environmentCreateCmd                          `cmd:"" help:"Register an environment."`
	List    listCmd[service.Environment, environments]    `cmd:"" help:"List environments."`
	Disable disableCmd[service.Environment, environments] `cmd:"" set:"thing=environment" help:"${command_env_disable}"`
	Enable  enableCmd[service.Environment, environments]  `cmd:"" set:"thing=environment" help:"${command_env_enable}"`
}

type accountCreateCmd struct {
	remoteFlags `embed:""`
	Name        string `required:"" help:"The name of the account."`
}

func (c *accountCreateCmd) Run(ctx context.Context, out *streams) error {
	return showOne(c, out, accounts{}.columns(), func(r *remote) (service.Account, error) {
		response, err := r.service.CreateAccount(ctx, service.AccountDraft{Name: c.Name})
		return made(func(a service.Account) bool { return a.Id != "" }, response, err)
	})
}

type environmentCreateCmd struct {
	remoteFlags `embed:""`
	Name        string `required:"" help:"The name of the environment."`
	Account     string `required:"" placeholder:"ID" help:"The account that it belongs to."`
}

func (c *environmentCreateCmd) Run(ctx context.Context, out *streams) error {
	return showOne(c, out, environments{}.columns(), func(r *remote) (service.Environment, error) {
		response, err := r.service.CreateEnvironment(ctx, service.EnvironmentDraft{Name: c.Name, AccountId: c.Account})
		return made(func(e service.Environment) bool { return e.Id != "" }, response, err)
	})
}

// tenants is accounts or environments, which are managed alike.
type tenants[T any] interface {
	columns() []column[T]
	page(ctx context.Context, r *remote, cursor *string, size *int32) (items []T, next string, err error)
	disable(ctx context.Context, r *remote, id string) (T, error)
	enable(ctx context.Context, r *remote, id string) (T, error)
}

type (
	listCmd[T any, K tenants[T]] struct {
		listFlags `embed:""`
	}
	disableCmd[T any, K tenants[T]] struct {
		idFlags `embed:""`
	}
	enableCmd[T any, K tenants[T]] struct {
		idFlags `embed:""`
	}
)

// idFlags name one tenant.
type idFlags struct {
	remoteFlags `embed:""`
	ID          string `arg:"" name:"id" help:"The id of the ${thing}."`
}

func (c *listCmd[T, K]) Run(ctx context.Context, out *streams) error {
	var kind K
	return showAll(c, out, kind.columns(), c.Limit, func(r *remote, cursor *string, size *int32) ([]T, string, error) {
		return kind.page(ctx, r, cursor, size)
	})
}

func (c *disableCmd[T, K]) Run(ctx context.Context, out *streams) error {
	var kind K
	return showOne(c, out, kind.columns(), func(r *remote) (T, error) { return kind.disable(ctx, r, c.ID) })
}

func (c *enableCmd[T, K]) Run(ctx context.Context, out *streams) error {
	var kind K
	return showOne(c, out, kind.columns(), func(r *remote) (T, error) { return kind.enable(ctx, r, c.ID) })
}

type accounts struct{}

func (accounts) columns() []column[service.Account] {
	return []column[service.Account]{
		{"ID", func(a service.Account) string { return a.Id }},
		{"NAME", func(a service.Account) string { return a.Name }},
		{"STATE", func(a service.Account) string { return enabled(a.Disabled) }},
		{"CREATED", func(a service.Account) string { return stamp(a.CreatedAt) }},
	}
}

func (accounts) page(ctx context.Context, r *remote, cursor *string, size *int32) ([]service.Account, string, error) {
	p, err := decode[service.AccountList](
		r.service.ListAccounts(ctx, &service.ListAccountsParams{Limit: size, Cursor: cursor}))
	return p.Items, next(p.NextCursor), err
}

func (accounts) disable(ctx context.Context, r *remote, id string) (service.Account, error) {
	return decode[service.Account](r.service.DisableAccount(ctx, id))
}

func (accounts) enable(ctx context.Context, r *remote, id string) (service.Account, error) {
	return decode[service.Account](r.service.EnableAccount(ctx, id))
}

type environments struct{}

func (environments) columns() []column[service.Environment] {
	return []column[service.Environment]{
		{"ID", func(e service.Environment) string { return e.Id }},
		{"NAME", func(e service.Environment) string { return e.Name }},
		{"STATE", func(e service.Environment) string { return enabled(e.Disabled) }},
		{"ACCOUNT", func(e service.Environment) string { return e.AccountId }},
		{"CREATED", func(e service.Environment) string { return stamp(e.CreatedAt) }},
	}
}

func (environments) page(
	ctx context.Context, r *remote, cursor *string, size *int32,
) ([]service.Environment, string, error) {
	p, err := decode[service.EnvironmentList](
		r.service.ListEnvironments(ctx, &service.ListEnvironmentsParams{Limit: size, Cursor: cursor}))
	return p.Items, next(p.NextCursor), err
}

func (environments) disable(ctx context.Context, r *remote, id string) (service.Environment, error) {
	return decode[service.Environment](r.service.DisableEnvironment(ctx, id))
}

func (environments) enable(ctx context.Context, r *remote, id string) (service.Environment, error) {
	return decode[service.Environment](r.service.EnableEnvironment(ctx, id))
}
