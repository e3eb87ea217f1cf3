package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tokenwright/tokenwright/store"
)

// migrateCmd looks after the database's schema.
type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Bring the schema up to date."`
	Status migrateStatusCmd `cmd:"" help:"Tell which version the schema has and which one this program needs."`
}

type migrateUpCmd struct {
	databaseFlags `embed:""`
}

func (c *migrateUpCmd) Run(ctx context.Context, out *streams) error {
	before, err := schemaStatus(ctx, &c.databaseFlags, false)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, c.DatabaseURL, c.options(store.MigrateSchema))
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "The schema has version %d; it had %d.\n", before.Wanted, before.Current)
	return nil
}

type migrateStatusCmd struct {
	databaseFlags `embed:""`
}

// Run implements the command. A schema that this program cannot work with is an error, so that scripts can ask.
func (c *migrateStatusCmd) Run(ctx context.Context, out *streams) error {
	status, err := schemaStatus(ctx, &c.databaseFlags, true)
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "The schema has version %d; this program needs %d.\n", status.Current, status.Wanted)
	switch {
	case status.Current > status.Wanted:
		return errors.New("the database is newer than this program")
	case len(status.Pending) > 0:
		fmt.Fprintf(out.stdout, "Pending: %s\n", strings.Join(status.Pending, ", "))
	}
	return nil
}

// schemaStatus opens the database for this one question. A SQLite file that is not there is made unless readOnly.
func schemaStatus(ctx context.Context, flags *databaseFlags, readOnly bool) (store.SchemaState, error) {
	if err := flags.check(); err != nil {
		return store.SchemaState{}, err
	}
	options := flags.options(store.AnySchema)
	options.ReadOnly = readOnly
	db, err := store.Open(ctx, flags.DatabaseURL, options)
	if err != nil {
		return store.SchemaState{}, err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	status, err := db.SchemaState(ctx)
	if err != nil {
		return status, fmt.Errorf("cannot read the schema of the database: %w", err)
	}
	return status, nil
}
