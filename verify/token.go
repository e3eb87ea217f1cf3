package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Token describes a valid token. A time that does not apply is zero, a string that does not apply is empty.
type Token struct {
	ID          string    // its id in its dialect; the `jti` of a JWT has a number after it once its secret was rotated
	Subject     string    // `sub`: the user's subject, else the environment's id, else the account's
	Username    string    // of its user; unknown offline
	Scope       string    // `user`, `account` or `environment`
	Account     string    // id of its account, or of its user's home account
	Environment string    // id of the environment that it is bound to
	Dialect     string    // `muninx`, `apitoken` or `unleash`
	Issuer      string    // `iss`
	IssuedAt    time.Time // `iat`
	ExpiresAt   time.Time // `exp`; zero if it does not expire
}

// The errors of [Verifier.Check], for [errors.Is].
var (
	// ErrInvalid: there is no token, or it does not work. RFC 6750 section 3.1: 401, `invalid_token`.
	ErrInvalid = errors.New("the token is not valid")
	// ErrForbidden: the token works, but a [Requirement] is not met. RFC 6750 section 3.1: 403, `insufficient_scope`.
	ErrForbidden = errors.New("the token does not have the required access")
	// ErrUnavailable: there is no verdict, because Tokenwright could not be reached. 503, never 401.
	ErrUnavailable = errors.New("the token cannot be checked at the moment")
	// ErrMisconfigured accompanies ErrUnavailable if a retry does not help: Tokenwright rejected this service's own
	// credential, or is not at the URL.
	ErrMisconfigured = errors.New("token verification is misconfigured")
)

func invalid(cause error) error { return fmt.Errorf("%w: %w", ErrInvalid, cause) }

func unavailable(cause error) error { return fmt.Errorf("%w: %w", ErrUnavailable, cause) }

func misconfigured(cause error) error {
	return fmt.Errorf("%w: %w: %w", ErrUnavailable, ErrMisconfigured, cause)
}

// Requirement is a condition on valid tokens, see [Verifier.Require].
type Requirement struct {
	what    string
	allowed []string
	of      func(Token) string
}

// Scope requires one of these scopes.
func Scope(scopes ...string) Requirement {
	return Requirement{"scope", scopes, func(t Token) string { return t.Scope }}
}

// Account requires one of these accounts.
func Account(ids ...string) Requirement {
	return Requirement{"account", ids, func(t Token) string { return t.Account }}
}

// Environment requires one of these environments; a token that is bound to none does not meet it.
func Environment(ids ...string) Requirement {
	return Requirement{"environment", ids, func(t Token) string { return t.Environment }}
}

// Require returns a Verifier with additional requirements that shares the caches of v.
func (v *Verifier) Require(r ...Requirement) *Verifier {
	narrower := *v
	narrower.required = append(slices.Clone(v.required), r...)
	return &narrower
}

// met never matches an empty value, so that an empty setting grants no access.
func (r Requirement) met(t Token) error {
	if got := r.of(t); got != "" && slices.Contains(r.allowed, got) {
		return nil
	}
	return forbidden{r}
}

// forbidden is an ErrForbidden with the requirement that was not met.
type forbidden struct{ required Requirement }

func (f forbidden) Error() string {
	return ErrForbidden.Error() + ": it has a different " + f.required.what
}

func (f forbidden) Unwrap() error { return ErrForbidden }

// scope is the attribute of the challenge (RFC 6750 section 3), if it can be written there.
func (f forbidden) scope() string {
	scope := strings.Join(f.required.allowed, " ")
	if f.required.what != "scope" || !quotable(scope) {
		return ""
	}
	return scope
}

// quotable reports whether the text consists of what RFC 6750 section 3 allows in `scope`.
func quotable(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' || r > '~' || r == '"' || r == '\\'
	})
}
