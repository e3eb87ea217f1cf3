package token

import (
	"regexp"
	"strings"
	"testing"
)

// TestChoosingDialects: by name, by property, and by the form of a secret.
func TestChoosingDialects(t *testing.T) {
	ds := Dialects{personal, corporate, APIToken}
	same(t, "by name", ds.Named("corporate"), corporate)
	same(t, "by a name that none has", ds.Named("muninx"), nil)
	owned := strings.Join(ds.Names(func(d *Dialect) bool { return d.OwnedByUser }), " ")
	others := strings.Join(ds.Names(func(d *Dialect) bool { return !d.OwnedByUser }), " ")
	same(t, "the names of users' dialects", owned, "personal")
	same(t, "the names of the others", others, "corporate apitoken")
	same(t, "the name of none", (*Dialect)(nil).String(), "")
	for secret, want := range map[string]*Dialect{
		"personal_" + strings.Repeat("x", 30): personal, "corporate_" + strings.Repeat("0", 30): corporate,
		"a.b.c": APIToken, "personal_a.b.c": nil, "personal_" + strings.Repeat("-", 30): nil,
		"personal_" + strings.Repeat("x", 31): nil, "a.b": nil, "a.b.c.d": nil, "": nil,
		".." + strings.Repeat("x", MaxJWT-2): APIToken, ".." + strings.Repeat("x", MaxJWT-1): nil,
	} {
		same(t, "the dialect of "+secret[:min(len(secret), 40)], ds.OfSecret(secret), want)
	}
	same(t, "where none is signed", ds[:2].OfSecret("a.b.c"), nil)
}

// TestSecretsAreFoundInTexts: whole ones and what is at least a quarter of one, but not ids.
func TestSecretsAreFoundInTexts(t *testing.T) {
	find := regexp.MustCompile(Published.SecretPattern())
	for text, want := range map[string]string{
		"muninx_01234567 and more":         "muninx_01234567",
		"muninx_0123456":                   "",
		"x user:0123456789abcd y":          "user:0123456789abcd",
		"user:0123456789ABCD":              "user:0123456789ABCD",
		"user:0123456789abc":               "",
		"user:2":                           "",
		"eyJhbGciOi.x.y!":                  "eyJhbGciOi.x.y",
		"eyJ.":                             "eyJ.",
		"eyJhbGciOi":                       "",
		"eyJhbGciOiJ":                      "eyJhbGciOiJ",
		"token:muninx/013xrzp12g3nqk8ngsk": "",
	} {
		same(t, text, find.FindString(text), want)
	}
	begin := regexp.MustCompile("^(?:" + Published.PrefixPattern() + ")")
	for text, want := range map[string]bool{"muninx_": true, "user:": true, "eyJ": true, "muninx": false, "user": false} {
		same(t, text, begin.MatchString(text), want)
	}
	dotted := Dialects{{Secrets: SecretForm{Prefix: "a.b_", Alphabet: hexDigits, Length: 40}}}
	same(t, "a prefix that is no expression", regexp.MustCompile(dotted.PrefixPattern()).MatchString("axb_"), false)
}

// TestBeginningsOfSecrets: what somebody has typed so far may become a secret, or cannot.
func TestBeginningsOfSecrets(t *testing.T) {
	form := SecretForm{Prefix: "ab_", Alphabet: hexDigits, Length: 40, Checksum: 2}
	for text, want := range map[string]bool{
		"": true, "a": true, "ab_": true, "ab_0": true, "ab_" + strings.Repeat("0", 41): true,
		"ab_" + strings.Repeat("0", 42): false, "b": false, "abc": false,
	} {
		same(t, text, form.Begins(text), want)
	}
}
