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
	CredentialFile string `required:"" placeholder:"FILE" help:"@bootstrap_credential_file"`
	User           int64  `placeholder:"ID" help:"@bootstrap_user"`
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
	first, resumed, err := initialize(ctx, tokens, c.file())
	switch {
	case err != nil:
		return err
	case resumed:
		fmt.Fprintf(out.stdout, "An interrupted run had already created a credential. It is in %s.\n",
			c.CredentialFile)
		return nil
	case first:
		fmt.Fprintf(out.stdout, "The database was empty. The credential of the first admin is in %s.\n", c.CredentialFile)
		tellMaxima(out.stdout, newPolicyFlags(token.Published).policies(token.NewMaxima))
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

// initialize fills an empty database, and reports so. In one that is filled it finishes what an earlier run has left
// that had committed a credential and was killed before its file was done, and reports that.
func initialize(ctx context.Context, s *token.Service, file *credentialFile) (first, resumed bool, err error) {
	first, err = s.Initialize(ctx, file.write)
	if err := file.settle(err); err != nil {
		return false, false, fmt.Errorf("cannot create the first credential: %w", err)
	}
	if first {
		return true, false, nil
	}
	if resumed, err = file.resume(ctx, s); err != nil {
		return false, false, fmt.Errorf("cannot finish the credential file of an interrupted run: %w", err)
	}
	return false, resumed, nil
}
