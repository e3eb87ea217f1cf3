// Package wire has the parts of HTTP that all dialects share: the guard of bodies, the validator, the request id, the
// access log, the path from an error to a response. It knows no dialect.
package wire

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"
)

// Operation is one entry of a spec's paths.
type Operation struct {
	ID     string // operationId
	Method string
	Path   string // as Echo writes it: /tokens/:id
	Open   bool   // the spec says `security: []`: no credential is needed
	Judges bool   // the spec says `x-judges-credential: true`: the operation itself checks its credential
	Asks   bool   // its body is a form that asks about a secret, see [AsksAbout]
	Limits Limits // the spec says `x-limits`
	Takes  Schemes
	Object string // `x-object` of the path: what its id names, if not a token
	route  *routers.Route
}

// Limits says which limits an operation has, "" for those of most.
type Limits string

// Creates are operations that issue a secret; checks are asked for every request to another service.
const (
	LimitsOfCreates Limits = "create"
	LimitsOfChecks  Limits = "check"
)

// Schemes are types of credential schemes: bearer, basic or apiKey.
type Schemes []string

// Has reports whether the type is one of them.
func (s Schemes) Has(scheme string) bool { return slices.Contains(s, scheme) }

// Options say how a spec is applied.
type Options struct {
	Ignored       []string            // members of any body that are dropped unread
	Values        map[string][]string // of parameters whose values differ from the spec, by name
	IgnoreUnknown bool                // drop members and parameters that the spec does not know, instead of refusing
}

// Spec is a contract, read once at startup.
type Spec struct {
	Operations []Operation
	Takes      Schemes // of operations without their own
	options    Options
}

// loaded caches the specs, since reading one takes longer than the rest of a server's start, and tests start hundreds.
// A spec never changes after it was read.
var loaded sync.Map

// Load reads a spec, once for each set of options.
func Load(document []byte, options Options) (*Spec, error) {
	key := fmt.Sprintf("%x %+v", sha256.Sum256(document), options)
	read, _ := loaded.LoadOrStore(key, sync.OnceValues(func() (*Spec, error) { return load(document, options) }))
	return read.(func() (*Spec, error))() //nolint:forcetypeassert // nothing else is stored
}

func load(document []byte, options Options) (*Spec, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	spec := &Spec{Takes: schemes(doc, doc.Security), options: options}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			takes := spec.Takes
			if op.Security != nil {
				takes = schemes(doc, *op.Security)
			}
			spec.Operations = append(spec.Operations, Operation{
				ID: op.OperationID, Method: method, Path: echoPath(path), Takes: takes,
				Open:   op.Security != nil && len(*op.Security) == 0,
				Judges: op.Extensions["x-judges-credential"] == true, Asks: asks(op), Object: named(item.Extensions["x-object"]),
				Limits: Limits(named(op.Extensions["x-limits"])),
				route:  &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
			})
			op.Security = &openapi3.SecurityRequirements{} // authentication happens before validation, not in it
			closeBody(op, !options.IgnoreUnknown)
			options.setValues(op)
		}
	}
	doc.Security, doc.Servers = nil, nil
	return spec, nil
}

func named(extension any) string {
	name, _ := extension.(string)
	return name
}

// setValues applies the values of the options to the parameters of an operation.
func (o Options) setValues(op *openapi3.Operation) {
	for _, p := range op.Parameters {
		if values, ok := o.Values[p.Value.Name]; ok && len(p.Value.Schema.Value.Enum) > 0 {
			p.Value.Schema.Value.Enum = nil
			for _, value := range values {
				p.Value.Schema.Value.Enum = append(p.Value.Schema.Value.Enum, value)
			}
		}
	}
}

// schemes are those of the alternatives; an HTTP scheme has its own name.
func schemes(doc *openapi3.T, alternatives openapi3.SecurityRequirements) (types Schemes) {
	for _, alternative := range alternatives {
		for name := range alternative {
			scheme := doc.Components.SecuritySchemes[name].Value
			types = append(types, cmp.Or(scheme.Scheme, scheme.Type))
		}
	}
	return types
}

// echoPath writes {id} as :id.
func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// Middlewares returns the middlewares before the handler of an operation: guard, those after a body was read, and
// validator, in this order.
func (s *Spec) Middlewares(afterBody echo.MiddlewareFunc) map[string][]echo.MiddlewareFunc {
	chains := make(map[string][]echo.MiddlewareFunc, len(s.Operations))
	for _, op := range s.Operations {
		chain := []echo.MiddlewareFunc{s.guardOf(op)}
		if op.route.Operation.RequestBody != nil {
			chain = append(chain, afterBody)
		}
		chains[op.ID] = append(chain, validator(op, s.options.IgnoreUnknown))
	}
	return chains
}

// Queries are the names of the operation's query parameters.
func (op Operation) Queries() []string {
	return queryRules{known: parameters(op.route, openapi3.ParameterInQuery)}.names()
}

// headers are the names of the headers that the operation declares as parameters.
func (op Operation) headers() (names []string) {
	for _, parameters := range []openapi3.Parameters{op.route.PathItem.Parameters, op.route.Operation.Parameters} {
		for _, p := range parameters {
			if p.Value.In == openapi3.ParameterInHeader {
				names = append(names, p.Value.Name)
			}
		}
	}
	return names
}

// asks reports whether the operation takes the form of RFC 7662 section 2.1.
func asks(op *openapi3.Operation) bool {
	if op.RequestBody == nil {
		return false
	}
	form := op.RequestBody.Value.Content[echo.MIMEApplicationForm]
	return form != nil && form.Schema.Value.Properties["token"] != nil
}

// guardOf chooses the guard for the body that the operation declares.
func (s *Spec) guardOf(op Operation) echo.MiddlewareFunc {
	body := op.route.Operation.RequestBody
	if body == nil {
		return noBody(op.headers())
	}
	if form := body.Value.Content[echo.MIMEApplicationForm]; form != nil {
		return guardForm(form.Schema.Value)
	}
	limit := op.maxBody()
	return func(next echo.HandlerFunc) echo.HandlerFunc { return s.guard(next, limit) }
}

// maxBody is what the spec says, else [MaxBody].
func (op Operation) maxBody() int64 {
	if limit, ok := op.route.Operation.Extensions["x-max-body-bytes"].(float64); ok {
		return int64(limit)
	}
	return MaxBody
}

// noBody hides a body that the operation does not declare, and joins the lines of each header that it declares: the
// generated binding accepts only one line, though a request may have several (RFC 9110 section 5.3).
func noBody(headers []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			r.Body = http.NoBody
			for _, name := range headers {
				if lines := r.Header.Values(name); len(lines) > 1 {
					r.Header.Set(name, strings.Join(lines, ", "))
				}
			}
			return next(c)
		}
	}
}
