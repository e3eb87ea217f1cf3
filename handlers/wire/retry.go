package wire

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tokenwright/tokenwright/internal/token"
)

// RetryOf is what makes a request safe to repeat, nil if it has no Idempotency-Key. Quotes around the key do not count:
// the draft wants them (a String of RFC 9651), and many clients leave them out.
func RetryOf[K ~string](key *K, operation string, body any) (*token.Retry, error) {
	if key == nil {
		return nil, nil //nolint:nilnil // none
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, token.Wrap(token.Internal, err)
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(string(*key), `"`), `"`)
	return &token.Retry{Key: bare, Operation: operation, Body: text}, nil
}

// Replayed is the header that tells a repeated response, nil if it is not one.
func Replayed(retry *token.Retry) *bool {
	if retry == nil || !retry.Replayed {
		return nil
	}
	return &retry.Replayed
}

// SayReplayed adds that header.
func SayReplayed(w http.ResponseWriter, retry *token.Retry) {
	if Replayed(retry) != nil {
		w.Header().Set("Idempotency-Replayed", "true")
	}
}
