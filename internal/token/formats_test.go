package token

import (
	"strings"
	"testing"
	"time"
)

func TestIDs(t *testing.T) {
	now := time.Date(2026, 6, 11, 10, 0, 0, 0, time.UTC)
	for _, d := range []*Dialect{Muninx, APIToken} {
		earlier, later := d.IDs.New(now), d.IDs.New(now.Add(time.Millisecond))
		if earlier >= later {
			t.Errorf("%s: %s does not sort before %s", d, earlier, later)
		}
		if !d.IDs.Valid(earlier) || d.IDs.New(now) == earlier {
			t.Errorf("%s: %s", d, earlier)
		}
		for _, bad := range []string{"", earlier + "0", earlier[1:], strings.ToUpper(earlier), earlier[:len(earlier)-1] + "u",
			earlier + "\n", strings.ReplaceAll(earlier, "-", "") + "-"} {
			if d.IDs.Valid(bad) {
				t.Errorf("%s: %q passes for an id", d, bad)
			}
		}
	}
	uuid := Muninx.IDs.New(now) // of version 7 (RFC 9562): its first 48 bits are the time in milliseconds
	if !strings.HasPrefix(uuid, "019eb61f-d500-7") || !strings.Contains("89ab", uuid[19:20]) {
		t.Errorf("the UUID is %s", uuid)
	}
	for _, bad := range []string{strings.ReplaceAll(uuid, "-", ""), strings.ReplaceAll(uuid, "-", "0"),
		uuid[:8] + uuid[9:10] + "-" + uuid[10:], uuid[:12] + "-" + uuid[12:13] + uuid[14:]} {
		if Muninx.IDs.Valid(bad) {
			t.Errorf("%s passes for a UUID", bad)
		}
	}
	if id := NewKey(now); !strings.HasPrefix(id, "06fbc7yn0") {
		t.Errorf("the key %s does not begin with the time", id)
	}
	if !ValidKey("013xrzp12g3nqk8ngskn1wtxgka5b0nf") {
		t.Error("the document's own id is refused")
	}
	for id, want := range map[string]bool{"1": true, "9223372036854775807": true, "0": false, "-1": false, "01": false,
		"+1": false, "9223372036854775808": false, "": false, "1 ": false} {
		if Unleash.IDs.Valid(id) != want {
			t.Errorf("%q as an integer id: want %t", id, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	for _, d := range []*Dialect{Muninx, Unleash} {
		secret := d.Secrets.New()
		if got := Published.OfSecret(secret); got != d {
			t.Errorf("%s is %s", secret, got)
		}
		if secret == d.Secrets.New() {
			t.Error("the same secret twice")
		}
		for i := range secret { // every single wrong character is found without a database, but for hex digits
			other := byte('0')
			if secret[i] == other {
				other = '1'
			}
			changed := secret[:i] + string(other) + secret[i+1:]
			if d == Muninx && Published.OfSecret(changed) == d {
				t.Errorf("%s passes for a secret, its character %d is changed", changed, i)
			}
		}
		for _, bad := range []string{secret[1:], secret + "0", secret[:len(secret)-1], strings.ToUpper(secret),
			secret + "\n", " " + secret} {
			if Published.OfSecret(bad) != nil {
				t.Errorf("%q passes for a secret", bad)
			}
		}
	}
}

// TestRandomIsEven counts the characters: a biased draw would be far outside.
func TestRandomIsEven(t *testing.T) {
	const draws = 62 * 2000
	counts := map[rune]int{}
	form := Muninx.Secrets
	form.Length = draws
	for _, r := range form.random() {
		counts[r]++
	}
	if len(counts) != 62 {
		t.Fatalf("%d different characters", len(counts))
	}
	for r, n := range counts {
		if n < 1600 || n > 2400 { // nine standard deviations
			t.Errorf("%c came %d times of about 2000", r, n)
		}
	}
}

func FuzzOfSecret(f *testing.F) {
	f.Add(Muninx.Secrets.New())
	f.Add(Unleash.Secrets.New())
	for _, seed := range []string{"", "muninx_", "user:", "a.b.c", "user:" + strings.Repeat("0", 56)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		d := Published.OfSecret(secret)
		if d == nil {
			return
		}
		if end := len(secret) - d.Secrets.Checksum; d == Muninx && secret[end:] != d.Secrets.checksum(secret[:end]) {
			t.Errorf("%q has a wrong checksum", secret)
		}
	})
}

func FuzzDecodeCursor(f *testing.F) {
	f.Add(encodeCursor(Ref{Muninx, newUUID(time.Now())}))
	f.Add(encodeCursor(Ref{Unleash, "7"}))
	f.Add("dW5sZ\rWFzaC80") // a line break inside
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		if ref, ok := decodeCursor(Published, cursor); ok && encodeCursor(ref) != cursor {
			t.Errorf("%q is a second spelling of %v", cursor, ref)
		}
	})
}
