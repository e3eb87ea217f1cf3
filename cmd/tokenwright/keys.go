package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// keysCmd manages the keys that sign JWTs. Servers notice changes by themselves.
type keysCmd struct {
	Init   keysInitCmd   `cmd:"" help:"Create a key directory with a first key."`
	List   keysListCmd   `cmd:"" help:"List the keys."`
	Rotate keysRotateCmd `cmd:"" help:"Activate the next key and create a new one. The first run only creates a next key."`
	Retire keysRetireCmd `cmd:"" help:"Remove a retired key after all tokens that it signed have expired."`
}

// keyDirectoryFlags say where the keys are.
type keyDirectoryFlags struct {
	KeyDirectory string `required:"" placeholder:"DIR" help:"The key directory."`
}

func (f keyDirectoryFlags) directory() jwt.Directory {
	return jwt.Directory{Path: f.KeyDirectory, Now: token.Clock(nil).Now}
}

// signedTokens asks the database what a key has signed. It opens the database read-only for each query, so that a
// server may be running on it.
type signedTokens struct {
	databaseFlags
	keyDirectory string
}

// LastExpiry implements [jwt.Tokens].
func (s signedTokens) LastExpiry(ctx context.Context, keyID string, since time.Time) (time.Time, error) {
	last, err := s.ask(ctx, keyID, since)
	if err != nil {
		return last, fmt.Errorf("cannot read from the database of --database-url what the key %s has signed: %w", keyID, err)
	}
	return last, nil
}

func (s signedTokens) ask(ctx context.Context, keyID string, since time.Time) (time.Time, error) {
	if !s.isNamed() {
		return time.Time{}, wrong("database-url", "is required, as there is no database beside the key directory")
	}
	if err := s.check(); err != nil {
		return time.Time{}, err
	}
	options := s.options(store.RequireSchema)
	options.ReadOnly = true
	db, err := store.Open(ctx, s.DatabaseURL, options)
	if err != nil {
		return time.Time{}, err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	return db.LastExpiry(ctx, keyID, since)
}

// isNamed reports whether a database is named, or is where the one of these keys is by default. Any other one would say
// that a key signed nothing.
func (s signedTokens) isNamed() bool {
	path, _ := store.SQLitePath(s.DatabaseURL)
	return s.DatabaseURL != defaultDatabaseURL || s.DatabaseURLFile != "" ||
		!missing(path) && sameFile(filepath.Dir(path), filepath.Dir(filepath.Clean(s.keyDirectory)))
}

type keysInitCmd struct {
	keyDirectoryFlags `embed:""`
}

func (c *keysInitCmd) Run(out *streams) error {
	err := c.directory().Create()
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already contains a key", c.KeyDirectory)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "Created the first key in %s. Servers that share a database must share it.\n", c.KeyDirectory)
	return nil
}

type keysListCmd struct {
	keyDirectoryFlags `embed:""`
	databaseFlags     `embed:""`
	Output            string `short:"o" enum:"table,json" default:"table" help:"Output format: table or json."`
}

// keyItem is a key as it is printed.
type keyItem struct {
	KID       string     `json:"kid"`
	State     string     `json:"state"`
	Created   *time.Time `json:"created_at"`
	Changed   *time.Time `json:"changed_at"`
	Published *time.Time `json:"published_at"`
	Seconds   *int64     `json:"published_seconds"`
	Ready     *time.Time `json:"signs_from"`
	Until     *time.Time `json:"tokens_until"`
}

var keyColumns = []column[keyItem]{
	{"KID", func(k keyItem) string { return k.KID }},
	{"STATE", func(k keyItem) string { return k.State }},
	{"CREATED", func(k keyItem) string { return stampOrNone(k.Created) }},
	{"CHANGED", func(k keyItem) string { return stampOrNone(k.Changed) }},
	{"PUBLISHED FOR", func(k keyItem) string { return k.publishedFor() }},
	{"SIGNS FROM", func(k keyItem) string { return stampOrNone(k.Ready) }},
	{"TOKENS UNTIL", func(k keyItem) string { return stampOrNone(k.Until) }},
}

func (k keyItem) publishedFor() string {
	if k.Seconds == nil {
		return "-"
	}
	return (time.Duration(*k.Seconds) * time.Second).String()
}

func (c *keysListCmd) Run(ctx context.Context, out *streams) error {
	d := c.directory()
	if signed := (signedTokens{c.databaseFlags, c.KeyDirectory}); signed.isNamed() {
		d.Tokens = signed
	}
	keys, err := d.List(ctx)
	// The list is needed most when the database is down.
	if usage := (*usageError)(nil); err != nil && d.Tokens != nil && !errors.As(err, &usage) {
		fmt.Fprintf(out.stderr, "tokenwright: warning: %s\n", redact(strings.Join(strings.Fields(err.Error()), " ")))
		d.Tokens = nil
		keys, err = d.List(ctx)
	}
	if err != nil {
		return err
	}
	items := make([]keyItem, 0, len(keys))
	for _, k := range keys {
		item := keyItem{
			KID: k.ID, State: string(k.State), Created: given(k.Created), Changed: given(k.Changed),
			Published: given(k.Published), Ready: given(k.Ready), Until: given(k.Until),
		}
		if item.Published != nil {
			item.Seconds = new(max(0, int64(d.Now().Sub(k.Published)/time.Second)))
		}
		items = append(items, item)
	}
	return printAll(printer{out.stdout, c.Output == "json"}, keyColumns, items)
}

func stampOrNone(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return stamp(*t)
}

type keysRotateCmd struct {
	keyDirectoryFlags `embed:""`
	Emergency         bool `help:"The active key is compromised: rotate even if some services lack the next key."`
}

func (c *keysRotateCmd) Run(out *streams) error {
	done, err := c.directory().Rotate(c.Emergency)
	if errors.Is(err, jwt.ErrEarly) {
		return fmt.Errorf("%w; with --emergency it signs at once", err)
	}
	if err != nil {
		return err
	}
	if done.Retired != "" {
		fmt.Fprintf(out.stdout, "The key %s is now active, and %s is retired.\n", done.Active, done.Retired)
	}
	fmt.Fprintf(out.stdout, "The next key is %s. It may sign from %s.\n", done.Next, stamp(done.Ready))
	return nil
}

type keysRetireCmd struct {
	keyDirectoryFlags `embed:""`
	databaseFlags     `embed:""`
	KID               string `arg:"" name:"kid" help:"The id of the key."`
	Emergency         bool   `help:"The key is compromised: remove it now, even if it signed tokens that are still valid."`
}

func (c *keysRetireCmd) Run(ctx context.Context, out *streams) error {
	d := c.directory()
	d.Tokens = signedTokens{c.databaseFlags, c.KeyDirectory}
	err := d.Retire(ctx, c.KID, c.Emergency)
	if errors.Is(err, jwt.ErrEarly) {
		return fmt.Errorf("%w; with --emergency it is removed now, and those tokens stop working", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "Removed the key %s.\n", c.KID)
	return nil
}
