package wire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// CountArrivals has [Arrivals] know when bytes of a connection arrive.
func CountArrivals(l net.Listener) net.Listener { return countingListener{l} }

type countingListener struct{ net.Listener }

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn}, nil
}

type countedConn struct {
	net.Conn
	encrypted bool // what arrives shows no heads

	arrivals atomic.Int64
	rest     atomic.Int64 // how many bytes came along with the last end of a head, after it
}

// endOfHead ends the head of a message of HTTP/1 (RFC 9112 section 2.1).
var endOfHead = []byte("\r\n\r\n")

// Read implements [net.Conn].
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.arrivals.Add(1)
		c.rest.Store(0)
		if i := bytes.LastIndex(b[:n], endOfHead); i >= 0 {
			c.rest.Store(int64(n - i - len(endOfHead)))
		}
	}
	return n, err
}

// CloseWrite lets net/http end a connection so that its last response is still read.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type connKey struct{}

// ConnContext is for [net/http.Server]: the context of the requests of a connection.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	secure, encrypted := conn.(*tls.Conn)
	if encrypted {
		conn = secure.NetConn()
	}
	if counted, ok := conn.(*countedConn); ok {
		counted.encrypted = encrypted
		return context.WithValue(ctx, connKey{}, counted)
	}
	return ctx
}

// arrivedBody is the body of the request if all of it came along with the head, so that nobody waits for it. It can be
// read once more.
func arrivedBody(r *http.Request) []byte {
	counted, ok := r.Context().Value(connKey{}).(*countedConn)
	if !ok || counted.encrypted || r.ProtoMajor != 1 {
		return nil
	}
	if r.ContentLength <= 0 || r.ContentLength > min(counted.rest.Load(), MaxBody) {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = reread{io.MultiReader(bytes.NewReader(body), failing{err}), r.Body}
	return body
}

// reread is a body that was read before.
type reread struct {
	io.Reader
	io.Closer
}

// failing ends as the body did, nil as a whole one.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, cmp.Or(f.err, io.EOF) }

// Arrivals counts how often bytes have arrived on the connection of a request: if that is the same before and after its
// body was read, all of the body had arrived before. It is false where nobody counts.
func Arrivals(ctx context.Context) (int64, bool) {
	counted, ok := ctx.Value(connKey{}).(*countedConn)
	if !ok {
		return 0, false
	}
	return counted.arrivals.Load(), true
}
