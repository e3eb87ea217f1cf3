//go:build contract

package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/child"
)

// answer is what the server said, to be falsified.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// backend is the real server.
type backend struct {
	t *testing.T
	target
}

// mutant is a fault that is planted in front of the server. Its spec is the one that it breaks.
type mutant struct {
	name, spec string
	plant      func(b backend, r *http.Request, body []byte) answer
}

// change falsifies answers and leaves requests alone.
func change(falsify func(r *http.Request, a *answer)) func(backend, *http.Request, []byte) answer {
	return func(b backend, r *http.Request, body []byte) answer {
		a := b.ask(r, body)
		falsify(r, &a)
		return a
	}
}

// edit falsifies every object in the JSON of answers that have the status; 0 is any.
func edit(status int, falsify func(object map[string]any)) func(backend, *http.Request, []byte) answer {
	return change(func(_ *http.Request, a *answer) {
		var value any
		decoder := json.NewDecoder(bytes.NewReader(a.body))
		decoder.UseNumber()
		if status != 0 && a.status != status || decoder.Decode(&value) != nil {
			return
		}
		walk(value, falsify)
		a.body, _ = json.Marshal(value)
	})
}

func walk(value any, visit func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		visit(value)
		for _, member := range value {
			walk(member, visit)
		}
	case []any:
		for _, item := range value {
			walk(item, visit)
		}
	}
}

// replace sets a member wherever it is.
func replace(name string, value any) func(map[string]any) {
	return func(object map[string]any) {
		if _, ok := object[name]; ok {
			object[name] = value
		}
	}
}

var mutants = []mutant{
	{"a required member is missing", "muninx", edit(200, func(o map[string]any) { delete(o, "created_at") })},
	{"a null is omitted", "apitoken", edit(200, func(o map[string]any) {
		if value, ok := o["last_used_at"]; ok && value == nil {
			delete(o, "last_used_at")
		}
	})},
	{"a null where none may be", "unleash", edit(201, replace("expiresAt", nil))},
	{"an extra member", "muninx", edit(200, func(o map[string]any) {
		if o["id"] != nil {
			o["owner"] = 1
		}
	})},
	{"the secret in every answer", "muninx", edit(200, func(o map[string]any) {
		if o["id"] != nil && o["token"] == nil {
			o["token"] = "muninx_" + strings.Repeat("a", 36)
		}
	})},
	{"a number as text", "unleash", edit(0, func(o map[string]any) {
		if id, ok := o["userId"]; ok {
			o["userId"] = fmt.Sprint(id)
		}
	})},
	{"an unknown state", "apitoken", edit(200, func(o map[string]any) {
		if o["status"] == "active" {
			o["status"] = "enabled"
		}
	})},
	{"a date without T and zone", "muninx", edit(200, replace("created_at", "2026-11-22 01:02:03"))},
	{"a date that no calendar has", "unleash", edit(201, replace("createdAt", "2026-02-30T01:02:03.000Z"))},
	{"a wrong status", "muninx", change(func(r *http.Request, a *answer) {
		if r.Method == http.MethodPost && a.status == 200 {
			a.status = 201
		}
	})},
	{"a status that is not declared", "service", change(func(_ *http.Request, a *answer) {
		if a.status == 400 {
			a.status = 422
		}
	})},
	{"a fault of the server at odd input", "service", change(func(r *http.Request, a *answer) {
		if a.status == 400 && r.Method == http.MethodPost {
			a.status = 500
		}
	})},
	{"a wrong media type", "muninx", change(func(_ *http.Request, a *answer) {
		if a.status >= 400 {
			a.header.Set("Content-Type", "application/json")
		}
	})},
	{"an error of another dialect", "unleash", change(func(_ *http.Request, a *answer) {
		if a.status >= 400 {
			a.body = fmt.Appendf(nil, `{"type":"about:blank","title":"Wrong","status":%d,"detail":"no","request_id":"x"}`, a.status)
		}
	})},
	{"no Location", "unleash", change(func(_ *http.Request, a *answer) { a.header.Del("Location") })},
	{"no X-Request-Id", "apitoken", change(func(_ *http.Request, a *answer) { a.header.Del("X-Request-Id") })},
	{"no WWW-Authenticate", "muninx", change(func(_ *http.Request, a *answer) { a.header.Del("WWW-Authenticate") })},
	{"405 without Allow", "apitoken", change(func(_ *http.Request, a *answer) { a.header.Del("Allow") })},
	{"no authentication", "apitoken", func(b backend, r *http.Request, body []byte) answer {
		a := b.ask(r, body)
		if a.status == 401 {
			r.Header.Set("Authorization", "Bearer "+b.Credentials["apitoken"])
			a = b.ask(r, body)
		}
		return a
	}},
	{"a body that is not validated", "muninx", func(b backend, r *http.Request, body []byte) answer {
		a := b.ask(r, body)
		if a.status == 400 && r.Method == http.MethodPost {
			return b.ask(r, []byte(`{"name":"anything"}`))
		}
		return a
	}},
	{"a parameter that is not validated", "apitoken", func(b backend, r *http.Request, body []byte) answer {
		a := b.ask(r, body)
		if a.status == 400 && r.Method == http.MethodGet {
			r.URL.RawQuery = ""
			return b.ask(r, body)
		}
		return a
	}},
	{"a good body that is refused", "unleash", func(b backend, r *http.Request, body []byte) answer {
		if r.Method == http.MethodPost && strings.Contains(string(body), `"expiresAt"`) {
			return b.ask(r, []byte("{"))
		}
		return b.ask(r, body)
	}},
	{"a delete that does nothing", "muninx", func(b backend, r *http.Request, body []byte) answer {
		if r.Method == http.MethodDelete {
			r.Method = http.MethodGet
			if a := b.ask(r, body); a.status != 200 {
				return a
			}
			return answer{204, http.Header{"X-Request-Id": {"x"}}, nil}
		}
		return b.ask(r, body)
	}},
	{"a revoke that does nothing", "apitoken", func(b backend, r *http.Request, body []byte) answer {
		if path, ok := strings.CutSuffix(r.URL.Path, "/revoke"); ok && r.Method == http.MethodPost {
			r.Method, r.URL.Path = http.MethodGet, path
			a := b.ask(r, body)
			a.body = bytes.Replace(a.body, []byte(`"status":"active"`), []byte(`"status":"revoked"`), 1)
			return a
		}
		return b.ask(r, body)
	}},
	{"suspend and activate find nothing", "apitoken", findsNothing},
	{"suspend and activate find nothing", "service", findsNothing},
}

// findsNothing asks about a token that is not there.
func findsNothing(b backend, r *http.Request, body []byte) answer {
	if action := path.Base(r.URL.Path); action == "suspend" || action == "activate" {
		r.URL.Path = path.Join(r.URL.Path, "../../unknown", action)
	}
	return b.ask(r, body)
}

// serve puts the fault in front of the real server until the test ends.
func (m mutant) serve(t *testing.T) target {
	t.Helper()
	listener, err := child.Listen()
	need(t, err)
	front := "http://" + listener.Addr().String()
	s := start(t, "", front)
	b := backend{t, s}
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a := m.plant(b, r, body)
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	}))
	h.Listener.Close()
	h.Listener = listener
	h.Start()
	t.Cleanup(h.Close)
	s.URL, s.Planted = front, m.name != sound
	return s
}

// plain keeps encodings and redirects as they are.
var plain = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask hands a request on to the real server.
func (b backend) ask(r *http.Request, body []byte) answer {
	q, err := http.NewRequestWithContext(r.Context(), r.Method, b.URL+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		b.t.Error(err)
		return answer{status: 502}
	}
	q.Header = r.Header.Clone()
	got, err := plain.Do(q)
	if err != nil {
		return answer{status: 502} // the tool has gone away
	}
	defer got.Body.Close()
	data, _ := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, data}
}

// TestMutants shows which tool catches which fault. Every fault has to be caught by one tool at least, and a server
// without a fault by none. `make contract-mutants` runs it.
func TestMutants(t *testing.T) {
	all := mutants
	for _, s := range specs() {
		all = append(all, mutant{sound, s.name, change(func(*http.Request, *answer) {})})
	}
	caught := make([][]bool, len(all))
	t.Run("faults", func(t *testing.T) {
		for i, m := range all {
			caught[i] = make([]bool, len(toolbox))
			for j, c := range toolbox {
				t.Run(m.name+"/"+m.spec+"/"+c.name, func(t *testing.T) {
					t.Parallel()
					out, err := c.run(t, m.serve(t), m.spec)
					if caught[i][j] = err != nil; caught[i][j] {
						t.Log(firstFault(out))
					}
					if summary(out) == "" {
						t.Errorf("the tool did not come to its end: %v\n%s", err, end(out, 100))
					}
					if caught[i][j] && m.name == sound {
						t.Errorf("a false alarm: %v\n%s", err, end(out, 100))
					}
				})
			}
		}
	})
	for i, m := range all {
		if m.name != sound && !slices.Contains(caught[i], true) {
			t.Errorf("nobody noticed: %s", m.name)
		}
	}
	fmt.Printf("\n%s\n", table(all, caught))
}

// sound is the name of what is no fault.
const sound = "none"

// table says which tool caught which fault, in Markdown.
func table(all []mutant, caught [][]bool) string {
	b := &strings.Builder{}
	fmt.Fprint(b, "| fault | spec |")
	for _, c := range toolbox {
		fmt.Fprintf(b, " %s |", c.name)
	}
	fmt.Fprint(b, "\n|---|---|", strings.Repeat("---|", len(toolbox)), "\n")
	for i, m := range all {
		fmt.Fprintf(b, "| %s | %s |", m.name, m.spec)
		for _, yes := range caught[i] {
			fmt.Fprintf(b, " %s |", map[bool]string{true: "caught", false: "–"}[yes])
		}
		fmt.Fprintln(b)
	}
	return b.String()
}

// firstFault is what a tool said first of what it found.
func firstFault(out string) string {
	for _, line := range strings.Split(out, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "- ") || strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "Expected ") || strings.Contains(line, "in the specification") {
			return line
		}
	}
	return end(out, 1)
}
