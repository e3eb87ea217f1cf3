package clients

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// The values of a status list (draft-ietf-oauth-status-list section 7.1).
const (
	valid = iota
	invalid
	suspended
)

// listed is what status.mjs prints.
type listed struct {
	Status   int    `json:"status"`
	Index    int    `json:"idx"`
	URI      string `json:"uri"`
	Bits     int    `json:"bits"`
	TTL      int    `json:"ttl"`
	Lifetime int    `json:"lifetime"`
}

// offline checks a token as a service does that never asks about it.
func offline(t *testing.T, s *harness.Server, i issued) listed {
	t.Helper()
	var got listed
	node(t, nil, &got, []string{"TOKEN=" + i.secret}, "status.mjs", s.URL, s.URL)
	return got
}

// TestStatusList follows a token through its life by the published list alone. The other token shares the list and
// never changes.
func TestStatusList(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	subject := issue(t, s, token.APIToken, `{"token_scope":"account"}`)
	other := issue(t, s, token.APIToken, `{"token_scope":"account"}`)
	first := offline(t, s, other)
	if first.Bits != 2 || first.TTL <= 0 || first.Lifetime < first.TTL || !strings.HasPrefix(first.URI, s.URL+"/statuslists/") {
		t.Errorf("the list: %+v", first)
	}
	for _, step := range []struct {
		method, action string
		want           int
	}{
		{"", "", valid},
		{"POST", "/suspend", suspended},
		{"POST", "/activate", valid},
		{"POST", "/revoke", invalid},
		{"DELETE", "", invalid},
	} {
		if step.method != "" {
			path := "/api/v1/api_token/" + subject.ID + step.action
			if a := s.Do(step.method, path, s.Vars["member"], ""); a.Status >= http.StatusMultipleChoices {
				t.Fatalf("%s %s: %d %s", step.method, path, a.Status, a.Body)
			}
		}
		when := fmt.Sprintf("after %s %s", step.method, step.action)
		if got := offline(t, s, subject); got.Status != step.want || got.URI == first.URI && got.Index == first.Index {
			t.Errorf("%s: %+v, want %d", when, got, step.want)
		}
		if got := offline(t, s, other); got.Status != valid || got.Index != first.Index {
			t.Errorf("%s the other token: %+v", when, got)
		}
	}
}
