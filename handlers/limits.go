package handlers

import (
	"hash/maphash"
	"math/rand/v2"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/limit"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Limits say how often callers and clients may do things; the zero value is no limit.
type Limits struct {
	Requests       limit.Rate // of a caller, except checks
	Creates        limit.Rate // of a caller, of which each is a request, too
	Failures       limit.Rate // of authentication, an address
	PrefixFailures limit.Rate // of authentication with credentials that begin alike
	Checks         limit.Rate // of a caller: /verify and introspection
	CheckFailures  limit.Rate // of authentication there, an address
	Admins         bool       // admins have limits, too
}

// limits are the buckets. A caller is its user or its account, whatever the token: the owner of one could make more.
type limits struct {
	requests, creates, checks *limit.Buckets[token.Share]
	failures, checkFailures   *limit.Buckets[string]
	prefixFailures            *limit.Buckets[uint64] // by hash, which tells nothing outside this process
	seed                      maphash.Seed
	admins                    bool

	refusals *limit.Buckets[struct{}] // of all
}

// refusals are as many as are sent at once. Beyond, each is delayed by roughly [slowDown]: a flood that retries at once
// would otherwise keep the processors so busy with refusals that all others have to wait.
var refusals = limit.Rate{Count: 500, Per: time.Second, Burst: 1000}

const slowDown = time.Second

// refuse is the error for a request that exceeds a limit, nil if err is none.
func (l *limits) refuse(c echo.Context, err error) error {
	if err != nil && l.refusals.Take(struct{}{}) != nil {
		select {
		case <-time.After(slowDown/2 + rand.N(slowDown)): //nolint:gosec // a pause is no secret; not all at the same time
		case <-c.Request().Context().Done():
		}
	}
	return wire.TooMany(err)
}

func newLimits(l Limits) *limits {
	now := token.Stopwatch()
	return &limits{
		requests:       limit.New[token.Share]("requests", "requests", l.Requests, now),
		creates:        limit.New[token.Share]("creates", "creates", l.Creates, now),
		checks:         limit.New[token.Share]("checks", "checks", l.Checks, now),
		failures:       limit.New[string]("failures", "failed authentications from this address", l.Failures, now),
		checkFailures:  limit.New[string]("check-failures", "failed checks from this address", l.CheckFailures, now),
		prefixFailures: limit.New[uint64]("prefix-failures", "failures of such credentials", l.PrefixFailures, now),
		seed:           maphash.MakeSeed(),
		refusals:       limit.New[struct{}]("refusals", "refusals", refusals, now),
		admins:         l.Admins,
	}
}

// admit applies the limits of callers.
func (rt *router) admit(c echo.Context, caller token.Caller) error {
	l := rt.limits
	if !l.admins && caller.Admin() {
		return nil
	}
	kind := limitsOf(c)
	owner := caller.Share()
	owner.Token = 0
	if kind == wire.LimitsOfChecks {
		return l.refuse(c, l.checks.Take(owner))
	}
	err := l.requests.Take(owner)
	if err == nil && kind == wire.LimitsOfCreates {
		err = l.creates.Take(owner)
	}
	return l.refuse(c, err)
}

func limitsOf(c echo.Context) wire.Limits {
	if op := operationOf(c); op != nil {
		return op.Limits
	}
	return ""
}

// limitFailures applies the limits of authentications that failed. It comes afterwards, so that no credential that
// works is refused for what others do from the same address.
func (rt *router) limitFailures(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil || c.Response().Committed || !failedToAuthenticate(c, err) {
			return err
		}
		if exceeded := rt.failed(c); exceeded != nil {
			return rt.limits.refuse(c, exceeded)
		}
		return err
	}
}

// failedToAuthenticate does not count requests without a credential: they ask how to authenticate.
func failedToAuthenticate(c echo.Context, err error) bool {
	switch kindOf(err) {
	case token.CredentialInvalid:
		return true
	case token.CredentialMissing:
		return c.Request().Header.Get(echo.HeaderAuthorization) != ""
	}
	return false
}

func kindOf(err error) token.Kind {
	if direct, ok := err.(*token.Error); ok { //nolint:errorlint // as most are; to look further takes memory
		return direct.Kind
	}
	return token.KindOf(err)
}

// failed counts a failure, and is an error if there were too many.
func (rt *router) failed(c echo.Context) error {
	l, client := rt.limits, wire.Network(rt.proxies.Client(c.Request()))
	if limitsOf(c) == wire.LimitsOfChecks {
		return l.checkFailures.Take(client)
	}
	if err := l.failures.Take(client); err != nil || l.prefixFailures == nil {
		return err
	}
	credential, _ := authn.Credential(c.Request().Header, rt.scheme(c, operationOf(c)))
	dialect := rt.dialects.OfSecret(credential)
	if dialect == nil {
		return nil
	}
	return l.prefixFailures.Take(maphash.String(l.seed, dialect.Secrets.Head(credential)))
}
