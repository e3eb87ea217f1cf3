package token

import (
	"cmp"
	"testing"
	"time"
)

// TestExpiries: what is asked must lie between now and the latest that policy, credential and issuer allow; what is not
// asked is the default, clipped to that.
func TestExpiries(t *testing.T) {
	const (
		past    = "must be in the future"
		tooLate = "must be before the year 10000 in UTC"
		soon    = "cannot be set: the credential itself expires too soon"
	)
	never := time.Time{}
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	latest := func(clock string) string {
		return "must not be later than 2026-03-04T" + clock + "Z, the latest that this credential can give"
	}
	tooLong := "must not be later than 2026-03-04T14:00:00Z, since tokens live at most 2h0m0s on this server"
	hour, longest := Policy{DefaultLifetime: time.Hour}, Policy{MaxLifetime: 2 * time.Hour}
	both := Policy{DefaultLifetime: time.Hour, MaxLifetime: 2 * time.Hour}
	for _, c := range []struct {
		policy Policy
		minter time.Time     // when the credential ends
		oidc   time.Duration // the maximum for guests; then the caller is one
		cut    time.Duration // the dialect's precision, milliseconds unless it is said
		asked  time.Time     // zero: nothing was
		expiry time.Time
		want   string
	}{
		// Nothing is asked: the default, clipped.
		{expiry: never},
		{policy: hour, expiry: in(time.Hour)},
		{policy: longest, expiry: in(2 * time.Hour)},
		{policy: both, expiry: in(time.Hour)},
		{policy: Policy{DefaultLifetime: 3 * time.Hour, MaxLifetime: 2 * time.Hour}, expiry: in(2 * time.Hour)},
		{minter: in(time.Minute), expiry: in(time.Minute)},
		{policy: hour, minter: in(time.Minute), expiry: in(time.Minute)},
		{policy: hour, minter: in(9 * time.Hour), expiry: in(time.Hour)},
		{policy: longest, minter: in(9 * time.Hour), expiry: in(2 * time.Hour)},
		{policy: longest, minter: in(time.Minute), expiry: in(time.Minute)},
		{policy: hour, cut: 24 * time.Hour, expiry: never, want: soon}, // at most an hour, in whole days
		{minter: in(900 * time.Millisecond), cut: time.Second, want: soon},
		{minter: in(1900 * time.Millisecond), cut: time.Second, expiry: in(time.Second)},
		{policy: Policy{DefaultLifetime: 90 * time.Minute}, cut: time.Hour, expiry: in(time.Hour)},

		// Something is asked, and nothing limits it but the calendar.
		{asked: in(time.Millisecond), expiry: in(time.Millisecond)},
		{asked: in(time.Millisecond - 1), want: past}, // stored in milliseconds, it is now
		{asked: in(0), want: past},
		{asked: in(-time.Hour), want: past},
		{asked: in(999 * time.Millisecond), cut: time.Second, want: past},
		{asked: in(1999 * time.Millisecond), cut: time.Second, expiry: in(time.Second)},
		{asked: in(time.Hour).In(time.FixedZone("", 7200)), expiry: in(time.Hour)},
		{asked: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), expiry: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{asked: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), want: tooLate},
		{asked: time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600)), want: tooLate},
		{asked: time.Date(10000, 1, 1, 0, 30, 0, 0, time.FixedZone("", 3600)),
			expiry: time.Date(9999, 12, 31, 23, 30, 0, 0, time.UTC)},
		{policy: hour, asked: in(9 * time.Hour), expiry: in(9 * time.Hour)}, // a default is no maximum

		// Something is asked, and something limits it.
		{policy: longest, asked: in(2 * time.Hour), expiry: in(2 * time.Hour)},
		{policy: longest, asked: in(2*time.Hour + time.Millisecond), want: tooLong},
		{policy: longest, asked: in(2*time.Hour + 900*time.Millisecond), cut: time.Second, expiry: in(2 * time.Hour)},
		{policy: longest, minter: in(time.Hour), asked: in(90 * time.Minute), want: latest("13:00:00")},
		{policy: longest, minter: in(9 * time.Hour), asked: in(3 * time.Hour), want: tooLong},
		{minter: in(time.Hour), asked: in(time.Hour), expiry: in(time.Hour)},
		{minter: in(time.Hour), asked: in(time.Hour + time.Millisecond), want: latest("13:00:00")},

		// An OIDC issuer vouched for the caller, until half past twelve.
		{oidc: time.Hour, expiry: in(time.Hour)},
		{oidc: time.Hour, policy: longest, expiry: in(time.Hour)},
		{oidc: 9 * time.Hour, policy: longest, expiry: in(2 * time.Hour)},
		{oidc: time.Hour, policy: Policy{DefaultLifetime: time.Minute}, expiry: in(time.Minute)},
		{oidc: time.Hour, asked: in(time.Hour), expiry: in(time.Hour)},
		{oidc: time.Hour, asked: in(time.Hour + time.Millisecond), want: latest("13:00:00")},
		{oidc: -1, asked: in(9 * time.Hour), expiry: in(9 * time.Hour)}, // no maximum
	} {
		w := newWorld(t)
		d := *personal
		d.Policy, d.Precision = c.policy, cmp.Or(c.cut, time.Millisecond)
		var caller Caller
		if c.oidc == 0 {
			w.FederatedMaxLifetime = time.Minute // which is nobody else's limit
			caller = w.caller(t, Token{UserID: member, ExpiresAt: c.minter})
		} else {
			w.FederatedMaxLifetime = max(c.oidc, 0)
			caller = w.guest(t, "", in(30*time.Minute))
		}
		draft := Draft{Dialect: &d}
		if !c.asked.IsZero() {
			draft.ExpiresAt = &c.asked
		}
		made, _, err := w.Create(t.Context(), caller, draft)
		want := ""
		if c.want != "" {
			want = "invalid: the request does not fit; /expires_at " + c.want
		}
		if told(err) != want || made.ExpiresAt != c.expiry {
			t.Errorf("%+v: expires %v, error %q", c, made.ExpiresAt, told(err))
		}
	}
}

// TestPolicies: the operator's policy takes the place of the dialect's, even where it sets nothing.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	d := *personal
	d.Policy = Policy{DefaultLifetime: time.Hour}
	for want, policies := range map[time.Time]map[*Dialect]Policy{
		noon.Add(time.Hour):   nil,
		noon.Add(time.Minute): {&d: {DefaultLifetime: time.Minute}, personal: {DefaultLifetime: time.Second}},
		{}:                    {&d: {}},
	} {
		w.Policies = policies
		made, _, err := w.Create(t.Context(), w.user(t, member), Draft{Dialect: &d})
		ok(t, err)
		same(t, "the expiry", made.ExpiresAt, want)
	}
}
