package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// keysCmd looks after the keys that sign JWTs. Servers notice changes by themselves.
type keysCmd struct {
	Init   keysInitCmd   `cmd:"" help:"Make a directory with a first key."`
	List   keysListCmd   `cmd:"" help:"List the keys."`
	Rotate keysRotateCmd `cmd:"" help:"Let the next key sign and make a new next one; the first time, only make one."`
	Retire keysRetireCmd `cmd:"" help:"Remove a retired key when all tokens that it signed have expired."`
}

// keyDirectoryFlags say where the keys are.
type keyDirectoryFlags struct {
	KeyDirectory string `required:"" placeholder:"DIR" help:"The directory."`
}

func (f keyDirectoryFlags) directory() jwt.Directory {
	return jwt.Directory{Path: f.KeyDirectory, Now: token.Clock(nil).Now}
}

// signedTokens asks the database what keys have signed. It opens the database for each question and only to read, so
// that a server may be at work on it.
type signedTokens struct{ databaseFlags }

// LastExpiry implements [jwt.Tokens].
func (s signedTokens) LastExpiry(ctx context.Context, keyID string, since time.Time) (time.Time, error) {
	last, err := s.ask(ctx, keyID, since)
	if err != nil {
		return last, fmt.Errorf("the database of --database-url has to say what the key %s has signed: %w", keyID, err)
	}
	return last, nil
}

func (s signedTokens) ask(ctx context.Context, keyID string, since time.Time) (time.Time, error) {
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

// atHand reports whether a database is named, or is where one is by default.
func (s signedTokens) atHand() bool {
	path, _ := store.SQLitePath(s.DatabaseURL)
	return s.DatabaseURL != defaultDatabaseURL || s.DatabaseURLFile != "" || !missing(path)
}

type keysInitCmd struct {
	keyDirectoryFlags `embed:""`
}

func (c *keysInitCmd) Run(out *streams) error {
	err := c.directory().Create()
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s holds a key already", c.KeyDirectory)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "The first key is in %s. All servers of one database need this directory.\n", c.KeyDirectory)
	return nil
}

type keysListCmd struct {
	keyDirectoryFlags `embed:""`
	databaseFlags     `embed:""`
	Output            string `short:"o" enum:"table,json" default:"table" help:"What to print: table or json."`
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
	if signed := (signedTokens{c.databaseFlags}); signed.atHand() {
		d.Tokens = signed
	}
	keys, err := d.List(ctx)
	if err != nil {
		return err
	}
	items := make([]keyItem, 0, len(keys))
	for _, k := range keys {
		item := keyItem{
			KID: k.ID, State: string(k.State), Created: known(k.Created), Changed: known(k.Changed),
			Published: known(k.Published), Ready: known(k.Ready), Until: known(k.Until),
		}
		if item.Published != nil {
			item.Seconds = new(max(0, int64(d.Now().Sub(k.Published)/time.Second)))
		}
		items = append(items, item)
	}
	return printAll(printer{out.stdout, c.Output == "json"}, keyColumns, items)
}

// known is nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func stampOrNone(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return stamp(*t)
}

type keysRotateCmd struct {
	keyDirectoryFlags `embed:""`
	Emergency         bool `help:"The active key is compromised: do not wait until all who check tokens have the next."`
}

func (c *keysRotateCmd) Run(out *streams) error {
	done, err := c.directory().Rotate(c.Emergency)
	if errors.Is(err, jwt.ErrEarly) {
		return fmt.Errorf("%w; with --emergency it does at once", err)
	}
	if err != nil {
		return err
	}
	if done.Retired != "" {
		fmt.Fprintf(out.stdout, "The key %s signs from now on, and %s is retired.\n", done.Active, done.Retired)
	}
	fmt.Fprintf(out.stdout, "The next key is %s. It may sign from %s.\n", done.Next, stamp(done.Ready))
	return nil
}

type keysRetireCmd struct {
	keyDirectoryFlags `embed:""`
	databaseFlags     `embed:""`
	KID               string `arg:"" name:"kid" help:"The id of the key."`
	Emergency         bool   `help:"The key is compromised: remove it although this ends tokens that are valid."`
}

func (c *keysRetireCmd) Run(ctx context.Context, out *streams) error {
	d := c.directory()
	d.Tokens = signedTokens{c.databaseFlags}
	err := d.Retire(ctx, c.KID, c.Emergency)
	if errors.Is(err, jwt.ErrEarly) {
		return fmt.Errorf("%w; with --emergency they end now", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "The key %s is removed.\n", c.KID)
	return nil
}
