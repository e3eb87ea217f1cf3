// Package bench measures what the server can do as a ratio to a server that does nothing, in one run on one machine.
package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
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
	answers := bufio.NewReader(conn)
	for range n {
		if _, err := io.WriteString(conn, request); err != nil {
			return err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != status {
			return fmt.Errorf("status %d", answer.StatusCode)
		}
	}
	return nil
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
		name, request string
		status        int
	}{
		{"introspect/muninx", request("POST", "/introspect", s.Vars["admin"], "token="+s.Vars["member"]), 200},
		{"introspect/apitoken", request("POST", "/introspect", s.Vars["admin"], "token="+jwt), 200},
		{"verify/muninx", request("GET", "/verify", s.Vars["member"], ""), 204},
		{"verify/apitoken", request("GET", "/verify", jwt, ""), 204},
	} {
		b.Run(c.name, func(b *testing.B) {
			const requests = 8000
			var ratios, rates []float64
			drive(b, address, c.request, c.status, requests/4)
			for b.Loop() {
				base := drive(b, empty, request("GET", "/", "none", ""), 200, requests)
				rate := drive(b, address, c.request, c.status, requests)
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
