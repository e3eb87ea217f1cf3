package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// hoard gives the member PATs, so that there are this many.
func hoard(t *testing.T, s *harness.Server, count int) {
	t.Helper()
	member, err := s.Service.Authenticate(t.Context(), s.Vars["member"])
	if err != nil {
		t.Fatal(err)
	}
	for range count {
		if _, _, err := s.Service.Create(t.Context(), member, token.Draft{Dialect: token.Unleash}); err != nil {
			t.Fatal(err)
		}
	}
}

// patIDs are the ids in a list.
func patIDs(t *testing.T, a harness.Answer) (ids []int64) {
	t.Helper()
	var list struct{ Pats []struct{ ID int64 } }
	if err := json.Unmarshal(a.Body, &list); err != nil || a.Status != 200 || list.Pats == nil {
		t.Fatalf("%d %.200s: %v", a.Status, a.Body, err)
	}
	for i, pat := range list.Pats {
		if i > 0 && pat.ID <= list.Pats[i-1].ID {
			t.Errorf("%d comes after %d", pat.ID, list.Pats[i-1].ID)
		}
		ids = append(ids, pat.ID)
	}
	return ids
}

// TestWholeList: the vendor's clients know no pages.
func TestWholeList(t *testing.T) {
	const count = 1010 // in three parts
	s := harness.Start(t, harness.Options{Configure: unlimited})
	list := func(query string) harness.Answer {
		return s.Do("GET", "/api/admin/user/tokens"+query, s.Vars["member"], "")
	}
	if ids := patIDs(t, list("")); len(ids) != 0 {
		t.Errorf("at first there are %d", len(ids))
	}
	hoard(t, s, count)
	all := list("")
	ids := patIDs(t, all)
	if len(ids) != count || all.Header.Get("Link") != "" || all.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d of %d, %v", len(ids), count, all.Header)
	}
	page := list("?limit=50")
	_, cursor, linked := strings.Cut(page.Header.Get("Link"), "cursor=")
	cursor, _, _ = strings.Cut(cursor, "&")
	if got := patIDs(t, page); len(got) != 50 || !linked {
		t.Errorf("a page has %d, and %v", len(got), page.Header)
	}
	if rest := patIDs(t, list("?cursor="+cursor)); len(rest) != count-50 || rest[0] != ids[50] {
		t.Errorf("after the page there are %d", len(rest))
	}
	if a := list("?cursor=x"); a.Status != 400 {
		t.Errorf("a bad cursor: %d", a.Status)
	}
	if head := s.Do("HEAD", "/api/admin/user/tokens", s.Vars["member"], ""); head.Status != 200 {
		t.Errorf("HEAD: %d", head.Status)
	}
}

// failing is a store that cannot list any more after some tokens.
type failing struct {
	token.Store
	after int64
}

func (f *failing) List(ctx context.Context, q token.Query) ([]token.Token, error) {
	if q.After > f.after {
		return nil, token.Wrap(token.Unavailable, errors.New("the disk is gone"))
	}
	return f.Store.List(ctx, q)
}

// TestListThatBreaksOff is never taken for a whole one.
func TestListThatBreaksOff(t *testing.T) {
	broken := &failing{after: 100}
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		unlimited(c)
		c.Wrap = func(s server.Stores) server.Stores {
			broken.Store = s.Tokens
			s.Tokens = broken
			return s
		}
	}})
	hoard(t, s, 600)
	if a, err := s.Try("GET", "/api/admin/user/tokens", s.Vars["member"], ""); err == nil {
		t.Errorf("it ends well: %d, %d bytes, and ends with %q", a.Status, len(a.Body), a.Body[max(0, len(a.Body)-50):])
	}
	if line := logged(t, s); line["level"] != "ERROR" || !strings.Contains(fmt.Sprint(line["error"]), "the disk is gone") {
		t.Errorf("the log says %v", line)
	}
	broken.after = -1
	if a := s.Do("GET", "/api/admin/user/tokens", s.Vars["member"], ""); a.Status != 503 {
		t.Errorf("nothing can be read: %d", a.Status)
	}
}
