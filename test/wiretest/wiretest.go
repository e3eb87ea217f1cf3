// Package wiretest runs wire behaviour that is written down as text. A file is a story of exchanges on one server:
//
//	# a comment
//	POST /tokens
//	Authorization: Bearer ${admin}
//	Content-Type: application/json
//
//	{"name":"CI token"}
//	---
//	200
//	Cache-Control: no-store
//
//	{"id":"$save(id) $uuid","name":"CI token","token":"$any","created_at":"$time"}
//	===
//
// Headers of the answer that are named must be as written; a header written as `Name:` must be missing. A JSON body
// must have exactly the members that are written, where $any, $time, $uuid and the other forms below match by form,
// $text(part) what contains the part, and $save(name) also keeps the value for ${name} further down. A body after `raw:`
// is written as a Go string, for bytes that no text file holds.
package wiretest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/test/harness"
)

// Run plays every file that the pattern matches on both databases, each on a server of its own. A file whose name ends
// in _strict.txt gets a server in strict mode.
func Run(t *testing.T, pattern string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files match %s (%v)", pattern, err)
	}
	sort.Strings(files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			harness.Databases(t, func(t *testing.T, databaseURL string) {
				t.Parallel()
				play(t, file, databaseURL)
			})
		})
	}
}

func play(t *testing.T, file, databaseURL string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Configure: func(c *server.Config) {
		c.UnleashStrict = strings.HasSuffix(file, "_strict.txt")
	}})
	story := &story{t: t, server: s}
	for i, exchange := range strings.Split(string(text), "\n===\n") {
		if strings.TrimSpace(exchange) != "" {
			story.play(fmt.Sprintf("%s, exchange %d", filepath.Base(file), i+1), exchange)
		}
	}
}

type story struct {
	t      *testing.T
	server *harness.Server
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

func (s *story) play(name, exchange string) {
	s.t.Helper()
	exchange = variable.ReplaceAllStringFunc(exchange, func(v string) string {
		value, ok := s.server.Vars[v[2:len(v)-1]]
		if !ok {
			s.t.Fatalf("%s: %s is not known", name, v)
		}
		return value
	})
	request, answer, ok := strings.Cut(exchange, "\n---\n")
	if !ok {
		s.t.Fatalf("%s: no --- between request and answer", name)
	}
	got := s.send(name, request)
	if problem := s.compare(got, answer); problem != "" {
		s.t.Fatalf("%s: %s\nrequest:\n%s\nanswer: %d %v\n%s", name, problem, request, got.Status, got.Header, got.Body)
	}
}

// part splits a message into its first line, its headers and its body.
func part(text string) (first string, headers [][2]string, body string) {
	var lines []string
	head, body, _ := strings.Cut(text+"\n", "\n\n")
	for _, line := range strings.Split(head, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		headers = append(headers, [2]string{name, strings.TrimSpace(value)})
	}
	return lines[0], headers, strings.TrimSuffix(body, "\n")
}

func (s *story) send(name, text string) harness.Answer {
	s.t.Helper()
	first, headers, body := part(strings.TrimLeft(text, "\n"))
	method, path, _ := strings.Cut(first, " ")
	if raw, ok := strings.CutPrefix(body, "raw:"); ok {
		unquoted, err := strconv.Unquote(`"` + strings.TrimSpace(raw) + `"`)
		if err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		body = unquoted
	}
	var flat []string
	for _, h := range headers {
		flat = append(flat, h[0], h[1])
	}
	return s.server.Do(method, path, "", body, flat...)
}

func (s *story) compare(got harness.Answer, want string) string {
	first, headers, body := part(strings.TrimLeft(want, "\n"))
	if strconv.Itoa(got.Status) != first {
		return fmt.Sprintf("status %d, want %s", got.Status, first)
	}
	for _, h := range headers {
		value := got.Header.Get(h[0])
		if !s.matches(h[1], value) {
			return fmt.Sprintf("header %s is %q, want %q", h[0], value, h[1])
		}
	}
	if body == "" {
		if len(got.Body) > 0 {
			return "a body where none is wanted"
		}
		return ""
	}
	var wanted, sent any
	if err := json.Unmarshal([]byte(body), &wanted); err != nil {
		return "the wanted body is no JSON: " + err.Error()
	}
	if err := json.Unmarshal(got.Body, &sent); err != nil {
		return "the body is no JSON: " + err.Error()
	}
	return s.same("", wanted, sent)
}

// same returns where the two differ, "" if they do not.
func (s *story) same(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", at, got)
		}
		for name := range g {
			if _, ok := w[name]; !ok {
				return fmt.Sprintf("%s/%s is not wanted", at, name)
			}
		}
		for name := range w {
			if _, ok := g[name]; !ok {
				return fmt.Sprintf("%s/%s is missing", at, name)
			}
			if problem := s.same(at+"/"+name, w[name], g[name]); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s is %v, want %d entries", at, got, len(w))
		}
		for i := range w {
			if problem := s.same(fmt.Sprintf("%s/%d", at, i), w[i], g[i]); problem != "" {
				return problem
			}
		}
		return ""
	case string:
		if strings.Contains(w, "$") {
			if text := fmt.Sprint(got); got != nil && s.matches(w, text) {
				return ""
			}
			return fmt.Sprintf("%s is %v, want %s", at, got, w)
		}
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

var forms = map[string]func(string) bool{
	"$any":    func(s string) bool { return s != "" },
	"$uuid":   regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString,
	"$uuid4":  regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString,
	"$key":    regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{32}$`).MatchString,
	"$jwt":    regexp.MustCompile(`^eyJ[\w-]+\.[\w-]+\.[\w-]{86}$`).MatchString,
	"$muninx": regexp.MustCompile(`^muninx_[0-9A-Za-z]{36}$`).MatchString,
	"$pat":    regexp.MustCompile(`^user:[0-9a-f]{56}$`).MatchString,
	"$int":    regexp.MustCompile(`^[1-9][0-9]*$`).MatchString,
	"$time": func(s string) bool {
		_, err := time.Parse(time.RFC3339, s)
		return err == nil && strings.HasSuffix(s, "Z")
	},
	"$millis": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString,
}

var save = regexp.MustCompile(`^\$save\((\w+)\) ?`)

// matches compares a text with what was written for it.
func (s *story) matches(want, got string) bool {
	if m := save.FindStringSubmatch(want); m != nil {
		s.server.Vars[m[1]] = got
		want = want[len(m[0]):]
		if want == "" {
			return true
		}
	}
	if form, ok := forms[want]; ok {
		return form(got)
	}
	if text, ok := strings.CutPrefix(want, "$text("); ok {
		return strings.Contains(got, strings.TrimSuffix(text, ")"))
	}
	return want == got
}
