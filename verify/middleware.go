package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

type contextKey struct{}

// FromContext returns the token of a request that passed the middleware.
func FromContext(ctx context.Context) (Token, bool) {
	t, ok := ctx.Value(contextKey{}).(Token)
	return t, ok
}

// Middleware lets only requests with a valid token through, and answers the others as [Verifier.Refuse] does. The next
// handler finds the token by [FromContext].
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		checked, err := v.Authenticate(r)
		if err != nil {
			v.Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, checked)
	})
}

// Authenticate checks the Bearer of a request (RFC 6750 section 2.1) and returns the request with the token on its
// context. It is for adapters to other frameworks; its errors are those of [Verifier.Check].
func (v *Verifier) Authenticate(r *http.Request) (*http.Request, error) {
	secret, err := bearer(r.Header)
	if err != nil {
		return nil, err
	}
	t, err := v.Check(r.Context(), secret)
	if err != nil {
		return nil, err
	}
	return r.WithContext(context.WithValue(r.Context(), contextKey{}, t)), nil
}

// errNoToken is an ErrInvalid whose challenge has no error code, since there was no token (RFC 6750 section 3.1).
var errNoToken = fmt.Errorf("%w: there is no token", ErrInvalid)

// bearer extracts the token from the header. Two headers are rejected: a proxy may have checked the other one.
func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", errNoToken
	}
	scheme, secret, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	if len(values) > 1 {
		return "", invalid(errors.New("there are several Authorization headers"))
	}
	return strings.TrimLeft(secret, " "), nil
}

// problem is RFC 9457; the type `about:blank` leaves the meaning to the status.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Refuse answers an error of [Verifier.Authenticate] or [Verifier.Check]: 401 and 403 with a challenge (RFC 6750
// section 3), 503 with Retry-After, and a body of RFC 9457. The response does not give the specific reason.
func (v *Verifier) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, detail := http.StatusServiceUnavailable, ErrUnavailable
	switch {
	case errors.Is(err, ErrInvalid):
		status, detail = http.StatusUnauthorized, ErrInvalid
		w.Header().Set("WWW-Authenticate", challenge(err))
	case errors.Is(err, ErrForbidden):
		status, detail = http.StatusForbidden, ErrForbidden
		w.Header().Set("WWW-Authenticate", challenge(err))
	default: // an unknown error is not a verdict either
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		if v.report != nil {
			v.report(r.Context(), err)
		}
	}
	write(w, r, problem{"about:blank", http.StatusText(status), status, detail.Error()})
}

func challenge(err error) string {
	const scheme = `Bearer realm="tokenwright"`
	var f forbidden
	switch {
	case errors.Is(err, errNoToken):
		return scheme
	case errors.As(err, &f) && f.scope() != "":
		return scheme + `, error="insufficient_scope", scope="` + f.scope() + `"`
	case errors.Is(err, ErrForbidden):
		return scheme + `, error="insufficient_scope"`
	default:
		return scheme + `, error="invalid_token"`
	}
}

// write sends the same header for HEAD as for GET, and no body (RFC 9110 section 9.3.2).
func write(w http.ResponseWriter, r *http.Request, p problem) {
	body, err := json.Marshal(p)
	if err != nil {
		body = nil // cannot happen: strings and a number always encode
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // nothing to do if the client is gone
	}
}
