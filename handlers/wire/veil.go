package wire

import (
	"context"
	"regexp"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Veil hides what a sender may have put where no secret belongs, from whoever reads the answer or the log. Nil hides
// nothing.
type Veil struct {
	beginning *regexp.Regexp // of a secret
	secret    *regexp.Regexp // or most of one
}

// NewVeil knows the secrets of the dialects.
func NewVeil(dialects token.Dialects) *Veil {
	return &Veil{regexp.MustCompile(dialects.PrefixPattern()), regexp.MustCompile(dialects.SecretPattern())}
}

// hidden stands where a secret was.
const hidden = "(a secret?)"

// suspects reports whether the text should not be repeated: a name or a request id, which has nothing else in it.
func (v *Veil) suspects(text string) bool { return v != nil && v.beginning.MatchString(text) }

// over is the text without the secrets in it.
func (v *Veil) over(text string) string {
	if v == nil {
		return text
	}
	return v.secret.ReplaceAllString(text, hidden)
}

// veilOf is that of the server that got the request.
func veilOf(ctx context.Context) *Veil {
	if c := callOf(ctx); c != nil {
		return c.Veil
	}
	return nil
}
