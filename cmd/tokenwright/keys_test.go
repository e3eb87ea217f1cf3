package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// keyring is a key directory in the hands of its operator.
type keyring struct {
	t        *testing.T
	dir      string
	database string // that the keys sign for; "": none is named
}

func newKeyring(t *testing.T) *keyring {
	t.Helper()
	k := &keyring{t: t, dir: filepath.Join(t.TempDir(), "keys")}
	k.run("init").ok(t)
	return k
}

func (k *keyring) run(args ...string) result {
	k.t.Helper()
	if k.database != "" && (args[0] == "list" || args[0] == "retire") {
		args = append(args, "--database-url", k.database, "--allow-unsafe-postgres")
	}
	return command(k.t, nil, append(append([]string{"keys"}, args...), "--key-directory", k.dir)...)
}

// list returns the kids by state, and how many keys there are.
func (k *keyring) list() (kids map[string]string, n int) {
	k.t.Helper()
	items := decoded[[]keyItem](k.t, k.run("list", "--output", "json").ok(k.t))
	kids = map[string]string{}
	for _, item := range items {
		kids[item.State] = item.KID
	}
	return kids, len(items)
}

// backdate makes the times of all keys an age older, as if that much time had passed since.
func (k *keyring) backdate(member string, age time.Duration) {
	k.t.Helper()
	path := filepath.Join(k.dir, "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		k.t.Fatal(err)
	}
	manifest := decoded[map[string]any](k.t, string(text))
	for _, key := range manifest["keys"].([]any) {
		key := key.(map[string]any)
		at, err := time.Parse(time.RFC3339, key[member].(string))
		if err != nil {
			k.t.Fatal(err)
		}
		key[member] = at.Add(-age).Format(time.RFC3339)
	}
	text, err = json.Marshal(manifest)
	if err == nil {
		err = errors.Join(os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path))
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// rotate waits as long as it takes, but not really.
func (k *keyring) rotate() {
	k.t.Helper()
	k.backdate("published_at", time.Hour)
	k.run("rotate").ok(k.t)
}

// jwks is what the server publishes, by kid.
func (s *instance) jwks(t *testing.T) map[string]bool {
	t.Helper()
	status, text := s.ask(t, "GET", "/.well-known/jwks.json", "", "")
	if status != http.StatusOK {
		t.Fatalf("the key set got %d: %s", status, text)
	}
	kids := map[string]bool{}
	for _, key := range decoded[struct{ Keys []map[string]any }](t, text).Keys {
		kids[key["kid"].(string)] = key["d"] == nil
	}
	return kids
}

// signer is the kid in a JWT.
func signer(t *testing.T, secret string) string {
	t.Helper()
	header, _, _ := strings.Cut(secret, ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	return decoded[struct{ KID string }](t, string(text)).KID
}

// replicas starts two servers on one PostgreSQL database and the key directory.
func (k *keyring) replicas() [2]*instance {
	k.t.Helper()
	dir, database := k.t.TempDir(), pgtest.URL(k.t)
	k.database = database
	var servers [2]*instance
	for i := range servers {
		servers[i], _ = start(k.t, dir, "--public-url", "http://tokens.test", "--database-url", database, "--allow-unsafe-postgres", "--key-directory", k.dir,
			"--bootstrap-credential-file", filepath.Join(dir, "bootstrap-credential"))
	}
	return servers
}

// TestRotation takes two replicas, which are never started again, through the life of a key.
func TestRotation(t *testing.T) {
	k := newKeyring(t)
	servers := k.replicas()
	kids, _ := k.list()
	first := kids["active"]
	secrets := []string{}
	create := func() {
		for _, s := range servers {
			_, secret := s.newToken(t, "apitoken")
			secrets = append(secrets, secret)
		}
	}
	everywhere := func() {
		t.Helper()
		for _, s := range servers {
			for _, secret := range secrets {
				s.works(t, secret)
			}
		}
	}
	create()
	everywhere()
	k.run("rotate").ok(t)
	kids, _ = k.list()
	second := kids["next"]
	for _, s := range servers {
		eventually(t, "the next key to be published", func() bool { return s.jwks(t)[second] })
	}
	k.run("rotate").refused(t, exitFailure, "too early: the next key "+second+" may sign from ")
	k.rotate()
	create() // by replicas that may not have looked yet
	everywhere()
	for _, s := range servers {
		eventually(t, "the second key to sign", func() bool {
			_, secret := s.newToken(t, "apitoken")
			secrets = append(secrets, secret)
			return signer(t, secret) == second
		})
		if keys := s.jwks(t); len(keys) != 3 || !keys[first] || !keys[second] {
			t.Errorf("published are %v", keys)
		}
	}
	everywhere()

	k.run("retire", second).refused(t, exitFailure, "is active: only a retired key")
	k.run("retire", first).refused(t, exitFailure, "too early: tokens that the key "+first+" signed may be valid until ")
	k.backdate("changed_at", 400*24*time.Hour)
	k.run("retire", first).refused(t, exitFailure, "too early: tokens that the key "+first+" signed may be valid until ")
	k.signedBy(first, second) // so that the key can go while its tokens would still be valid
	k.run("retire", first).ok(t)
	for _, s := range servers {
		eventually(t, "the first key to be gone", func() bool { return len(s.jwks(t)) == 2 })
		for _, secret := range secrets {
			if signer(t, secret) != first {
				s.works(t, secret)
				continue
			}
			eventually(t, "a token of the first key to be refused", func() bool {
				status, _ := s.ask(t, "GET", "/service/me", secret, "")
				return status == http.StatusUnauthorized
			})
		}
	}
}

// signedBy notes another key on the tokens that a key has signed.
func (k *keyring) signedBy(kid, other string) {
	k.t.Helper()
	db, err := pgx.Connect(k.t.Context(), k.database)
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close(k.t.Context())
	if _, err := db.Exec(k.t.Context(), "UPDATE tokens SET signing_key = $2 WHERE signing_key = $1", kid, other); err != nil {
		k.t.Fatal(err)
	}
}

// TestKeysAskTheDatabase of a server at work, which has the file of the embedded one to itself.
func TestKeysAskTheDatabase(t *testing.T) {
	k := newKeyring(t)
	s, stop := start(t, t.TempDir(), "--key-directory", k.dir)
	_, secret := s.newToken(t, "apitoken")
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(secret, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Unix(decoded[struct{ Exp int64 }](t, string(payload)).Exp, 0).UTC()
	k.run("rotate", "--emergency").ok(t)
	kids, _ := k.list()
	until := func() *time.Time {
		t.Helper()
		for _, item := range decoded[[]keyItem](t, k.run("list", "--output", "json").ok(t)) {
			if item.KID == kids["retired"] {
				return item.Until
			}
		}
		return nil
	}
	if got := until(); got != nil {
		t.Errorf("without a database: until %s", got)
	}
	k.run("retire", kids["retired"]).refused(t, exitUsage, "--database-url")
	t.Chdir(t.TempDir()) // where another database is at the default place
	command(t, nil, "migrate", "up").ok(t)
	k.run("retire", kids["retired"]).refused(t, exitUsage, "--database-url")
	if got := until(); got != nil {
		t.Errorf("by another database: until %s", got)
	}
	k.database = "sqlite:" + filepath.Join(s.dir, "tokenwright.db")
	for range 2 {
		if got := until(); got == nil || !got.Equal(expires) {
			t.Errorf("until %v, want %s", got, expires)
		}
		k.run("retire", kids["retired"]).refused(t, exitFailure, "may be valid until "+expires.Add(time.Minute).Format(time.RFC3339))
		stop()
	}
	k.database = "sqlite:" + filepath.Join(t.TempDir(), "nowhere.db")
	k.run("retire", kids["retired"]).refused(t, exitFailure, "there is no file")
	if listed := k.run("list"); listed.code != 0 || !strings.Contains(listed.out, kids["retired"]) ||
		!strings.Contains(listed.errors, "warning: ") || !strings.Contains(listed.errors, "there is no file") {
		t.Errorf("without the database: %+v", listed)
	}
	k.database = "mysql:x"
	k.run("list").refused(t, exitUsage, "--database-url")
	k.run("retire", kids["retired"], "--emergency").ok(t)
}

// TestRevokedAcrossARotation: a signature that verifies is not enough, whoever made it.
func TestRevokedAcrossARotation(t *testing.T) {
	k := newKeyring(t)
	s, _ := start(t, t.TempDir(), "--key-directory", k.dir, "--cache-size", "0")
	id, secret := s.newToken(t, "apitoken")
	k.run("rotate").ok(t)
	k.rotate()
	s.works(t, secret)
	s.cli(t, "token", "revoke", "apitoken", id).ok(t)
	if status, _ := s.ask(t, "GET", "/service/me", secret, ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked token got %d", status)
	}
}

// TestEmergencyRotation: a replica takes what another one signs with a key that it has not seen.
func TestEmergencyRotation(t *testing.T) {
	k := newKeyring(t)
	servers := k.replicas()
	_, old := servers[0].newToken(t, "apitoken")
	out := k.run("rotate", "--emergency").ok(t)
	kids, n := k.list()
	if n != 3 || !strings.Contains(out, kids["active"]+" is now active, and "+kids["retired"]+" is retired") {
		t.Errorf("keys %v after %q", kids, out)
	}
	for i, s := range servers {
		var secret string
		eventually(t, "the new key to sign", func() bool {
			_, secret = s.newToken(t, "apitoken")
			return signer(t, secret) == kids["active"]
		})
		other := servers[1-i]
		eventually(t, "the other replica to take it", func() bool {
			status, _ := other.ask(t, "GET", "/service/me", secret, "")
			return status == http.StatusOK
		})
	}
	servers[0].works(t, old)
	k.run("retire", kids["retired"]).refused(t, exitFailure, "with --emergency")
	k.run("retire", kids["retired"], "--emergency").ok(t)
	for _, s := range servers {
		eventually(t, "the compromised key to be gone", func() bool {
			status, _ := s.ask(t, "GET", "/service/me", old, "")
			return status == http.StatusUnauthorized
		})
	}
}

// older turns the directory into one of the releases before the manifest.
func (k *keyring) older() {
	k.t.Helper()
	for _, item := range decoded[[]keyItem](k.t, k.run("list", "--output", "json").ok(k.t)) {
		for _, fact := range []string{"created", "published"} {
			name := item.KID + "." + fact + "." + item.Created.Format("20060102T150405Z") + ".at"
			if err := os.WriteFile(filepath.Join(k.dir, name), nil, 0o600); err != nil {
				k.t.Fatal(err)
			}
		}
		file := filepath.Join(k.dir, item.KID)
		if err := os.Rename(file+".pem", file+"."+item.State+".pem"); err != nil {
			k.t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(k.dir, "manifest.json")); err != nil {
		k.t.Fatal(err)
	}
}

// TestRotateKilled kills rotations, of which the first converts the directory, wherever they are: each is done or not.
func TestRotateKilled(t *testing.T) {
	k := newKeyring(t)
	k.run("rotate").ok(t)
	k.older()
	kids, n := k.list()
	program, done := child.Binary(t), 0
	for i := range 40 {
		rotate := exec.Command(program, "keys", "rotate", "--emergency", "--key-directory", k.dir)
		if err := rotate.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		rotate.Process.Kill() //nolint:errcheck // it may have ended
		rotate.Wait()         //nolint:errcheck // it was killed, most of the time
		after, m := k.list()
		switch {
		case m == n && after["active"] == kids["active"] && after["next"] == kids["next"]:
		case m == n+1 && after["active"] == kids["next"] && after["retired"] != "":
			done++
		default:
			t.Fatalf("%d keys, %v, after %d, %v", m, after, n, kids)
		}
		kids, n = after, m
	}
	t.Logf("%d rotations of 40 were done", done)
	k.run("rotate", "--emergency").ok(t)
}

// TestBrokenKeyDirectory leaves a server at work as it was, with one line in its log.
func TestBrokenKeyDirectory(t *testing.T) {
	k := newKeyring(t)
	k.run("rotate").ok(t)
	kids, _ := k.list()
	s, stop := start(t, t.TempDir(), "--key-directory", k.dir)
	k.rotate()
	eventually(t, "the next key", func() bool { return len(s.jwks(t)) == 3 })
	manifest := filepath.Join(k.dir, "manifest.json")
	good, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(manifest, []byte("no manifest"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the complaint", func() bool { return strings.Contains(s.log.String(), "manifest.json is damaged") })
	_, secret := s.newToken(t, "apitoken")
	s.works(t, secret)
	k.run("rotate").refused(t, exitFailure, "manifest.json is damaged")
	if err := os.WriteFile(manifest, good, 0o600); err != nil {
		t.Fatal(err)
	}
	k.run("retire", kids["active"], "--emergency").ok(t)
	eventually(t, "the retired key to be gone", func() bool { return len(s.jwks(t)) == 2 })
	stop()
	if got := strings.Count(s.log.String(), "manifest.json is damaged"); got != 1 {
		t.Errorf("%d lines complain", got)
	}
}

// TestKeyDirectoryLost: new keys beside a database with JWTs would end all of them without a word, so somebody has to want that.
func TestKeyDirectoryLost(t *testing.T) {
	const public = "--public-url=http://tokens.test"
	dir := t.TempDir()
	s, stop := start(t, dir, public)
	id, secret := s.newToken(t, "apitoken")
	revoked, _ := s.newToken(t, "apitoken")
	s.cli(t, "token", "revoke", "apitoken", revoked, "--admin").ok(t)
	stop()
	keys := filepath.Join(dir, "keys")
	if err := os.Rename(keys, keys+".away"); err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		command(t, nil, s.arguments([]string{public})...).
			refused(t, exitFailure, "restore the directory, or create a new key with tokenwright keys init --key-directory "+keys)
	}
	refused()
	if _, err := os.Stat(keys); err == nil {
		t.Error("a directory was made")
	}
	if err := os.Mkdir(keys, 0o700); err != nil { // as a mount that is away leaves it
		t.Fatal(err)
	}
	refused()
	if left, err := os.ReadDir(keys); err != nil || len(left) > 0 {
		t.Errorf("there is %v (%v)", left, err)
	}
	if err := errors.Join(os.Remove(keys), os.Rename(keys+".away", keys)); err != nil {
		t.Fatal(err)
	}
	s, stop = start(t, dir, public)
	s.works(t, secret)
	s.cli(t, "token", "revoke", "apitoken", id, "--admin").ok(t)
	stop()
	if err := os.RemoveAll(keys); err != nil {
		t.Fatal(err)
	}
	s, _ = start(t, dir, public) // since no token needs the keys
	_, secret = s.newToken(t, "apitoken")
	s.works(t, secret)
}

// TestKeyDirectoryLostInACrash: a JWT that is only in the database's log yet counts, too.
func TestKeyDirectoryLostInACrash(t *testing.T) {
	p := launch(t, t.TempDir())
	p.newToken(t, "apitoken")
	p.signal(t, syscall.SIGKILL)
	p.Exit()
	keys := filepath.Join(p.dir, "keys")
	if err := os.RemoveAll(keys); err != nil {
		t.Fatal(err)
	}
	command(t, nil, p.arguments(nil)...).refused(t, exitFailure, "restore the directory")
	command(t, nil, "keys", "init", "--key-directory", keys).ok(t)
	s, _ := start(t, p.dir)
	_, secret := s.newToken(t, "apitoken")
	s.works(t, secret)
}

// TestKeySetMayBeKept for as long as a rotation waits, not longer.
func TestKeySetMayBeKept(t *testing.T) {
	s, _ := start(t, t.TempDir())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+"/.well-known/jwks.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := checked(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	want := fmt.Sprintf("public, max-age=%d", int(jwt.MaxAge.Seconds()))
	if got := response.Header.Get("Cache-Control"); got != want || response.StatusCode != http.StatusOK {
		t.Errorf("status %d, Cache-Control %q, want %q", response.StatusCode, got, want)
	}
}

func TestKeysCommands(t *testing.T) {
	k := newKeyring(t)
	k.run("init").refused(t, exitFailure, "already contains a key")
	k.run("rotate").ok(t)
	k.rotate()
	kids, n := k.list()
	text := k.run("list").ok(t)
	if lines := strings.Split(strings.TrimSpace(text), "\n"); n != 3 || len(lines) != 4 || !strings.HasPrefix(lines[0], "KID") {
		t.Errorf("listed %d keys: %s", n, text)
	}
	for state, kid := range kids {
		if !strings.Contains(text, state) || !strings.Contains(text, kid) {
			t.Errorf("the %s key %s is not in %s", state, kid, text)
		}
	}
	if strings.Contains(text, "0001-") {
		t.Errorf("a time that is not known is shown: %s", text)
	}
	k.run("retire", "nobody").refused(t, exitFailure, `no key "nobody"`)
	nowhere := keyring{t: t, dir: filepath.Join(t.TempDir(), "nowhere")}
	for _, args := range [][]string{{"list"}, {"rotate"}, {"rotate", "--emergency"}, {"retire", "x"}} {
		nowhere.run(args...).refused(t, exitFailure, "nowhere")
	}
	if _, err := os.Stat(nowhere.dir); err == nil {
		t.Error("a directory was made")
	}
	command(t, nil, "keys", "list").refused(t, exitUsage, "--key-directory")
}
