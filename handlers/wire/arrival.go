package wire

import (
	"context"
	"crypto/tls"
	"net"
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
	arrivals atomic.Int64
}

// Read implements [net.Conn].
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.arrivals.Add(1)
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
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if counted, ok := conn.(*countedConn); ok {
		return context.WithValue(ctx, connKey{}, counted)
	}
	return ctx
}

// Arrivals counts how often bytes have arrived on the connection of a request: if that is the same before and after its
// body was read, all of the body had arrived before. It is false where nobody counts.
func Arrivals(ctx context.Context) (int64, bool) {
	counted, ok := ctx.Value(connKey{}).(*countedConn)
	if !ok {
		return 0, false
	}
	return counted.arrivals.Load(), true
}
