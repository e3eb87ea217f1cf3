// Package bench measures what the server can do as a ratio to a server that does nothing, in one run on one machine.
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/test/harness"
)

// clients is how many connections ask at once.
const clients = 16

// request is written once and sent as it is, so that the client costs little and the same for all.
func request(method, path, credential, form string) string {
	r := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n", method, path, credential)
	if form != "" {
		r += fmt.Sprintf("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(form))
	}
	return r + "\r\n" + form
}

// drive sends the request n times over all connections and returns the requests a second.
func drive(b *testing.B, address, request string, status, n int) float64 {
	b.Helper()
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			if err := send(address, request, status, n/clients); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	return float64(n/clients*clients) / time.Since(start).Seconds()
}

func send(address, request string, status, n int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	out, answers, want := []byte(request), bufio.NewReader(conn), fmt.Appendf(nil, "HTTP/1.1 %d ", status)
	for range n {
		if _, err := conn.Write(out); err != nil {
			return err
		}
		if err := receive(answers, want); err != nil {
			return err
		}
	}
	return nil
}

// receive reads an answer and nothing into it, so that one with many headers does not keep the client, which runs on the
// same processors, busier than one with few.
func receive(answers *bufio.Reader, want []byte) error {
	length, first := 0, true
	for {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, want) {
			return fmt.Errorf("answered %q", line)
		}
		if first = false; len(line) == len("\r\n") {
			_, err := answers.Discard(length)
			return err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
}

// bare is an Echo handler that answers fixed JSON.
func bare(b *testing.B) string {
	b.Helper()
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		return c.JSONBlob(http.StatusOK, []byte(`{"active":true,"sub":"member","scope":"user","token_type":"Bearer"}`))
	})
	s := httptest.NewServer(e)
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// BenchmarkVerification measures checks with a warm cache in rounds, each next to the bare handler, and reports the median
// of the ratios.
func BenchmarkVerification(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as `serve` does, for the bare handler too
	s := harness.Start(b, harness.Options{Unchecked: true})
	s.Log.Discard()
	address := strings.TrimPrefix(s.URL, "http://")
	empty := bare(b)
	jwt := s.Do("POST", "/api/v1/api_token", s.Vars["member"], `{"token_scope":"account"}`).JSON()["token"].(string)
	for _, c := range []struct {
		name, method, path, credential, form string
		status                               int
	}{
		{"introspect/muninx", "POST", "/introspect", s.Vars["admin"], "token=" + s.Vars["member"], 200},
		{"introspect/apitoken", "POST", "/introspect", s.Vars["admin"], "token=" + jwt, 200},
		{"verify/muninx", "GET", "/verify", s.Vars["member"], "", 204},
		{"verify/apitoken", "GET", "/verify", jwt, "", 204},
	} {
		b.Run(c.name, func(b *testing.B) {
			const requests = 8000
			var ratios, rates []float64
			check := request(c.method, c.path, c.credential, c.form)
			drive(b, address, check, c.status, requests/4)
			for b.Loop() {
				base := drive(b, empty, request("GET", "/", c.credential, ""), 200, requests) // whose headers have to be read, too
				rate := drive(b, address, check, c.status, requests)
				ratios, rates = append(ratios, rate/base), append(rates, rate)
			}
			b.ReportMetric(median(ratios), "ratio-to-bare")
			b.ReportMetric(median(rates), "checks/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
