package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// served is the certificate that the server shows to a new connection.
func (s *instance) served(t *testing.T) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// replace puts the files of another certificate in the place of those that are served.
func replace(t *testing.T, files map[string]string) {
	t.Helper()
	for from, to := range files {
		text, err := os.ReadFile(from)
		if err == nil {
			err = errors.Join(os.WriteFile(to+".new", text, 0o600), os.Rename(to+".new", to))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificateIsReadAgain when it changes, while the server goes on.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	otherCert, otherKey := certificate(t, t.TempDir())
	s, _ := start(t, dir, "--tls-cert", cert, "--tls-key", key)
	first := s.served(t)
	if err := os.WriteFile(cert, []byte("half a certifi"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log to tell of a broken certificate", func() bool {
		return strings.Contains(s.log.String(), "cannot load the new TLS certificate; the previous one stays in use")
	})
	if !s.served(t).Equal(first) {
		t.Error("a broken certificate has replaced the one before")
	}
	replace(t, map[string]string{otherCert: cert})
	if !s.served(t).Equal(first) {
		t.Error("a certificate without its key has replaced the one before")
	}
	replace(t, map[string]string{otherKey: key})
	eventually(t, "the new certificate", func() bool { return !s.served(t).Equal(first) })
	env := map[string]string{"TOKENWRIGHT_SERVER": s.url, "TOKENWRIGHT_CREDENTIAL_FILE": s.credentialFile}
	command(t, env, "user", "list", "--ca-file", otherCert).ok(t)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log to tell of the missing key", func() bool {
		return strings.Contains(s.log.String(), filepath.Base(key)+": no such file")
	})
	command(t, env, "user", "list", "--ca-file", otherCert).ok(t)
}
