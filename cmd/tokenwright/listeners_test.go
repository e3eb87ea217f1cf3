package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	s, _ := start(t, dir, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Errorf("the server is called at %s", s.url)
	}
	env := map[string]string{"TOKENWRIGHT_SERVER": s.url, "TOKENWRIGHT_CREDENTIAL_FILE": s.credentialFile}
	command(t, env, "user", "list", "--ca-file", cert).ok(t)
	command(t, env, "user", "list").refused(t, exitFailure, "certificate")
	command(t, env, "user", "list", "--ca-file", key).refused(t, exitFailure, "contains no PEM certificate")
	command(t, env, "user", "list", "--ca-file", "nowhere").refused(t, exitFailure, "nowhere")
}

// certificate makes a self-signed one for 127.0.0.1.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestMetrics also holds the labels to what is known beforehand: nothing of them is the caller's.
func TestMetrics(t *testing.T) {
	s, stop := start(t, t.TempDir(), "--metrics-listen", "127.0.0.1:0", "--log-format", "json")
	address := metricsAddress(t, s)
	s.cli(t, "user", "list").ok(t)
	s.ask(t, "GET", "/tokens/hunter2?cursor=hunter2", "hunter2", "")
	s.ask(t, "HUNTER2", "/hunter2", s.credential(t), "")
	status, text := (&instance{address: address}).askWith(t, http.DefaultClient, "GET", "/metrics", "", "")
	if status != http.StatusOK {
		t.Fatalf("the metrics answer %d", status)
	}
	for _, want := range []string{
		`tokenwright_requests_total{dialect="service",operation="listUsers",status="200"} 1`,
		`tokenwright_request_duration_seconds_count{dialect="service",operation="listUsers",status="200"} 1`,
		`tokenwright_requests_total{dialect="muninx",operation="getToken",status="401"} 1`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(strings.ToLower(text), "hunter2") {
		t.Error("a label holds what a caller sent")
	}
	if status, _ := s.ask(t, "GET", "/metrics", s.credential(t), ""); status != http.StatusNotFound {
		t.Errorf("the API answers /metrics with %d", status)
	}
	stop()
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the metrics are served after the end")
	}
}

// metricsAddress is in the log, which must be in JSON.
func metricsAddress(t *testing.T, s *instance) string {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var entry struct{ Msg, Address string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v in the log line %q", err, line)
		}
		if entry.Msg == "serving metrics" {
			return entry.Address
		}
	}
	t.Fatalf("the metrics have no address: %s", s.log)
	return ""
}
