// Package clients proves that other people's libraries work with the server as they are: OAuth clients that introspect,
// and an offline check of status lists. It is a module of its own, so that what they require is no requirement of the
// product.
package clients

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// issued is a token that a test made.
type issued struct {
	token.Ref
	secret string
}

// issue creates a token for the member, with the members of the dialect's create.
func issue(t *testing.T, s *harness.Server, dialect *token.Dialect, body string) issued {
	t.Helper()
	paths := map[*token.Dialect]string{
		token.Muninx: "/tokens", token.APIToken: "/api/v1/api_token", token.Unleash: "/api/admin/user/tokens",
	}
	a := s.Do("POST", paths[dialect], s.Vars["member"], body)
	if a.Status != http.StatusOK && a.Status != http.StatusCreated {
		t.Fatalf("%s %s: %d %s", dialect, body, a.Status, a.Body)
	}
	made, id, secret := a.JSON(), "id", "token"
	switch dialect {
	case token.APIToken:
		details := made["details"].(map[string]any)
		made[id] = details[id]
	case token.Unleash:
		secret, made[id] = "secret", fmt.Sprintf("%.0f", made[id])
	}
	return issued{token.Ref{Dialect: dialect, ID: made[id].(string)}, made[secret].(string)}
}

// change suspends, activates or revokes a token as an admin does.
func change(t *testing.T, s *harness.Server, i issued, action string) {
	t.Helper()
	path := "/service/tokens/" + i.Dialect.Name + "/" + i.ID + "/" + action
	if a := s.Do("POST", path, s.Vars["admin"], ""); a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
}
