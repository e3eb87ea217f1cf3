// Package speccheck judges every answer that a test receives by the published contracts, with all schemas closed: a
// member that a contract does not name is as wrong as one that is missing.
package speccheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/tokenwright/tokenwright/openapi"
)

// contract is one spec, closed.
type contract struct {
	name   string
	prefix string
	failed string // the schema of an error at a path or with a method that no operation has
	doc    *openapi3.T
}

// contracts are the published ones, read once.
var contracts = sync.OnceValue(func() []*contract { return published(nil) })

// Contract is one that is not published. Its errors are problem details.
type Contract struct {
	Name   string // of the dialect too
	Prefix string
	Spec   []byte
}

// With are the published contracts, which then speak of the dialects of more, and these.
func With(more ...Contract) Contracts {
	if len(more) == 0 {
		return nil
	}
	var names []any
	var all []*contract
	for _, c := range more {
		names = append(names, c.Name)
		all = append(all, &contract{name: c.Name, prefix: c.Prefix, failed: "Problem", doc: load(c.Spec)})
	}
	return append(all, published(names)...)
}

// Contracts judge answers; nil are the published ones.
type Contracts []*contract

// published reads the published contracts. Where one names a dialect it may also name one of these.
func published(dialects []any) []*contract {
	for _, media := range []string{"application/statuslist+jwt", "application/x-ndjson", "text/html", "text/javascript", "text/css"} { // strings
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.FileBodyDecoder)
	}
	all := []*contract{
		{name: "apitoken", prefix: "/api/v1/api_token", failed: "ApiToken_Error", doc: load(openapi.APIToken)},
		{name: "unleash", prefix: "/api", failed: "apiErrorSchema", doc: load(openapi.Unleash)},
		{name: "muninx", prefix: "/tokens", failed: "Problem", doc: load(openapi.Muninx)},
		{name: "service", failed: "Problem", doc: load(openapi.Service)},
	}
	for _, c := range all {
		for _, s := range c.doc.Components.Schemas {
			if named := s.Value.Properties["dialect"]; named != nil {
				named.Value.Enum = append(named.Value.Enum, dialects...)
			}
		}
	}
	return all
}

func load(document []byte) *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		panic(err)
	}
	if err := doc.Validate(context.Background(), openapi3.EnableSchemaFormatValidation()); err != nil {
		panic(err)
	}
	no := false
	for _, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
		}
	}
	doc.Servers, doc.Security = nil, nil
	return doc
}

var options = &openapi3filter.Options{
	IncludeResponseStatus: true,
	MultiError:            true,
	AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
	SchemaValidationOptions: []openapi3.SchemaValidationOption{
		openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
			t, err := time.Parse(time.RFC3339, s)
			if err == nil && (!strings.HasSuffix(s, "Z") || t.Nanosecond()%int(time.Millisecond) != 0) {
				err = fmt.Errorf("%q is not in UTC or has more than three decimals", s)
			}
			return err
		})),
	},
}

// Check returns what is wrong with the answer.
func Check(method string, u *url.URL, r *http.Response, body []byte) error {
	return Contracts(nil).Check(method, u, r, body)
}

// Check returns what is wrong with the answer.
func (cs Contracts) Check(method string, u *url.URL, r *http.Response, body []byte) error {
	path := u.EscapedPath()
	if err := common(method, r, body); err != nil {
		return err
	}
	if method == http.MethodHead {
		method, body = http.MethodGet, nil
	}
	if path == "/verify" || strings.HasPrefix(path, "/verify/") { // which takes every method, and every path below it
		method, path = http.MethodGet, "/verify"
	}
	c := cs.of(u.Path)
	template, item, op := c.operation(method, path)
	if op == nil {
		return c.checkFailure(r, body)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: &http.Request{Method: method},
			Route:   &routers.Route{Spec: c.doc, Path: template, PathItem: item, Method: method, Operation: op},
		},
		Status: r.StatusCode, Header: r.Header, Options: options,
	}
	declared := op.Responses.Status(r.StatusCode)
	if declared == nil {
		return fmt.Errorf("%s: status %d is not declared by %s", c.name, r.StatusCode, op.OperationID)
	}
	if err := media(declared.Value.Content, r, body); err != nil {
		return fmt.Errorf("%s: %s %d: %w", c.name, op.OperationID, r.StatusCode, err)
	}
	if body == nil || strings.HasPrefix(r.Header.Get("Content-Type"), "application/yaml") {
		return nil
	}
	if err := c.shape(r, body); err != nil {
		return err
	}
	input.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		return fmt.Errorf("%s: %s %d: %w\nbody: %s", c.name, op.OperationID, r.StatusCode, err, body)
	}
	return nil
}

// common is what every answer of every dialect has.
func common(method string, r *http.Response, body []byte) error {
	switch {
	case r.Header.Get("X-Request-Id") == "":
		return fmt.Errorf("no X-Request-Id")
	case r.StatusCode == http.StatusUnauthorized && r.Header.Get("WWW-Authenticate") == "":
		return fmt.Errorf("401 without WWW-Authenticate")
	case r.StatusCode == http.StatusForbidden && !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`):
		return fmt.Errorf("403 whose challenge does not say why")
	case r.StatusCode == http.StatusMethodNotAllowed && r.Header.Get("Allow") == "":
		return fmt.Errorf("405 without Allow")
	case r.StatusCode >= 400 && !strings.Contains(r.Header.Get("Cache-Control"), "no-store"):
		return fmt.Errorf("an error that may be stored")
	case r.Header.Get("Cache-Control") == "":
		return fmt.Errorf("no word of who may keep the answer")
	case method == http.MethodHead && len(body) > 0:
		return fmt.Errorf("HEAD was answered with a body")
	}
	return nil
}

func media(declared openapi3.Content, r *http.Response, body []byte) error {
	sent := r.Header.Get("Content-Type")
	if len(declared) == 0 {
		if sent != "" || len(body) > 0 {
			return fmt.Errorf("a body (%s) where none is declared", sent)
		}
		return nil
	}
	if declared[sent] == nil {
		return fmt.Errorf("media type %q is not declared", sent)
	}
	return nil
}

func (cs Contracts) of(path string) *contract {
	if cs == nil {
		cs = contracts()
	}
	for _, c := range cs {
		if path == c.prefix || strings.HasPrefix(path, c.prefix+"/") {
			return c
		}
	}
	return cs[len(cs)-1]
}

// operation finds the operation of a path; nil if there is none.
func (c *contract) operation(method, path string) (string, *openapi3.PathItem, *openapi3.Operation) {
	for template, item := range c.doc.Paths.Map() {
		if matches(template, path) {
			return template, item, item.GetOperation(method)
		}
	}
	return "", nil, nil
}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) || strings.Contains(strings.ToLower(path), "%2f") {
		return false
	}
	for i := range want {
		if !strings.HasPrefix(want[i], "{") && want[i] != got[i] || got[i] == "" && i > 0 {
			return false
		}
	}
	return true
}

// checkFailure judges an answer that belongs to no operation.
func (c *contract) checkFailure(r *http.Response, body []byte) error {
	want := "application/json"
	if c.failed == "Problem" {
		want = "application/problem+json"
	}
	if got := r.Header.Get("Content-Type"); got != want {
		return fmt.Errorf("%s: media type %q, want %q", c.name, got, want)
	}
	if body == nil {
		return nil
	}
	value, err := decode(body)
	if err != nil {
		return err
	}
	if err := c.shape(r, body); err != nil {
		return err
	}
	if err := c.doc.Components.Schemas[c.failed].Value.VisitJSON(value); err != nil {
		return fmt.Errorf("%s: %d: %w\nbody: %s", c.name, r.StatusCode, err, body)
	}
	return nil
}

// shape asks of an error of apitoken that it is one of the two that its schema describes in words.
func (c *contract) shape(r *http.Response, body []byte) error {
	var e struct {
		Code   string
		Errors json.RawMessage
	}
	if c.name != "apitoken" || r.StatusCode < 400 {
		return nil
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	if (e.Code == "validation_errors") != (e.Errors != nil) {
		return fmt.Errorf("%s: the code %s does not go with the errors %s", c.name, e.Code, e.Errors)
	}
	return nil
}

// Reporter takes what is wrong; a *testing.T is one.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// Transport is an [http.RoundTripper] that checks every answer.
type Transport struct {
	Base      http.RoundTripper
	Report    Reporter
	Contracts Contracts
}

// RoundTrip sends the request and checks the answer.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	answer, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if err := t.Contracts.Check(r.Method, r.URL, answer, body); err != nil {
		t.Report.Helper()
		t.Report.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return answer, nil
}

func decode(body []byte) (any, error) {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, fmt.Errorf("the body is no JSON: %w", err)
	}
	return value, nil
}
