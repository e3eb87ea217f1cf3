//go:build attacks

package attacks

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
)

const (
	slowClients = 230
	slowest     = 7 * time.Second // that an unfinished header may take; the server's own limit is five seconds
)

// TestSlowHeaders has many clients send a header byte by byte. The server closes each in time, and serves others meanwhile.
func TestSlowHeaders(t *testing.T) {
	s := child.NewServer(t, "")
	var clients sync.WaitGroup
	var late, longest atomic.Int64
	for range slowClients {
		clients.Go(func() {
			took := time.Duration(0)
			if took = trickle(t, s.Address); took > slowest {
				late.Add(1)
			}
			for old := longest.Load(); int64(took) > old && !longest.CompareAndSwap(old, int64(took)); old = longest.Load() {
			}
		})
	}
	time.Sleep(time.Second)
	if status := s.Get("/service/me", s.Secret); status != http.StatusOK {
		t.Errorf("another client gets %d meanwhile", status)
	}
	clients.Wait()
	fmt.Printf("%s: %d clients, %d closed too late, the last one after %v\n", t.Name(), slowClients, late.Load(), time.Duration(longest.Load()))
	if late.Load() > 0 {
		t.Error("clients are not closed in time")
	}
}

// trickle sends a header that never ends and returns after what time the server has closed the connection.
func trickle(t *testing.T, address string) time.Duration {
	conn, err := net.DialTimeout("tcp", address, slowest)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	begun := time.Now()
	_, _ = io.WriteString(conn, "GET /service/me HTTP/1.1\r\nHost: x\r\nA: ")
	go func() {
		for {
			time.Sleep(500 * time.Millisecond)
			if _, err := io.WriteString(conn, "a"); err != nil {
				return
			}
		}
	}()
	_ = conn.SetReadDeadline(begun.Add(4 * slowest))
	_, _ = io.Copy(io.Discard, conn)
	return time.Since(begun)
}
