package wire

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// filter are the settings of the validator of parameters; [judgeBody] validates bodies.
var filter = &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true, ExcludeRequestBody: true}

// bodyRules are the settings for the validation of bodies.
var bodyRules = []openapi3.SchemaValidationOption{
	openapi3.VisitAsRequest(), openapi3.DisableReadOnlyValidation(),
	openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(checkTime)),
}

// validator checks the request against the operation's part of the spec. The query of an open operation may contain
// anything, since third parties append parameters to URLs; but a parameter of an access check is never ignored.
func validator(op Operation, ignoreUnknown bool) echo.MiddlewareFunc {
	route := op.route
	query := queryRules{parameters(route, openapi3.ParameterInQuery), !op.Open && !ignoreUnknown || op.Judges}
	inPath := parameters(route, openapi3.ParameterInPath)
	optional, headers, schema := onlyOptional(route), parameters(route, openapi3.ParameterInHeader), newBodySchema(route)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			var err error
			if !optional || r.URL.RawQuery != "" || slices.ContainsFunc(headers, given(r.Header)) {
				if err := checkHeaders(r.Header, headers); err != nil {
					return err
				}
				if err := query.check(r.URL.RawQuery, veilOf(r.Context())); err != nil {
					return err
				}
				if err := checkPath(c, inPath); err != nil {
					return err
				}
				err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
					Request: r, Route: route, Options: filter, PathParams: pathParams(c), QueryParams: c.QueryParams(),
				})
			}
			if body, ok := r.Body.(*jsonBody); ok && schema != nil {
				err = errors.Join(err, schema.judge(body))
			}
			if err != nil {
				return refusal(err, veilOf(r.Context()))
			}
			return next(c)
		}
	}
}

// bodySchema is the schema of an operation's JSON body.
type bodySchema struct {
	*openapi3.Schema
	plain bool // see [plainSchema]
}

// newBodySchema is nil if the operation has no JSON body.
func newBodySchema(route *routers.Route) *bodySchema {
	if body := route.Operation.RequestBody; body != nil {
		if media := body.Value.Content[echo.MIMEApplicationJSON]; media != nil {
			return &bodySchema{media.Schema.Value, plainSchema(media.Schema.Value)}
		}
	}
	return nil
}

// judge validates a body and rewrites its times. For a body with many tokens it stops at the first fault: otherwise a
// body full of faults would cost many times its size.
func (s *bodySchema) judge(body *jsonBody) error {
	if !s.plain || !fits(body.object, s.Schema) {
		rules := bodyRules
		if body.tokens <= manyTokens {
			rules = append(slices.Clone(bodyRules), openapi3.MultiErrors())
		}
		if err := s.VisitJSON(body.object, rules...); err != nil {
			return err
		}
	}
	respell(body.object, s.Schema)
	return nil
}

// onlyOptional reports whether a request without a query and without the headers that the operation declares has no
// parameter to validate.
func onlyOptional(route *routers.Route) bool {
	taken := slices.Concat(route.PathItem.Parameters, route.Operation.Parameters)
	return !slices.ContainsFunc(taken, func(p *openapi3.ParameterRef) bool {
		return p.Value.Required || p.Value.In != openapi3.ParameterInQuery && p.Value.In != openapi3.ParameterInHeader
	})
}

// checkHeaders rejects one that is given more than once: which of them counts would be a guess.
func checkHeaders(h http.Header, taken []*openapi3.Parameter) error {
	for _, p := range taken {
		if len(h.Values(p.Name)) > 1 {
			return token.Faulty(token.Fault{In: token.InHeader, Pointer: "/" + p.Name, Detail: "must be given once"})
		}
	}
	return nil
}

// given tells which headers a request has.
func given(h http.Header) func(*openapi3.Parameter) bool {
	return func(p *openapi3.Parameter) bool { return len(h.Values(p.Name)) > 0 }
}

// parameters are those of the path or of the query, in the order of their names.
func parameters(route *routers.Route, in string) (found []*openapi3.Parameter) {
	for _, p := range slices.Concat(route.PathItem.Parameters, route.Operation.Parameters) {
		if p.Value.In == in {
			found = append(found, p.Value)
		}
	}
	slices.SortFunc(found, func(a, b *openapi3.Parameter) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

// queryRules are the rules for a query, regardless of the meaning of its parameters.
type queryRules struct {
	known  []*openapi3.Parameter // each of which has one value
	closed bool                  // no others are accepted
}

// names are those of the parameters that are known.
func (q queryRules) names() []string {
	names := make([]string, len(q.known))
	for i, p := range q.known {
		names[i] = p.Name
	}
	return names
}

// check rejects what the query parser drops or lets through, and duplicate and unknown parameters.
func (q queryRules) check(raw string, veil *Veil) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return badBody("the query must be percent-encoded parameters separated by &")
	}
	found := faults{veil: veil}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if len(found.all) == maxFaults {
			break
		}
		at := slices.IndexFunc(q.known, func(p *openapi3.Parameter) bool { return p.Name == name })
		switch {
		case at >= 0:
			if detail := judgeParameter(q.known[at], query[name]); detail != "" {
				found.add(token.Fault{In: token.InQuery, Pointer: pointer([]string{name}), Detail: detail})
			}
		case q.closed:
			found.add(found.unknown(token.Fault{In: token.InQuery}, name, q.names()))
		}
	}
	return token.Faulty(found.all...)
}

// judgeParameter says what the values of a parameter must be, "" if they are valid apart from the schema.
func judgeParameter(p *openapi3.Parameter, values []string) string {
	switch {
	case len(values) > 1:
		return "must be given once"
	case !plain(values[0]):
		return "must be in UTF-8 and must not contain the character U+0000"
	case !spelled(p, values[0]):
		return parameterRule(p)
	}
	return ""
}

// plain reports whether every database accepts the text.
func plain(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// spelled rejects non-canonical integers and booleans, such as +4, 04 or TRUE.
func spelled(p *openapi3.Parameter, text string) bool {
	switch taken := p.Schema.Value.Type; {
	case taken.Is(openapi3.TypeBoolean):
		return text == "true" || text == "false"
	case taken.Is(openapi3.TypeInteger):
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == text
	}
	return true
}

// checkPath rejects non-canonical values in the path.
func checkPath(c echo.Context, taken []*openapi3.Parameter) error {
	for _, p := range taken {
		if !spelled(p, c.Param(p.Name)) {
			return token.Faulty(token.Fault{In: token.InPath, Pointer: "/" + p.Name, Detail: parameterRule(p)})
		}
	}
	return nil
}

// pathParams are the values of the path's parameters, decoded.
func pathParams(c echo.Context) map[string]string {
	params := make(map[string]string, len(c.ParamNames()))
	for i, name := range c.ParamNames() {
		value := c.ParamValues()[i]
		if c.Request().URL.RawPath != "" {
			if decoded, err := url.PathUnescape(value); err == nil {
				value = decoded
			}
		}
		params[name] = value
	}
	return params
}

// refusal turns the validator's error into faults, none of which repeats a value from the request.
func refusal(err error, veil *Veil) error {
	found := faults{veil: veil}
	found.collect(err, token.Fault{})
	if len(found.all) == 0 {
		return &token.Error{Kind: token.Invalid, Message: "the request does not fit", Err: err}
	}
	return token.Faulty(found.all...)
}

// maxFaults is how many faults of one request are reported.
const maxFaults = 50

// faults are those of one request, one for each place: "" is both too short and blank, and one report is enough.
type faults struct {
	veil *Veil
	all  []token.Fault
}

func (fs *faults) add(f token.Fault) {
	same := func(g token.Fault) bool { return g.In == f.In && g.Pointer == f.Pointer }
	if len(fs.all) < maxFaults && !slices.ContainsFunc(fs.all, same) {
		fs.all = append(fs.all, f)
	}
}

func (fs *faults) collect(err error, at token.Fault) {
	switch e := err.(type) { //nolint:errorlint // a tree is walked node by node; errors.As would skip branches
	case interface{ Unwrap() []error }: // of errors.Join
		for _, inner := range e.Unwrap() {
			fs.collect(inner, at)
		}
	case openapi3.MultiError:
		for _, inner := range e {
			if len(fs.all) == maxFaults {
				return
			}
			fs.collect(inner, at)
		}
	case *openapi3filter.RequestError:
		if p := e.Parameter; p != nil {
			at = token.Fault{In: token.Part(p.In), Pointer: "/" + p.Name, Detail: parameterRule(p)}
		}
		if e.Err == nil || at.Detail != "" {
			fs.add(described(at, "does not fit"))
			return
		}
		fs.collect(e.Err, at)
	case *openapi3.SchemaError:
		fs.collectSchema(e, at)
	default:
		fs.add(described(at, "does not fit"))
	}
}

func (fs *faults) collectSchema(e *openapi3.SchemaError, at token.Fault) {
	if inner := branches(e); inner != nil {
		fs.collect(inner, at)
		return
	}
	at.Pointer += pointer(e.JSONPointer())
	if name, ok := unknownMember(e); ok {
		fs.add(fs.unknown(at, name, slices.Sorted(maps.Keys(e.Schema.Properties))))
		return
	}
	fs.add(described(at, rule(e)))
}

// branches are the faults below one that only groups them.
func branches(e *openapi3.SchemaError) error {
	var many openapi3.MultiError
	if e.Origin != nil && errors.As(e.Origin, &many) {
		return many
	}
	return nil
}

func described(f token.Fault, detail string) token.Fault {
	if f.Detail == "" {
		f.Detail = detail
	}
	return f
}

// escaped escapes a segment of a JSON pointer. It is built once, since building it costs more than using it.
var escaped = strings.NewReplacer("~", "~0", "/", "~1")

func pointer(path []string) string {
	var b strings.Builder
	for _, segment := range path {
		b.WriteString("/" + escaped.Replace(segment))
	}
	return b.String()
}

// parameterRule says what a parameter must be, regardless of the error.
func parameterRule(p *openapi3.Parameter) string {
	s := p.Schema.Value
	switch {
	case len(s.Enum) > 0:
		return "must be " + choices(s.Enum)
	case s.Min != nil && s.Max != nil:
		return fmt.Sprintf("must be an integer from %g to %g", *s.Min, *s.Max)
	case s.Min != nil:
		return fmt.Sprintf("must be an integer of at least %g and at most 64 bits", *s.Min)
	case s.Type.Is(openapi3.TypeInteger):
		return "must be an integer of at most 64 bits"
	case s.Type.Is(openapi3.TypeBoolean):
		return "must be true or false"
	case s.Pattern != "" && s.Description != "":
		return "must be " + s.Description
	case s.MaxLength != nil:
		return count(s.MinLength, s.MaxLength, "characters")
	}
	return "must be a string"
}

// rule says what the member must be.
func rule(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "is required"
	case "nullable":
		return "must not be null"
	case "type":
		return "must be " + kind(s)
	case "enum":
		return "must be " + choices(s.Enum)
	case "minLength", "maxLength":
		return count(s.MinLength, s.MaxLength, "characters")
	case "minItems", "maxItems":
		return count(s.MinItems, s.MaxItems, "items")
	case "format":
		return "must be a date and time of RFC 3339, such as 2027-01-01T00:00:00Z"
	case "pattern":
		return cmp.Or(named(e.Schema.Extensions["x-message"]), "does not fit")
	}
	return "does not fit"
}

func kind(s *openapi3.Schema) string {
	names := map[string]string{
		openapi3.TypeString: "a string", openapi3.TypeInteger: "an integer", openapi3.TypeNumber: "a number",
		openapi3.TypeBoolean: "true or false", openapi3.TypeObject: "an object", openapi3.TypeArray: "an array",
	}
	text := "of another type"
	if types := s.Type.Slice(); len(types) > 0 {
		text = names[types[0]]
	}
	if s.Nullable {
		text += " or null"
	}
	return text
}

// count says how many of what there must be.
func count(least uint64, most *uint64, what string) string {
	if most == nil {
		return fmt.Sprintf("must have at least %d %s", least, what)
	}
	return fmt.Sprintf("must have %d to %d %s", least, *most, what)
}

func choices(values []any) string {
	var words []string
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	return listed(words, "or")
}

// listed joins the words as in a sentence.
func listed(words []string, conjunction string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
