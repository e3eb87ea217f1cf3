package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	loaded  = 10_000 // tokens in each database before anything is measured
	owners  = 100    // users who own them
	crowd   = 32     // clients that ask at once, and keep a server as busy as it can be
	few     = 4      // clients that leave a server time to wait, as most servers do
	arrival = 64     // clients that wait for the requests of a constant rate
)

// work is something that is measured: a job for a process, or a yardstick that brings its own client.
type work struct {
	name    string
	process *process // whose costs are counted; nil: none
	job     job
	alone   func(ctx context.Context, d time.Duration) (sample, error) // instead of a job
	paced   bool                                                       // measured at constant rates too
}

// measure runs a work for some time, with all its clients busy.
func (w *work) measure(ctx context.Context, d time.Duration) (sample, error) {
	if w.alone != nil {
		return w.alone(ctx, d)
	}
	all, end, err := w.job.connect(ctx)
	if err != nil {
		return sample{}, err
	}
	defer end()
	if _, _, err := w.job.closed(all, d/8); err != nil { // to warm up
		return sample{}, err
	}
	mallocs, err := w.process.mallocs(ctx)
	if err != nil {
		return sample{}, err
	}
	cpu := w.process.cpu()
	took, elapsed, err := w.job.closed(all, d)
	if err != nil {
		return sample{}, err
	}
	s := summarize(took, elapsed)
	answers := float64(len(took))
	s.CPU = float64(w.process.cpu()-cpu) / float64(time.Microsecond) / answers
	after, err := w.process.mallocs(ctx)
	s.Allocs = (after - mallocs) / answers
	return s, err
}

// atRate runs a work for some time with requests that come at a constant rate.
func (w *work) atRate(ctx context.Context, rate float64, d time.Duration) (sample, error) {
	j := w.job
	j.clients = arrival
	all, end, err := j.connect(ctx)
	if err != nil {
		return sample{}, err
	}
	defer end()
	if _, _, err := j.open(all, rate, d/8); err != nil { // to warm up
		return sample{}, err
	}
	took, elapsed, err := j.open(all, rate, d)
	return summarize(took, elapsed), err
}

// kind is how two measurements become a ratio.
type kind int

const (
	rates       kind = iota // ours to the yardstick's, in answers a second
	lookUps                 // the same, where an answer of ours needs two look-ups
	cpuShare                // the yardstick's CPU to ours
	cpuMultiple             // our CPU to the yardstick's; less is better
)

// row is a line of the table: ours beside a yardstick, and the ratio that has to be reached.
type row struct {
	name, ours, yardstick string
	kind                  kind
	target                float64
}

var rows = []row{
	{"create, PostgreSQL, 32 clients", "create/postgres/32", "pgbench/insert/32", rates, 1.5},
	{"create, PostgreSQL, 1 client", "create/postgres/1", "pgbench/insert/1", rates, 0.6},
	{"create, SQLite FULL, 32 clients to 1", "create/sqlite/32", "create/sqlite/1", rates, 5},
	{"create, SQLite FULL, 32 clients to fsync'd insert", "create/sqlite/32", "sqlite/insert", rates, 6000.0 / 2600},
	{"uncached check, a look-up", "introspect/uncached", "pgbench/look-up", lookUps, 0.7},
	{"list of 10, PostgreSQL", "list/postgres", "bare/get", rates, 0.25},
	{"warm /verify, CPU", "verify/warm", "bare/get/few", cpuShare, 0.85},
	{"warm introspection, CPU", "introspect/warm", "bare/form/few", cpuShare, 0.7},
	{"create alone, SQLite, CPU", "create/sqlite/1", "bare/post", cpuMultiple, 18},
	{"create of 32, SQLite, CPU", "create/sqlite/32", "bare/post", cpuMultiple, 9},
	{"list of 10, SQLite, CPU", "list/sqlite", "bare/get", cpuMultiple, 8},
}

// order is the order of the works in a round: each near its yardsticks.
var order = []string{
	"create/postgres/32", "pgbench/insert/32", "create/postgres/1", "pgbench/insert/1", "create/apitoken/postgres",
	"create/apitoken/sqlite", "create/sqlite/32", "create/sqlite/1", "sqlite/insert", "bare/post",
	"introspect/uncached", "pgbench/look-up", "list/postgres", "bare/get", "list/sqlite", "verify/warm", "bare/get/few",
	"introspect/warm", "bare/form/few",
}

// ratio is 0 where something was not measured.
func (r row) ratio(ours, yardstick sample) float64 {
	top, bottom := ours.Rate, yardstick.Rate
	switch r.kind {
	case lookUps:
		top *= 2
	case cpuShare:
		top, bottom = yardstick.CPU, ours.CPU
	case cpuMultiple:
		top, bottom = ours.CPU, yardstick.CPU
	}
	if bottom == 0 {
		return 0
	}
	return top / bottom
}

func (r row) reached(ratio float64) bool {
	if r.kind == cpuMultiple {
		return ratio <= r.target
	}
	return ratio >= r.target
}

// figures are what the ratio compares, as text.
func (r row) figure(s spread) string {
	if r.kind == cpuShare || r.kind == cpuMultiple {
		return s.String() + " µs"
	}
	return s.String() + "/s"
}

// bench is everything that is measured, running.
type bench struct {
	*lab
	servers []*process
	works   map[string]*work
}

// add makes a work known under its name.
func (b *bench) add(w *work) { b.works[w.name] = w }

// asked adds a work that asks a process.
func (b *bench) asked(name string, p *process, clients int, r []byte, marker string) *work {
	w := &work{name: name, process: p, job: job{address: p.address, clients: clients, next: same(r), status: 200, marker: marker}}
	b.add(w)
	return w
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// writes adds those that need the database: creates of muninx tokens by many clients and by one, creates of apitoken
// tokens, which are JWTs, and lists.
func (b *bench) writes(database string, p *process, admin string) {
	create := request("POST", "/tokens", admin, asJSON, `{"name":"bench"}`)
	b.asked("create/"+database+"/32", p, crowd, create, `"token":"muninx_`).paced = true
	b.asked("create/"+database+"/1", p, 1, create, `"token":"muninx_`)
	b.asked("create/apitoken/"+database, p, crowd,
		request("POST", "/api/v1/api_token", admin, asJSON, `{"token_scope":"account"}`), `"token":"eyJ`)
	b.asked("list/"+database, p, crowd, request("GET", "/tokens?limit=10", admin, "", ""), `"next_cursor":"`)
}

// introspectors are a credential of the admin, and further ones that it makes, one for each client.
func (l *lab) introspectors(ctx context.Context, p *process, url string) (admin string, more []string, err error) {
	admin, err = l.credential(url)
	for len(more) < arrival && err == nil {
		var made map[string]any
		made, err = p.call(ctx, "POST", "/tokens", admin, `{"name":"introspector"}`)
		more = append(more, fmt.Sprint(made["token"]))
	}
	return admin, more, err
}

// checks adds those of tokens that are in the cache, and those of a server without one. There each client has its own
// credential and asks for another token each time, so that every answer needs two look-ups.
func (b *bench) checks(cached, uncached *process, admin string, credentials []string) {
	check := request("POST", "/introspect", admin, asForm, "token="+secret(1))
	b.asked("introspect/warm", cached, few, check, `"active":true`).paced = true
	w := b.asked("verify/warm", cached, few, request("GET", "/verify", secret(2), "", ""), "")
	w.job.status, w.paced = 204, true
	w = b.asked("introspect/uncached", uncached, crowd, nil, `"active":true`)
	w.job.next, w.paced = strangers(credentials, loaded), true
}

// strangers are requests that ask about all of the loaded tokens, in an order without order.
func strangers(credentials []string, tokens int) func(client, n int) []byte {
	return func(client, n int) []byte {
		i := (uint64(n*len(credentials)+client) * 0x9e3779b97f4a7c15 >> 16) % uint64(tokens)
		return request("POST", "/introspect", credentials[client], asForm, "token="+secret(int(i)))
	}
}

// call is for what is not measured.
func (p *process) call(ctx context.Context, method, path, credential, body string) (got map[string]any, err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+credential)
	r.Header.Set("Content-Type", asJSON)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status + " " + string(text))
	}
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	return got, err
}
