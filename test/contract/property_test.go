package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenwright/tokenwright/test/speccheck"
)

const (
	form = "application/x-www-form-urlencoded"
	// targetVariable names the server that a child process is to test, as JSON, and specVariable the only spec.
	targetVariable, specVariable = "CONTRACT_TARGET", "CONTRACT_SPEC"
)

// failer is a test in Go or of rapid.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// TestBodies sends every operation that takes a body what its schema admits and what it does not admit. What is admitted
// has to succeed, and what the spec links to the answer has to follow; all else has to be refused. Each answer is judged
// with all schemas closed.
func TestBodies(t *testing.T) {
	if text := os.Getenv(targetVariable); text != "" {
		var s target
		need(t, json.Unmarshal([]byte(text), &s))
		bodies(t, s, os.Getenv(specVariable))
		return
	}
	databases(t, func(t *testing.T, s target) { bodies(t, s, "") })
}

func bodies(t *testing.T, s target, only string) {
	for _, c := range specs() {
		if only != "" && c.name != only {
			continue
		}
		p := &prober{target: s, spec: c, followed: map[string]bool{}}
		ran := 0
		for _, op := range c.operations() {
			t.Run(op.id, func(t *testing.T) {
				ran++
				p.doors(t, op)
				if op.RequestBody != nil && !t.Failed() { // else rapid would panic
					rapid.Check(t, func(t *rapid.T) { p.accepted(t, op) })
					rapid.Check(t, func(t *rapid.T) { p.rejected(t, op) })
				}
			})
		}
		for _, id := range c.linked() {
			if !p.followed[id] && !t.Failed() && ran == len(c.operations()) {
				t.Errorf("no link led to %s", id)
			}
		}
		s.alive(t, c.name)
		fmt.Printf("%s: %d requests sent\n", c.name, p.sent)
	}
}

// prober sends requests of one spec.
type prober struct {
	target
	spec     spec
	sent     int
	followed map[string]bool // operations that links led to
}

// request is what is sent; an empty credential is none.
type request struct {
	method, path, credential, media string
	body                            []byte
}

// send returns the status and the JSON of an answer that fits the spec.
func (p *prober) send(t failer, r request) (int, http.Header, map[string]any) {
	t.Helper()
	p.sent++
	q, err := http.NewRequest(r.method, p.URL+r.path, bytes.NewReader(r.body))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if r.credential != "" {
		q.Header.Set("Authorization", "Bearer "+r.credential)
	}
	if r.media != "" {
		q.Header.Set("Content-Type", r.media)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil {
		err = speccheck.Check(r.method, q.URL, answer, body)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	_ = decoder.Decode(&object) // whether it had to be an object has been checked
	return answer.StatusCode, answer.Header, object
}

// path fills the path with parameters, or with the fixture's user.
func (p *prober) path(o operation, params map[string]string) string {
	known := map[string]string{"id": p.User, "dialect": "muninx", "name": "muninx.yaml", "file": "reference.js", "list": "1"}
	if o.id == "updateUser" { // which may take the run's own user its role
		known["id"] = p.Other
	}
	if strings.HasPrefix(o.id, "rotate") || o.id == "updateServiceToken" { // which the fixture may not do to itself
		known["id"] = p.fresh()
	}
	parts := strings.Split(o.path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			value, given := params[name]
			if !given {
				value = known[name]
			}
			parts[i] = url.PathEscape(value)
		}
	}
	return strings.Join(parts, "/")
}

// fresh is a token that nothing has happened to; "" makes what needs one fail.
func (p *prober) fresh() string {
	var made struct{ ID string }
	_ = p.call(context.Background(), "POST", "/tokens", p.Credentials["service"], `{"name":"fresh"}`, &made)
	return made.ID
}

// doors asks for what is the same for all operations: a credential, declared parameters, a media type, a size, a method.
func (p *prober) doors(t *testing.T, o operation) {
	credential, path := p.Credentials[p.spec.name], p.path(o, nil)
	expect := func(what string, want int, r request) {
		t.Helper()
		if status, _, _ := p.send(t, r); status != want {
			t.Errorf("%s %s %s: %d, want %d", r.method, r.path, what, status, want)
		}
	}
	if open := o.Security != nil && len(*o.Security) == 0; !open {
		expect("without a credential", 401, request{method: o.method, path: path})
		expect("with an unknown credential", 401, request{method: o.method, path: path, credential: "muninx_" + strings.Repeat("0", 36)})
	}
	for _, bad := range badQueries(o) {
		expect("with a parameter that does not fit", 400, request{method: o.method, path: path + "?" + bad, credential: credential})
	}
	if o.id == "verifyRequest" {
		return // it takes every method
	}
	expect("with a method that is not declared", 405, request{method: "PUT", path: path, credential: credential})
	if o.RequestBody == nil {
		return
	}
	media, _ := o.body()
	expect("as text", 415, request{o.method, path, credential, "text/plain", []byte("{}")})
	expect("with too long a body", 413, request{o.method, path, credential, media, bytes.Repeat([]byte(" "), o.maxBody()+1)})
	if media == "application/json" {
		for _, body := range []string{"", "[]", `"text"`, "1", "null", "{", `{"a":1}{}`, "{\"a\":\"\xff\"}", `{"a":1,"a":1}`} {
			expect("with "+body, 400, request{o.method, path, credential, media, []byte(body)})
		}
	}
}

// badQueries are queries in which one declared parameter does not fit its schema, or one is not declared.
func badQueries(o operation) []string {
	var all []string
	for _, p := range o.Parameters {
		if p.Value.In != "query" {
			continue
		}
		schema := p.Value.Schema.Value
		candidates := []string{""}
		switch {
		case schema.Type.Is("integer"):
			candidates = append(candidates, "0", "-1", "1.5", "1e1", "x", "101", "99999999999999999999")
		case len(schema.Enum) > 0:
			candidates = append(candidates, "ACTIVE", "x")
		case schema.MaxLength != nil:
			candidates = append(candidates, strings.Repeat("x", int(*schema.MaxLength)+1))
		}
		for _, value := range candidates {
			if value == "101" && schema.Max == nil {
				continue
			}
			all = append(all, p.Value.Name+"="+value)
		}
		all = append(all, p.Value.Name+"=1&"+p.Value.Name+"=1")
	}
	if open := o.Security != nil && len(*o.Security) == 0; !open && o.RequestBody == nil && o.spec != "unleash" { // which ignores others
		all = append(all, "unknown=1", "unknown", "limits=1", "=")
	}
	return all
}

// encode writes a body in the operation's media type.
func encode(t failer, media string, body map[string]any) []byte {
	if media == form {
		values := url.Values{}
		for name, value := range body {
			values.Set(name, fmt.Sprint(value))
		}
		return []byte(values.Encode())
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return data
}

// draw makes a body that the server can accept: the schema cannot say which accounts there are, or which names are taken.
func (p *prober) draw(t *rapid.T, o operation) map[string]any {
	_, schema := o.body()
	body := goodObject(t, schema, "")
	for _, name := range []string{"subject", "description"} {
		if text, ok := body[name].(string); ok {
			body[name] = cut(text, 230) + fmt.Sprintf(" %d %d", time.Now().UnixNano(), p.sent)
		}
	}
	if body["account_id"] != nil {
		body["account_id"] = p.Account
	}
	if body["token_scope"] == "environment" {
		body["environment_id"] = p.Environment
	} else {
		delete(body, "environment_id")
	}
	switch o.id {
	case "createServiceToken":
		fitDialect(body)
	case "updateServiceToken":
		if name, ok := body["name"].(string); ok {
			body["name"] = "x" + strings.Map(honest, cut(name, 230))
		}
	case "rotateServiceToken":
		body["overlap"] = rapid.SampledFrom([]string{"1h", "168h", "1h30m", "0.5h", "90s", "5000ms"}).Draw(t, "overlap that fits")
	}
	for _, name := range ignored[o.id] {
		if rapid.Bool().Draw(t, name+" is sent") {
			body[name] = rapid.SampledFrom([]any{nil, "", true, -1.5, []any{}, map[string]any{"a": nil}}).Draw(t, name)
		}
	}
	return body
}

// fitDialect has the members that tokens of the dialect have. Of unleash a user has no more than ten.
func fitDialect(body map[string]any) {
	if body["dialect"] == "apitoken" {
		delete(body, "name")
		if body["token_scope"] == nil {
			body["token_scope"] = "account"
		}
		return
	}
	name, _ := body["name"].(string)
	body["dialect"], body["name"] = "muninx", "x"+strings.Map(honest, cut(name, 230))
	for _, other := range []string{"token_scope", "account_id", "environment_id"} {
		delete(body, other)
	}
}

// cut is the beginning of a text.
func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

func (p *prober) accepted(t *rapid.T, o operation) {
	media, _ := o.body()
	body := p.draw(t, o)
	credential := p.Credentials[p.spec.name]
	status, _, answer := p.send(t, request{o.method, p.path(o, nil), credential, media, encode(t, media, body)})
	if status != o.success() {
		t.Fatalf("%s: %d for %v: %v", o.id, status, body, answer)
	}
	echoed(t, o, body, answer)
	secret := secretOf(answer)
	p.works(t, secret, true)
	p.follow(t, o, answer, secret, map[string]bool{})
}

// echoed asks that the members that were sent are the ones that were kept.
func echoed(t failer, o operation, sent, got map[string]any) {
	if details, ok := got["details"].(map[string]any); ok {
		got = details
	}
	for name, want := range sent {
		have, both := got[name]
		if !both || slices.Contains(ignored[o.id], name) || want == nil {
			continue
		}
		if text, ok := want.(string); ok {
			if a, err := time.Parse(time.RFC3339, text); err == nil {
				b, err := time.Parse(time.RFC3339, fmt.Sprint(have))
				if err != nil || a.Sub(b).Abs() >= time.Second {
					t.Fatalf("%s: %s was %v and became %v", o.id, name, want, have)
				}
				continue
			}
		}
		if fmt.Sprint(want) != fmt.Sprint(have) {
			t.Fatalf("%s: %s was %q and became %q", o.id, name, want, have)
		}
	}
}

func secretOf(answer map[string]any) string {
	for _, name := range []string{"token", "secret"} {
		if secret, ok := answer[name].(string); ok {
			return secret
		}
	}
	return ""
}

// works asks whether a secret, if there is one, opens the server.
func (p *prober) works(t failer, secret string, want bool) {
	t.Helper()
	if secret == "" {
		return
	}
	if status, _, _ := p.send(t, request{method: "GET", path: "/service/me", credential: secret}); (status == 200) != want {
		t.Fatalf("the secret of a token got %d; that it works should be %t", status, want)
	}
}

// follow goes from an answer wherever the spec's links lead, each operation once. After a revoke or a delete the secret
// must not work, and after a delete the token must not be found.
func (p *prober) follow(t failer, o operation, answer map[string]any, secret string, seen map[string]bool) {
	steps, err := p.spec.steps(o, o.success(), answer)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, next := range steps {
		if seen[next.id] {
			continue
		}
		seen[next.id] = true
		r := request{method: next.method, path: p.path(next.operation, next.params), credential: p.Credentials[p.spec.name]}
		status, _, body := p.send(t, r)
		if status != next.success() {
			t.Fatalf("%s after %s: %d: %v", next.id, o.id, status, body)
		}
		p.followed[next.id] = true
		ended := next.method == "DELETE" || strings.HasPrefix(next.id, "revoke")
		if ended {
			p.works(t, secret, false)
		}
		if next.method == "DELETE" {
			r.method = "GET"
			if status, _, _ := p.send(t, r); status != 404 {
				t.Fatalf("%s: %d after %s", r.path, status, next.id)
			}
		}
		p.follow(t, next.operation, body, secret, seen)
	}
}

func (p *prober) rejected(t *rapid.T, o operation) {
	media, schema := o.body()
	body := p.draw(t, o)
	wrong := rapid.SampledFrom(faults(o, schema)).Draw(t, "fault")
	wrong.make(body)
	r := request{o.method, p.path(o, nil) + wrong.query, p.Credentials[p.spec.name], media, encode(t, media, body)}
	if status, _, answer := p.send(t, r); status != 400 {
		t.Fatalf("%s, where %s: %d, want 400: %v", o.id, wrong.name, status, answer)
	}
}

// String keeps a failing case short.
func (f fault) String() string { return f.name }
