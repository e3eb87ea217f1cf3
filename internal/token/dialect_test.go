package token

import (
	"strings"
	"testing"
)

// TestDialectsThatClash refuses dialects whose secrets or names could be taken for each other's, or be guessed.
func TestDialectsThatClash(t *testing.T) {
	if err := Published.Check(); err != nil {
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
		"needs an id that is known before":      func(d *Dialect) { d.Secrets, d.IDs = SecretForm{Signed: true}, Numbers },
		"only a user's tokens":     func(d *Dialect) { d.OwnedByUser, d.UniqueNames = false, true },
	} {
		d := *Muninx
		d.Name, d.Secrets.Prefix = "corvid", "corvid_"
		if err := append(Dialects{&d}, Published...).Check(); err != nil {
			t.Fatal(err)
		}
		change(&d)
		if err := append(Published[:3:3], &d).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}
