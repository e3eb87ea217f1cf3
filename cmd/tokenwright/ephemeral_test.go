package main

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// ephemeral starts the real program in an empty directory, which is also where temporary files would go.
func ephemeral(t *testing.T, credential string) shipped {
	t.Helper()
	dir := t.TempDir()
	env := []string{bootstrapVariable + "=" + credential, "TMPDIR=" + dir, "HOME=" + dir}
	return launchWith(t, dir, env, "--ephemeral", "--listen", "127.0.0.1:0", "--log-level", "debug")
}

// TestEphemeral uses a server with the credential that it was given, and finds nothing of it afterwards, whether it was
// stopped in order or killed.
func TestEphemeral(t *testing.T) {
	credential := strings.TrimSuffix(command(t, nil, "secret").ok(t), "\n")
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			p := ephemeral(t, credential)
			p.works(t, credential)
			secrets := append([]string{credential}, p.live(t, credential)...)
			p.signal(t, signal)
			if code := p.Exit(); signal == syscall.SIGTERM && code != 0 {
				t.Errorf("exit %d: %s", code, p.log)
			}
			if left, err := os.ReadDir(p.dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			hunt(t, secrets, map[string]string{"stdout": p.out.String(), "stderr": p.log.String()})
		})
	}
}

// live takes a token of each dialect through create, use and delete, and returns the secrets.
func (s *instance) live(t *testing.T, credential string) (secrets []string) {
	t.Helper()
	for n := range 3 {
		path, body := creation(n, "ephemeral")
		status, text := s.ask(t, "POST", path, credential, body)
		answer := decoded[map[string]any](t, text)
		secret, ok := answer["token"].(string)
		if !ok {
			secret, ok = answer["secret"].(string)
		}
		if !ok || status >= http.StatusMultipleChoices {
			t.Fatalf("%s: %d %s", path, status, text)
		}
		s.works(t, secret)
		secrets = append(secrets, secret)
	}
	if status, text := s.ask(t, "GET", "/statuslists/1", "", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if status, text := s.ask(t, "GET", "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	return secrets
}

// TestEphemeralServersAreApart: a credential opens the server that was started with it, and a second one knows nothing of
// the first.
func TestEphemeralServersAreApart(t *testing.T) {
	a, b := strings.TrimSpace(command(t, nil, "secret").ok(t)), strings.TrimSpace(command(t, nil, "secret").ok(t))
	if a == b {
		t.Fatal("one secret twice")
	}
	first, second := ephemeral(t, a), ephemeral(t, b)
	first.works(t, a)
	second.works(t, b)
	if status, _ := second.ask(t, "GET", "/service/me", a, ""); status != http.StatusUnauthorized {
		t.Errorf("the other's credential gets %d", status)
	}
}

// TestEphemeralSettings: what would have to be kept, and a credential that is none, are refused before anything starts.
func TestEphemeralSettings(t *testing.T) {
	good := strings.TrimSpace(command(t, nil, "secret").ok(t))
	serve := func(credential string, args ...string) result {
		return command(t, map[string]string{bootstrapVariable: credential}, append([]string{"serve", "--ephemeral", "--listen", "127.0.0.1:0"}, args...)...)
	}
	for _, bad := range []string{"", "hunter2", good[:len(good)-1] + "-", "user:" + strings.Repeat("0", 56)} {
		r := serve(bad)
		r.refused(t, exitUsage, bootstrapVariable+" must hold what `tokenwright secret` prints")
		if bad != "" && strings.Contains(r.errors, bad) {
			t.Errorf("the error shows the credential: %s", r.errors)
		}
	}
	for flag, value := range map[string]string{
		"database-url": "sqlite:x.db", "key-directory": "keys", "bootstrap-credential-file": "credential",
	} {
		serve(good, "--"+flag, value).refused(t, exitUsage, "--"+flag+" ("+variable(flag)+") does not go with --ephemeral")
	}
	serve(good, "--no-migrate").refused(t, exitUsage, "--no-migrate (TOKENWRIGHT_MIGRATE=false) does not go with --ephemeral")
	serve(good, "--tls-cert", "x").refused(t, exitUsage, "--tls-key go together")
}

// TestBootstrapVariableIsForEphemeralOnly: a server with a database does not even look at it.
func TestBootstrapVariableIsForEphemeralOnly(t *testing.T) {
	dir, secret := t.TempDir(), strings.TrimSpace(command(t, nil, "secret").ok(t))
	p := launchWith(t, dir, []string{bootstrapVariable + "=" + secret}, newInstance(dir).arguments(nil)[1:]...)
	p.works(t, p.credential(t))
	if status, _ := p.ask(t, "GET", "/service/me", secret, ""); status != http.StatusUnauthorized {
		t.Errorf("the variable's credential gets %d", status)
	}
}
