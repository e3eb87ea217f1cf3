package handlers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/openapi"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var documents = map[string][]byte{
	"muninx": openapi.Muninx, "apitoken": openapi.APIToken, "unleash": openapi.Unleash, "service": openapi.Service,
}

func TestSpecsAreValid(t *testing.T) {
	seen := map[string]string{}
	for name, document := range documents {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				if other, ok := seen[op.OperationID]; ok || op.OperationID == "" {
					t.Errorf("%s %s: operationId %q is also in %s", method, path, op.OperationID, other)
				}
				seen[op.OperationID] = name
			}
		}
	}
}

// TestEveryOperationIsGuarded asks every operation of every spec without a credential, with a body that no guard lets
// through, and with one parameter too many.
func TestEveryOperationIsGuarded(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	open := map[string]bool{}
	for name, document := range documents {
		spec, err := wire.Load(document, wire.Options{})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			t.Fatal(err)
		}
		chains := spec.Middlewares(func(next echo.HandlerFunc) echo.HandlerFunc { return next })
		for _, op := range spec.Operations {
			links := 2
			if hasBody(doc, op.ID) {
				links = 3
			}
			if len(chains[op.ID]) != links {
				t.Errorf("%s: %s has %d middlewares", name, op.ID, len(chains[op.ID]))
			}
			path := strings.NewReplacer(":id", "1", ":list", "1", ":name", "muninx.yaml", ":dialect", "muninx", ":file", "reference.js").Replace(op.Path)
			a := s.Do(op.Method, path, "", "")
			if op.Open != (a.Status != http.StatusUnauthorized) {
				t.Errorf("%s: open is %t, but without a credential the answer is %d", op.ID, op.Open, a.Status)
			}
			if op.Open {
				open[op.ID] = true
			}
			if op.Judges != (op.ID == "verifyRequest") {
				t.Errorf("%s: judges is %t", op.ID, op.Judges)
			}
			if hasBody(doc, op.ID) {
				if a := s.Do(op.Method, path, s.Vars["admin"], "{", "Content-Type", "text/plain"); a.Status != 415 {
					t.Errorf("%s: no guard: %d", op.ID, a.Status)
				}
				if a := s.Do(op.Method, path, s.Vars["admin"], "{}"); a.Status != 400 && op.ID != "createPat" && op.ID != "updateUser" && op.ID != "updateServiceToken" && op.ID != "introspectToken" {
					t.Errorf("%s: no validator: %d", op.ID, a.Status)
				}
			}
		}
	}
	for _, id := range []string{"getHealth", "getReadiness", "getSpec", "getReference", "getReferenceFile", "getKeys", "getStatusList"} {
		if !open[id] {
			t.Errorf("%s is not open", id)
		}
		delete(open, id)
	}
	if len(open) > 0 {
		t.Errorf("also open: %v", open)
	}
}

// TestExamplesCanBeTried sends the bodies that the reference's forms are filled with, as they stand.
func TestExamplesCanBeTried(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	tried := 0
	for _, document := range documents {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			t.Fatal(err)
		}
		for path, item := range doc.Paths.Map() {
			// No spec can know the id of an account or a user.
			op := item.Post
			if op == nil || op.RequestBody == nil || strings.Contains(path, "{") || op.OperationID == "createEnvironment" || op.OperationID == "createUser" {
				continue
			}
			if media := op.RequestBody.Value.Content.Get("application/json"); media != nil {
				body, err := json.Marshal(media.Example)
				if err != nil {
					t.Fatal(err)
				}
				if a := s.Do("POST", path, s.Vars["admin"], string(body)); a.Status >= http.StatusMultipleChoices {
					t.Errorf("%s with %s: %d %s", op.OperationID, body, a.Status, a.Body)
				}
				tried++
			}
		}
	}
	if tried < 5 {
		t.Errorf("%d were tried", tried)
	}
}

func hasBody(doc *openapi3.T, id string) bool {
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID == id {
				return op.RequestBody != nil
			}
		}
	}
	return false
}
