package wire

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

type contextKey struct{}

// wellFormed is what a sender's own request id may look like; anything else could forge log lines.
var wellFormed = regexp.MustCompile(`^[A-Za-z0-9._:+/=-]{1,128}$`)

// secretLike is what a request id must not look like: it is logged, and a sender may have mixed up two headers.
var secretLike = regexp.MustCompile(`muninx_|user:|eyJ`)

// WithRequestID names every request and its answer.
func WithRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		id := r.Header.Get(echo.HeaderXRequestID)
		if len(r.Header.Values(echo.HeaderXRequestID)) != 1 || !wellFormed.MatchString(id) || secretLike.MatchString(id) {
			id = uuid.NewString()
		}
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), contextKey{}, id)))
		return next(c)
	}
}

// RequestID is the name of the request that the context belongs to.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

type methodKey struct{}

// HeadAsGet hands HEAD on as GET; the server leaves the body out by itself, since it still knows the method.
func HeadAsGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = asGet(r)
		}
		next.ServeHTTP(w, r)
	})
}

// asGet is a copy of the request that remembers the method that was sent.
func asGet(r *http.Request) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), methodKey{}, r.Method))
	r.Method = http.MethodGet
	return r
}

// AsOne hands every method, and every path below path, on as a GET of path. A query counts only at path itself: one below
// it is the query of somebody's own request.
func AsOne(path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path || strings.HasPrefix(r.URL.Path, path+"/") {
			r = asGet(r)
			url := *r.URL
			if url.Path != path {
				url.RawQuery = ""
			}
			url.Path, url.RawPath = path, ""
			r.URL = &url
		}
		next.ServeHTTP(w, r)
	})
}

// method is the one that was sent.
func method(r *http.Request) string {
	if sent, ok := r.Context().Value(methodKey{}).(string); ok {
		return sent
	}
	return r.Method
}

// Matched reports whether the route fits the path segment by segment. The router also takes a last parameter that is
// empty or has slashes in it, and decodes an encoded slash.
func Matched(c echo.Context) bool {
	path := c.Request().URL.RawPath // as it was sent, if that differs from the usual encoding of what it means
	if path == "" {
		path = c.Request().URL.Path
	} else if lower := strings.ToLower(path); strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") {
		return false
	}
	return strings.Count(path, "/") == strings.Count(c.Path(), "/") && !strings.HasSuffix(path, "/") &&
		!strings.Contains(path, "//")
}

// StrictPath refuses paths that only a cleaning would match, and answers OPTIONS like any other method that a path
// does not take. It comes after authentication.
func StrictPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		switch {
		case !Matched(c):
			return echo.ErrNotFound
		case c.Request().Method == http.MethodOptions:
			return echo.ErrMethodNotAllowed
		}
		return next(c)
	}
}

// allowed is the value of the Allow header: what the router found, with HEAD beside GET and without OPTIONS.
func allowed(c echo.Context) string {
	value, _ := c.Get(echo.ContextKeyHeaderAllow).(string)
	var methods []string
	for _, method := range strings.Split(value, ",") {
		if method = strings.TrimSpace(method); method == "" || method == http.MethodOptions {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// DefaultLimit is the size of a page for which no limit was asked.
const DefaultLimit = 50

// Page reads the two parameters of every list.
func Page(limit *int32, cursor *string) (int, string) {
	size, after := DefaultLimit, ""
	if limit != nil {
		size = int(*limit)
	}
	if cursor != nil {
		after = *cursor
	}
	return size, after
}
