package handlers_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// listed is a status list token as its reader sees it.
type listed struct {
	Header struct{ Alg, Kid, Typ string }
	Claims struct {
		Iss, Sub      string
		Iat, Exp, TTL int64
		List          struct {
			Bits int
			Lst  string
		} `json:"status_list"`
	}
	statuses []byte
}

func readStatusList(t *testing.T, signed string) (l listed) {
	t.Helper()
	parts := strings.Split(signed, ".")
	for i, into := range []any{&l.Header, &l.Claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatalf("%v in %.200s", err, signed)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := base64.RawURLEncoding.DecodeString(l.Claims.List.Lst)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if l.statuses, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return l
}

// reference is where the JWT says that its status is.
func reference(t *testing.T, jwt string) (index int, uri string) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Status struct {
			List struct {
				Idx *int
				URI string
			} `json:"status_list"`
		}
	}
	if err := json.Unmarshal(text, &claims); err != nil || claims.Status.List.Idx == nil {
		t.Fatalf("no status in %s: %v", text, err)
	}
	return *claims.Status.List.Idx, claims.Status.List.URI
}

// statusOf asks the server as a service would that got the JWT.
func statusOf(t *testing.T, s *harness.Server, jwt string) byte {
	t.Helper()
	index, uri := reference(t, jwt)
	path, ours := strings.CutPrefix(uri, s.URL)
	if !ours {
		t.Fatalf("the list is at %s", uri)
	}
	a := s.Do("GET", path, "", "")
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l := readStatusList(t, string(a.Body))
	if l.Claims.Sub != uri || l.Claims.Iss != s.URL || l.Header.Typ != "statuslist+jwt" || l.Header.Alg != "ES256" ||
		l.Claims.List.Bits != 2 || len(l.statuses) != token.StatusListSize/4 {
		t.Errorf("the list is %+v with %d bytes", l.Claims, len(l.statuses))
	}
	now := s.Service.Now().Unix()
	if l.Claims.Iat > now || l.Claims.Exp < now+l.Claims.TTL || l.Claims.TTL != 60 {
		t.Errorf("at %d the list is of %d to %d, for %d s", now, l.Claims.Iat, l.Claims.Exp, l.Claims.TTL)
	}
	return l.statuses[index/4] >> (index % 4 * 2) & 3
}

// TestStatusListFollowsATokenAndItsOwners: each change shows in the next answer.
func TestStatusListFollowsATokenAndItsOwners(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		admin, body := s.Vars["admin"], `{"token_scope":"environment","environment_id":"`+s.Vars["environment"]+`"}`
		jwt, id := issue(t, s, token.APIToken, s.Vars["member"], body)
		other, otherID := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
		is := func(what string, want, wantOther byte) {
			t.Helper()
			if got, gotOther := statusOf(t, s, jwt), statusOf(t, s, other); got != want || gotOther != wantOther {
				t.Errorf("%s: %d and %d, want %d and %d", what, got, gotOther, want, wantOther)
			}
		}
		is("fresh", 0, 0)
		for _, step := range []struct {
			what, method, path string
			want, wantOther    byte
		}{
			{"suspended", "POST", "/service/tokens/apitoken/" + id + "/suspend", 2, 0},
			{"active again", "POST", "/service/tokens/apitoken/" + id + "/activate", 0, 0},
			{"environment disabled", "POST", "/service/environments/" + s.Vars["environment"] + "/disable", 2, 0},
			{"account disabled, too", "POST", "/service/accounts/" + s.Vars["account"] + "/disable", 2, 2},
			{"environment enabled", "POST", "/service/environments/" + s.Vars["environment"] + "/enable", 2, 2},
			{"account enabled", "POST", "/service/accounts/" + s.Vars["account"] + "/enable", 0, 0},
			{"revoked", "POST", "/service/tokens/apitoken/" + id + "/revoke", 1, 0},
			{"deleted", "DELETE", "/service/tokens/apitoken/" + id, 1, 0},
		} {
			if a := s.Do(step.method, step.path, admin, ""); a.Status != 200 && a.Status != 204 {
				t.Fatalf("%s: %d %s", step.what, a.Status, a.Body)
			}
			is(step.what, step.want, step.wantOther)
		}
		s.Advance(366 * 24 * time.Hour)
		is("expired, which its `exp` tells", 1, 0)
		expect(t, s, "DELETE", "/service/tokens/apitoken/"+otherID, admin, 204)
		is("expired and deleted, but never revoked", 1, 1)
	})
}

// TestStatusListOverHTTP: entity tags, encodings, and what does not exist.
func TestStatusListOverHTTP(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	if a := s.Do("GET", "/statuslists/1", "", ""); a.Status != http.StatusNotFound {
		t.Errorf("a list without a token: %d", a.Status)
	}
	jwt, id := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	get := func(headers ...string) harness.Answer { return s.Do("GET", "/statuslists/1", "", "", headers...) }
	plain, zipped := get("Accept-Encoding", "identity"), get("Accept-Encoding", "br, gzip;q=0.5")
	if plain.Header.Get("Content-Encoding") != "" || zipped.Header.Get("Content-Encoding") != "gzip" ||
		plain.Header.Get("Vary") != "Accept-Encoding" || zipped.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v\n%v", plain.Header, zipped.Header)
	}
	r, err := gzip.NewReader(bytes.NewReader(zipped.Body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, plain.Body) {
		t.Errorf("unpacked it is another: %v", err)
	}
	for _, no := range []string{"", "gzip;q=0", "gzip; q=0.000, *", "identity, gzip;q=no", "gzi"} {
		if a := get("Accept-Encoding", no); a.Header.Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q got gzip", no)
		}
	}
	etag, zippedTag := plain.Header.Get("Etag"), zipped.Header.Get("Etag")
	if etag == zippedTag {
		t.Error("one entity tag for two encodings")
	}
	for known, status := range map[string]int{
		etag: 304, "W/" + etag: 304, `"other", ` + etag: 304, "*": 304, `"other"`: 200, zippedTag: 200, strings.Trim(etag, `"`): 200,
	} {
		a := get("Accept-Encoding", "identity", "If-None-Match", known)
		if a.Status != status || a.Header.Get("Etag") != etag || status == 304 && len(a.Body) > 0 {
			t.Errorf("If-None-Match %s: %d, want %d, with %v", known, a.Status, status, a.Header)
		}
	}
	if a := get("Accept-Encoding", "gzip", "If-None-Match", zippedTag); a.Status != 304 {
		t.Errorf("the zipped one is known, and yet %d", a.Status)
	}
	expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/suspend", s.Vars["admin"], 200)
	if a := get("Accept-Encoding", "identity", "If-None-Match", etag); a.Status != 200 || statusOf(t, s, jwt) != 2 {
		t.Errorf("after a change: %d", a.Status)
	}
	for path, status := range map[string]int{
		"/statuslists/2": 404, "/statuslists/0": 404, "/statuslists/-1": 404, "/statuslists/x": 400,
		"/statuslists/99999999999999999999": 400, "/statuslists/1?time=1": 501,
		"/statuslists/1?time=": 501, "/statuslists/x?time=1": 400,
	} {
		expect(t, s, "GET", path, "", status)
	}
	expect(t, s, "HEAD", "/statuslists/1", "", 200)
	severalLines(t, s, etag)
}

// severalLines sends headers in several lines, which means the same as one (RFC 9110 section 5.3).
func severalLines(t *testing.T, s *harness.Server, stale string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/statuslists/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Accept-Encoding"] = []string{"br", "gzip"}
	r.Header["If-None-Match"] = []string{`"a"`, stale}
	a, err := s.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
}

// TestStatusListIsNoCredential: it is signed by the keys of the tokens.
func TestStatusListIsNoCredential(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	list := string(s.Do("GET", "/statuslists/1", "", "", "Accept-Encoding", "identity").Body)
	expect(t, s, "GET", "/api/v1/api_token", list, 401)
	expect(t, s, "GET", "/verify", list, 401)
	if a := introspect(s, s.Vars["admin"], list); strings.TrimSpace(string(a.Body)) != inactive {
		t.Errorf("%s", a.Body)
	}
}

// TestStatusListIsPackedOnce: nobody needs a credential to ask for it, so that asking must cost next to nothing. What a
// request allocates shows whether the list was compressed for it.
func TestStatusListIsPackedOnce(t *testing.T) {
	s := harness.Start(t, harness.Options{Unchecked: true})
	issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	get := func(headers ...string) harness.Answer { return s.Do("GET", "/statuslists/1", "", "", headers...) }
	first := get("Accept-Encoding", "gzip")
	const requests, most = 100, 200 << 10
	for what, headers := range map[string][]string{
		"gzip": {"Accept-Encoding", "gzip"}, "known": {"Accept-Encoding", "gzip", "If-None-Match", first.Header.Get("Etag")},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range requests {
			if a := get(headers...); a.Header.Get("Etag") != first.Header.Get("Etag") {
				t.Fatalf("%s: %d %v", what, a.Status, a.Header)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / requests; each > most {
			t.Errorf("%s: a request allocates %d bytes", what, each)
		}
	}
}
