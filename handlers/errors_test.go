package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/apitoken"
	"github.com/tokenwright/tokenwright/handlers/muninx"
	"github.com/tokenwright/tokenwright/handlers/service"
	"github.com/tokenwright/tokenwright/handlers/unleash"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/speccheck"
)

// TestShapesOfAPITokenErrors: they are one schema and two shapes, which stay what they are to the byte.
func TestShapesOfAPITokenErrors(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for body, want := range map[string]string{
		`{`: `{"code":"bad_request","message":"the body must be complete JSON; it ends too early","status":"error"}`,
		`{"token_scope":"account","expires_at":"2020-01-01T00:00:00Z"}`: `{"code":"validation_errors","errors":{"expires_at":["must be in the future"]},` +
			`"message":"the request does not fit","status":"error"}`,
		`{"token_scope":"account","":1}`: `{"code":"validation_errors","errors":{"":["is not known; the members are account_id, environment_id, ` +
			`expires_at and token_scope"]},"message":"the request does not fit","status":"error"}`,
	} {
		a := s.Do("POST", "/api/v1/api_token", s.Vars["admin"], body)
		if got := strings.TrimSuffix(string(a.Body), "\n"); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
}

// TestEveryKindHasAnAnswer writes an error of every kind in every dialect, at a path that no operation has, so that the
// answer is judged by the dialect's error schema alone.
func TestEveryKindHasAnAnswer(t *testing.T) {
	writers := map[string]wire.ErrorWriter{
		"/tokens/x/y": muninx.WriteError, "/api/v1/api_token/x/y/z": apitoken.WriteError,
		"/api/admin/user/tokens/x/y": unleash.WriteError, "/nothing": service.WriteError,
	}
	for path, write := range writers {
		for _, kind := range wire.Kinds {
			c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder())
			c.Set(echo.ContextKeyHeaderAllow, "GET")
			c.Response().Header().Set("X-Request-Id", "r1")
			recorder := httptest.NewRecorder()
			c.SetResponse(echo.NewResponse(recorder, c.Echo()))
			c.Response().Header().Set("X-Request-Id", "r1")
			wire.Fail(c, token.Errorf(kind, "what is wrong"), nil, write)
			answer := recorder.Result()
			if err := speccheck.Check(http.MethodGet, &url.URL{Path: path}, answer, recorder.Body.Bytes()); err != nil {
				t.Errorf("%s: %s: %v", path, kind, err)
			}
			if answer.StatusCode < 400 {
				t.Errorf("%s: %s is answered with %d", path, kind, answer.StatusCode)
			}
		}
	}
	if got := wire.Explain(context.Background(), context.DeadlineExceeded).Status; got != 503 {
		t.Errorf("a time-out is %d", got)
	}
}
