package main

import (
	"context"

	service "github.com/tokenwright/tokenwright/gen/service/client"
)

// environmentCmd looks after environments.
type environmentCmd struct {
	Create  environmentCreateCmd  `cmd:"" help:"Register an environment."`
	List    environmentListCmd    `cmd:"" help:"List environments."`
	Disable environmentDisableCmd `cmd:"" help:"Disable an environment: its apitoken tokens stop."`
	Enable  environmentEnableCmd  `cmd:"" help:"Enable an environment again."`
}

var environmentColumns = []column[service.Environment]{
	{"ID", func(e service.Environment) string { return e.Id }},
	{"NAME", func(e service.Environment) string { return e.Name }},
	{"STATE", func(e service.Environment) string { return enabled(e.Disabled) }},
	{"ACCOUNT", func(e service.Environment) string { return e.AccountId }},
	{"CREATED", func(e service.Environment) string { return stamp(e.CreatedAt) }},
}

type environmentCreateCmd struct {
	remoteFlags `embed:""`
	Name        string `required:"" help:"The name of the environment."`
	Account     string `required:"" placeholder:"ID" help:"The account that it belongs to."`
}

// Run implements the command.
func (c *environmentCreateCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	response, err := r.service.CreateEnvironment(ctx, service.EnvironmentDraft{Name: c.Name, AccountId: c.Account})
	created, err := made(func(e service.Environment) bool { return e.Id != "" }, response, err)
	if err != nil {
		return err
	}
	return printOne(r.printer, environmentColumns, created)
}

type environmentListCmd struct {
	listFlags `embed:""`
}

// Run implements the command.
func (c *environmentListCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	list, err := collect(c.Limit, func(cursor *string, size *int32) ([]service.Environment, string, error) {
		p, err := answer[service.EnvironmentList](
			r.service.ListEnvironments(ctx, &service.ListEnvironmentsParams{Limit: size, Cursor: cursor}))
		return p.Items, next(p.NextCursor), err
	})
	if err != nil {
		return err
	}
	return printAll(r.printer, environmentColumns, list)
}

// environmentFlags name one environment.
type environmentFlags struct {
	remoteFlags `embed:""`
	ID          string `arg:"" name:"id" help:"The id of the environment."`
}

type (
	environmentDisableCmd struct {
		environmentFlags `embed:""`
	}
	environmentEnableCmd struct {
		environmentFlags `embed:""`
	}
)

// Run implements the command.
func (c *environmentDisableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	changed, err := answer[service.Environment](r.service.DisableEnvironment(ctx, c.ID))
	if err != nil {
		return err
	}
	return printOne(r.printer, environmentColumns, changed)
}

// Run implements the command.
func (c *environmentEnableCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	changed, err := answer[service.Environment](r.service.EnableEnvironment(ctx, c.ID))
	if err != nil {
		return err
	}
	return printOne(r.printer, environmentColumns, changed)
}
