package handlers_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/harness"
)

// cut ends a request that the client does not finish: it sends no more.
const cut = "CUT"

// malformed are requests as bytes. CREDENTIAL is one that works.
func malformed() []string {
	var all []string
	for _, target := range []string{
		"", "x", "tokens", "*", "//", "///tokens", "/%", "/%zz", "/%00", "/tokens/%00", "/tokens%2f", "/%2e%2e/%2e%2e/etc/passwd", "/../tokens",
		"/./tokens", "/tokens/..", "/tokens;x=1", "/tokens#x", "/tokens?%zz", "/tokens?limit=%zz", "/tokens?limit=1&limit=2", "/tokens?&&=&",
		"/tokens?limit", "/tokens?cursor=%00", "/tokens?cursor=%ff", "/tokens?limit=1;2", "/tokens\\", "/tok\x01ens", "/tok\xffens", "/tokens/\u202e",
		"/tokens/" + strings.Repeat("a", 5000), "/" + strings.Repeat("../", 500), "/tokens?" + strings.Repeat("a=b&", 1000), "http://x/tokens",
		"http://[::1/tokens", "http://x:99999/tokens", "ftp://x/tokens", "x:80", "/%73ervice/me", "/service/me/", "/service//me", "/statuslists/-1",
		"/statuslists/99999999999999999999", "/statuslists/%31", "/openapi/..%2f..%2fgo.mod", "/docs/%2e%2e%2freference.js", "/verify/%ff?scope=x",
		"/api/admin/user/tokens/-1", "/api/admin/user/tokens/99999999999999999999", "/api/v1/api_token/%F0%9F%94%92", "/service/tokens/none/1",
		"/service/users/1e3", "/tokens/%E2%80%AE", "/service/users/%31", "/.well-known/../tokens",
	} {
		all = append(all, "GET "+target+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer CREDENTIAL\r\n\r\n")
	}
	for _, line := range []string{
		"", " ", "GET", "GET /", "GET  /tokens HTTP/1.1", "GET /tokens HTTP/1.1 x", "GET /tokens HTTP/1.0", "GET /tokens HTTP/0.9", "GET /tokens http/1.1",
		"GET /tokens HTTP/1", "GET /tokens HTTP/2.0", "GET /tokens HTTP/9.9", "get /tokens HTTP/1.1", "G\x00T /tokens HTTP/1.1", "GET\t/tokens\tHTTP/1.1",
		"FOO /tokens HTTP/1.1", "CONNECT x:1 HTTP/1.1", "CONNECT /tokens HTTP/1.1", "OPTIONS * HTTP/1.1", "TRACE /tokens HTTP/1.1", "PRI * HTTP/2.0",
		strings.Repeat("A", 3000) + " / HTTP/1.1", "\x16\x03\x01\x02\x00\x01\x00", "é /tokens HTTP/1.1", "{\"name\":\"x\"}",
	} {
		all = append(all, line+"\r\nHost: x\r\nAuthorization: Bearer CREDENTIAL\r\n\r\n")
	}
	const create = "POST /tokens HTTP/1.1\r\nAuthorization: Bearer CREDENTIAL\r\n"
	const plain = create + "Host: x\r\nContent-Type: application/json\r\n"
	for _, head := range []string{
		"", "Host: x\r\nHost: y\r\n", "Host: \xff\r\n", "Host: x/y\r\n", "Host: x y\r\n", "Host:\r\n", "Host : x\r\n", " Host: x\r\n", "Host: x\r\nNo colon\r\n",
		"Host: x\r\n: empty\r\n", "Host: x\r\nA\x00: b\r\n", "Host: x\r\nA: \x00\r\n", "Host: x\r\nA: b\r\n c\r\n", "Host: x\r\nA: b\nB: c\r\n", "Host: x\rA: b\r\n",
		"Host: x\r\nA(: b\r\n", "Host: x\r\n" + strings.Repeat("A: b\r\n", 2000), "Host: x\r\nA: " + strings.Repeat("a", 60_000) + "\r\n", "Host: x\r\nExpect: x\r\n",
		"Host: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n", "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
		"Host: x\r\nTrailer: Content-Length\r\n", "Host: x\r\nConnection: Authorization\r\n", "Host: x\r\nTE: trailers, \xff\r\n",
	} {
		all = append(all, create+head+"\r\n")
	}
	for _, framing := range []string{
		"Content-Length: -1\r\n\r\n", "Content-Length: +5\r\n\r\n", "Content-Length: 1e3\r\n\r\n", "Content-Length: 0x5\r\n\r\n", "Content-Length: \r\n\r\n",
		"Content-Length: 5, 5\r\n\r\n{}   ", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"Content-Length: 99999999999999999999\r\n\r\n{}", "Content-Length: 9223372036854775807\r\n\r\n{}" + cut, "Content-Length: 100\r\n\r\n{}" + cut, "Content-Length: 0\r\n\r\n{}",
		"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}x0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2;a=\"\x00\"\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nA\x00: b\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + cut, "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: x\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "Content-Length: 2\r\nContent-Encoding: \xff\r\n\r\n{}", "Content-Length: 2\r\nContent-Encoding: gzip, gzip\r\n\r\n{}",
		"Content-Length: 4\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00", "Content-Length: 2\r\nContent-Type: application/json; charset=\"\r\n\r\n{}", "Content-Length: 2\r\nContent-Type: ;;;\r\n\r\n{}",
		"Content-Length: 4\r\n\r\n\xff\xfe{\x00", "Content-Length: 3\r\n\r\n\x00\x00\x00", "Content-Length: 10\r\n\r\n[[[[[[[[[[",
	} {
		all = append(all, plain+framing)
	}
	for _, header := range []string{
		"Authorization: \xff\xfe", "Authorization: Bearer", "Authorization: Bearer ", "Authorization: Bearer \x7f", "Authorization: Basic !!!!", "Authorization: Basic " + "Og==",
		"Authorization: Bearer CREDENTIAL\r\nAuthorization: Bearer CREDENTIAL", "Authorization: Bearer " + strings.Repeat(".", 8000), "Authorization: Bearer eyJ.eyJ.eyJ", "Authorization: Digest x=\"",
		"Accept: \xff", "Accept: ;q=x", "Accept-Encoding: gzip;q=", "Accept-Encoding: " + strings.Repeat("a,", 3000), "Range: bytes=9-1", "Range: bytes=-99999999999999999999",
		"If-None-Match: \"", "If-None-Match: W/", "If-Modified-Since: x", "Cookie: \xff=;;;", "X-Request-Id: \xff", "X-Forwarded-For: \xff, 1.2.3.4:99999", "Forwarded: for=\"",
		"Content-Type: \xff", "Origin: null", "Referer: \xff", "Date: x",
	} {
		for _, path := range []string{"/service/me", "/statuslists/1", "/docs"} {
			all = append(all, "GET "+path+" HTTP/1.1\r\nHost: x\r\n"+header+"\r\n\r\n")
		}
	}
	return all
}

// TestMalformedRequests sends what no client should. No answer is a 5xx, but those of HTTP itself for a version or a coding
// that the server does not have; nothing hangs, and the log has no fault of the server.
func TestMalformedRequests(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	counts := map[string]int{}
	for _, request := range malformed() {
		status, err := sendRaw(s, strings.ReplaceAll(request, "CREDENTIAL", s.Vars["member"]))
		switch {
		case err != nil:
			t.Errorf("%.200q: %v", request, err)
		case status == http.StatusHTTPVersionNotSupported, status == http.StatusNotImplemented && strings.Contains(request, "Transfer-Encoding:"):
		case status >= http.StatusInternalServerError:
			t.Errorf("%.200q: %d", request, status)
		}
		counts[fmt.Sprint(status)]++
	}
	t.Logf("%d requests, answers by status: %v", len(malformed()), counts)
	for _, word := range []string{`"level":"ERROR"`, "panic", "goroutine"} {
		if strings.Contains(s.Log.String(), word) {
			_, from, _ := strings.Cut(s.Log.String(), word)
			t.Errorf("the log has %s%.500s", word, from)
		}
	}
	expect(t, s, "GET", "/service/me", s.Vars["member"], http.StatusOK)
}

// sendRaw sends the bytes and returns the status of the answer; 0 if there was none.
func sendRaw(s *harness.Server, request string) (status int, err error) {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), 10*time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	request, unfinished := strings.CutSuffix(request, cut)
	// The server may have answered and closed before it has read everything, so that writing fails.
	_, _ = io.WriteString(conn, request)
	if unfinished {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	a, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, err
	}
	if err != nil {
		return 0, nil // the connection was closed, or what came is no HTTP
	}
	return a.StatusCode, a.Body.Close()
}

// TestEveryCodingCounts, in whatever number of headers they come: what is said to be compressed is not read as if it were not.
func TestEveryCodingCounts(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for codings, status := range map[string]int{
		"": 200, "Content-Encoding: identity\r\n": 200, "Content-Encoding:\r\n": 200, "Content-Encoding: identity, Identity\r\n": 200,
		"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n": 415, "Content-Encoding:\r\nContent-Encoding: br\r\n": 415,
		"Content-Encoding: identity, gzip\r\n": 415, "Content-Encoding: gzip\r\nContent-Encoding: identity\r\n": 415,
	} {
		body := fmt.Sprintf(`{"name":"x%d"}`, len(codings))
		got, err := sendRaw(s, fmt.Sprintf("POST /tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
			s.Vars["member"], codings, len(body), body))
		if err != nil || got != status {
			t.Errorf("%q: %d, want %d %v", codings, got, status, err)
		}
	}
}
