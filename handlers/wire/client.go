package wire

import (
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// Proxies says whose word on where a request comes from is taken.
type Proxies struct {
	Networks []netip.Prefix // of the proxies
	Anyone   bool           // whoever connects is a proxy, and adds the last address
	Header   string         // X-Forwarded-For or Forwarded; "": the first if it is there, else the second
}

// headerForwarded is the header of RFC 7239.
const headerForwarded = "Forwarded"

// Client is the address of the client: that of the peer, unless it is a proxy. Then it is the last address in the
// header that is not a proxy's, since each proxy adds the one that it saw. What is to the left of that, anybody may
// have written.
func (p Proxies) Client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	if !p.Anyone && len(p.Networks) == 0 {
		return host
	}
	client, ok := addressOf(host)
	if !ok || !p.Trusts(client) {
		return host
	}
	for hop := range p.hops(r.Header) {
		address, ok := addressOf(hop)
		if !ok {
			break // a proxy did not say whom it saw
		}
		if client = address; !p.trusts(client) {
			break
		}
	}
	return client.String()
}

// Trusts reports whether the peer is a proxy.
func (p Proxies) Trusts(peer netip.Addr) bool { return p.Anyone || p.trusts(peer.Unmap().WithZone("")) }

func (p Proxies) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return n.Contains(address) })
}

// hops are what the proxies have added, the last first.
func (p Proxies) hops(h http.Header) iter.Seq[string] {
	lines, read := h[echo.HeaderXForwardedFor], func(element string) string { return element }
	if p.Header == headerForwarded || p.Header == "" && len(lines) == 0 {
		lines, read = h[headerForwarded], forwardedFor
	}
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				var element string
				line, element, more = cutLast(line, ',')
				if !yield(read(element)) {
					return
				}
			}
		}
	}
}

// forwardedFor is the value of the parameter "for" of an element (RFC 7239 section 4), "" if it has none.
func forwardedFor(element string) string {
	for more := true; more; {
		var pair string
		element, pair, more = cutLast(element, ';')
		if name, value, _ := strings.Cut(pair, "="); strings.EqualFold(strings.TrimSpace(name), "for") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// cutLast cuts the text at the last separator that is not between quotes. It looks from the end, so that nothing that a
// client has sent, such as a single quote, changes how the rest that a proxy has added is read.
func cutLast(text string, separator byte) (before, last string, found bool) {
	quoted := false
	for i := len(text) - 1; i >= 0; i-- {
		switch {
		case text[i] == '"' && !backslashed(text[:i]):
			quoted = !quoted
		case text[i] == separator && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return "", text, false
}

// backslashed reports whether what comes after the text is escaped by it.
func backslashed(text string) bool { return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1 }

// addressOf reads an address with or without a port and the brackets of IPv6. It drops the zone, which may contain
// anything.
func addressOf(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	address, err := netip.ParseAddr(text)
	if err != nil {
		address, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	}
	if err != nil {
		var both netip.AddrPort
		both, err = netip.ParseAddrPort(text)
		address = both.Addr()
	}
	return address.Unmap().WithZone(""), err == nil
}
