// Package contract holds the server, as it is shipped, against its published contracts. A property test in Go runs with
// all other tests; independent tools and planted faults run with `make contract` and `make contract-mutants`. What each
// is for is in docs/contracts.md.
package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

const root = "../.."

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// target is a running server and what a tester has to know of it. It goes to child processes as JSON.
type target struct {
	URL         string            `json:"url"`
	Fixtures    string            `json:"fixtures"`    // the same server where no fault is planted in front of it
	Credentials map[string]string `json:"credentials"` // by spec; none is a token that its own spec can list or revoke
	Account     string            `json:"account"`
	Environment string            `json:"environment"`
	User        string            `json:"user"`
	Other       string            `json:"other"`    // a user who makes no requests
	Token       string            `json:"token"`    // the credential of the spec service, which can revoke anything
	APIToken    string            `json:"apitoken"` // a token of the dialect apitoken
	Planted     bool              `json:"planted"`  // there is a fault to be found
}

// start runs the server until the test ends. It is called at its own address, unless publicURL says another. Errors in its
// log fail the test.
func start(t *testing.T, databaseURL, publicURL string) target {
	t.Helper()
	flags := []string{"--unleash-max-tokens", "0", "--log-level", "error",
		// The specs say that there are limits, and not which: the tools expect what is valid to succeed.
		"--limit-failures", "0", "--limit-creates", "0", "--max-lifetime", "0s", "--apitoken-max-tokens", "0"}
	if publicURL != "" {
		flags = append(flags, "--public-url", publicURL)
	}
	server := child.NewServer(t, databaseURL, flags...)
	t.Cleanup(func() {
		server.Stop()
		if strings.Contains(server.Log.String(), "level=ERROR") {
			t.Errorf("the server's log has errors:\n%s", server.Log)
		}
	})
	url := "http://" + server.Address
	s := target{URL: url, Fixtures: url}
	need(t, s.populate(server.Secret))
	return s
}

// populate asks the server who the first admin is and gives that user credentials in other dialects.
func (s *target) populate(first string) error {
	ctx := context.Background()
	var me struct {
		User    struct{ ID json.Number }
		Account struct{ ID string }
		Token   struct{ ID string }
	}
	var environments struct{ Items []struct{ ID string } }
	var pat struct{ Secret string }
	var other struct{ Details struct{ ID string } }
	if err := s.call(ctx, "GET", "/service/me", first, "", &me); err != nil {
		return err
	}
	if err := s.call(ctx, "GET", "/service/environments", first, "", &environments); err != nil {
		return err
	}
	if err := s.call(ctx, "POST", "/api/admin/user/tokens", first, `{"description":"contract tests"}`, &pat); err != nil {
		return err
	}
	if err := s.call(ctx, "POST", "/api/v1/api_token", first, `{"token_scope":"account"}`, &other); err != nil {
		return err
	}
	var user struct{ ID json.Number }
	body := `{"subject":"other","name":"other","role":"member","account_id":"` + me.Account.ID + `"}`
	if err := s.call(ctx, "POST", "/service/users", first, body, &user); err != nil {
		return err
	}
	s.APIToken, s.Other = other.Details.ID, user.ID.String()
	s.User, s.Account, s.Token, s.Environment = me.User.ID.String(), me.Account.ID, me.Token.ID, environments.Items[0].ID
	s.Credentials = map[string]string{"muninx": pat.Secret, "apitoken": first, "unleash": first, "service": first}
	return nil
}

// call sends a request of the tests' own, which has to succeed, and reads its answer into v.
func (s target) call(ctx context.Context, method, path, credential, body string, v any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.Fixtures+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || v == nil && answer.StatusCode < 300 {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d: %s", method, path, answer.StatusCode, data)
	}
	return json.Unmarshal(data, v)
}

// alive fails if a tester has ended the credential that it was to use: what came after would have said nothing.
func (s target) alive(t *testing.T, spec string) {
	t.Helper()
	if err := s.call(t.Context(), "GET", "/service/me", s.Credentials[spec], "", nil); err != nil {
		t.Errorf("the credential for %s does not work any more: %v", spec, err)
	}
}

// databases runs the test on a new server on each database.
func databases(t *testing.T, test func(t *testing.T, s target)) {
	t.Run("sqlite", func(t *testing.T) { test(t, start(t, "", "")) })
	t.Run("postgres", func(t *testing.T) { test(t, start(t, pgtest.URL(t), "")) })
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
