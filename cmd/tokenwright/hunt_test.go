package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretsAreNowhereElse issues secrets in every way, uses and misuses them, and then looks for each in everything
// that the server has written. Of a JWT the signature is looked for as well, which alone makes it a secret.
func TestSecretsAreNowhereElse(t *testing.T) {
	dir := t.TempDir()
	s, stop := start(t, dir, "--metrics-listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug")
	answers := s.issue(t)
	secrets := []string{s.credential(t), rescued(t, dir)}
	for _, a := range answers {
		if strings.Count(a.printed, a.secret) != 1 {
			t.Errorf("the create shows its secret %d times", strings.Count(a.printed, a.secret))
		}
		secrets = append(secrets, a.secret)
	}
	var printed strings.Builder
	for _, secret := range secrets {
		printed.WriteString(s.misuse(t, secret))
		if parts := strings.Split(secret, "."); len(parts) == 3 {
			secrets = append(secrets, parts[2])
		}
	}
	_, metrics := (&instance{address: metricsAddress(t, s)}).askWith(t, http.DefaultClient, "GET", "/metrics", "", "")
	for _, args := range [][]string{{"token", "list", "--all"}, {"token", "list", "--all", "-o", "json"}, {"user", "list", "-o", "json"},
		{"audit", "list", "-o", "json"}, {"audit", "export"}} {
		printed.WriteString(s.cli(t, args...).ok(t))
	}
	hunt(t, secrets, map[string]string{"metrics": metrics, "commands": printed.String()})
	hunt(t, secrets, files(t, dir)) // with the write-ahead log
	stop()
	hunt(t, secrets, files(t, dir))
	hunt(t, secrets, map[string]string{"stdout": s.out.String(), "stderr": s.log.String()})
	if !strings.Contains(s.log.String(), `"operation":"createPat"`) {
		t.Error("the log is not what it should be")
	}
}

// issued is a secret and the output that showed it.
type issued struct{ secret, printed string }

// issue makes tokens of all dialects by HTTP and by both outputs of the command.
func (s *instance) issue(t *testing.T) []issued {
	t.Helper()
	var all []issued
	for n := range 3 {
		path, body := creation(n, "by HTTP")
		_, text := s.ask(t, "POST", path, s.credential(t), body)
		answer := decoded[map[string]any](t, text)
		secret, ok := answer["token"].(string)
		if !ok {
			secret, _ = answer["secret"].(string)
		}
		all = append(all, issued{secret, text})
	}
	for dialect, flags := range creations {
		text := s.cli(t, append([]string{"token", "create", "--dialect", dialect}, flags...)...).ok(t)
		lines := strings.Split(strings.TrimSpace(text), "\n")
		all = append(all, issued{lines[len(lines)-1], text})
	}
	_, text := s.ask(t, "POST", "/service/tokens", s.credential(t), `{"dialect":"apitoken","token_scope":"account"}`)
	made := decoded[map[string]any](t, text)
	all = append(all, issued{made["token"].(string), text})
	path := "/service/tokens/apitoken/" + made["id"].(string) + "/rotate"
	_, text = s.ask(t, "POST", path, s.credential(t), `{"overlap":"1h"}`)
	all = append(all, issued{decoded[map[string]any](t, text)["token"].(string), text})
	for _, a := range all {
		if len(a.secret) < 40 {
			t.Fatalf("no secret in %q", a.printed)
		}
		s.works(t, a.secret)
	}
	return all
}

func rescued(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "rescued")
	out := command(t, nil, "bootstrap", "--database-url", "sqlite:"+filepath.Join(dir, "tokenwright.db"), "--credential-file", file).ok(t)
	secret := readSecret(t, file)
	hunt(t, []string{secret}, map[string]string{"bootstrap": out})
	return secret
}

// misuse sends a secret to where none belongs, and returns what came back.
func (s *instance) misuse(t *testing.T, secret string) string {
	t.Helper()
	var back strings.Builder
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/tokens/" + secret, ""}, {"GET", "/tokens?cursor=" + secret, ""}, {"DELETE", "/api/v1/api_token/" + secret, ""},
		{"GET", "/openapi/" + secret, ""}, {"GET", "/docs/" + secret, ""}, {"GET", "/" + secret, ""}, {"GET", "/service/tokens/" + secret + "/" + secret, ""},
		{"POST", "/api/v1/api_token", `{"token_scope":"` + secret + `"}`}, {"POST", "/tokens", `{"name":["` + secret + `"]}`},
		{"POST", "/service/tokens", `{"dialect":"` + secret + `"}`}, {"PATCH", "/service/tokens/muninx/" + secret, `{"expires_at":"` + secret + `"}`},
		{"POST", "/service/tokens/muninx/" + secret + "/rotate", `{"overlap":"` + secret + `"}`},
		{"POST", "/api/admin/user/tokens", `{"expiresAt":"` + secret + `"}`}, {"POST", "/service/users", `{"role":"` + secret + `"}`},
	} {
		_, text := s.ask(t, r.method, r.path, s.credential(t), r.body)
		back.WriteString(text)
	}
	_, text := s.ask(t, "GET", "/tokens", secret+"x", "")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/tokens", strings.NewReader(`{"name":"agent"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.credential(t))
	request.Header.Set("User-Agent", "agent "+secret+" of a careless client")
	request.Header.Set("X-Request-Id", secret[max(0, len(secret)-64):])
	request.Header.Set("Content-Type", "application/json")
	if _, err := http.DefaultClient.Do(request); err != nil {
		t.Fatal(err)
	}
	back.WriteString(text)
	for _, args := range [][]string{{"token", secret}, {secret}, {"token", "show", "muninx", secret}, {"serve", "--listen", secret}, {"user", "list", "--server", secret}} {
		r := s.cli(t, args...)
		back.WriteString(r.out + r.errors)
	}
	return back.String()
}

// files are the contents of everything in the directory but the files that are there for a secret.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	contents := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); !entry.IsDir() && name != "bootstrap-credential" && name != "rescued" {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			contents[name] = string(text)
		}
	}
	if contents["tokenwright.db"] == "" {
		t.Fatal("there is no database to search")
	}
	return contents
}

func hunt(t *testing.T, secrets []string, places map[string]string) {
	t.Helper()
	for place, text := range places {
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("a secret is in the %s: …%q", place, text[max(0, at-80):at+12])
			}
		}
	}
}
