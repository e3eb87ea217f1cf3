package main

import (
	"context"

	service "github.com/tokenwright/tokenwright/gen/service/client"
)

// accountCmd looks after accounts.
type accountCmd struct {
	Create  accountCreateCmd  `cmd:"" help:"Register an account."`
	List    accountListCmd    `cmd:"" help:"List accounts."`
	Disable accountDisableCmd `cmd:"" help:"Disable an account: its apitoken tokens stop."`
	Enable  accountEnableCmd  `cmd:"" help:"Enable an account again."`
}

var accountColumns = []column[service.Account]{
	{"ID", func(a service.Account) string { return a.Id }},
	{"NAME", func(a service.Account) string { return a.Name }},
	{"STATE", func(a service.Account) string { return enabled(a.Disabled) }},
	{"CREATED", func(a service.Account) string { return stamp(a.CreatedAt) }},
}

type accountCreateCmd struct {
	remoteFlags `embed:""`
	Name        string `required:"" help:"The name of the account."`
}

// Run implements the command.
func (c *accountCreateCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	response, err := r.service.CreateAccount(ctx, service.AccountDraft{Name: c.Name})
	created, err := made(func(a service.Account) bool { return a.Id != "" }, response, err)
	if err != nil {
		return err
	}
	return printOne(r.printer, accountColumns, created)
}

type accountListCmd struct {
	listFlags `embed:""`
}

// Run implements the command.
func (c *accountListCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	list, err := collect(c.Limit, func(cursor *string, size *int32) ([]service.Account, string, error) {
		p, err := answer[service.AccountList](
			r.service.ListAccounts(ctx, &service.ListAccountsParams{Limit: size, Cursor: cursor}))
		return p.Items, next(p.NextCursor), err
	})
	if err != nil {
		return err
	}
	return printAll(r.printer, accountColumns, list)
}

// accountFlags name one account.
type accountFlags struct {
	remoteFlags `embed:""`
	ID          string `arg:"" name:"id" help:"The id of the account."`
}

type (
	accountDisableCmd struct {
		accountFlags `embed:""`
	}
	accountEnableCmd struct {
		accountFlags `embed:""`
	}
)

// Run implements the command.
func (c *accountDisableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	changed, err := answer[service.Account](r.service.DisableAccount(ctx, c.ID))
	if err != nil {
		return err
	}
	return printOne(r.printer, accountColumns, changed)
}

// Run implements the command.
func (c *accountEnableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	changed, err := answer[service.Account](r.service.EnableAccount(ctx, c.ID))
	if err != nil {
		return err
	}
	return printOne(r.printer, accountColumns, changed)
}
