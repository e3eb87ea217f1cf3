package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// eventRow is a row of audit_events.
type eventRow struct {
	ID         int64 `gorm:"primaryKey;autoIncrement"`
	At         int64
	Actor      string
	Credential string
	Action     string
	Object     string
	Dialect    string
	Address    string
	Agent      string
	Request    string
	Before     string
	After      string

	hash []byte // of the secret of a token whose number, which is not known yet, completes Object; nil: it is complete
}

func (eventRow) TableName() string { return "audit_events" }

// readEvent reads the columns of an event in the order of [eventRow].
func readEvent(c columns) eventRow {
	return eventRow{
		ID: c.int(), At: c.int(), Actor: c.text(), Credential: c.text(), Action: c.text(), Object: c.text(),
		Dialect: c.text(), Address: c.text(), Agent: c.text(), Request: c.text(), Before: c.text(), After: c.text(),
	}
}

// refusalToRow makes the token that was refused both the credential and the object: who used it is not known.
func refusalToRow(r token.Refusal) *eventRow {
	row := &eventRow{
		At: r.First.UnixMilli(), Action: "credential.refused", Address: r.Origin.Address, Agent: r.Origin.Agent,
		Request: r.Origin.Request,
	}
	if r.Token.Dialect != nil {
		row.Object, row.Dialect = r.Token.Object(), r.Token.Dialect.Name
		row.Credential = row.Object
	}
	after := appendNumber(appendName(nil, "count"), r.Count)
	after = appendTime(appendName(after, "first"), r.First.UnixMilli())
	after = appendTime(appendName(after, "last"), r.Last.UnixMilli())
	after = appendOptional(appendName(after, "reason"), r.Reason)
	row.After = string(append(after, '}'))
	return row
}

func (r eventRow) event() token.Event {
	return token.Event{
		ID: r.ID, At: fromMillis(r.At), Actor: r.Actor, Credential: r.Credential, Action: r.Action, Object: r.Object,
		Dialect: r.Dialect, Origin: token.Origin{Address: r.Address, Agent: r.Agent, Request: r.Request},
		Before: r.Before, After: r.After,
	}
}

// values are those of all columns but id, in the order of [eventRow], and the hash if there is one.
func (r *eventRow) values() []any {
	values := append(make([]any, 0, 12), r.At)
	for _, text := range r.texts() {
		values = append(values, text)
	}
	if r.hash != nil {
		values = append(values, r.hash)
	}
	return values
}

// texts are those of the columns from actor on.
func (r *eventRow) texts() [10]string {
	return [...]string{
		r.Actor, r.Credential, r.Action, r.Object, r.Dialect, r.Address, r.Agent, r.Request, r.Before, r.After,
	}
}

// eventOf describes a change that the permit allows. Kind is that of its object; usual is the action where the permit
// has none.
func eventOf(p token.Permit, o token.Origin, kind, usual string) eventRow {
	action := p.Action
	if action == "" {
		action = usual
	}
	return eventRow{
		At: p.Clock.Now().UnixMilli(), Actor: p.By.Actor, Credential: p.By.Credential, Action: kind + "." + action,
		Address: o.Address, Agent: o.Agent, Request: o.Request,
	}
}

// about has the event name a token and what has changed of it.
func (r *eventRow) about(before, after *tokenRow) {
	r.Dialect = after.Dialect
	r.Object = "token:" + after.Dialect + "/"
	switch {
	case after.PublicID != nil:
		r.Object += *after.PublicID
	case after.Seq != 0:
		r.Object += strconv.FormatInt(after.Seq, 10)
	default:
		r.hash = after.SecretHash
	}
	r.Before, r.After = tokenDifference(before, after)
}

// eventInsert are statements that insert events: a single one, or those of which the parameters are the columns.
type eventInsert struct{ one, many string }

// insertNumbered is for events about tokens whose number is not known yet. It is read in the statement, since it is the
// database that gives it. insertNamed is for all others, and cheaper.
var insertNumbered, insertNamed = insertEvents(true), insertEvents(false)

func insertEvents(numbered bool) eventInsert {
	names := namesOf(&eventRow{})[1:]
	row, columns := reflect.TypeFor[eventRow](), strings.Join(names, ", ")
	var values, arrays, selected []string
	for i, name := range names {
		values, selected = append(values, fmt.Sprintf("$%d", i+1)), append(selected, "e."+name)
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", i+1, postgresTypes[row.Field(i+1).Type]))
	}
	from := "AS e (" + columns + ")"
	if numbered {
		const number = " || coalesce((SELECT CAST(t.seq AS text) FROM tokens t WHERE t.secret_hash = %s), '')"
		object, hash := slices.Index(names, "object"), fmt.Sprintf("$%d", len(names)+1)
		values[object] += fmt.Sprintf(number, hash)
		selected[object] += fmt.Sprintf(number, "e.hash")
		arrays = append(arrays, hash+"::bytea[]")
		from = "AS e (" + columns + ", hash)"
	}
	into := fmt.Sprintf("INSERT INTO audit_events (%s) ", columns)
	return eventInsert{
		one: into + fmt.Sprintf("VALUES (%s)", strings.Join(values, ", ")),
		many: into + fmt.Sprintf("SELECT %s FROM unnest(%s) %s", strings.Join(selected, ", "), strings.Join(arrays, ", "),
			from),
	}
}

// queue has PostgreSQL put the numbers of events into the queue of those that are not in the log yet.
func (i eventInsert) queue() eventInsert {
	const queued = `WITH made AS (%s RETURNING id)
		INSERT INTO audit_pending (first, events) SELECT min(id), array_agg(id) FROM made`
	return eventInsert{fmt.Sprintf(queued, i.one), fmt.Sprintf(queued, i.many)}
}

var queueNumbered, queueNamed = insertNumbered.queue(), insertNamed.queue()

// recordEach inserts the events one by one into SQLite.
func recordEach(rows []*eventRow) (statements []statement) {
	for _, row := range rows {
		text := insertNamed.one
		if row.hash != nil {
			text = insertNumbered.one
		}
		statements = append(statements, statement{text: text, args: row.values()})
	}
	return statements
}

// recordAll inserts the events into PostgreSQL with one statement.
func recordAll(rows []*eventRow) []statement {
	if len(rows) == 0 {
		return nil
	}
	insert, numbered := queueNamed, slices.ContainsFunc(rows, func(r *eventRow) bool { return r.hash != nil })
	if numbered {
		insert = queueNumbered
	}
	if len(rows) == 1 {
		return []statement{{text: insert.one, args: rows[0].values()}}
	}
	times, hashes := make([]int64, len(rows)), make([][]byte, len(rows))
	var texts [10][]string
	for i, row := range rows {
		times[i], hashes[i] = row.At, row.hash
		for j, text := range row.texts() {
			texts[j] = append(texts[j], text)
		}
	}
	args := append(make([]any, 0, len(texts)+2), times)
	for _, column := range texts {
		args = append(args, column)
	}
	if numbered {
		args = append(args, hashes)
	}
	return []statement{{text: insert.many, args: args}}
}

const queueEvent = "INSERT INTO audit_pending (first, events) VALUES (?, ARRAY[?::bigint])"

// record stores the event of a change of the registry, in its transaction.
func (d *DB) record(tx *gorm.DB, rows ...eventRow) error {
	for i := range rows {
		if err := tx.Create(&rows[i]).Error; err != nil {
			return err
		}
		if !d.backend.queues {
			continue
		}
		if err := tx.Exec(queueEvent, rows[i].ID, rows[i].ID).Error; err != nil {
			return err
		}
	}
	return nil
}

// RecordRefusals implements [token.EventStore].
func (d *DB) RecordRefusals(ctx context.Context, all []token.Refusal) error {
	rows := make([]*eventRow, len(all))
	for i, r := range all {
		rows[i] = refusalToRow(r)
	}
	return d.transactOnConn(ctx, later, func(c conn) error {
		defer c.rollBack(ctx)
		return d.commit(ctx, c, append([]statement{{text: d.backend.begin}}, d.backend.record(rows)...)...)
	})
}

var eventRows = "SELECT " + columnsOf("e", &eventRow{}) + " FROM audit_events e WHERE "

// Events implements [token.EventStore].
func (d *DB) Events(ctx context.Context, q token.EventQuery) ([]token.Event, error) {
	events := make([]token.Event, 0, q.Limit)
	text, args := eventPage(q)
	err := d.readOnConn(ctx, statement{text, args, func(c columns) error {
		events = append(events, readEvent(c).event())
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return events, nil
}

func eventPage(q token.EventQuery) (text string, args []any) {
	w := filter{text: "e.id > 0"}
	w.equal("e.actor", q.Actor)
	w.equal("e.object", q.Object)
	w.equal("e.action", q.Action)
	w.equal("e.dialect", q.Dialect)
	if !q.Since.IsZero() {
		w.and("e.at >= ?", q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		w.and("e.at < ?", q.Until.UnixMilli())
	}
	order, after := " ORDER BY e.id DESC", "e.id < ?"
	if q.Ascending {
		order, after = " ORDER BY e.id", "e.id > ?"
	}
	if q.After != 0 {
		w.and(after, q.After)
	}
	return eventRows + w.text + order + " LIMIT " + strconv.Itoa(q.Limit), w.args
}

// difference collects the members of a thing that a change has changed.
type difference struct {
	created       bool // there was nothing before
	before, after []byte
}

// created is for a new thing, which has many members.
func created() *difference { return &difference{created: true, after: make([]byte, 0, 200)} }

// member adds one, if it has changed. Put appends its value as JSON.
func member[T comparable](d *difference, name string, before, after T, put func([]byte, T) []byte) {
	if before == after {
		return
	}
	if !d.created {
		d.before = put(appendName(d.before, name), before)
	}
	d.after = put(appendName(d.after, name), after)
}

func appendName(b []byte, name string) []byte {
	separator := byte(',')
	if len(b) == 0 {
		separator = '{'
	}
	return append(append(append(append(b, separator), '"'), name...), '"', ':')
}

// texts are the two objects, "" where nothing has changed or where there was nothing before.
func (d *difference) texts() (before, after string) {
	if len(d.after) == 0 {
		return "", ""
	}
	if !d.created {
		before = string(append(d.before, '}'))
	}
	return before, string(append(d.after, '}'))
}

func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // which does not fail for a string
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

func appendNumber(b []byte, n int64) []byte {
	if n == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, n, 10)
}

// appendTime writes Unix milliseconds, 0 for none.
func appendTime(b []byte, ms int64) []byte {
	if ms == 0 {
		return append(b, "null"...)
	}
	return append(fromMillis(ms).AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func appendOptional(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return appendText(b, text)
}

// tokenDifference compares what an event tells of a token: all but the hash of its secret, numbers of its row and times
// of changes. Before is zero for a new token.
func tokenDifference(before, after *tokenRow) (string, string) {
	d := &difference{}
	if before.Dialect == "" {
		d = created()
	}
	member(d, "account_id", orZero(before.AccountID), orZero(after.AccountID), appendOptional)
	member(d, "created_by", orZero(before.CreatedBy), orZero(after.CreatedBy), appendNumber)
	member(d, "deleted", before.DeletedAt != nil, after.DeletedAt != nil, strconv.AppendBool)
	member(d, "environment_id", orZero(before.EnvironmentID), orZero(after.EnvironmentID), appendOptional)
	member(d, "expires_at", orZero(before.ExpiresAt), orZero(after.ExpiresAt), appendTime)
	member(d, "introspector", before.Introspector, after.Introspector, strconv.AppendBool)
	member(d, "name", before.Name, after.Name, appendOptional)
	ended, ends := before.Rotation.PreviousEndsAt, after.Rotation.PreviousEndsAt
	member(d, "previous_ends_at", orZero(ended), orZero(ends), appendTime)
	member(d, "role_limit", before.RoleLimit, after.RoleLimit, appendOptional)
	member(d, "rotations", before.Rotation.Rotations, after.Rotation.Rotations, appendNumber)
	member(d, "scope", before.Scope, after.Scope, appendOptional)
	member(d, "self_rotation", before.SelfRotation, after.SelfRotation, strconv.AppendBool)
	member(d, "state", before.State, after.State, appendOptional)
	member(d, "suspended_by_admin", before.SuspendedByAdmin, after.SuspendedByAdmin, strconv.AppendBool)
	member(d, "user_id", orZero(before.UserID), orZero(after.UserID), appendNumber)
	return d.texts()
}

// audited is a row of the registry, which an event can describe.
type audited[R any] interface {
	// audit names the thing that the row is about, and compares it with the row before, zero for a new one.
	audit(before R, d *difference) (kind, id string)
}

// describe completes the event of a change of the registry.
func describe[R audited[R]](p token.Permit, o token.Origin, before, after R, d *difference) eventRow {
	kind, id := after.audit(before, d)
	usual := "update"
	if d.created {
		usual = "create"
	}
	e := eventOf(p, o, kind, usual)
	e.Object = kind + ":" + id
	e.Before, e.After = d.texts()
	return e
}

func (r accountRow) audit(before accountRow, d *difference) (kind, id string) {
	member(d, "disabled", before.Disabled, r.Disabled, strconv.AppendBool)
	member(d, "name", before.Name, r.Name, appendText)
	return "account", r.ID
}

func (r environmentRow) audit(before environmentRow, d *difference) (kind, id string) {
	member(d, "account_id", before.AccountID, r.AccountID, appendOptional)
	member(d, "disabled", before.Disabled, r.Disabled, strconv.AppendBool)
	member(d, "name", before.Name, r.Name, appendText)
	return "environment", r.ID
}

func (r userRow) audit(before userRow, d *difference) (kind, id string) {
	member(d, "account_id", orZero(before.AccountID), orZero(r.AccountID), appendOptional)
	member(d, "disabled", before.Disabled, r.Disabled, strconv.AppendBool)
	member(d, "issuer", before.Issuer, r.Issuer, appendText)
	member(d, "name", before.Name, r.Name, appendText)
	member(d, "role", before.Role, r.Role, appendText)
	member(d, "subject", before.Subject, r.Subject, appendText)
	return "user", strconv.FormatInt(r.ID, 10)
}
