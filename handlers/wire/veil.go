package wire

import (
	"context"
	"regexp"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Veil hides misplaced secrets of a request from readers of the response and the log. Nil hides nothing.
type Veil struct {
	beginning *regexp.Regexp // of a secret
	secret    *regexp.Regexp // or most of one
}

// NewVeil returns a Veil for the secrets of the dialects.
func NewVeil(dialects token.Dialects) *Veil {
	return &Veil{regexp.MustCompile(dialects.PrefixPattern()), regexp.MustCompile(dialects.SecretPattern())}
}

// hidden replaces a secret.
const hidden = "(a secret?)"

// suspects reports whether the text, a name or a request id, may be a secret and should not be repeated.
func (v *Veil) suspects(text string) bool { return v != nil && v.beginning.MatchString(text) }

// over returns the text without its secrets.
func (v *Veil) over(text string) string {
	if v == nil {
		return text
	}
	return v.secret.ReplaceAllString(text, hidden)
}

// veilOf is the Veil of the server that received the request.
func veilOf(ctx context.Context) *Veil {
	if c := callOf(ctx); c != nil {
		return c.Veil
	}
	return nil
}
