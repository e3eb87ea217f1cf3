package handlers_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/harness"
)

// TestTwoLengths: a request with Content-Length and Transfer-Encoding may be half of somebody else's, so nothing after it
// on its connection is read (RFC 9112 section 6.1).
func TestTwoLengths(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	chunked := func(name string) string {
		body := fmt.Sprintf(`{"name":%q}`, name)
		return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	const second = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for what, c := range map[string]struct {
		framing, body string
		answers       int
	}{
		"both":              {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked("both"), 1},
		"the other order":   {"Transfer-Encoding: chunked\r\nContent-Length: 400\r\n", chunked("other"), 1},
		"Transfer-Encoding": {"Transfer-Encoding: chunked\r\n", chunked("one"), 1}, // net/http does not tell it from both
		"Content-Length":    {"Content-Length: 14\r\n", `{"name":"one"}`, 2},
	} {
		answers := exchange(t, s, "POST /tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.Vars["member"]+
			"\r\nContent-Type: application/json\r\n"+c.framing+"\r\n"+c.body+second)
		if len(answers) != c.answers || answers[0] != http.StatusOK {
			t.Errorf("%s: answers %v, want %d", what, answers, c.answers)
		}
	}
	both := "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("x") + second
	if answers := exchange(t, s, both); len(answers) != 1 {
		t.Errorf("nobody asks for the body: answers %v", answers)
	}
}

// exchange sends bytes and returns the statuses of the answers, at most two.
func exchange(t *testing.T, s *harness.Server, sent string) (statuses []int) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses // the connection is closed
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if statuses = append(statuses, answer.StatusCode); len(statuses) == 2 {
			return statuses
		}
	}
}
