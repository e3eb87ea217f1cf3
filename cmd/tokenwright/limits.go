package main

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/internal/limit"
	"github.com/tokenwright/tokenwright/internal/server"
)

// limitFlags say how often and how long clients may do things, and from where they come.
type limitFlags struct {
	TrustedProxy   bool     `help:"@serve_trusted_proxy"`
	TrustedProxies networks `placeholder:"CIDR,…" help:"@serve_trusted_proxies"`
	ProxyHeader    string   `enum:"auto,X-Forwarded-For,Forwarded" default:"auto" help:"@serve_proxy_header"`

	LimitRequests       limit.Rate `default:"0" placeholder:"RATE" help:"@limit_requests"`
	LimitCreates        limit.Rate `default:"100/s" placeholder:"RATE" help:"@limit_creates"`
	LimitFailures       limit.Rate `default:"20/s:200" placeholder:"RATE" help:"@limit_failures"`
	LimitPrefixFailures limit.Rate `default:"0" placeholder:"RATE" help:"@limit_prefix_failures"`
	LimitChecks         limit.Rate `default:"0" placeholder:"RATE" help:"@limit_checks"`
	LimitCheckFailures  limit.Rate `default:"0" placeholder:"RATE" help:"@limit_check_failures"`
	LimitAdmins         bool       `help:"@limit_admins"`

	MaxConnections           int  `placeholder:"N" help:"@serve_max_connections"`
	MaxConnectionsPerAddress int  `placeholder:"N" help:"@serve_max_connections_per_address"`
	HeaderTimeout            span `default:"5s" help:"How long the head of a request may take."`
	IdleTimeout              span `default:"2m" help:"How long a connection may wait for the next request."`
}

// anyHeader is the first of the two headers that is there.
const anyHeader = "auto"

// networks are ranges of addresses.
type networks []netip.Prefix

// UnmarshalText reads a list of CIDRs and addresses.
func (n *networks) UnmarshalText(text []byte) error {
	*n = nil
	if len(text) == 0 {
		return nil
	}
	for entry := range strings.SplitSeq(string(text), ",") {
		entry = strings.TrimSpace(entry)
		network, err := netip.ParsePrefix(entry)
		if address, err2 := netip.ParseAddr(entry); err2 == nil && address.Zone() == "" {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || network != network.Masked() {
			return errNetworks
		}
		*n = append(*n, unmapped(network))
	}
	return nil
}

var errNetworks = errors.New("must be a list of networks or addresses like 10.0.0.0/8,2001:db8::1, " +
	"with zeros after the prefix")

// unmapped is the network of IPv4 for one that is written in IPv6.
func unmapped(n netip.Prefix) netip.Prefix {
	const mapped = 96 // bits before the address
	if n.Addr().Is4In6() && n.Bits() >= mapped {
		return netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-mapped)
	}
	return n
}

// behindProxy reports whether a proxy is said to be in front.
func (f limitFlags) behindProxy() bool { return f.TrustedProxy || len(f.TrustedProxies) > 0 }

func (f limitFlags) check() error {
	switch {
	case f.TrustedProxy && len(f.TrustedProxies) > 0:
		return wrong("trusted-proxies", "cannot be used with --trusted-proxy, which trusts whoever connects: leave that out")
	case f.ProxyHeader != anyHeader && !f.behindProxy():
		return wrong("proxy-header", "needs --trusted-proxies: from others, no header is read")
	case f.MaxConnections < 0:
		return wrong("max-connections", "must not be negative")
	case f.MaxConnectionsPerAddress < 0:
		return wrong("max-connections-per-address", "must not be negative")
	case f.HeaderTimeout <= 0:
		return wrong("header-timeout", "must be greater than zero")
	case f.IdleTimeout <= 0:
		return wrong("idle-timeout", "must be greater than zero")
	}
	return nil
}

// limit tells the server.
func (f limitFlags) limit(c *server.Config) (err error) {
	c.TrustedProxy, c.Proxies = f.TrustedProxy, f.TrustedProxies
	switch {
	case f.ProxyHeader != anyHeader:
		c.ProxyHeader = f.ProxyHeader
	case f.TrustedProxy:
		c.ProxyHeader = "X-Forwarded-For" // which it has always been
	}
	c.Limits = server.Limits{
		Requests: f.LimitRequests, Creates: f.LimitCreates,
		Failures: f.LimitFailures, PrefixFailures: f.LimitPrefixFailures,
		Checks: f.LimitChecks, CheckFailures: f.LimitCheckFailures, Admins: f.LimitAdmins,
	}
	c.HeaderTimeout, c.IdleTimeout = time.Duration(f.HeaderTimeout), time.Duration(f.IdleTimeout)
	asked := server.Connections{Max: f.MaxConnections, PerAddress: f.MaxConnectionsPerAddress}
	if c.Connections, err = asked.Fit(c.Database.MaxConns); err != nil {
		return wrong("max-connections", "%v", err)
	}
	return nil
}
