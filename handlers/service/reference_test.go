package service_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// referenceMedia are the media types of the files in reference that are served.
var referenceMedia = map[string]string{
	".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain",
}

// TestReference gets the page and every file of it, and gets it again with what is known of it.
func TestReference(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	entries, err := os.ReadDir("reference")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		media, served := referenceMedia[path.Ext(entry.Name())]
		address := "/docs/" + entry.Name()
		if entry.Name() == "reference.html" {
			address = "/docs"
		}
		a := s.Do("GET", address, "", "")
		if !served {
			if a.Status != 404 {
				t.Errorf("%s: %d", address, a.Status)
			}
			continue
		}
		want, err := os.ReadFile(path.Join("reference", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != 200 || string(a.Body) != string(want) || a.Header.Get("Content-Type") != media {
			t.Errorf("%s: %d %v", address, a.Status, a.Header)
		}
		confined(t, address, a)
		again := s.Do("GET", address, "", "", "If-None-Match", a.Header.Get("ETag"))
		if again.Status != 304 || len(again.Body) > 0 {
			t.Errorf("%s again: %d", address, again.Status)
		}
		confined(t, address, again)
	}
}

// TestReferenceIsCompressed for whoever wants it so.
func TestReferenceIsCompressed(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	const bundle = "/docs/rapidoc-min.js"
	plain := s.Do("GET", bundle, "", "", "Accept-Encoding", "identity")
	zipped := s.Do("GET", bundle, "", "", "Accept-Encoding", "gzip")
	if zipped.Header.Get("Content-Encoding") != "gzip" || len(zipped.Body) > len(plain.Body)/2 {
		t.Errorf("%d bytes of %d: %v", len(zipped.Body), len(plain.Body), zipped.Header)
	}
	if zipped.Header.Get("ETag") == plain.Header.Get("ETag") || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v, %v", plain.Header, zipped.Header)
	}
}

// confined checks that an answer keeps the page to its server.
func confined(t *testing.T, address string, a harness.Answer) {
	t.Helper()
	policy := a.Header.Get("Content-Security-Policy")
	for _, part := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "connect-src 'self'", "img-src 'self' data:", "font-src 'self'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	} {
		if !strings.Contains("; "+policy+";", "; "+part+";") {
			t.Errorf("%s: the policy %q is without %s", address, policy, part)
		}
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "public, no-cache",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %s is %q", address, name, got)
		}
	}
}

// TestReferenceFileUnknown: the page has one address, and nothing else of the program is a file of it.
func TestReferenceFileUnknown(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for _, name := range []string{"reference.html", "README.md", "other.js", "..%2freference.go", "."} {
		if a := s.Do("GET", "/docs/"+name, s.Vars["member"], ""); a.Status == 200 {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
}

// TestReferenceIsWhatItSays holds the bundle against its entry in the README, and our own files against addresses of
// other servers.
func TestReferenceIsWhatItSays(t *testing.T) {
	text := map[string]string{}
	for _, name := range []string{"README.md", "rapidoc-min.js", "reference.html", "reference.js", "reference.css"} {
		content, err := os.ReadFile("reference/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text[name] = string(content)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text["rapidoc-min.js"]))); !strings.Contains(text["README.md"], "`"+sum+"`") {
		t.Errorf("the bundle has the sum %s, which README.md does not say", sum)
	}
	version := regexp.MustCompile(`RapiDoc (\S+) `).FindStringSubmatch(text["rapidoc-min.js"])
	if version == nil || !strings.Contains(text["README.md"], "| "+version[1]+" |") || !strings.Contains(text["reference.html"], "RapiDoc "+version[1]) {
		t.Errorf("the bundle is of version %q, which README.md or the page does not say", version)
	}
	for _, name := range []string{"reference.html", "reference.js", "reference.css"} {
		if regexp.MustCompile(`https?://|src="//|\burl\(`).MatchString(text[name]) {
			t.Errorf("%s has an address of another server", name)
		}
	}
}
