package replicas

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// listedToken is a token that is looked up in its status list.
type listedToken struct {
	id    string
	index int
}

func createListed(t *testing.T, s *harness.Server) listedToken {
	t.Helper()
	a := s.Do("POST", "/api/v1/api_token", s.Vars["member"], `{"token_scope":"account"}`)
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	made := a.JSON()
	var claims struct {
		Status struct {
			List struct{ Idx int } `json:"status_list"`
		}
	}
	decode(t, strings.Split(made["token"].(string), ".")[1], &claims)
	return listedToken{made["details"].(map[string]any)["id"].(string), claims.Status.List.Idx}
}

func decode(t *testing.T, segment string, into any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%v in %q", err, segment)
	}
}

// statuses reads the first list; nil where the server says that it cannot answer.
func statuses(t *testing.T, s *harness.Server) []byte {
	t.Helper()
	a := s.Do("GET", "/statuslists/1", "", "", "Accept-Encoding", "identity")
	if a.Status == http.StatusServiceUnavailable {
		return nil
	}
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var claims struct {
		List struct{ Lst string } `json:"status_list"`
	}
	decode(t, strings.Split(string(a.Body), ".")[1], &claims)
	packed, err := base64.RawURLEncoding.DecodeString(claims.List.Lst)
	if err != nil {
		t.Fatal(err)
	}
	unpack, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	list, err := io.ReadAll(unpack)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func statusAt(list []byte, index int) byte { return list[index/4] >> (index % 4 * 2) & 3 }

// TestStatusListsReachAllReplicas changes tokens on one replica and reads the list from another until it shows.
func TestStatusListsReachAllReplicas(t *testing.T) {
	database := pgtest.URL(t)
	first := harness.Start(t, harness.Options{DatabaseURL: database})
	second := harness.Start(t, harness.Options{DatabaseURL: database, Replica: first})
	var delays []time.Duration
	for range 100 {
		s := createListed(t, first)
		for _, step := range []struct {
			action string
			want   byte
		}{{"suspend", 2}, {"activate", 0}, {"revoke", 1}} {
			if a := first.Do("POST", "/service/tokens/apitoken/"+s.id+"/"+step.action, first.Vars["admin"], ""); a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			answered, shown := time.Now(), time.Duration(0)
			for statusAt(statuses(t, second), s.index) != step.want {
				if shown = time.Since(answered); shown > 20*guarantee {
					t.Fatalf("%s does not show", step.action)
				}
			}
			delays = append(delays, shown)
		}
	}
	slices.Sort(delays)
	t.Logf("%d changes; from the answer to the last reading that did not show it: median %v, max %v",
		len(delays), delays[len(delays)/2], delays[len(delays)-1])
	if worst := delays[len(delays)-1]; worst > guarantee {
		t.Errorf("a change did not show for %v", worst)
	}
}

// TestStatusListsOfACutOffReplica: a replica that hears nothing never shows a list that is older than the guarantee.
func TestStatusListsOfACutOffReplica(t *testing.T) {
	database := pgtest.URL(t)
	first := harness.Start(t, harness.Options{DatabaseURL: database})
	p, address := through(t, database)
	second := harness.Start(t, harness.Options{DatabaseURL: address, Replica: first, Configure: harness.Timeout(time.Second)})
	s := createListed(t, first)
	if statusAt(statuses(t, second), s.index) != 0 {
		t.Fatal("a fresh token is not valid")
	}
	p.set(true)
	if a := first.Do("POST", "/service/tokens/apitoken/"+s.id+"/revoke", first.Vars["admin"], ""); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	answered, unavailable := time.Now(), 0
	for time.Since(answered) < 3*guarantee || unavailable == 0 && time.Since(answered) < 20*guarantee {
		begun := time.Since(answered)
		switch list := statuses(t, second); {
		case list == nil:
			unavailable++
		case statusAt(list, s.index) != 1 && begun > guarantee:
			t.Fatalf("after %v the token is still valid", begun)
		}
	}
	if unavailable == 0 {
		t.Error("the replica never said that it cannot answer")
	}
	p.set(false)
	for statuses(t, second) == nil {
		if time.Since(answered) > 60*guarantee {
			t.Fatal("the replica does not recover")
		}
	}
	if statusAt(statuses(t, second), s.index) != 1 {
		t.Error("after the outage the token is valid")
	}
}
