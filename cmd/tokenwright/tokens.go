package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/alecthomas/kong"
)

// tokenCmd manages tokens. Without --admin a command uses the dialect's own contract, which shows a caller its own
// tokens; with it, the contract of the administration of all tokens.
type tokenCmd struct {
	Create   tokenCreateCmd `cmd:"" help:"Create a token."`
	List     tokenListCmd   `cmd:"" help:"List tokens."`
	Show     tokenActionCmd `cmd:"" help:"Show a token."`
	Suspend  tokenActionCmd `cmd:"" help:"Suspend a token. It stops working until it is activated."`
	Activate tokenActionCmd `cmd:"" help:"Activate a suspended token."`
	Revoke   tokenActionCmd `cmd:"" help:"Revoke a token. It stops working for good."`
	Delete   tokenActionCmd `cmd:"" help:"Delete a token."`
	Edit     tokenEditCmd   `cmd:"" help:"Change the name or the expiry of a token, or let it rotate itself."`
	Rotate   tokenRotateCmd `cmd:"" help:"Give a token another secret, beside which the secret so far works for a while."`

	FinishRotation tokenRotationCmd `cmd:"" help:"Stop the secret before the current one now."`
	CancelRotation tokenRotationCmd `cmd:"" help:"Stop the current secret, and go on with the one before it."`
}

type tokenCreateCmd struct {
	remoteFlags `embed:""`
	Dialect     string `required:"" enum:"${dialects}" help:"${one_dialect}."`
	Name        string `help:"Name of the token (muninx)."`
	Description string `help:"Description of the token (unleash)."`
	Scope       string `placeholder:"SCOPE" help:"Scope of the token: account or environment (apitoken)."`
	Account     string `placeholder:"ID" help:"The account (apitoken). Default: the environment's or the caller's own."`
	Environment string `placeholder:"ID" help:"Environment of the token (apitoken)."`
	Expires     string `placeholder:"WHEN" help:"@token_create_expires"`
	Key         string `name:"idempotency-key" placeholder:"KEY" help:"@idempotency_key"`
	secretFlags `embed:""`
}

// check rejects flags that the dialect does not have.
func (c *tokenCreateCmd) check() error {
	contract := contractOf(c.Dialect)
	given := map[string]string{
		"name": c.Name, "description": c.Description, "scope": c.Scope, "account": c.Account, "environment": c.Environment,
		"expires": c.Expires,
	}
	for _, flag := range sortedKeys(given) {
		if given[flag] != "" && !slices.Contains(contract.members, flag) {
			return wrong(flag, "cannot be used with the dialect %s", c.Dialect)
		}
	}
	return contract.needs(c)
}

// parseExpiry is the time that --expires means, zero if it was not given.
func parseExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	var lifetime span
	if err := lifetime.UnmarshalText([]byte(text)); err != nil || lifetime == 0 {
		return time.Time{}, wrong("expires", "must be a time like 2030-01-31T00:00:00Z or a lifetime like 12h or 30d")
	}
	return time.Now().UTC().Add(time.Duration(lifetime)).Truncate(time.Millisecond), nil
}

func (c *tokenCreateCmd) Run(ctx context.Context, out *streams) error {
	if err := c.check(); err != nil {
		return err
	}
	expiry, err := parseExpiry(c.Expires)
	if err != nil {
		return err
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	return c.issue(r.printer, c.Dialect, func() (created, error) {
		return contractOf(c.Dialect).create(ctx, r, c, expiry)
	})
}

// secretFlags say where to write the secret of a new token.
type secretFlags struct {
	SecretFile string `placeholder:"FILE" help:"File to create for the secret, which is then not printed."`
}

// issue creates a token and hands out its secret. It creates the file first, so that no secret is lost to a wrong path.
func (f secretFlags) issue(p printer, dialect string, create func() (created, error)) error {
	file := &secretFile{path: f.SecretFile, flag: "secret-file"}
	if f.SecretFile != "" {
		if err := file.reserve(); err != nil {
			return err
		}
	}
	made, err := create()
	switch {
	case err != nil:
	case made.id == "" || made.secret == "":
		err = strange(errors.New("it does not contain the created token"))
	case f.SecretFile != "":
		err = file.write(made.secret)
	}
	if err := file.settle(err); err != nil {
		return err
	}
	return f.print(p, dialect, made)
}

// created is a token with its new secret.
type created struct {
	id, secret string
	answer     any
	rotated    bool // only the secret is new
}

func (f secretFlags) print(p printer, dialect string, made created) error {
	if f.SecretFile == "" {
		if p.json {
			return p.printJSON(made.answer)
		}
		return p.say("%s the %s token %s. Its secret is shown only this once:\n%s",
			made.verb(), dialect, made.id, made.secret)
	}
	if p.json {
		rest, err := withoutSecret(made.answer)
		if err != nil {
			return err
		}
		return p.printJSON(rest)
	}
	return p.say("%s the %s token %s. Its secret is in %s.", made.verb(), dialect, made.id, f.SecretFile)
}

func (c created) verb() string {
	if c.rotated {
		return "Rotated"
	}
	return "Created"
}

// withoutSecret is the server's response without the member that holds the secret.
func withoutSecret(answer any) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	var rest map[string]json.RawMessage
	err = json.Unmarshal(text, &rest)
	delete(rest, "token")
	delete(rest, "secret")
	return rest, err
}

type tokenListCmd struct {
	listFlags   `embed:""`
	All         bool   `help:"List tokens of all dialects: your own, or for admins those of all owners."`
	Dialect     string `enum:",${dialects}" default:"" placeholder:"DIALECT" help:"${one_dialect}; needed without --all."`
	Status      string `enum:",active,suspended,revoked,expired" default:"" placeholder:"STATUS" help:"@status"`
	Scope       string `enum:",user,account,environment" default:"" placeholder:"SCOPE" help:"@list_scope"`
	Account     string `placeholder:"ID" help:"Only tokens of this account (apitoken, --all)."`
	Environment string `placeholder:"ID" help:"Only tokens of this environment (apitoken, --all)."`
	User        int64  `placeholder:"ID" help:"Only tokens of this user (--all)."`
	CreatedBy   int64  `placeholder:"ID" help:"Only tokens that this user created (--all)."`
	Usable      string `enum:",yes,no" default:"" placeholder:"yes|no" help:"@list_usable"`
	Key         string `placeholder:"KID" help:"Only tokens signed with this key (--all)."`
}

func (c *tokenListCmd) check() error {
	filters := c.Status + c.Scope + c.Account + c.Environment
	switch {
	case c.User < 0:
		return wrong("user", "must be a user id")
	case c.CreatedBy < 0:
		return wrong("created-by", "must be a user id")
	case c.All:
		return nil
	case c.Dialect == "":
		return wrong("dialect", "is required without --all")
	case c.User != 0:
		return wrong("user", "requires --all")
	case c.CreatedBy != 0:
		return wrong("created-by", "requires --all")
	case c.Usable != "":
		return wrong("usable", "requires --all")
	case c.Key != "":
		return wrong("key", "requires --all")
	case !contractOf(c.Dialect).filters && filters != "":
		return &usageError{"the list of " + c.Dialect + " tokens has no filters; use --all"}
	}
	return nil
}

func (c *tokenListCmd) Run(ctx context.Context, out *streams) error {
	if err := c.check(); err != nil {
		return err
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	tokens, err := r.tokens(c.Dialect, c.All).list(ctx, c)
	if err != nil {
		return err
	}
	return printAll(r.printer, tokenColumns, tokens)
}

// tokenActionCmd does to one token what the command is called.
type tokenActionCmd struct {
	remoteFlags `embed:""`
	Admin       bool   `help:"Act on any token, not only your own; for admins."`
	Dialect     string `arg:"" enum:"${dialects}" help:"${one_dialect}."`
	ID          string `arg:"" name:"id" help:"The id of the token."`
}

func (c *tokenActionCmd) Run(ctx context.Context, out *streams, command *kong.Context) error {
	action := command.Selected().Name
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	operation := r.tokens(c.Dialect, c.Admin).operations()[action]
	if operation == nil {
		return &usageError{"the " + c.Dialect + " contract has no " + action + "; an admin can use --admin"}
	}
	t, err := operation(ctx, c.ID)
	if err != nil {
		return err
	}
	switch {
	case action == "delete" && !c.Admin && contractOf(c.Dialect).silent:
		return r.say("You have no %s token %s any more.", c.Dialect, printable(c.ID))
	case action == "delete":
		return r.say("Deleted the %s token %s.", c.Dialect, printable(c.ID))
	}
	return printOne(r.printer, tokenColumns, t)
}
