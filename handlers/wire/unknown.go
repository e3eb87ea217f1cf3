package wire

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/hbollon/go-edlib"
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// closeBody has the objects of an operation's JSON body admit the members that they name and no others, or any.
func closeBody(op *openapi3.Operation, closed bool) {
	if op.RequestBody == nil {
		return
	}
	if media := op.RequestBody.Value.Content[echo.MIMEApplicationJSON]; media != nil {
		closeSchema(media.Schema.Value, closed)
	}
}

// closeSchema leaves objects alone that are maps. No schema of a request is part of itself.
func closeSchema(s *openapi3.Schema, closed bool) {
	if len(s.Properties) > 0 && s.AdditionalProperties.Schema == nil {
		s.AdditionalProperties.Has = new(!closed)
	}
	for _, member := range s.Properties {
		closeSchema(member.Value, closed)
	}
	if s.Items != nil {
		closeSchema(s.Items.Value, closed)
	}
}

// unknownMember is the name of the member that the validator found to be none of the schema's.
func unknownMember(e *openapi3.SchemaError) (name string, ok bool) {
	if e.SchemaField != "properties" {
		return "", false
	}
	_, err := fmt.Sscanf(e.Reason, "property %q is unsupported", &name)
	return name, err == nil
}

// unknown is the fault of a name that is none of those known at the place.
func (fs *faults) unknown(at token.Fault, name string, known []string) token.Fault {
	at.Pointer += pointer([]string{fs.shown(name)})
	kind := "member"
	if at.In == token.InQuery {
		kind = "parameter"
	}
	switch meant := near(name, known); {
	case meant != "":
		at.Detail = "is not known; did you mean " + meant + "?"
	case len(known) == 0:
		at.Detail = "is not known; there are no " + kind + "s here"
	case len(known) == 1:
		at.Detail = "is not known; the only " + kind + " is " + known[0]
	default:
		at.Detail = "is not known; the " + kind + "s are " + listed(known, "and")
	}
	return at
}

// maxName is how much of an unknown name is repeated, in characters.
const maxName = 64

// shown is as much of an unknown name as its sender needs to find it. It may be anything, a secret in the wrong place
// included, and whoever reads it may do so on a terminal.
func (fs *faults) shown(name string) string {
	if fs.veil.suspects(name) {
		return hidden
	}
	end, count := "", 0
	for i := range name {
		if count++; count > maxName {
			name, end = name[:i], "…"
			break
		}
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		quoted := strconv.Quote(name)
		name = quoted[1 : len(quoted)-1]
	}
	return name + end
}

// near is the known name that was probably meant, "" if none is alike.
func near(name string, known []string) string {
	name = folded(name)
	if name == "" || len(name) > maxName {
		return ""
	}
	best, least := "", (len(name)+1)/3+1
	for _, candidate := range known {
		if d := edlib.OSADamerauLevenshteinDistance(name, folded(candidate)); d < least {
			best, least = candidate, d
		}
	}
	if best != "" || len(name) < 4 {
		return best
	}
	for _, candidate := range known { // expires for expires_at, user_name for user
		if other := folded(candidate); len(other) >= 4 && (strings.HasPrefix(other, name) || strings.HasPrefix(name, other)) {
			return candidate
		}
	}
	return ""
}

// folded is a name in the spelling that camelCase, snake_case and kebab-case have in common.
func folded(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}
