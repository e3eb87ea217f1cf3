package token

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestTransitions compares the table with the one that the documentation shows.
func TestTransitions(t *testing.T) {
	want := map[State]string{
		Active: "suspend revoke ", Suspended: "activate revoke ", Revoked: "delete ", Expired: "delete ",
	}
	for _, s := range States {
		got := ""
		for _, a := range []Action{Activate, Suspend, Revoke, Delete} {
			if s.Allows(a) {
				got += string(a) + " "
			}
		}
		if got != want[s] {
			t.Errorf("%s allows %q, want %q", s, got, want[s])
		}
	}
}

func TestStatusPrecedence(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		state   State
		expires time.Time
		want    State
	}{
		{Active, time.Time{}, Active},
		{Active, now.Add(time.Millisecond), Active},
		{Active, now, Expired}, // the moment of expiry is no longer valid (RFC 7519 section 4.1.4)
		{Suspended, now.Add(time.Hour), Suspended},
		{Suspended, now.Add(-time.Hour), Expired},
		{Revoked, now.Add(-time.Hour), Revoked},
		{Revoked, time.Time{}, Revoked},
	} {
		if got := (Token{State: c.state, ExpiresAt: c.expires}).StateAt(now); got != c.want {
			t.Errorf("%s until %v is %s, want %s", c.state, c.expires, got, c.want)
		}
	}
}

func TestErrorsCarryTheirKind(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", Wrap(Unavailable, cause))
	if !errors.Is(err, Unavailable) || !errors.Is(err, cause) || errors.Is(err, NotFound) || KindOf(err) != Unavailable {
		t.Errorf("%v", err)
	}
	if KindOf(cause) != Internal {
		t.Error("an error without a kind is internal")
	}
	if Faulty() != nil {
		t.Error("no faults are no error")
	}
	if got := (Fault{Pointer: "/a~1b~0/0"}).Member(); got != "a/b~" {
		t.Errorf("member %q", got)
	}
}

// TestUsesKeepTheLatest notes uses out of order, and gives them back after a failed write.
func TestUsesKeepTheLatest(t *testing.T) {
	var u uses[int64]
	now := time.Now()
	u.note(1, now)
	u.note(1, now.Add(-time.Second))
	if got := u.last(1); !got.Equal(now) {
		t.Errorf("%v", got)
	}
	if taken := u.take(); len(taken) != 1 || !u.last(1).IsZero() {
		t.Errorf("%v", taken)
	}
}
