package handlers_test

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// numbered are that many times the pattern, each with a number of its own in the place of %d.
func numbered(count int, pattern string) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(strings.ReplaceAll(pattern, "%d", strconv.Itoa(1000+i)))
	}
	return b.String()
}

// TestRefusalsTakeLittleMemory has as many faults in a body as it can hold. Telling them costs the server many times what
// it costs to send them, so not all are told.
func TestRefusalsTakeLittleMemory(t *testing.T) {
	s := harness.Start(t, harness.Options{Unchecked: true})
	const form = "application/x-www-form-urlencoded"
	for what, c := range map[string]struct {
		path, body, media, named string
		most                     uint64 // bytes
	}{
		"unknown members":    {"/tokens", `{"0":1` + numbered(7000, `,"%d":1`) + "}", "application/json", "/0", 4 << 20},
		"items of no string": {"/introspect/batch", `{"tokens":[1` + strings.Repeat(",1", 32_000) + `]}`, "application/json", "/tokens", 4 << 20},
		"members in a form":  {"/introspect", "token=x" + numbered(4500, "&%d=&%d="), form, "/1000", 4 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := s.Do("POST", c.path, s.Vars["admin"], c.body, "Content-Type", c.media)
		runtime.ReadMemStats(&after)
		bytes := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes, the answer has %d", what, bytes, len(a.Body))
		if a.Status != http.StatusBadRequest || faultsOf(t, a)[c.named] == "" {
			t.Errorf("%s: %d %.300s", what, a.Status, a.Body)
		}
		if bytes > c.most {
			t.Errorf("%s: %d bytes allocated, at most %d are wanted", what, bytes, c.most)
		}
	}
}
