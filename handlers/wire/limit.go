package wire

import (
	"errors"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/limit"
	"github.com/tokenwright/tokenwright/internal/token"
)

// The fields of draft-ietf-httpapi-ratelimit-headers, as the keys of [http.Header] spell them.
var (
	headerLimit  = http.CanonicalHeaderKey("RateLimit")
	headerPolicy = http.CanonicalHeaderKey("RateLimit-Policy")
)

// TooMany is the error for a request that exceeds a limit, nil if err is none.
func TooMany(err error) error {
	if err == nil {
		return nil
	}
	return &token.Error{Kind: TooManyRequests, Message: err.Error(), Err: err}
}

// setLimit says which limit was exceeded, and when to come again.
func setLimit(h http.Header, err error) {
	if exceeded := (*limit.Exceeded)(nil); errors.As(err, &exceeded) {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(exceeded.Wait))
		h[headerPolicy] = []string{exceeded.PolicyField()}
		h[headerLimit] = []string{exceeded.StateField()}
	}
}

// limitOf is the name of the limit that was exceeded.
func limitOf(err error) string {
	if exceeded := (*limit.Exceeded)(nil); errors.As(err, &exceeded) {
		return exceeded.Policy
	}
	return ""
}

// Network is the part of an address that distinguishes clients: an IPv6 client has a network of 64 bits to itself (RFC
// 4291 section 2.5.4).
func Network(client string) string {
	address, err := netip.ParseAddr(client)
	if err != nil || !address.Is6() || address.Is4In6() {
		return client
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}
