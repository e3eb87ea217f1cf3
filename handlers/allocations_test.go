//go:build allocations

package handlers_test

import (
	"net/http"
	"testing"

	"github.com/tokenwright/tokenwright/test/allocations"
)

// bounds are how often each request of [costly] allocates, including eight times for the request itself and for the
// headers of the response.
var bounds = map[string]int{
	"verify/muninx":       19,
	"verify/apitoken":     19,
	"introspect/muninx":   27,
	"introspect/apitoken": 27,
	"create/muninx":       47,
	"create/apitoken":     198,
	"create/unleash":      56,
	"list/muninx":         41,
	"list/apitoken":       56,
	"list/unleash":        42,
	"refused/muninx":      121,
}

// TestAllocations compares requests, from the router to the body of the response.
func TestAllocations(t *testing.T) {
	h, costs := costly(t)
	for _, c := range costs {
		t.Run(c.name, func(t *testing.T) {
			bound, ok := bounds[c.name]
			if !ok {
				t.Fatal("it has no bound")
			}
			allocations.Compare(t, bound, func() { c.answer(t, h, c.request()) })
		})
	}
	if len(costs) != len(bounds) {
		t.Errorf("there are %d bounds for %d requests", len(bounds), len(costs))
	}
}

// TestAllocationsOfRequest has what is measured with each request be little.
func TestAllocationsOfRequest(t *testing.T) {
	nothing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c := cost{name: "nothing", method: "GET", path: "/verify", status: http.StatusNoContent}
	allocations.Compare(t, 8, func() { c.answer(t, nothing, c.request()) })
}
