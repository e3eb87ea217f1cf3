package wire

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// wellFormed is what a sender's own request id may look like; anything else could forge lines of a log.
var wellFormed = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// methods are those that HTTP knows (RFC 9110 section 9.3, RFC 5789).
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// methodOf is the method as the log has it: any other may hold anything.
func methodOf(r *http.Request) string {
	if slices.Contains(methods, r.Method) {
		return r.Method
	}
	return "other"
}

// sentRequestID is the sender's own name for the request, "" if it has no good one.
func sentRequestID(h http.Header, veil *Veil) string {
	sent := h[echo.HeaderXRequestID]
	if len(sent) != 1 || !wellFormed.MatchString(sent[0]) || veil.suspects(sent[0]) {
		return ""
	}
	return sent[0]
}

// Gate is where gateways ask, with any method and any path below it.
type Gate struct {
	Path      string
	Questions []string // names of its query parameters
}

// asOne is the URL of the gate that stands for this one. A query counts at the gate's own path. One below it is the
// query of somebody's own request, and says nothing; but where nothing except slashes and dots follows, something that
// is or looks like a question was meant as one.
func (g Gate) asOne(sent *url.URL) *url.URL {
	if sent.Path == g.Path && sent.RawPath == "" {
		return sent
	}
	one := *sent
	rest := strings.TrimPrefix(one.Path, g.Path)
	if strings.Trim(rest, "/.") != "" || rest != "" && !g.asks(one.RawQuery) {
		one.RawQuery = ""
	}
	one.Path, one.RawPath = g.Path, ""
	return &one
}

// asks reports whether a query has a parameter that is a question, or probably was to be one.
func (g Gate) asks(query string) bool {
	parameters, err := url.ParseQuery(query)
	for name := range parameters {
		if near(name, g.Questions) != "" {
			return true
		}
	}
	return err != nil
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
