package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// lookEvery is how often the files of the certificate are looked at. Reading them needs nothing of the file system, so
// it works on network mounts, too.
const lookEvery = time.Second

// certificate is the server's own, which is read again when its files change. A nil one means no TLS.
type certificate struct {
	cert, key string // paths
	seen      []byte // what the files held when they were read last
	current   atomic.Pointer[tls.Certificate]
}

func loadCertificate(cert, key string) (*certificate, error) {
	if cert == "" {
		return nil, nil //nolint:nilnil // no TLS
	}
	c := &certificate{cert: cert, key: key}
	if _, err := c.refresh(); err != nil {
		return nil, err
	}
	return c, nil
}

// refresh reads the files and reports whether they have changed. What cannot be used leaves the certificate as it was.
func (c *certificate) refresh() (changed bool, err error) {
	cert, failed := os.ReadFile(c.cert)
	key, failedToo := os.ReadFile(c.key)
	err = errors.Join(failed, failedToo)
	content := bytes.Join([][]byte{cert, key, []byte(fmt.Sprint(err))}, []byte{0})
	if bytes.Equal(content, c.seen) {
		return false, nil
	}
	c.seen = content
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		return true, fmt.Errorf("cannot use the certificate %s with the key %s: %w", c.cert, c.key, err)
	}
	c.current.Store(&pair)
	return true, nil
}

// config is nil without a certificate.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// watch follows the files until the context ends, and reports each change, with the error if it cannot be used.
func (c *certificate) watch(ctx context.Context, report func(error)) {
	if c == nil {
		return
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if changed, err := c.refresh(); changed {
			report(err)
		}
	}
}
