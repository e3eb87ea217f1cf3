package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	service "github.com/tokenwright/tokenwright/gen/service/client"
	"github.com/tokenwright/tokenwright/internal/audit"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// auditCmd is about what was done.
type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List events, newest first."`
	Export auditExportCmd `cmd:"" help:"Print events as lines of JSON, oldest first."`
	Proof  auditProofCmd  `cmd:"" help:"Get and check the proof that an event is in the log."`
	Verify auditVerifyCmd `cmd:"" help:"Compare all events in a database with the signed log."`
	Key    auditKeyCmd    `cmd:"" help:"Show the public key of the log, and create the key if it is missing."`
}

// eventFlags select events.
type eventFlags struct {
	Actor   string `placeholder:"NAME" help:"Only what this one has caused, such as user:1 or account:ID."`
	Object  string `placeholder:"NAME" help:"Only what is about this, such as token:muninx/ID or user:1."`
	Action  string `placeholder:"NAME" help:"Only this action, such as token.revoke or credential.refused."`
	Dialect string `enum:",${dialects}" default:"" help:"Only events about tokens of this dialect."`
	Since   string `placeholder:"TIME" help:"Only events at this time or later, such as 2030-01-31T00:00:00Z."`
	Until   string `placeholder:"TIME" help:"Only events before this time."`
}

// times reads the two flags that are times.
func (f eventFlags) times() (since, until *time.Time, err error) {
	read := func(flag, text string) *time.Time {
		at, failed := time.Parse(time.RFC3339, text)
		if text == "" {
			return nil
		}
		if failed != nil {
			err = cmp.Or(err, wrong(flag, "must be a time like 2030-01-31T00:00:00Z"))
		}
		return &at
	}
	return read("since", f.Since), read("until", f.Until), err
}

var eventColumns = []column[service.AuditEvent]{
	{"ID", func(e service.AuditEvent) string { return strconv.FormatInt(e.Id, 10) }},
	{"TIME", func(e service.AuditEvent) string { return stamp(e.At) }},
	{"ACTOR", func(e service.AuditEvent) string { return cmp.Or(e.Actor, "-") }},
	{"ACTION", func(e service.AuditEvent) string { return e.Action }},
	{"OBJECT", func(e service.AuditEvent) string { return cmp.Or(e.Object, "-") }},
	{"ADDRESS", func(e service.AuditEvent) string { return cmp.Or(e.Address, "-") }},
	{"CREDENTIAL", func(e service.AuditEvent) string { return cmp.Or(e.Credential, "-") }},
}

type auditListCmd struct {
	listFlags  `embed:""`
	eventFlags `embed:""`
}

func (c *auditListCmd) Run(ctx context.Context, out *streams) error {
	since, until, err := c.times()
	if err != nil {
		return err
	}
	type events = []service.AuditEvent
	return showAll(c, out, eventColumns, c.Limit, func(r *remote, cursor *string, size *int32) (events, string, error) {
		p, err := decode[service.AuditEventList](r.service.ListAuditEvents(ctx, &service.ListAuditEventsParams{
			Limit: size, Cursor: cursor, Actor: optional[string](c.Actor), Object: optional[string](c.Object),
			Action: optional[string](c.Action), Dialect: optional[service.ListAuditEventsParamsDialect](c.Dialect),
			Since: since, Until: until,
		}))
		return p.Items, next(p.NextCursor), err
	})
}

type auditExportCmd struct {
	remoteFlags `embed:""`
	eventFlags  `embed:""`
	After       int64 `placeholder:"ID" help:"Only events after the one with this id."`
}

func (c *auditExportCmd) Run(ctx context.Context, out *streams) error {
	since, until, err := c.times()
	if err != nil {
		return err
	}
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	after := c.After
	for {
		response, err := r.service.ExportAuditEvents(ctx, &service.ExportAuditEventsParams{
			Actor: optional[string](c.Actor), Object: optional[string](c.Object), Action: optional[string](c.Action),
			Dialect: optional[service.ExportAuditEventsParamsDialect](c.Dialect), Since: since, Until: until,
			After: given(after),
		})
		last, err := copyLines(out.stdout, response, err, 0)
		if err == nil || last == 0 || errors.As(err, new(writeError)) {
			return err
		}
		after = last // a long export is more than one answer has time for
	}
}

// writeError is a failure to write the output.
type writeError struct{ error }

// copyLines writes whole lines of an export, or the first most of them, and returns the id of the last event.
func copyLines(w io.Writer, r *http.Response, err error, most int) (last int64, _ error) {
	if err != nil || r.StatusCode != http.StatusOK {
		_, _, err = receive(r, err)
		return 0, cmp.Or(err, strange(errors.New("it is no export")))
	}
	defer r.Body.Close()
	lines := bufio.NewReaderSize(r.Body, 1<<16)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return last, nil
		}
		if err != nil {
			return last, fmt.Errorf("the server's response was cut short: %w", err)
		}
		var event struct{ ID int64 }
		if err := json.Unmarshal(line, &event); err != nil {
			return 0, strange(err)
		}
		if _, err := io.WriteString(w, printableJSON(string(line))); err != nil {
			return 0, writeError{err}
		}
		if last = event.ID; n == most {
			return last, nil
		}
	}
}

type auditProofCmd struct {
	remoteFlags `embed:""`
	Event       int64  `arg:"" name:"id" help:"The id of the event."`
	VerifierKey string `placeholder:"KEY" help:"@audit_verifier_key"`
}

// Run checks the proof itself: the server could say anything.
func (c *auditProofCmd) Run(ctx context.Context, out *streams) error {
	r, err := c.connect(out)
	if err != nil {
		return err
	}
	asked := service.ProveAuditEventParams{Event: c.Event}
	p, err := decode[service.AuditInclusion](r.service.ProveAuditEvent(ctx, &asked))
	if err != nil {
		return err
	}
	key := c.VerifierKey
	if key == "" {
		last, err := decode[service.AuditCheckpoint](r.service.GetAuditCheckpoint(ctx))
		if err != nil {
			return err
		}
		key = last.Key
	}
	var line bytes.Buffer
	response, err := r.service.ExportAuditEvents(ctx, &service.ExportAuditEventsParams{After: given(c.Event - 1)})
	if id, err := copyLines(&line, response, err, 1); err != nil || id != c.Event {
		return cmp.Or(err, fmt.Errorf("the event %d is not in the export", c.Event))
	}
	proof, err := proofOf(p)
	if err != nil {
		return strange(err)
	}
	if err := audit.CheckInclusion(bytes.TrimSpace(line.Bytes()), proof, key); err != nil {
		return fmt.Errorf("the event %d is not proved: %w", c.Event, err)
	}
	if r.json {
		return r.printJSON(p)
	}
	return r.say("The event %d is at position %d of the log of %d events, whose checkpoint is signed with the key\n%s",
		p.Event, p.Position, p.Size, key)
}

func proofOf(p service.AuditInclusion) (proof token.Proof, err error) {
	proof = token.Proof{Checkpoint: token.Checkpoint{Size: p.Size, Note: p.Checkpoint}, Position: p.Position}
	for _, text := range p.Hashes {
		hash, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(hash) != 32 {
			return proof, errors.New("a hash is not well-formed")
		}
		proof.Hashes = append(proof.Hashes, [32]byte(hash))
	}
	return proof, nil
}

type auditVerifyCmd struct {
	databaseFlags `embed:""`
	KeyDirectory  string `placeholder:"DIR" help:"@audit_key_directory"`
	VerifierKey   string `placeholder:"KEY" help:"@audit_verifier_key"`
	Checkpoint    string `placeholder:"FILE" help:"@audit_checkpoint"`
}

func (c *auditVerifyCmd) Run(ctx context.Context, out *streams) error {
	if err := c.check(); err != nil {
		return err
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	outside := ""
	if c.Checkpoint != "" {
		text, err := os.ReadFile(c.Checkpoint)
		if err != nil {
			return fmt.Errorf("cannot read the checkpoint: %w", err)
		}
		outside = audit.LastOf(string(text))
	}
	options := c.options(store.RequireSchema)
	options.ReadOnly = true
	db, err := store.Open(ctx, c.DatabaseURL, options)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	report, err := audit.Verify(ctx, db, []string{key}, outside)
	if err != nil {
		return fmt.Errorf("cannot verify: %w", err)
	}
	return c.tell(out, report)
}

// key is the public one, from the flag or from the key directory.
func (c *auditVerifyCmd) key() (string, error) {
	if c.VerifierKey != "" {
		return c.VerifierKey, nil
	}
	dir := cmp.Or(c.KeyDirectory, c.beside("keys"))
	if dir == "" {
		return "", wrong("verifier-key", "is required with PostgreSQL unless --key-directory is given")
	}
	key, err := audit.OpenKey(dir)
	if err != nil {
		return "", err
	}
	return key.Public(), nil
}

// tell makes findings an error, so that scripts can ask.
func (c *auditVerifyCmd) tell(out *streams, r audit.Report) error {
	for _, finding := range r.Findings {
		fmt.Fprintln(out.stdout, printable(finding.String()))
	}
	if n := len(r.Findings); n > 0 {
		return fmt.Errorf("the log and the events do not agree, first %s", r.Findings[0])
	}
	fmt.Fprintf(out.stdout, "All %d events in the log are as they were. Not in the log yet: %d.\n", r.Size, r.Uncovered)
	if c.Checkpoint == "" {
		fmt.Fprintln(out.stdout, "Only a checkpoint kept elsewhere, given with --checkpoint, shows whether the end of the "+
			"log was cut off.")
	}
	return nil
}

type auditKeyCmd struct {
	keyDirectoryFlags `embed:""`
	Origin            string `placeholder:"URL" help:"@audit_origin"`
}

func (c *auditKeyCmd) Run(out *streams) error {
	key, err := audit.OpenKey(c.KeyDirectory)
	if c.Origin != "" {
		key, err = audit.OpenOrCreateKey(c.KeyDirectory, c.Origin)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out.stdout, key.Public())
	return err
}
