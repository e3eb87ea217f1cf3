package handlers_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// secretive is an operation that answers a secret.
type secretive struct {
	path, body, other string // a body, and another one
	status            int
	revoke            func(s *harness.Server, a harness.Answer) harness.Answer
}

// secretives are all of them.
var secretives = map[string]secretive{
	"muninx": {"/tokens", `{"name":"once"}`, `{"name":"twice"}`, 200, func(s *harness.Server, a harness.Answer) harness.Answer {
		return s.Do("DELETE", "/tokens/"+a.JSON()["id"].(string), s.Vars["admin"], "")
	}},
	"apitoken": {"/api/v1/api_token", `{"token_scope":"account"}`, `{"token_scope":"account","expires_at":"2099-01-01T00:00:00Z"}`,
		200, func(s *harness.Server, a harness.Answer) harness.Answer {
			id := a.JSON()["details"].(map[string]any)["id"].(string)
			return s.Do("POST", "/api/v1/api_token/"+id+"/suspend", s.Vars["admin"], "")
		}},
	"unleash": {"/api/admin/user/tokens", `{"description":"once"}`, `{"description":"twice"}`, 201,
		func(s *harness.Server, a harness.Answer) harness.Answer {
			return s.Do("DELETE", fmt.Sprintf("/api/admin/user/tokens/%.0f", a.JSON()["id"]), s.Vars["admin"], "")
		}},
}

// onBoth runs a test with a server on each database.
func onBoth(t *testing.T, run func(t *testing.T, s *harness.Server)) {
	for name, url := range map[string]string{"sqlite": "", "postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) { run(t, harness.Start(t, harness.Options{DatabaseURL: url})) })
	}
}

const idempotencyKey = "8e03978e-40d5-43dd-bc93-6894a57f9324"

// TestCreatesCanBeRepeated: the same request with the same key gets the same response to the byte, and nothing else does.
func TestCreatesCanBeRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		for _, name := range slices.Sorted(maps.Keys(secretives)) {
			o := secretives[name]
			create := func(credential, body, key string) harness.Answer {
				return s.Do("POST", o.path, credential, body, "Idempotency-Key", key)
			}
			first := create(s.Vars["admin"], o.body, idempotencyKey)
			if first.Status != o.status || first.Header.Get("Idempotency-Replayed") != "" {
				t.Fatalf("%s: %d %v %s", name, first.Status, first.Header, first.Body)
			}
			for _, key := range []string{idempotencyKey, `"` + idempotencyKey + `"`} {
				again := create(s.Vars["admin"], o.body, key)
				if again.Status != o.status || !bytes.Equal(again.Body, first.Body) || again.Header.Get("Location") != first.Header.Get("Location") {
					t.Errorf("%s, again: %d %s, want %s", name, again.Status, again.Body, first.Body)
				}
				if again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s, again: %v", name, again.Header)
				}
			}
			if a := create(s.Vars["admin"], o.other, idempotencyKey); a.Status != 422 {
				t.Errorf("%s, another body: %d %s", name, a.Status, a.Body)
			}
			if a := create(s.Vars["member"], o.body, idempotencyKey); a.Status != o.status || bytes.Equal(a.Body, first.Body) {
				t.Errorf("%s, another caller: %d %s", name, a.Status, a.Body)
			}
			if a := o.revoke(s, first); a.Status >= 300 {
				t.Fatal(a.Status, string(a.Body))
			}
			if a := create(s.Vars["admin"], o.body, idempotencyKey); a.Status != 409 || bytes.Contains(a.Body, []byte("muninx_")) {
				t.Errorf("%s, after the secret stopped working: %d %s", name, a.Status, a.Body)
			}
		}
	})
}

// TestKeysThatAreNone are faults that name the header.
func TestKeysThatAreNone(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for _, key := range []string{"short", strings.Repeat("x", 256), "fifteen-letters", "sixteen letters with spaces", "ключ-идемпотентности"} {
		for name, o := range secretives {
			a := s.Do("POST", o.path, s.Vars["admin"], o.body, "Idempotency-Key", key)
			if a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), "Idempotency-Key") {
				t.Errorf("%s, %q: %d %s", name, key, a.Status, a.Body)
			}
		}
	}
}

// TestKeptAnswersEnd after a day, and with them what is kept.
func TestKeptAnswersEnd(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	create := func() harness.Answer {
		return s.Do("POST", "/tokens", s.Vars["admin"], `{"name":"once"}`, "Idempotency-Key", idempotencyKey)
	}
	first := create()
	s.Advance(24*time.Hour - time.Minute)
	if again := create(); !bytes.Equal(again.Body, first.Body) {
		t.Errorf("within a day: %s, want %s", again.Body, first.Body)
	}
	s.Advance(time.Minute)
	if again := create(); again.Status != 200 || bytes.Equal(again.Body, first.Body) {
		t.Errorf("after a day: %d %s", again.Status, again.Body)
	}
}

// TestOneTokenForEachKey: many clients repeat the same requests through two servers at once; there is one token for each
// key, and every client gets its secret, or hears that the request is in progress.
func TestOneTokenForEachKey(t *testing.T) {
	first := harness.Start(t, harness.Options{DatabaseURL: pgtest.URL(t)})
	servers := []*harness.Server{first, harness.Start(t, harness.Options{Replica: first})}
	const keys, clients = 20, 8
	var secrets [keys]sync.Map
	var busy atomic.Int64
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for key := range keys {
				for {
					a := servers[(c+key)%2].Do("POST", "/tokens", first.Vars["member"], fmt.Sprintf(`{"name":"key %d"}`, key),
						"Idempotency-Key", fmt.Sprintf("the-same-for-all-%d", key))
					if a.Status == http.StatusConflict {
						busy.Add(1)
						time.Sleep(time.Millisecond)
						continue
					}
					if a.Status != http.StatusOK {
						t.Errorf("%d %s", a.Status, a.Body)
						return
					}
					secrets[key].Store(a.JSON()["token"], true)
					break
				}
			}
		})
	}
	all.Wait()
	for key := range keys {
		n := 0
		for secret := range secrets[key].Range {
			n++
			if a := servers[0].Do("GET", "/verify", secret.(string), ""); a.Status != http.StatusNoContent {
				t.Errorf("key %d: its secret does not work: %d", key, a.Status)
			}
		}
		if n != 1 {
			t.Errorf("key %d: %d secrets", key, n)
		}
	}
	list := servers[1].Do("GET", "/tokens?limit=100", first.Vars["member"], "").JSON()["items"].([]any)
	if len(list) != keys+1 { // and the credential
		t.Errorf("%d tokens for %d keys; %d requests came while another was in progress", len(list)-1, keys, busy.Load())
	}
}

// TestAnswersAreSealed: no secret, key or body of a request is in the database, and neither the database with the key of
// the servers, nor that with another caller's secret, opens an answer.
func TestAnswersAreSealed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tokens.db")
	s := harness.Start(t, harness.Options{DatabaseURL: "sqlite:" + path})
	var texts []string
	for name, o := range secretives {
		a := s.Do("POST", o.path, s.Vars["admin"], o.body, "Idempotency-Key", "very-unlikely-"+name)
		secret, _ := a.JSON()["token"].(string)
		other, _ := a.JSON()["secret"].(string)
		texts = append(texts, cmp.Or(secret, other), "very-unlikely-"+name)
	}
	s.Stop()
	key, err := os.ReadFile(filepath.Join(s.KeyDir, "retry.secret"))
	if err != nil {
		t.Fatal(err)
	}
	texts = append(texts, strings.TrimSpace(string(key)))
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if text == "" || bytes.Contains(content, []byte(text)) || bytes.Contains([]byte(s.Log.String()), []byte(text)) {
				t.Errorf("%s or the log has %q", file, text)
			}
		}
	}
}

// TestWithoutTheServersKey refuses what could not be kept, and nothing else.
func TestWithoutTheServersKey(t *testing.T) {
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {}})
	s.Service.RetryKey = nil
	for name, o := range secretives {
		if a := s.Do("POST", o.path, s.Vars["admin"], o.body, "Idempotency-Key", idempotencyKey); a.Status != 503 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		if a := s.Do("POST", o.path, s.Vars["admin"], o.body); a.Status != o.status {
			t.Errorf("%s without a key: %d %s", name, a.Status, a.Body)
		}
	}
}

// TestRotationsCanBeRepeated: the same rotation with the same key is made once, and its secret is shown again as long as it
// works.
func TestRotationsCanBeRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		for _, dialect := range []string{"muninx", "apitoken", "unleash"} {
			body := map[string]string{
				"muninx": `{"dialect":"muninx","name":"rotated"}`, "apitoken": `{"dialect":"apitoken","token_scope":"account"}`,
				"unleash": `{"dialect":"unleash","name":"rotated"}`,
			}[dialect]
			made := s.Do("POST", "/service/tokens", s.Vars["admin"], body, "Idempotency-Key", dialect+idempotencyKey)
			again := s.Do("POST", "/service/tokens", s.Vars["admin"], body, "Idempotency-Key", dialect+idempotencyKey)
			if made.Status != http.StatusCreated || !bytes.Equal(made.Body, again.Body) {
				t.Fatalf("%s: %d %s, again %d %s", dialect, made.Status, made.Body, again.Status, again.Body)
			}
			path := fmt.Sprintf("/service/tokens/%s/%v", dialect, made.JSON()["id"])
			rotate := func(overlap, key string) harness.Answer {
				return s.Do("POST", path+"/rotate", s.Vars["admin"], `{"overlap":"`+overlap+`"}`, "Idempotency-Key", key)
			}
			first, second := rotate("1h", idempotencyKey), rotate("1h", idempotencyKey)
			if first.Status != http.StatusOK || !bytes.Equal(first.Body, second.Body) || second.Header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("%s: %d %s, again %d %s", dialect, first.Status, first.Body, second.Status, second.Body)
			}
			if a := rotate("2h", idempotencyKey); a.Status != http.StatusUnprocessableEntity {
				t.Errorf("%s, another overlap: %d %s", dialect, a.Status, a.Body)
			}
			if a := rotate("0s", "another-"+idempotencyKey); a.Status != http.StatusOK {
				t.Errorf("%s, the next rotation: %d %s", dialect, a.Status, a.Body)
			}
			if a := rotate("1h", idempotencyKey); a.Status != http.StatusConflict {
				t.Errorf("%s, after the next rotation: %d %s", dialect, a.Status, a.Body)
			}
		}
	})
}

// TestReplaysAreForWhoStillSees: whoever was demoted meanwhile gets no secret of others again.
func TestReplaysAreForWhoStillSees(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	role := func(id any, role string) {
		t.Helper()
		path := fmt.Sprintf("/service/users/%v", id)
		if a := s.Do("PATCH", path, s.Vars["admin"], `{"role":"`+role+`"}`); a.Status != http.StatusOK {
			t.Fatal(a.Status, string(a.Body))
		}
	}
	role(s.Vars["member_id"], "admin")
	create := func() harness.Answer {
		return s.Do("POST", fmt.Sprintf("/service/users/%s/tokens", s.Vars["stranger_id"]), s.Vars["member"], `{"name":"theirs"}`,
			"Idempotency-Key", idempotencyKey)
	}
	first := create()
	if again := create(); first.Status != http.StatusCreated || !bytes.Equal(again.Body, first.Body) {
		t.Fatalf("%d %s, again %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	rotate := func() harness.Answer {
		return s.Do("POST", fmt.Sprintf("/service/tokens/muninx/%v/rotate", first.JSON()["id"]), s.Vars["member"], `{"overlap":"1h"}`,
			"Idempotency-Key", idempotencyKey)
	}
	if a := rotate(); a.Status != http.StatusOK {
		t.Fatal(a.Status, string(a.Body))
	}
	role(s.Vars["member_id"], "member")
	for name, a := range map[string]harness.Answer{"create": create(), "rotation": rotate()} {
		if a.Status != http.StatusForbidden && a.Status != http.StatusNotFound || bytes.Contains(a.Body, []byte("muninx_")) {
			t.Errorf("%s, by who is no admin any more: %d %s", name, a.Status, a.Body)
		}
	}
}

// TestReplaysAreNoUses: a repeated request whose secret does not work any more is no refused use of that secret.
func TestReplaysAreNoUses(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	create := func() harness.Answer {
		return s.Do("POST", "/tokens", s.Vars["member"], `{"name":"revoked"}`, "Idempotency-Key", idempotencyKey)
	}
	path := fmt.Sprintf("/tokens/%v", create().JSON()["id"])
	if a := s.Do("DELETE", path, s.Vars["member"], ""); a.Status != http.StatusNoContent {
		t.Fatal(a.Status, string(a.Body))
	}
	if a := create(); a.Status != http.StatusConflict {
		t.Fatal(a.Status, string(a.Body))
	}
	s.Stop()
	replica := harness.Start(t, harness.Options{Replica: s})
	list := replica.Do("GET", "/service/audit?action=credential.refused", s.Vars["admin"], "")
	if items, _ := list.JSON()["items"].([]any); list.Status != http.StatusOK || len(items) != 0 {
		t.Errorf("%d %s", list.Status, list.Body)
	}
}
