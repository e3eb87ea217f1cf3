//go:build contract

package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// specmatic tests the server by a copy of the spec in which everything that has to be there is named: it knows no
// fixtures and no links. What the copy leaves out is explained in docs/contracts.md.
func specmatic(t *testing.T, s target, name string) *exec.Cmd {
	dir := t.TempDir()
	var c spec
	for _, one := range specs() {
		if one.name == name {
			c = one
		}
	}
	(&fixer{t: t, target: s, spec: c}).fix()
	data, err := c.doc.MarshalJSON()
	need(t, err)
	file := filepath.Join(dir, name+".json")
	need(t, os.WriteFile(file, data, 0o600))
	secret := s.Credentials[name]
	cmd := exec.Command("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dhttp.proxyHost=127.0.0.1", "-Dhttp.proxyPort=9",
		"-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort=9", "-Dhttp.nonProxyHosts=127.0.0.1", "-Duser.home="+dir,
		"-jar", absolute(t, ".specmatic/specmatic.jar"), "test", "--testBaseURL="+s.URL, file)
	cmd.Dir = dir
	cmd.Env = []string{"SPECMATIC_GENERATIVE_TESTS=true", "bearer=" + secret, "apiKey=" + secret,
		"basic=" + base64.StdEncoding.EncodeToString([]byte("any:"+secret))}
	return cmd
}

// fixer puts fixtures into a spec.
type fixer struct {
	target
	t    *testing.T
	spec spec
	made int
}

func (f *fixer) fix() {
	for path, item := range f.spec.doc.Paths.Map() {
		shared := item.Parameters
		item.Parameters = nil
		for method, op := range item.Operations() {
			var own openapi3.Parameters
			for _, p := range append(slices.Clone(shared), op.Parameters...) {
				if sent(p.Value) {
					own = append(own, &openapi3.ParameterRef{Value: f.parameter(operation{f.spec.name, op.OperationID, method, path, op}, p.Value)})
				}
			}
			op.Parameters = own
			for _, media := range otherMedia[op.OperationID] {
				delete(op.Responses.Status(200).Value.Content, media)
			}
		}
	}
	if f.spec.name == "unleash" { // it would send each body once for each scheme, and a description is good for one token
		f.spec.doc.Security = openapi3.SecurityRequirements{openapi3.NewSecurityRequirement().Authenticate("bearer")}
	}
	for name, schema := range f.spec.doc.Components.Schemas {
		f.schema(name, schema.Value)
	}
}

// sent tells which parameters are tried. A cursor is an earlier answer's. Of filters it would try all combinations, which
// are thousands. With an Idempotency-Key it would send each body several times, and some bodies are good for one token.
func sent(p *openapi3.Parameter) bool {
	if p.In == "query" {
		return slices.Contains([]string{"limit", "status", "account", "scope", "event", "from"}, p.Name)
	}
	return p.Name != "Idempotency-Key"
}

// otherMedia are those that an operation has for other names than the one in [fixer.parameter].
var otherMedia = map[string][]string{"getSpec": {"application/yaml"}, "getReferenceFile": {"text/css", "text/plain"}}

// pin makes a value the only one.
func pin(s *openapi3.Schema, values ...any) *openapi3.SchemaRef {
	pinned := *s
	pinned.Enum, pinned.MinLength, pinned.MaxLength, pinned.Min, pinned.Format = values, 0, nil, nil, ""
	return &openapi3.SchemaRef{Value: &pinned}
}

// parameter is the parameter with what the operation finds on the server.
func (f *fixer) parameter(o operation, p *openapi3.Parameter) *openapi3.Parameter {
	known := map[string]any{"name": "muninx.json", "file": "reference.js", "list": 1, "account": f.Account, "scope": "user", "event": 1, "from": 1}
	fixed := *p
	fixed.Example = nil
	value, ok := known[p.Name]
	switch {
	case p.In == "path" && p.Name == "id":
		value, ok = f.resource(o), true
	case p.Name == "dialect" && p.In == "path":
		value, ok = f.dialect(o), true
	}
	if ok {
		fixed.Schema = pin(p.Schema.Value, value)
	}
	return &fixed
}

func (f *fixer) dialect(o operation) string {
	if strings.HasSuffix(o.id, "Introspection") {
		return "apitoken"
	}
	return "muninx"
}

// resource makes what the operation needs, in the state that it needs, and returns its id.
func (f *fixer) resource(o operation) any {
	f.made++
	name := fmt.Sprintf("for %s %d", o.id, f.made)
	switch {
	case strings.HasSuffix(o.id, "Introspection") || f.spec.name == "apitoken":
		id := f.create("/api/v1/api_token", map[string]any{"token_scope": "account"})
		return f.ready("/api/v1/api_token/", id, o.id)
	case f.spec.name == "muninx":
		return f.create("/tokens", map[string]any{"name": name})
	case f.spec.name == "unleash":
		return f.create("/api/admin/user/tokens", map[string]any{"description": name})
	case strings.HasPrefix(o.path, "/service/tokens/"):
		return f.ready("/service/tokens/muninx/", f.create("/tokens", map[string]any{"name": name}), o.id)
	}
	collection, _, _ := strings.Cut(o.path, "/{id}")
	return f.create(collection, map[string]map[string]any{
		"/service/users":        {"name": name, "subject": name, "role": "member", "account_id": f.Account},
		"/service/accounts":     {"name": name},
		"/service/environments": {"name": name, "account_id": f.Account},
	}[collection])
}

// ready suspends what is to be activated, revokes what is to be deleted, and rotates what is to be finished or cancelled.
func (f *fixer) ready(path string, id any, operation string) any {
	for prefix, action := range map[string]string{"activate": "/suspend", "delete": "/revoke"} {
		if strings.HasPrefix(operation, prefix) {
			f.post(path+fmt.Sprint(id)+action, nil)
		}
	}
	if strings.HasSuffix(operation, "TokenRotation") {
		f.post(path+fmt.Sprint(id)+"/rotate", map[string]any{"overlap": "1h"})
	}
	return id
}

func (f *fixer) create(path string, body map[string]any) any {
	answer := f.post(path, body)
	if details, ok := answer["details"].(map[string]any); ok {
		answer = details
	}
	return answer["id"]
}

func (f *fixer) post(path string, body map[string]any) map[string]any {
	data, err := json.Marshal(body)
	need(f.t, err)
	if body == nil {
		data = nil
	}
	var answer map[string]any
	need(f.t, f.call(f.t.Context(), "POST", path, f.Credentials["service"], string(data), &answer))
	return answer
}

// schema fits the schema of a request to the server.
func (f *fixer) schema(name string, s *openapi3.Schema) {
	requests := []string{"TokenCreate", "ApiToken_DetailsForCreate", "patSchema", "UserDraft", "UserChange", "UserTokenDraft", "AccountDraft",
		"EnvironmentDraft", "IntrospectionRequest", "IntrospectionBatch",
		"ServiceTokenDraft", "ServiceTokenChange", "Rotation"}
	if !slices.Contains(requests, name) {
		return
	}
	if name == "patSchema" { // so that no description comes twice
		s.Required = []string{"expiresAt"}
	}
	if name == "ServiceTokenDraft" {
		s.Required = []string{"dialect", "token_scope"}
	}
	for member, p := range s.Properties {
		p.Value.Pattern = "" // it takes one for the whole text, not for a part of it
		switch {
		case slices.Contains(ignored["createPat"], member) && name == "patSchema", member == "environment_id",
			name == "ServiceTokenDraft" && member == "name":
			delete(s.Properties, member)
		case name == "ServiceTokenDraft" && member == "dialect":
			s.Properties[member] = pin(p.Value, "apitoken")
		case name == "ServiceTokenChange" && member == "name":
			p.Value.MinLength = 1
		case member == "overlap": // since any other is a conflict with the one before
			s.Properties[member] = pin(p.Value, "0s")
		case member == "token_scope":
			s.Properties[member] = pin(p.Value, "account")
		case member == "account_id":
			s.Properties[member] = pin(p.Value, f.Account)
		case p.Value.Format == "date-time":
			s.Properties[member] = pin(p.Value, time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339))
		case member == "description" || member == "subject": // one of a single letter would not be new each time
			p.Value.MinLength = 0
		case name == "UserDraft" && member == "issuer":
			delete(s.Properties, member)
		case name == "UserDraft": // so that no subject comes twice
			s.Properties[member] = pin(p.Value, "member")
		}
		if q := s.Properties[member]; q != nil && q.Value.Nullable && len(q.Value.Enum) > 0 {
			q.Value.Enum = append(q.Value.Enum, nil)
		}
	}
}
