package handlers_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/audit"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// onBothDatabases runs the test with a server on each.
func onBothDatabases(t *testing.T, run func(t *testing.T, s *harness.Server)) {
	t.Run("sqlite", func(t *testing.T) { run(t, harness.Start(t, harness.Options{})) })
	t.Run("postgres", func(t *testing.T) { run(t, harness.Start(t, harness.Options{DatabaseURL: pgtest.URL(t)})) })
}

// audited is an event in an answer.
type audited struct {
	ID                                       int64
	At                                       time.Time
	Actor, Credential, Action, Object, Agent string
	Address                                  string
	Dialect                                  *string
	RequestID                                string `json:"request_id"`
	Before, After                            map[string]any
}

func listEvents(t *testing.T, s *harness.Server, query string) (items []audited, next string) {
	t.Helper()
	var list struct {
		Items []audited
		Next  *string `json:"next_cursor"`
	}
	answer := s.Do("GET", "/service/audit"+query, s.Vars["admin"], "")
	if err := json.Unmarshal(answer.Body, &list); err != nil || answer.Status != 200 {
		t.Fatalf("%s: %d %s", query, answer.Status, answer.Body)
	}
	if list.Next != nil {
		next = *list.Next
	}
	return list.Items, next
}

// lastEvent is the newest.
func lastEvent(t *testing.T, s *harness.Server) audited {
	t.Helper()
	items, _ := listEvents(t, s, "?limit=1")
	return items[0]
}

// exported are the lines of an export.
func exported(t *testing.T, s *harness.Server, query string) (lines []string) {
	t.Helper()
	answer := s.Do("GET", "/service/audit/export"+query, s.Vars["admin"], "")
	if answer.Status != 200 || answer.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%d %s", answer.Status, answer.Body)
	}
	scanner := bufio.NewScanner(bytes.NewReader(answer.Body))
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// TestEveryChangeIsAnEvent: it is listed with the answer, and says who did what to what, and from where.
func TestEveryChangeIsAnEvent(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, s *harness.Server) {
		admin, member := s.Vars["admin"], s.Vars["member"]
		me := s.Do("GET", "/service/me", member, "").JSON()["token"].(map[string]any)["id"].(string)
		mine := "token:muninx/" + me
		account := s.Vars["account"]
		var made string
		for _, c := range []struct {
			method, path, credential, body string
			action, object, actor          string
			before, after                  string
		}{
			{"POST", "/tokens", member, `{"name":"n"}`, "token.create", "token:muninx/$id", "user:2", "",
				`{"created_by":2,"name":"n","scope":"user","state":"active","user_id":2}`},
			{"POST", "/service/tokens/muninx/$id/suspend", admin, "", "token.suspend", "token:muninx/$id", "user:1",
				`{"state":"active","suspended_by_admin":false}`, `{"state":"suspended","suspended_by_admin":true}`},
			{"POST", "/service/tokens/muninx/$id/activate", admin, "", "token.activate", "token:muninx/$id", "user:1",
				`{"state":"suspended","suspended_by_admin":true}`, `{"state":"active","suspended_by_admin":false}`},
			{"DELETE", "/tokens/$id", member, "", "token.delete", "token:muninx/$id", "user:2",
				`{"deleted":false,"state":"active"}`, `{"deleted":true,"state":"revoked"}`},
			{"POST", "/api/admin/user/tokens", member, `{"description":"d"}`, "token.create", "token:unleash/$id", "user:2", "", "name"},
			{"POST", "/api/v1/api_token", member, `{"token_scope":"account"}`, "token.create", "token:apitoken/$id", "user:2", "", account},
			{"POST", "/service/tokens/apitoken/$id/allow-introspection", admin, "", "token.allow_introspection", "token:apitoken/$id", "user:1",
				`{"introspector":false}`, `{"introspector":true}`},
			{"POST", "/api/v1/api_token/$id/revoke", member, "", "token.revoke", "token:apitoken/$id", "user:2",
				`{"state":"active"}`, `{"state":"revoked"}`},
			{"POST", "/service/users", admin, `{"subject":"s","name":"N","role":"member","account_id":"` + account + `"}`,
				"user.create", "user:$id", "user:1", "", `"subject":"s"`},
			{"PATCH", "/service/users/$id", admin, `{"role":"introspector"}`, "user.update", "user:$id", "user:1",
				`{"role":"member"}`, `{"role":"introspector"}`},
			{"POST", "/service/users/$id/disable", admin, "", "user.disable", "user:$id", "user:1", `{"disabled":false}`, `{"disabled":true}`},
			{"POST", "/service/users/$id/disable", admin, "", "user.disable", "user:$id", "user:1", "", ""},
			{"POST", "/service/accounts", admin, `{"name":"A"}`, "account.create", "account:$id", "user:1", "", `{"name":"A"}`},
			{"POST", "/service/accounts/$id/disable", admin, "", "account.disable", "account:$id", "user:1", `{"disabled":false}`, `{"disabled":true}`},
			{"POST", "/service/environments", admin, `{"name":"E","account_id":"` + account + `"}`, "environment.create", "environment:$id", "user:1", "", "account_id"},
			{"POST", "/service/environments/$id/enable", admin, "", "environment.enable", "environment:$id", "user:1", "", ""},
		} {
			answer := s.Do(c.method, strings.ReplaceAll(c.path, "$id", made), c.credential, c.body, "User-Agent", "test/1 \xff")
			if answer.Status/100 != 2 {
				t.Fatalf("%s %s: %d %s", c.method, c.path, answer.Status, answer.Body)
			}
			if strings.HasSuffix(c.action, ".create") {
				if id, ok := answer.JSON()["id"]; ok {
					made = strings.TrimSuffix(fmt.Sprint(id), ".0")
				} else {
					made = answer.JSON()["details"].(map[string]any)["id"].(string)
				}
			}
			e := lastEvent(t, s)
			before, after := text(e.Before), text(e.After)
			if e.Action != c.action || e.Object != strings.ReplaceAll(c.object, "$id", made) || e.Actor != c.actor ||
				before != c.before || !strings.Contains(after, c.after) || c.after == "" && after != "" {
				t.Errorf("%s %s: the event is %+v", c.method, c.path, e)
			}
			if e.Address != "127.0.0.1" || e.Agent != "test/1 \uFFFD" || e.RequestID == "" || !strings.Contains(s.Log.String(), e.RequestID) {
				t.Errorf("%s %s: the event is from %q, %q, %q", c.method, c.path, e.Address, e.Agent, e.RequestID)
			}
			if c.credential == member && e.Credential != mine {
				t.Errorf("%s %s: the credential is %q, want %q", c.method, c.path, e.Credential, mine)
			}
		}
	})
}

func text(members map[string]any) string {
	if members == nil {
		return ""
	}
	b, _ := json.Marshal(members)
	return string(b)
}

// TestEventsAreForAdmins only, and filters and cursors select among them.
func TestEventsAreForAdmins(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, s *harness.Server) {
		for _, path := range []string{"", "/export", "/checkpoint", "/inclusion?event=1", "/consistency?from=1"} {
			if answer := s.Do("GET", "/service/audit"+path, s.Vars["member"], ""); answer.Status != 403 {
				t.Errorf("%s to a member: %d %s", path, answer.Status, answer.Body)
			}
		}
		everything, _ := listEvents(t, s, "?limit=100")
		var paged []audited
		for cursor, next := "", ""; ; cursor = "&cursor=" + next {
			var page []audited
			page, next = listEvents(t, s, "?limit=3"+cursor)
			if paged = append(paged, page...); next == "" {
				break
			}
		}
		if len(everything) < 10 || !reflect.DeepEqual(paged, everything) {
			t.Errorf("there are %d events, and %d in pages", len(everything), len(paged))
		}
		moment := everything[3].At.Format(time.RFC3339Nano)
		for query, selects := range map[string]func(audited) bool{
			"?actor=user:1":        func(e audited) bool { return e.Actor == "user:1" },
			"?object=user:2":       func(e audited) bool { return e.Object == "user:2" },
			"?action=token.create": func(e audited) bool { return e.Action == "token.create" },
			"?dialect=muninx":      func(e audited) bool { return e.Dialect != nil && *e.Dialect == "muninx" },
			"?since=" + moment:     func(e audited) bool { return !e.At.Before(everything[3].At) },
			"?until=" + moment:     func(e audited) bool { return e.At.Before(everything[3].At) },
		} {
			var want []audited
			for _, e := range everything {
				if selects(e) {
					want = append(want, e)
				}
			}
			if got, _ := listEvents(t, s, query); len(want) == 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %d events, want %d", query, len(got), len(want))
			}
			if lines := exported(t, s, query); len(lines) != len(want) {
				t.Errorf("%s: %d lines, want %d", query, len(lines), len(want))
			}
		}
		for _, query := range []string{"?cursor=x", "?since=yesterday", "?dialect=latin", "?limit=0", "?actor=", "?who=1"} {
			if answer := s.Do("GET", "/service/audit"+query, s.Vars["admin"], ""); answer.Status != 400 {
				t.Errorf("%s: %d %s", query, answer.Status, answer.Body)
			}
		}
	})
}

// TestExportsAreWhole: in pages of the server, in the order of ids, each event once; and they go on after a given one.
func TestExportsAreWhole(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, s *harness.Server) {
		for i := range 40 {
			for range 30 {
				s.Do("POST", "/service/environments/"+s.Vars["environment"]+[]string{"/enable", "/disable"}[i%2], s.Vars["admin"], "")
			}
		}
		lines := exported(t, s, "")
		if len(lines) < 1200 {
			t.Fatalf("there are %d lines", len(lines))
		}
		last := int64(0)
		for _, line := range lines {
			var e audited
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID <= last {
				t.Fatalf("after %d: %s", last, line)
			}
			last = e.ID
		}
		var middle audited
		_ = json.Unmarshal([]byte(lines[700]), &middle)
		if rest := exported(t, s, fmt.Sprintf("?after=%d", middle.ID)); strings.Join(rest, "\n") != strings.Join(lines[701:], "\n") {
			t.Errorf("there are %d lines after line 700 of %d", len(rest), len(lines))
		}
	})
}

// The verifier of these tests shares nothing with the server: RFC 6962 section 2.1, RFC 9162 section 2.1.3, C2SP
// signed-note and tlog-checkpoint.

type digest = [32]byte

func leafOf(line string) digest { return sha256.Sum256([]byte("\x00" + line)) }

func nodeOf(left, right digest) digest {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// rootByInclusion is RFC 9162 section 2.1.3.2.
func rootByInclusion(leaf digest, index, size int64, path []digest) (root digest, ok bool) {
	fn, sn, r := index, size-1, leaf
	for _, p := range path {
		if sn == 0 {
			return r, false
		}
		if fn&1 == 1 || fn == sn {
			r = nodeOf(p, r)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			r = nodeOf(r, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	return r, sn == 0
}

// rootsByConsistency is RFC 9162 section 2.1.4.2.
func rootsByConsistency(first, second int64, before digest, path []digest) (older, newer digest, ok bool) {
	if first&(first-1) == 0 {
		path = append([]digest{before}, path...)
	}
	if len(path) == 0 {
		return older, newer, false
	}
	fn, sn := first-1, second-1
	for fn&1 == 1 {
		fn, sn = fn>>1, sn>>1
	}
	older, newer = path[0], path[0]
	for _, c := range path[1:] {
		if sn == 0 {
			return older, newer, false
		}
		if fn&1 == 1 || fn == sn {
			older, newer = nodeOf(c, older), nodeOf(c, newer)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			newer = nodeOf(newer, c)
		}
		fn, sn = fn>>1, sn>>1
	}
	return older, newer, sn == 0
}

// signedRoot verifies a checkpoint with a verifier key.
func signedRoot(t *testing.T, checkpoint, key string) (size int64, root digest) {
	t.Helper()
	text, signature, found := strings.Cut(checkpoint, "\n\n")
	name, rest, _ := strings.Cut(key, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	public, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !found || len(public) != 33 || public[0] != 1 {
		t.Fatalf("checkpoint %q, key %q", checkpoint, key)
	}
	sum := sha256.Sum256([]byte(name + "\n" + string(public)))
	signed, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSuffix(signature, "\n"), "— "+name+" "))
	if err != nil || len(signed) != 68 || !bytes.Equal(signed[:4], sum[:4]) || fmt.Sprintf("%08x", binary.BigEndian.Uint32(sum[:])) != id {
		t.Fatalf("the signature %q, key %q", signature, key)
	}
	if !ed25519.Verify(public[1:], []byte(text+"\n"), signed[4:]) {
		t.Fatalf("the signature of %q is wrong", checkpoint)
	}
	lines := strings.Split(text, "\n")
	decoded, err := base64.StdEncoding.DecodeString(lines[2])
	if _, scanned := fmt.Sscan(lines[1], &size); err != nil || scanned != nil || lines[0] != name || len(decoded) != 32 {
		t.Fatalf("the checkpoint %q", checkpoint)
	}
	return size, digest(decoded)
}

type proof struct {
	Event, Position, Size int64
	Leaf                  string
	Hashes                []string
	Checkpoint, Key       string
}

func (p proof) path(t *testing.T) (path []digest) {
	t.Helper()
	for _, text := range p.Hashes {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(decoded) != 32 {
			t.Fatalf("hash %q", text)
		}
		path = append(path, digest(decoded))
	}
	return path
}

func proofOf(t *testing.T, s *harness.Server, path string) (p proof) {
	t.Helper()
	answer := s.Do("GET", "/service/audit"+path, s.Vars["admin"], "")
	if err := json.Unmarshal(answer.Body, &p); err != nil || answer.Status != 200 {
		t.Fatalf("%s: %d %s", path, answer.Status, answer.Body)
	}
	return p
}

// TestProofs: an independent verifier accepts that every exported line is in the log, and that every log is the beginning
// of the later ones, and nothing else.
func TestProofs(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, s *harness.Server) {
		log := s.Service.Prover.(*audit.Log)
		roots := map[int64]digest{}
		gather := func() proof {
			if err := log.Gather(t.Context()); err != nil {
				t.Fatal(err)
			}
			p := proofOf(t, s, "/checkpoint")
			size, root := signedRoot(t, p.Checkpoint, p.Key)
			if size != p.Size {
				t.Errorf("the checkpoint has size %d and says %d", size, p.Size)
			}
			roots[size] = root
			return p
		}
		checkpoint := gather()
		for range 9 {
			s.Do("POST", "/tokens", s.Vars["member"], `{"name":"naïve \"quoted\" \u0001"}`)
			s.Do("POST", "/tokens", s.Vars["member"], `{"name":"naïve"}`)
			checkpoint = gather()
		}
		end, root := signedRoot(t, checkpoint.Checkpoint, checkpoint.Key)
		lines := exported(t, s, "")
		if int64(len(lines)) != end {
			t.Fatalf("%d lines are exported, and %d in the log", len(lines), end)
		}
		for _, line := range lines {
			var e audited
			_ = json.Unmarshal([]byte(line), &e)
			p := proofOf(t, s, fmt.Sprintf("/inclusion?event=%d", e.ID))
			leaf := leafOf(line)
			if p.Leaf != base64.StdEncoding.EncodeToString(leaf[:]) || p.Checkpoint != checkpoint.Checkpoint {
				t.Errorf("event %d: the proof is %+v", e.ID, p)
			}
			if got, ok := rootByInclusion(leaf, p.Position, p.Size, p.path(t)); !ok || got != root {
				t.Errorf("event %d is not proved", e.ID)
			}
			if got, _ := rootByInclusion(leafOf(line+" "), p.Position, p.Size, p.path(t)); got == root {
				t.Errorf("event %d is proved with another line", e.ID)
			}
		}
		for size, older := range roots {
			if size == end {
				continue
			}
			p := proofOf(t, s, fmt.Sprintf("/consistency?from=%d", size))
			gotOlder, gotNewer, ok := rootsByConsistency(size, p.Size, older, p.path(t))
			if !ok || gotOlder != older || gotNewer != root {
				t.Errorf("the log of %d is not proved to be the beginning of that of %d", size, end)
			}
		}
		for _, path := range []string{"/inclusion?event=123456", fmt.Sprintf("/consistency?from=%d", end+1)} {
			if answer := s.Do("GET", "/service/audit"+path, s.Vars["admin"], ""); answer.Status != 404 {
				t.Errorf("%s: %d %s", path, answer.Status, answer.Body)
			}
		}
	})
}

// TestRefusedCredentialsAreEvents, once for many uses, and stored when the server stops if not before.
func TestRefusedCredentialsAreEvents(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, s *harness.Server) {
		answer := s.Do("POST", "/tokens", s.Vars["member"], `{"name":"to be revoked"}`).JSON()
		id, secret := answer["id"].(string), answer["token"].(string)
		s.Do("POST", "/service/tokens/muninx/"+id+"/revoke", s.Vars["admin"], "")
		for range 5 {
			s.Do("GET", "/tokens", secret, "")
		}
		s.Do("POST", "/introspect", s.Vars["introspector"], "token="+secret, "Content-Type", "application/x-www-form-urlencoded")
		s.Do("GET", "/tokens", "muninx_unknown", "")
		if err := s.Service.FlushRefusals(t.Context()); err != nil {
			t.Fatal(err)
		}
		items, _ := listEvents(t, s, "?action=credential.refused")
		if len(items) != 1 || items[0].Object != "token:muninx/"+id || items[0].After["count"] != 6.0 || items[0].After["reason"] != "revoked" {
			t.Errorf("the events are %+v", items)
		}
	})
}
