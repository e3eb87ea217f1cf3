package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tokenwright/tokenwright/openapi"
)

// spec is a contract as the property test reads it.
type spec struct {
	name string
	doc  *openapi3.T
}

// operation is one of its operations.
type operation struct {
	spec, id, method, path string
	*openapi3.Operation
}

func specs() []spec {
	documents := map[string][]byte{
		"muninx": openapi.Muninx, "apitoken": openapi.APIToken, "unleash": openapi.Unleash, "service": openapi.Service,
	}
	var all []spec
	for _, name := range []string{"apitoken", "muninx", "service", "unleash"} {
		doc, err := openapi3.NewLoader().LoadFromData(documents[name])
		if err != nil {
			panic(err)
		}
		all = append(all, spec{name, doc})
	}
	return all
}

// operations are all operations of the spec, in a fixed order.
func (s spec) operations() []operation {
	var all []operation
	for path, item := range s.doc.Paths.Map() {
		for method, op := range item.Operations() {
			all = append(all, operation{s.name, op.OperationID, method, path, op})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.id, b.id) })
	return all
}

func (s spec) operation(id string) operation {
	for _, op := range s.operations() {
		if op.id == id {
			return op
		}
	}
	panic("no operation " + id)
}

// body is the media type and the schema of the request's body.
func (o operation) body() (string, *openapi3.Schema) {
	for media, content := range o.RequestBody.Value.Content {
		return media, content.Schema.Value
	}
	panic("no body")
}

// success is the status of an operation that did what it was asked.
func (o operation) success() int {
	for status := 200; status < 300; status++ {
		if o.Responses.Status(status) != nil {
			return status
		}
	}
	panic(o.id + " cannot succeed")
}

// step is a link of an answer, with its parameters.
type step struct {
	operation
	params map[string]string
}

// steps are the links that the spec draws from an answer to operations that need no body: reads first, then what can be
// undone, so that nothing is tried with what is gone.
func (s spec) steps(o operation, status int, body map[string]any) ([]step, error) {
	var all []step
	for _, link := range o.Responses.Status(status).Value.Links {
		next := step{s.operation(link.Value.OperationID), map[string]string{}}
		if next.RequestBody != nil {
			continue
		}
		for name, expression := range link.Value.Parameters {
			value, err := evaluate(fmt.Sprint(expression), body)
			if err != nil {
				return nil, fmt.Errorf("link from %s to %s: %w", o.id, next.id, err)
			}
			next.params[name] = value
		}
		all = append(all, next)
	}
	slices.SortFunc(all, func(a, b step) int { return cmp.Or(cmp.Compare(a.harm(), b.harm()), cmp.Compare(a.id, b.id)) })
	return all, nil
}

// linked are the ids of the operations that links lead to and that need no body.
func (s spec) linked() (ids []string) {
	for _, o := range s.operations() {
		for _, answer := range o.Responses.Map() {
			for _, link := range answer.Value.Links {
				if s.operation(link.Value.OperationID).RequestBody == nil {
					ids = append(ids, link.Value.OperationID)
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// harm ranks operations by what is left of a resource after them.
func (o operation) harm() int {
	switch {
	case o.method == "GET":
		return 0
	case o.method == "DELETE":
		return 3
	case strings.HasPrefix(o.id, "revoke"):
		return 2
	}
	return 1
}

// evaluate reads what a runtime expression names in the body of an answer.
func evaluate(expression string, body map[string]any) (string, error) {
	pointer, ok := strings.CutPrefix(expression, "$response.body#/")
	var value any = body
	for _, name := range strings.Split(pointer, "/") {
		object, _ := value.(map[string]any)
		if value = object[name]; value == nil {
			ok = false
		}
	}
	if !ok {
		return "", fmt.Errorf("%s leads to nothing in %v", expression, body)
	}
	return fmt.Sprint(value), nil
}

// maxBody is what the spec says, else 64 KiB.
func (o operation) maxBody() int {
	if limit, ok := o.Extensions["x-max-body-bytes"].(float64); ok {
		return int(limit)
	}
	return 64 << 10
}
