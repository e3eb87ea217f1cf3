package wire

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	proxy  = "10.0.0.1"
	proxy2 = "10.0.0.2"
	honest = "203.0.113.7"
	forged = "198.51.100.1"
)

// forwarding is a request as it arrives, and whose it is.
type forwarding struct {
	peer    string
	headers string // a line each
	want    string
}

var forwardings = map[string]forwarding{
	"no header":                         {proxy, "", proxy},
	"not a proxy":                       {honest, "X-Forwarded-For: " + forged + "\nForwarded: for=" + forged, honest},
	"one address":                       {proxy, "X-Forwarded-For: " + honest, honest},
	"a forged address":                  {proxy, "X-Forwarded-For: " + forged + ", " + honest, honest},
	"a forged line":                     {proxy, "X-Forwarded-For: " + forged + "\nX-Forwarded-For: " + honest, honest},
	"a forged proxy":                    {proxy, "X-Forwarded-For: " + forged + ", " + proxy2 + ", " + honest, honest},
	"a forged word":                     {proxy, "X-Forwarded-For: x\", " + honest, honest},
	"two proxies":                       {proxy, "X-Forwarded-For: " + forged + ", " + honest + ", " + proxy2, honest},
	"two proxies, two lines":            {proxy, "X-Forwarded-For: " + honest + "\nX-Forwarded-For: " + proxy2, honest},
	"only proxies":                      {proxy, "X-Forwarded-For: 10.0.0.3, " + proxy2, "10.0.0.3"},
	"with a port":                       {proxy, "X-Forwarded-For: " + honest + ":4711", honest},
	"IPv6":                              {proxy, "X-Forwarded-For: 2001:db8::1", "2001:db8::1"},
	"IPv6 with a port":                  {proxy, "X-Forwarded-For: [2001:db8::1]:4711", "2001:db8::1"},
	"IPv6 in brackets":                  {proxy, "X-Forwarded-For: [2001:db8::1]", "2001:db8::1"},
	"IPv4 in IPv6":                      {proxy, "X-Forwarded-For: ::ffff:" + honest, honest},
	"IPv6 with a zone":                  {proxy, "X-Forwarded-For: fe80::1%x", "fe80::1"},
	"unknown":                           {proxy, "X-Forwarded-For: " + forged + ", unknown", proxy},
	"empty":                             {proxy, "X-Forwarded-For: ", proxy},
	"a proxy on IPv6":                   {"fd00::1", "X-Forwarded-For: " + honest, honest},
	"a proxy on IPv4 in IPv6":           {"::ffff:" + proxy, "X-Forwarded-For: " + honest, honest},
	"Forwarded":                         {proxy, "Forwarded: for=" + honest + ";proto=https;by=" + proxy, honest},
	"Forwarded, forged":                 {proxy, "Forwarded: for=" + forged + ", for=" + honest, honest},
	"Forwarded, two proxies":            {proxy, "Forwarded: for=" + forged + ", proto=https; For=\"" + honest + "\", for=" + proxy2, honest},
	"Forwarded, IPv6":                   {proxy, `Forwarded: for="[2001:db8::1]:4711"`, "2001:db8::1"},
	"Forwarded, a forged quote":         {proxy, `Forwarded: for=", for=` + honest, honest},
	"Forwarded, a forged escaped quote": {proxy, `Forwarded: for="\", for=` + honest, honest},
	"Forwarded, a host with a comma":    {proxy, `Forwarded: for=` + honest + `;host="a, for=` + forged + `;b"`, honest},
	"Forwarded, hidden":                 {proxy, "Forwarded: for=" + forged + ", for=_hidden", proxy},
	"Forwarded, without for":            {proxy, "Forwarded: for=" + forged + ", proto=https", proxy},
	"both headers":                      {proxy, "Forwarded: for=" + forged + "\nX-Forwarded-For: " + honest, honest},
}

func (f forwarding) request() *http.Request {
	r := &http.Request{Header: http.Header{}, RemoteAddr: f.peer + ":1234"}
	if strings.Contains(f.peer, ":") {
		r.RemoteAddr = "[" + f.peer + "]:1234"
	}
	for line := range strings.Lines(f.headers) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestClientBehindProxies(t *testing.T) {
	p := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for name, f := range forwardings {
		if got := p.Client(f.request()); got != f.want {
			t.Errorf("%s: the client is %q, want %q", name, got, f.want)
		}
	}
}

// TestNoProxies: without a proxy that is trusted, no header changes anything.
func TestNoProxies(t *testing.T) {
	for name, f := range forwardings {
		if got := (Proxies{}).Client(f.request()); got != f.peer {
			t.Errorf("%s: the client is %q, want %q", name, got, f.peer)
		}
	}
}

// TestHeaderOfTheProxies: where a proxy sets one header and hands on the other, only the one it sets counts.
func TestHeaderOfTheProxies(t *testing.T) {
	both := forwarding{peer: proxy, headers: "Forwarded: for=203.0.113.7\nX-Forwarded-For: 203.0.113.8"}
	for header, want := range map[string]string{"": "203.0.113.8", "X-Forwarded-For": "203.0.113.8", "Forwarded": "203.0.113.7"} {
		p := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix(proxy + "/32")}, Header: header}
		if got := p.Client(both.request()); got != want {
			t.Errorf("%q: the client is %q, want %q", header, got, want)
		}
	}
	only := forwarding{peer: proxy, headers: "Forwarded: for=" + forged}
	p := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix(proxy + "/32")}, Header: "X-Forwarded-For"}
	if got := p.Client(only.request()); got != proxy {
		t.Errorf("the other header alone makes the client %q", got)
	}
}

// TestAnyoneIsAProxy: then the last address counts, and one more for each proxy that is named.
func TestAnyoneIsAProxy(t *testing.T) {
	f := forwarding{peer: "192.0.2.1", headers: "X-Forwarded-For: " + forged + ", " + honest}
	if got := (Proxies{Anyone: true}).Client(f.request()); got != honest {
		t.Errorf("the client is %q, want %q", got, honest)
	}
}

// TestWhateverIsForged changes nothing to the right of it.
func TestWhateverIsForged(t *testing.T) {
	p := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune(`",;=\ for1.0[]:`)))).Draw(t, "sent")
		for name, added := range map[string]string{"X-Forwarded-For": honest, "Forwarded": `for="` + honest + `:80";host="a,b;c"`} {
			for _, lines := range [][]string{{sent + ", " + added}, {sent, added}, {sent + "," + added + ", for=" + proxy2}} {
				if name == "X-Forwarded-For" {
					lines[0] = strings.Replace(lines[0], ", for="+proxy2, ", "+proxy2, 1)
				}
				r := &http.Request{RemoteAddr: proxy + ":1", Header: http.Header{name: lines}}
				if got := p.Client(r); got != honest {
					t.Fatalf("%s %q: the client is %s", name, lines, got)
				}
			}
		}
	})
}
