package main

import (
	"context"
	"fmt"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// bootstrapCmd creates an admin credential and needs none: anyone who can run it already has the database.
type bootstrapCmd struct {
	databaseFlags  `embed:""`
	CredentialFile string `required:"" placeholder:"FILE" help:"File to create for the credential. An existing file is not overwritten."`
	User           int64  `placeholder:"ID" help:"The admin to create it for. Default: the enabled admin with the lowest id."`
}

func (c *bootstrapCmd) Run(ctx context.Context, out *streams) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.User < 0 {
		return wrong("user", "must be a user id")
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what was to be stored is committed
	tokens := &token.Service{Store: db, Registry: db}
	made, err := initialize(ctx, tokens, c.file())
	switch {
	case err != nil:
		return err
	case made == madeBefore:
		fmt.Fprintf(out.stdout, "An interrupted run had already created a credential. It is in %s.\n", c.CredentialFile)
		return nil
	case made == firstMade:
		fmt.Fprintf(out.stdout, "The database was empty. The credential of the first admin is in %s.\n", c.CredentialFile)
		return nil
	}
	t, err := rescue(ctx, tokens, c.User, c.file())
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "Created the %s token %s for user %d. Its secret is in %s.\n",
		t.Dialect, t.ID, t.UserID, c.CredentialFile)
	return nil
}

func (c *bootstrapCmd) file() *credentialFile {
	return newCredentialFile(c.CredentialFile, "credential-file")
}

func rescue(ctx context.Context, tokens *token.Service, user int64, file *credentialFile) (token.Token, error) {
	t, err := tokens.Rescue(ctx, user, file.write)
	if err := file.settle(err); err != nil {
		return t, fmt.Errorf("cannot create a credential: %w", err)
	}
	return t, nil
}

// open migrates only an empty database, which no server uses yet. It never creates one: a mistyped path is an error.
func (c *bootstrapCmd) open(ctx context.Context) (*store.DB, error) {
	status, err := schemaStatus(ctx, &c.databaseFlags, true)
	if err != nil {
		return nil, err
	}
	options := c.options(store.RequireSchema)
	if status.Current == 0 {
		options.Schema = store.MigrateSchema
	}
	return store.Open(ctx, c.DatabaseURL, options)
}
