package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
	"pgregory.net/rapid"

	"github.com/tokenwright/tokenwright/openapi"
)

// judged is an operation with a body, as this package and kin-openapi alone judge it.
type judged struct {
	name   string
	media  string
	schema *openapi3.Schema // of the body
	ignore []string         // see [Options]
	open   bool             // unknown members are ignored, see [Options]
	ours   echo.HandlerFunc
	stock  *routers.Route
	method string
	path   string
	params map[string]string
}

// published are the specs with the options of the server.
var published = []struct {
	name    string
	spec    []byte
	options Options
}{
	{"muninx", openapi.Muninx, Options{}},
	{"apitoken", openapi.APIToken, Options{}},
	{"service", openapi.Service, Options{}},
	{"unleash", openapi.Unleash, Options{Ignored: []string{"id", "secret", "createdAt", "seenAt", "userId"}, IgnoreUnknown: true}},
	{"unleash, strict", openapi.Unleash, Options{Ignored: []string{"id", "secret", "createdAt", "seenAt", "userId"}}},
	{"muninx, unknown members ignored", openapi.Muninx, Options{IgnoreUnknown: true}},
	{"service, unknown members ignored", openapi.Service, Options{IgnoreUnknown: true}},
}

// operations are those with a body of all published specs.
func operations(t testing.TB) (all []judged) {
	for _, p := range published {
		spec, err := load(p.spec, p.options)
		if err != nil {
			t.Fatal(err)
		}
		stock, err := openapi3.NewLoader().LoadFromData(p.spec)
		if err != nil {
			t.Fatal(err)
		}
		stock.Servers = nil
		chains := spec.Middlewares(func(next echo.HandlerFunc) echo.HandlerFunc { return next })
		for _, op := range spec.Operations {
			if op.route.Operation.RequestBody != nil {
				all = append(all, judge(p.name, op, p.options, chains[op.ID], stock))
			}
		}
	}
	slices.SortFunc(all, func(a, b judged) int { return strings.Compare(a.name, b.name) })
	return all
}

func judge(contract string, op Operation, o Options, chain []echo.MiddlewareFunc, stock *openapi3.T) judged {
	item := stock.Paths.Value(op.route.Path)
	j := judged{
		name: contract + ": " + op.ID, ignore: o.Ignored, open: o.IgnoreUnknown, method: op.Method,
		ours:  apply(func(echo.Context) error { return nil }, chain),
		stock: &routers.Route{Spec: stock, Path: op.route.Path, PathItem: item, Method: op.Method, Operation: item.GetOperation(op.Method)},
		path:  strings.NewReplacer("{id}", "1", "{dialect}", "muninx").Replace(op.route.Path), params: map[string]string{},
	}
	for name, value := range map[string]string{"id": "1", "dialect": "muninx"} {
		if strings.Contains(op.route.Path, "{"+name+"}") {
			j.params[name] = value
		}
	}
	for media, content := range j.stock.Operation.RequestBody.Value.Content {
		j.media, j.schema = media, content.Schema.Value
	}
	return j
}

func (j judged) request(body string) *http.Request {
	r := httptest.NewRequest(j.method, j.path, strings.NewReader(body))
	r.Header.Set(echo.HeaderContentType, j.media)
	return r
}

// accepted is what this package says.
func (j judged) accepted(body string) error {
	c := echo.New().NewContext(j.request(body), httptest.NewRecorder())
	c.SetParamNames(slices.Collect(maps.Keys(j.params))...)
	c.SetParamValues(slices.Collect(maps.Values(j.params))...)
	return j.ours(c)
}

// acceptedByStock is what kin-openapi says, which has no say in who calls.
func (j judged) acceptedByStock(body string) error {
	r := j.request(body)
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, Route: j.stock, PathParams: j.params, QueryParams: url.Values{},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// difference is a rule of this package by which its verdict differs from that of kin-openapi. docs/contracts.md lists
// the rules.
type difference struct {
	rule    string
	accepts bool   // what kin-openapi rejects; otherwise it is the other way round
	in      string // the beginning of the name of an operation where
	example string // a body differs by this rule
	applies func(j judged, body string) bool
}

func jsonOnly(applies func(body string) bool) func(judged, string) bool {
	return func(j judged, body string) bool { return j.media == echo.MIMEApplicationJSON && applies(body) }
}

// parses reports whether the body is one JSON object by these options.
func parses(body string, options ...jsontext.Options) bool {
	d := jsontext.NewDecoder(strings.NewReader(body), options...)
	return d.PeekKind() == '{' && d.SkipValue() == nil
}

var differences = []difference{
	{"a repeated member counts for none", false, "muninx: createToken", `{"name":"a","name":"b"}`, jsonOnly(func(body string) bool {
		return !parses(body, jsontext.AllowInvalidUTF8(true)) && parses(body, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	})},
	{"text is UTF-8 without lone surrogates", false, "muninx: createToken", "{\"name\":\"\xff\"}", jsonOnly(func(body string) bool {
		return !parses(body, jsontext.AllowDuplicateNames(true)) && parses(body, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	})},
	{"nothing follows the object", false, "muninx: createToken", `{"name":"a"}{`, jsonOnly(func(body string) bool {
		d := jsontext.NewDecoder(strings.NewReader(body), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
		if d.SkipValue() != nil {
			return false
		}
		_, err := d.ReadToken()
		return !errors.Is(err, io.EOF)
	})},
	{"no database takes U+0000", false, "muninx: createToken", `{"name":"a\u0000"}`, func(_ judged, body string) bool {
		return strings.Contains(body, `\u0000`) || strings.Contains(body, "%00")
	}},
	{"nesting has a limit", false, "unleash: createPat", `{"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, jsonOnly(func(body string) bool {
		return strings.Count(body, "[")+strings.Count(body, "{") > maxDepth
	})},
	{"a body has a limit", false, "unleash: createPat", `{"x":"` + strings.Repeat("x", MaxBody) + `"}`, func(_ judged, body string) bool {
		return len(body) > MaxBody
	}},
	{"a time that there is not is none", false, "apitoken: createApiToken", `{"token_scope":"account","expires_at":"2027-02-30T00:00:00Z"}`, judged.hasOddTime},
	{"a time may be written in lower case", true, "apitoken: createApiToken", `{"token_scope":"account","expires_at":"2027-02-03t00:00:00z"}`, judged.hasOddTime},
	{"members that the server sets may be sent back, whatever they are", true, "unleash: createPat", `{"id":"x"}`, func(j judged, body string) bool {
		return j.hasMember(body, func(name string) bool { return slices.Contains(j.ignore, name) })
	}},
	{"unknown members are ignored if the operator wants that", true, "muninx, unknown", `{"name":"a","b":1}`, func(j judged, body string) bool {
		return j.open && j.hasMember(body, func(name string) bool { return j.schema.Properties[name] == nil })
	}},
	{"unknown members of unleash are rejected in its strict mode", false, "unleash, strict", `{"b":1}`, func(j judged, body string) bool {
		return !j.open && j.hasMember(body, func(name string) bool { return j.schema.Properties[name] == nil })
	}},
	{"a parameter of a form is given once", false, "service: introspectToken", `token=a&token=b`, func(j judged, body string) bool {
		form, _ := url.ParseQuery(body)
		return j.media == echo.MIMEApplicationForm && slices.ContainsFunc(slices.Collect(maps.Values(form)), func(v []string) bool { return len(v) > 1 })
	}},
	{"a form is UTF-8", false, "service: introspectToken", `token=%ff`, func(j judged, body string) bool {
		text, err := url.QueryUnescape(body)
		return j.media == echo.MIMEApplicationForm && (err != nil || strings.ToValidUTF8(text, "") != text)
	}},
}

// hasMember reports whether the body is an object with such a member.
func (j judged) hasMember(body string, is func(name string) bool) bool {
	var object map[string]any
	if json.Unmarshal([]byte(body), &object) != nil {
		return false
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(object)), is)
}

var stockTime = regexp.MustCompile(openapi3.FormatOfStringDateTime)

// hasOddTime reports whether the body has a time that is one by only one of the two grammars.
func (j judged) hasOddTime(body string) bool {
	var object map[string]any
	if json.Unmarshal([]byte(body), &object) != nil {
		return false
	}
	for name, member := range j.schema.Properties {
		if text, ok := object[name].(string); ok && member.Value.Format == "date-time" && stockTime.MatchString(text) != (checkTime(text) == nil) {
			return true
		}
	}
	return false
}

// compare fails where the verdicts differ by no rule.
func (j judged) compare(t interface{ Errorf(string, ...any) }, body string) {
	ours, stock := j.accepted(body), j.acceptedByStock(body)
	if (ours == nil) == (stock == nil) {
		return
	}
	for _, d := range differences {
		if d.accepts == (ours == nil) && d.applies(j, body) {
			return
		}
	}
	t.Errorf("%s: %.300q\nours: %v\nkin-openapi: %.300v", j.name, body, ours, stock)
}

// TestDifferencesFromStock has every difference be one.
func TestDifferencesFromStock(t *testing.T) {
	all := operations(t)
	for _, d := range differences {
		i := slices.IndexFunc(all, func(j judged) bool { return strings.HasPrefix(j.name, d.in) })
		if i < 0 {
			t.Fatal(d.in)
		}
		ours, stock := all[i].accepted(d.example), all[i].acceptedByStock(d.example)
		if (ours == nil) != d.accepts || (stock == nil) == d.accepts || !d.applies(all[i], d.example) {
			t.Errorf("%s: ours %v, kin-openapi %v, applies %v", d.rule, ours, stock, d.applies(all[i], d.example))
		}
	}
}

// TestVerdictOfStock compares the verdicts on the bodies of all stories and of the fuzz targets, for every operation.
func TestVerdictOfStock(t *testing.T) {
	bodies := corpus(t)
	if len(bodies) < 60 {
		t.Fatalf("only %d bodies were found", len(bodies))
	}
	for _, j := range operations(t) {
		for _, body := range bodies {
			j.compare(t, body)
		}
	}
}

// FuzzVerdictOfStock compares the verdicts on changed bodies.
func FuzzVerdictOfStock(f *testing.F) {
	for _, body := range corpus(f) {
		f.Add(body)
	}
	all := operations(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, j := range all {
			j.compare(t, body)
		}
	})
}

// TestVerdictOfStockOnDrawnBodies compares the verdicts on bodies that are close to what the schema demands.
func TestVerdictOfStockOnDrawnBodies(t *testing.T) {
	for _, j := range operations(t) {
		t.Run(j.name, func(t *testing.T) {
			accepted, rejected := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				body := j.draw(t)
				j.compare(t, body)
				if j.accepted(body) == nil {
					accepted++
				} else {
					rejected++
				}
			})
			if accepted == 0 || rejected == 0 {
				t.Errorf("%d were accepted and %d rejected", accepted, rejected)
			}
		})
	}
}

// draw draws a body of the schema: most of its members, each mostly as it must be, rarely another one.
func (j judged) draw(t *rapid.T) string {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(j.schema.Properties)) {
		if rapid.IntRange(0, 9).Draw(t, name+" is there") > 0 {
			object[name] = drawValue(t, name, j.schema.Properties[name].Value)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "another") == 0 {
		object[rapid.SampledFrom([]string{"other", "NAME", "Name ", ""}).Draw(t, "name")] = 1
	}
	if j.media == echo.MIMEApplicationForm {
		form := url.Values{}
		for name, value := range object {
			form.Set(name, fmt.Sprint(value))
		}
		return form.Encode()
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
		at := rapid.IntRange(0, len(text)).Draw(t, "at")
		text = slices.Insert(text, at, rapid.SampledFrom([]byte(`{}[]",:0eE.- n\`+"\xff\x00")).Draw(t, "byte"))
	}
	return string(text)
}

func drawValue(t *rapid.T, name string, s *openapi3.Schema) any {
	switch {
	case rapid.IntRange(0, 19).Draw(t, name+" is odd") == 0:
		return rapid.SampledFrom([]any{nil, true, 1, -1.5, "", " ", "\u3000", "\ufeff", "x", []any{}, map[string]any{}, []any{1}}).Draw(t, name)
	case len(s.Enum) > 0:
		return rapid.SampledFrom(s.Enum).Draw(t, name)
	case s.Format == "date-time":
		return drawTime(t, name)
	case s.Type.Is(openapi3.TypeBoolean):
		return rapid.Bool().Draw(t, name)
	case strings.Contains(s.Pattern, "ns|us|ms|s|m|h"):
		return rapid.SampledFrom([]string{"0", "0s", "1h30m", "1.5h", "168h", "-1s", "1", "1d", "h", ".5s", "1h 2m"}).Draw(t, name)
	case s.Type.Is(openapi3.TypeInteger):
		return rapid.Int64Range(-1, 1e6).Draw(t, name)
	case s.Type.Is(openapi3.TypeArray):
		length := rapid.SampledFrom([]int{0, 1, 2, 100, 101}).Draw(t, name+" items")
		return slices.Repeat([]any{drawValue(t, name, s.Items.Value)}, length)
	}
	length := rapid.SampledFrom([]int{0, 1, 5, 254, 255, 256}).Draw(t, name+" length")
	return rapid.StringOfN(rapid.RuneFrom([]rune(" a\t\u00a0\u0085é\U0001f512\"\\<")), length, length, -1).Draw(t, name)
}

// drawTime draws what looks like a time.
func drawTime(t *rapid.T, name string) string {
	zone := rapid.SampledFrom([]string{"Z", "z", "+02:00", "-23:59", "+24:00", "+00:00", "-00:00", "", "+2:00", "Z "}).Draw(t, name+" zone")
	fraction := rapid.SampledFrom([]string{"", ".5", ".000", ".123456789", ".1234567891", ",5", "."}).Draw(t, name+" fraction")
	two := func(what string, most int) string {
		return fmt.Sprintf("%02d", rapid.IntRange(0, most).Draw(t, name+" "+what))
	}
	letter := rapid.SampledFrom([]string{"T", "t", " "}).Draw(t, name+" T")
	year := rapid.SampledFrom([]string{"2027", "0000", "9999", "10000", "27"}).Draw(t, name+" year")
	return year + "-" + two("month", 13) + "-" + two("day", 32) + letter + two("hour", 24) + ":" + two("minute", 60) + ":" + two("second", 61) + fraction + zone
}

// corpus are the bodies of the stories of all contracts, what the fuzz targets begin with, and what they have found.
func corpus(t testing.TB) (bodies []string) {
	stories, err := filepath.Glob("../*/testdata/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatal(stories, err)
	}
	for _, file := range stories {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for exchange := range strings.SplitSeq(string(text), "\n===\n") {
			request, _, _ := strings.Cut(exchange, "\n---\n")
			if _, body, ok := strings.Cut(request, "\n\n"); ok {
				bodies = append(bodies, unquoted(strings.TrimSpace(body)))
			}
		}
	}
	return append(bodies, append(seeds(t), found(t)...)...)
}

// unquoted is a body that a story has after `raw:`.
func unquoted(body string) string {
	if raw, ok := strings.CutPrefix(body, "raw:"); ok {
		if text, err := strconv.Unquote(`"` + strings.TrimSpace(raw) + `"`); err == nil {
			return text
		}
	}
	return body
}

var goString = regexp.MustCompile("`[^`]*`|\"(?:[^\"\\\\\n]|\\\\.)*\"")

// seeds are all texts of the fuzz targets' file, which are few besides the bodies.
func seeds(t testing.TB) (bodies []string) {
	text, err := os.ReadFile("../fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, literal := range goString.FindAll(text, -1) {
		if body, err := strconv.Unquote(string(literal)); err == nil {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// found are the inputs that fuzzing has written into testdata.
func found(t testing.TB) (bodies []string) {
	files, err := filepath.Glob("../testdata/fuzz/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexAny(text, "`\""); i >= 0 {
			body, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(string(text[i:])), ")"))
			bodies = append(bodies, body)
			if err != nil {
				t.Error(errors.Join(errors.New(file), err))
			}
		}
	}
	return bodies
}
