package token

import (
	"testing"
	"time"
)

// TestPublishedDialects: what the published contracts say of a token for which nothing is asked, and of names.
func TestPublishedDialects(t *testing.T) {
	const (
		name   = "invalid: the request does not fit; /name must have 1 to 255 characters"
		blank  = "invalid: the request does not fit; /name must have a character that is not white space"
		taken  = "name taken: another of your tokens has this description"
		millis = 1999 * time.Microsecond
	)
	never := time.Time{}
	for d, want := range map[*Dialect]struct {
		expiry         time.Time // where nothing was asked
		cut            time.Time // what is left of an hour and 1.999 milliseconds
		unnamed, space string    // an error, "" for none
		twice          string
	}{
		Muninx:   {never, noon.Add(time.Hour + time.Millisecond), name, blank, ""},
		Unleash:  {noon.Add(30 * 24 * time.Hour), noon.Add(time.Hour + time.Millisecond), "", "", taken},
		APIToken: {noon.Add(365 * 24 * time.Hour), noon.Add(time.Hour), "", "", ""},
	} {
		w := newWorld(t)
		caller, end := w.user(t, member), noon.Add(time.Hour+millis)
		create := func(name string, expires *time.Time) (Token, error) {
			made, _, err := w.Create(t.Context(), caller, Draft{Dialect: d, Scope: ScopeAccount, Name: name, ExpiresAt: expires})
			return made, err
		}
		made, err := create("first", nil)
		ok(t, err)
		same(t, d.Name+": the expiry", made.ExpiresAt, want.expiry)
		same(t, d.Name+": whether the status is published", made.Entry != StatusEntry{}, d == APIToken)
		made, err = create("second", &end)
		ok(t, err)
		same(t, d.Name+": the expiry that was asked", made.ExpiresAt, want.cut)
		refused(t, d.Name+" without a name", fails(create("", nil)), want.unnamed)
		refused(t, d.Name+" with a space for a name", fails(create(" ", nil)), want.space)
		refused(t, d.Name+" with a name once more", fails(create("first", nil)), want.twice)
	}
}

// TestPublishedLimits: a user has at most ten tokens of unleash.
func TestPublishedLimits(t *testing.T) {
	for d, want := range map[*Dialect]string{
		Muninx: "", APIToken: "", Unleash: "limit reached: the limit of 10 tokens is reached; delete one first",
	} {
		w := newWorld(t)
		caller := w.user(t, member)
		for i := range 11 {
			_, _, err := w.Create(t.Context(), caller, Draft{Dialect: d, Scope: ScopeAccount, Name: string(rune('a' + i))})
			if i < 10 {
				ok(t, err)
				continue
			}
			refused(t, d.Name, err, want)
		}
	}
}
