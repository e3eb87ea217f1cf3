package token

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestDialectsThatClash refuses dialects whose secrets or names could be taken for each other's, or be guessed.
func TestDialectsThatClash(t *testing.T) {
	if err := Published.check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(d *Dialect){
		"lower-case letters":       func(d *Dialect) { d.Name = "Corvid" },
		"muninx and muninx":        func(d *Dialect) { d.Name = "muninx" },
		"muninx and corvid":        func(d *Dialect) { d.Secrets.Prefix = "muninx_2_" },
		"unleash and corvid":       func(d *Dialect) { d.Secrets.Prefix = "use" },
		"apitoken and corvid":      func(d *Dialect) { d.Secrets = SecretForm{Signed: true} },
		"must have a prefix":       func(d *Dialect) { d.Secrets.Prefix = "" },
		"at least 160 random bits": func(d *Dialect) { d.Secrets.Length = 26 },
		"at least 160 random":      func(d *Dialect) { d.Secrets.Alphabet, d.Secrets.Length = hexDigits, 39 },
		"needs the id before":      func(d *Dialect) { d.Secrets, d.IDs = SecretForm{Signed: true}, Numbers },
		"only a user's tokens":     func(d *Dialect) { d.OwnedByUser, d.UniqueNames = false, true },
		"and are counted":          func(d *Dialect) { d.OwnedByUser, d.UniqueNames, d.Policy.MaxTokens = false, false, 3 },
	} {
		d := *Muninx
		d.Name, d.Secrets.Prefix = "corvid", "corvid_"
		if err := append(Dialects{&d}, Published...).check(); err != nil {
			t.Fatal(err)
		}
		change(&d)
		if err := append(Published[:3:3], &d).check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}

// TestSecretsOf160Bits are long enough, to the bit.
func TestSecretsOf160Bits(t *testing.T) {
	d := *personal
	d.Secrets.Alphabet, d.Secrets.Length = hexDigits, 40
	refused(t, "40 hexadecimal digits", Dialects{&d}.check(), "")
}

// check reports whether the dialects can stand beside each other: each secret must be one's alone, and too long to be
// guessed.
func (ds Dialects) check() error {
	for i, d := range ds {
		if d.Name == "" || strings.Trim(d.Name, "abcdefghijklmnopqrstuvwxyz") != "" {
			return fmt.Errorf("the name of the dialect %q must be lower-case letters", d.Name)
		}
		if err := d.check(); err != nil {
			return fmt.Errorf("the dialect %s: %w", d.Name, err)
		}
		for _, other := range ds[:i] {
			if d.Name == other.Name || d.Secrets.clashes(other.Secrets) {
				return fmt.Errorf("the dialects %s and %s have names or secrets that cannot be told apart", other.Name, d.Name)
			}
		}
	}
	return nil
}

func (d *Dialect) check() error {
	switch {
	case !d.Secrets.Signed && d.Secrets.Prefix == "":
		return errors.New("a secret must have a prefix, or be signed")
	case !d.Secrets.Signed && d.Secrets.bits() < minSecretBits:
		return fmt.Errorf("a secret must have at least %d random bits", minSecretBits)
	case d.Secrets.Signed && d.IDs.New == nil:
		return errors.New("what signs a secret needs the id before the store numbers the token")
	case (d.UniqueNames || d.Policy.MaxTokens > 0) && !d.OwnedByUser:
		return errors.New("only a user's tokens have names and are counted")
	}
	return nil
}

// minSecretBits is how many random bits a secret has at least.
const minSecretBits = 160

// bits is how many random bits a secret has.
func (f SecretForm) bits() int { return int(float64(f.Length) * math.Log2(float64(len(f.Alphabet)))) }

// clashes reports whether a secret of one form may be taken for one of the other.
func (f SecretForm) clashes(other SecretForm) bool {
	if f.Signed || other.Signed {
		return f.Signed && other.Signed
	}
	return strings.HasPrefix(f.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, f.Prefix)
}
