package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	yaml "go.yaml.in/yaml/v3"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/openapi"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/speccheck"
)

// TestSpecs compares both forms of every spec with what is published.
func TestSpecs(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for name, want := range map[string][]byte{
		"muninx": openapi.Muninx, "apitoken": openapi.APIToken, "unleash": openapi.Unleash, "service": openapi.Service,
	} {
		inYAML := s.Do("GET", "/openapi/"+name+".yaml", "", "")
		if inYAML.Status != 200 || inYAML.Header.Get("Content-Type") != "application/yaml" || string(inYAML.Body) != string(want) {
			t.Errorf("%s.yaml: %d %v", name, inYAML.Status, inYAML.Header)
		}
		inJSON := s.Do("GET", "/openapi/"+name+".json", "", "")
		if inJSON.Status != 200 || inJSON.Header.Get("Content-Type") != "application/json" || !sameDocument(t, inJSON.Body, want) {
			t.Errorf("%s.json is another document: %d %v", name, inJSON.Status, inJSON.Header)
		}
		doc, err := openapi3.NewLoader().LoadFromData(inJSON.Body)
		if err != nil || doc.Validate(context.Background()) != nil {
			t.Errorf("%s.json cannot be used: %v", name, err)
		}
		for _, answer := range []harness.Answer{inYAML, inJSON} {
			if h := answer.Header; !strings.HasPrefix(h.Get("Cache-Control"), "public") || h.Get("Etag") == "" {
				t.Errorf("%s cannot be cached: %v", name, h)
			}
		}
		for tag, want := range map[string]int{inYAML.Header.Get("Etag"): 304, inJSON.Header.Get("Etag"): 200, "*": 304} {
			again := s.Do("GET", "/openapi/"+name+".yaml", "", "", "If-None-Match", tag)
			if again.Status != want || again.Header.Get("Etag") != inYAML.Header.Get("Etag") || want == 304 && len(again.Body) > 0 {
				t.Errorf("%s.yaml, where the caller has %s: %d %v", name, tag, again.Status, again.Header)
			}
		}
		if inYAML.Header.Get("Etag") == inJSON.Header.Get("Etag") {
			t.Errorf("both forms of %s have one ETag", name)
		}
	}
}

// sameDocument reads numbers as they are written, so that an integer which became a fraction is noticed.
func sameDocument(t *testing.T, got, want []byte) bool {
	t.Helper()
	var inYAML any
	if err := yaml.Unmarshal(want, &inYAML); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(inYAML)
	if err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(numbersKept(t, got), numbersKept(t, text))
}

func numbersKept(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestNotReady tells no reason.
func TestNotReady(t *testing.T) {
	handler, err := handlers.New(handlers.Config{
		Tokens: &token.Service{}, Ready: func(context.Context) error { return errors.New("disk on fire") },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if err := speccheck.Check("GET", &url.URL{Path: path}, answer.Result(), answer.Body.Bytes()); err != nil {
			t.Error(err)
		}
		return answer
	}
	if got := get("/readyz"); got.Code != 503 || got.Header().Get("Retry-After") == "" || strings.Contains(got.Body.String(), "fire") {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	if alive := get("/healthz"); alive.Code != 200 {
		t.Errorf("the process runs, and yet: %d", alive.Code)
	}
}
