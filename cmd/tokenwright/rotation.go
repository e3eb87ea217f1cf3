package main

import (
	"context"
	"net/http"
	"time"

	"github.com/alecthomas/kong"

	service "github.com/tokenwright/tokenwright/gen/service/client"
)

// tokenNameFlags name a token of any dialect, which the service contract shows to its owner and to admins.
type tokenNameFlags struct {
	remoteFlags `embed:""`
	Dialect     string `arg:"" enum:"${dialects}" help:"${one_dialect}."`
	ID          string `arg:"" name:"id" help:"The id of the token."`
}

type tokenRotateCmd struct {
	tokenNameFlags `embed:""`
	Overlap        time.Duration `required:"" placeholder:"TIME" help:"@token_rotate_overlap"`
	Key            string        `name:"idempotency-key" placeholder:"KEY" help:"@idempotency_key"`
	secretFlags    `embed:""`
}

func (c *tokenRotateCmd) Run(ctx context.Context, out *streams) error {
	if c.Overlap < 0 || c.Overlap > 168*time.Hour {
		return wrong("overlap", "must be from 0s to 168h")
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	return c.issue(r.printer, c.Dialect, func() (created, error) {
		params := &service.RotateServiceTokenParams{IdempotencyKey: optional[string](c.Key)}
		body := service.Rotation{Overlap: c.Overlap.String()}
		t, err := decode[service.IssuedServiceToken](r.service.RotateServiceToken(ctx, c.Dialect, c.ID, params, body))
		return created{id: t.Id, secret: t.Token, answer: t, rotated: true}, err
	})
}

// tokenRotationCmd ends a rotation in the way that the command is called.
type tokenRotationCmd struct {
	tokenNameFlags `embed:""`
}

func (c *tokenRotationCmd) Run(ctx context.Context, out *streams, command *kong.Context) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	end := r.service.FinishServiceTokenRotation
	if command.Selected().Name == "cancel-rotation" {
		end = r.service.CancelServiceTokenRotation
	}
	return c.print(r, func() (*http.Response, error) { return end(ctx, c.Dialect, c.ID) })
}

// print shows the token that the call returns.
func (c *tokenNameFlags) print(r *remote, call func() (*http.Response, error)) error {
	response, err := call()
	t, err := convert(showService, response, err)
	if err != nil {
		return err
	}
	return printOne(r.printer, tokenColumns, t)
}

type tokenEditCmd struct {
	tokenNameFlags `embed:""`
	Name           *string `help:"New name or description of a user's token."`
	Expires        string  `placeholder:"WHEN" help:"@token_edit_expires"`
	SelfRotation   string  `enum:",yes,no" default:"" placeholder:"yes|no" help:"Whether the token may rotate itself."`
}

func (c *tokenEditCmd) Run(ctx context.Context, out *streams) error {
	expiry, err := parseExpiry(c.Expires)
	if err != nil {
		return err
	}
	change := service.ServiceTokenChange{Name: c.Name, ExpiresAt: given(expiry)}
	if c.SelfRotation != "" {
		change.SelfRotation = new(c.SelfRotation == "yes")
	}
	if change == (service.ServiceTokenChange{}) {
		return &usageError{"there is nothing to change: give --name, --expires or --self-rotation"}
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	return c.print(r, func() (*http.Response, error) {
		return r.service.UpdateServiceToken(ctx, c.Dialect, c.ID, change)
	})
}
