//go:build unix

package child

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The kernel gives no port below 32768 to a connection or a listener that asks for any: see ip_local_port_range in
// ip(7), and RFC 6335 section 6 for other systems.
const (
	firstPort = 20000
	lastPort  = 32000
)

// Listen listens on a port that nobody gets by chance, so that a test can close the listener and open it again.
func Listen() (net.Listener, error) {
	var failed error
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+rand.N(lastPort-firstPort)))
		if err == nil {
			return listener, nil
		}
		failed = err
	}
	return nil, fmt.Errorf("no free port: %w", failed)
}

// Free returns the address of such a port, for a program that is to listen there.
func Free() (*net.TCPAddr, error) {
	listener, err := Listen()
	if err != nil {
		return nil, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.New("a TCP listener without a TCP address")
	}
	return address, listener.Close()
}
