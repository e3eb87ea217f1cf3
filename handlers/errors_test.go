package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/apitoken"
	"github.com/tokenwright/tokenwright/handlers/muninx"
	"github.com/tokenwright/tokenwright/handlers/service"
	"github.com/tokenwright/tokenwright/handlers/unleash"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/speccheck"
)

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
			wire.Fail(c, token.Errorf(kind, "what is wrong"), write)
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
