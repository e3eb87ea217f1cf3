package handlers_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// ends are the ways in which the credential of an admin stops working, by name.
var ends = map[string]func(t *testing.T, s *harness.Server, c credential){
	"revoked":   func(t *testing.T, s *harness.Server, c credential) { c.act(t, s, "POST", "/revoke", 200) },
	"suspended": func(t *testing.T, s *harness.Server, c credential) { c.act(t, s, "POST", "/suspend", 200) },
	"deleted":   func(t *testing.T, s *harness.Server, c credential) { c.act(t, s, "DELETE", "", 204) },
	"expired":   func(_ *testing.T, s *harness.Server, _ credential) { s.Advance(time.Hour) },
	"user disabled": func(t *testing.T, s *harness.Server, c credential) {
		expect(t, s, "POST", "/service/users/"+c.user+"/disable", s.Vars["admin"], 200)
	},
}

// credential is a token that ends in an hour, of an admin who has no other.
type credential struct{ secret, id, user string }

func newCredential(t *testing.T, s *harness.Server, subject string) credential {
	t.Helper()
	body := fmt.Sprintf(`{"subject":%q,"name":"x","role":"admin","account_id":%q}`, subject, s.Vars["account"])
	made := s.Do("POST", "/service/users", s.Vars["admin"], body)
	if made.Status != http.StatusCreated {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	c := credential{user: fmt.Sprintf("%.0f", made.JSON()["id"])}
	end := s.Service.Now().Add(time.Hour).Format(time.RFC3339Nano)
	issued := s.Do("POST", "/service/users/"+c.user+"/tokens", s.Vars["admin"], `{"name":"x","expires_at":"`+end+`"}`)
	if issued.Status != http.StatusCreated {
		t.Fatalf("%d %s", issued.Status, issued.Body)
	}
	c.secret, c.id = issued.JSON()["token"].(string), issued.JSON()["id"].(string)
	return c
}

func (c credential) act(t *testing.T, s *harness.Server, method, action string, status int) {
	t.Helper()
	path := "/service/tokens/muninx/" + c.id
	if method == "DELETE" {
		expect(t, s, "POST", path+"/revoke", s.Vars["admin"], 200)
	}
	expect(t, s, method, path+action, s.Vars["admin"], status)
}

// operation is one that needs a credential, with what its request may look like.
type operation struct {
	id, method, path, body string
	form                   bool
}

// operations are all of all contracts that judge a credential.
func operations(t *testing.T, s *harness.Server) []operation {
	t.Helper()
	bodies := map[string]string{
		"createToken": `{"name":"late"}`, "createUserToken": `{"name":"late"}`, "createAccount": `{"name":"late"}`,
		"updateUser": `{"role":"introspector"}`, "createServiceToken": `{"dialect":"muninx","name":"late"}`,
		"updateServiceToken": `{"self_rotation":true}`, "rotateServiceToken": `{"overlap":"0"}`,
		"createApiToken": `{"token_scope":"account"}`, "createPat": `{"description":"late"}`,
		"createUser":        `{"subject":"late","name":"x","role":"admin","account_id":"` + s.Vars["account"] + `"}`,
		"createEnvironment": `{"name":"late","account_id":"` + s.Vars["account"] + `"}`,
		"introspectToken":   "token=" + s.Vars["member"], "introspectTokens": `{"tokens":["` + s.Vars["member"] + `"]}`,
	}
	account, environment := s.Vars["other_account"], s.Vars["other_environment"]
	_, target := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	rotation := s.Do("POST", "/service/tokens/apitoken/"+target+"/rotate", s.Vars["admin"], `{"overlap":"168h"}`)
	if rotation.Status != http.StatusOK {
		t.Fatalf("%d %s", rotation.Status, rotation.Body)
	}
	var all []operation
	for _, document := range documents {
		spec, err := wire.Load(document, wire.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range spec.Operations {
			if op.Open {
				continue
			}
			id := map[string]string{
				"/tokens/:id": "0199c0de-0000-7000-8000-000000000000", "/service/users/:id": s.Vars["stranger_id"],
				"/service/accounts/:id": account, "/service/environments/:id": environment,
				"/api/admin/user/tokens/:id": "1", "/api/v1/api_token/:id": target,
			}
			path := strings.NewReplacer(":dialect/:id", "apitoken/"+target).Replace(op.Path)
			for pattern, value := range id {
				if rest, ok := strings.CutPrefix(path, pattern); ok {
					path = strings.TrimSuffix(pattern, ":id") + value + rest
				}
			}
			all = append(all, operation{op.ID, op.Method, path, bodies[op.ID], op.ID == "introspectToken"})
		}
	}
	return all
}

// heldBack is a request whose end is not sent yet.
type heldBack struct {
	conn   net.Conn
	answer *bufio.Reader
	rest   string
}

// begin sends a request up to its last byte. Where it has a body, the server has asked for that, which it does after it
// has judged the credential.
func begin(t *testing.T, s *harness.Server, op operation, secret string) heldBack {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n", op.method, op.path, secret)
	h := heldBack{conn, bufio.NewReader(conn), "\r\n"}
	if op.body == "" {
		fmt.Fprint(conn, head)
		return h
	}
	media := "application/json"
	if op.form {
		media = "application/x-www-form-urlencoded"
	}
	fmt.Fprintf(conn, "%sContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", head, media, len(op.body))
	line, err := h.answer.ReadString('\n')
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%s: the body is not asked for: %q %v", op.id, line, err)
	}
	if _, err := h.answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, op.body[:1])
	h.rest = op.body[1:]
	return h
}

// finish sends the rest and returns the status.
func (h heldBack) finish(t *testing.T) int {
	t.Helper()
	fmt.Fprint(h.conn, h.rest)
	a, err := http.ReadResponse(h.answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

// TestCredentialsThatEndOnTheWay holds the end of each request back until its credential has stopped working.
func TestCredentialsThatEndOnTheWay(t *testing.T) {
	for how, end := range ends {
		t.Run(how, func(t *testing.T) {
			harness.Databases(t, func(t *testing.T, databaseURL string) {
				t.Parallel()
				s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
				all := operations(t, s)
				if len(all) < 40 {
					t.Fatalf("only %d operations", len(all))
				}
				for i, op := range all {
					c := newCredential(t, s, fmt.Sprint("late ", i))
					request := begin(t, s, op, c.secret)
					end(t, s, c)
					if status := request.finish(t); status != http.StatusUnauthorized {
						t.Errorf("%s: %d", op.id, status)
					}
				}
			})
		})
	}
}

// beforeChange is a store that does something before each change, when the caller has been judged for the last time
// outside the transaction.
type beforeChange struct {
	token.Store
	token.Registry
	do *func()
}

func (b beforeChange) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	(*b.do)()
	return b.Store.Create(ctx, in)
}

func (b beforeChange) Update(ctx context.Context, p token.Permit, ref token.Ref, change func(*token.Token) error) (token.Token, error) {
	(*b.do)()
	return b.Store.Update(ctx, p, ref, change)
}

func (b beforeChange) Rotate(
	ctx context.Context, p token.Permit, ref token.Ref, claim *token.Claim,
	change func(*token.Token, token.StatusEntry) error,
) (token.Token, error) {
	(*b.do)()
	return b.Store.Rotate(ctx, p, ref, claim, change)
}

func (b beforeChange) CreateUser(ctx context.Context, p token.Permit, u token.User) (token.User, error) {
	(*b.do)()
	return b.Registry.CreateUser(ctx, p, u)
}

func (b beforeChange) UpdateUser(ctx context.Context, p token.Permit, id int64, change func(*token.User, int) error) (token.User, error) {
	(*b.do)()
	return b.Registry.UpdateUser(ctx, p, id, change)
}

func (b beforeChange) CreateAccount(ctx context.Context, p token.Permit, a token.Account) error {
	(*b.do)()
	return b.Registry.CreateAccount(ctx, p, a)
}

func (b beforeChange) UpdateAccount(ctx context.Context, p token.Permit, id string, change func(*token.Account) error) (token.Account, error) {
	(*b.do)()
	return b.Registry.UpdateAccount(ctx, p, id, change)
}

func (b beforeChange) CreateEnvironment(ctx context.Context, p token.Permit, e token.Environment) error {
	(*b.do)()
	return b.Registry.CreateEnvironment(ctx, p, e)
}

func (b beforeChange) UpdateEnvironment(ctx context.Context, p token.Permit, id string, change func(*token.Environment) error) (token.Environment, error) {
	(*b.do)()
	return b.Registry.UpdateEnvironment(ctx, p, id, change)
}

// futile are operations whose token is not there, or not in a state to be deleted.
var futile = []string{"deleteToken", "deletePat", "deleteApiToken", "deleteServiceToken"}

// TestCredentialsThatEndBeforeTheChange takes the right away at the last moment at which a change has not begun yet.
func TestCredentialsThatEndBeforeTheChange(t *testing.T) {
	for how, end := range ends {
		t.Run(how, func(t *testing.T) {
			harness.Databases(t, func(t *testing.T, databaseURL string) {
				t.Parallel()
				nothing := func() {}
				do := nothing
				s := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Configure: func(c *server.Config) {
					c.Wrap = func(s server.Stores) server.Stores {
						changes := beforeChange{s.Tokens, s.Registry, &do}
						return server.Stores{Tokens: changes, Registry: changes, Statuses: s.Statuses}
					}
				}})
				all := operations(t, s)
				changed := 0
				for i, op := range all {
					if op.method == "GET" || strings.HasPrefix(op.id, "introspect") {
						continue
					}
					c := newCredential(t, s, fmt.Sprint("late ", i))
					do = func() {
						do = nothing
						changed++
						end(t, s, c)
					}
					before := changed
					a := s.Do(op.method, op.path, c.secret, op.body)
					if changed == before && slices.Contains(futile, op.id) { // was found to change nothing, without a change
						continue
					}
					if a.Status != http.StatusUnauthorized {
						t.Errorf("%s: %d %s", op.id, a.Status, a.Body)
					}
				}
				if changed < 20 {
					t.Errorf("only %d changes", changed)
				}
			})
		})
	}
}

// TestFederatedCallersThatEndOnTheWay is the same for callers with the JWT of another issuer.
func TestFederatedCallersThatEndOnTheWay(t *testing.T) {
	i := startIssuer(t)
	s := harness.Start(t, harness.Options{Configure: i.trusted})
	body := fmt.Sprintf(`{"subject":"alice","name":"x","role":"admin","account_id":%q,"issuer":%q}`, s.Vars["account"], i.URL)
	made := s.Do("POST", "/service/users", s.Vars["admin"], body)
	if made.Status != http.StatusCreated {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	alice := fmt.Sprintf("/service/users/%.0f", made.JSON()["id"])
	tried := 0
	for _, op := range operations(t, s) {
		if op.body == "" {
			continue
		}
		tried++
		request := begin(t, s, op, i.jwt(t, nil))
		expect(t, s, "POST", alice+"/disable", s.Vars["admin"], 200)
		if status := request.finish(t); status != http.StatusUnauthorized {
			t.Errorf("%s by a user who is disabled: %d", op.id, status)
		}
		expect(t, s, "POST", alice+"/enable", s.Vars["admin"], 200)
	}
	if tried < 8 {
		t.Errorf("only %d operations have a body", tried)
	}
}
