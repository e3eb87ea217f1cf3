package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/tokenwright/tokenwright/internal/token"
)

//go:embed migrations
var migrations embed.FS

// versionTable is where goose records the applied migrations.
const versionTable = goose.DefaultTablename

// SchemaState says which version of the schema a database has.
type SchemaState struct {
	Current int64    // in the database, 0 if it is empty
	Wanted  int64    // by this program
	Pending []string // file names of the migrations between the two
}

// SchemaState reads the version of the schema. It changes nothing.
func (d *DB) SchemaState(ctx context.Context) (SchemaState, error) {
	current, err := d.schemaVersion(ctx)
	if err != nil {
		return SchemaState{}, d.translate(ctx, err)
	}
	pool, err := d.writer.DB()
	if err != nil {
		return SchemaState{}, d.translate(ctx, err)
	}
	provider, err := d.provider(pool)
	if err != nil {
		return SchemaState{}, d.translate(ctx, err)
	}
	status := SchemaState{Current: current}
	for _, source := range provider.ListSources() {
		status.Wanted = source.Version
		if source.Version > current {
			status.Pending = append(status.Pending, source.Path)
		}
	}
	return status, nil
}

func (s SchemaState) tooOld() error {
	return fmt.Errorf("the database has schema version %d but this program needs %d: run tokenwright migrate up",
		s.Current, s.Wanted)
}

func (s SchemaState) tooNew() error {
	return fmt.Errorf("the database has schema version %d, from a newer release; this program knows %d",
		s.Current, s.Wanted)
}

// schemaVersion checks for the table first, because goose would create it.
func (d *DB) schemaVersion(ctx context.Context) (int64, error) {
	db := d.reader.WithContext(ctx)
	var version int64
	exists, err := d.hasTable(ctx, versionTable)
	if err != nil || !exists {
		return 0, err
	}
	err = db.Raw("SELECT coalesce(max(version_id), 0) FROM " + versionTable).Scan(&version).Error
	return version, err
}

func (d *DB) hasTable(ctx context.Context, name string) (bool, error) {
	var count int64
	err := d.reader.WithContext(ctx).Raw(d.backend.hasTable, name).Scan(&count).Error
	return count > 0, err
}

// Migrate brings the schema up to date. Programs that start together take turns.
func (d *DB) Migrate(ctx context.Context) error {
	status, err := d.SchemaState(ctx)
	switch {
	case err != nil:
		return err
	case status.Current > status.Wanted:
		return token.Wrap(token.Unavailable, status.tooNew())
	case status.Current == status.Wanted:
		return nil
	}
	return d.translate(ctx, d.migrateLocked(ctx))
}

func (d *DB) migrateLocked(ctx context.Context) error {
	if d.backend.lockSchema != nil {
		unlock, err := d.backend.lockSchema(ctx)
		if err != nil {
			return err
		}
		defer unlock()
	}
	pool, err := d.writer.DB()
	if err != nil {
		return err
	}
	if d.backend.direct != nil {
		pool = d.backend.direct()
		defer pool.Close()
	}
	provider, err := d.provider(pool)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// provider makes a goose provider for one use, see [backend.options].
func (d *DB) provider(pool *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+d.backend.name)
	if err != nil {
		return nil, err
	}
	options, err := d.backend.options()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(d.backend.goose, pool, files, options...)
}

// prepareSchema does what the mode says when the database is opened.
func (d *DB) prepareSchema(ctx context.Context, mode Schema) error {
	if mode == AnySchema {
		return nil
	}
	status, err := d.SchemaState(ctx)
	switch {
	case err != nil:
		return oneLine("cannot read the schema version of the database", err)
	case status.Current > status.Wanted:
		return status.tooNew()
	case status.Current == status.Wanted:
		return nil
	case mode == RequireSchema:
		return status.tooOld()
	}
	if err := d.Migrate(ctx); err != nil {
		return oneLine("cannot migrate the database", err)
	}
	return nil
}
