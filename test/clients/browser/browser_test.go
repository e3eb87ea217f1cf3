// Package browser opens the reference of a running server in Chromium.
package browser

import (
	_ "embed"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tokenwright/tokenwright/openapi"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

//go:embed page.js
var helpers string

var contracts = []struct {
	name     string
	document []byte
}{
	{"muninx", openapi.Muninx}, {"apitoken", openapi.APIToken}, {"unleash", openapi.Unleash}, {"service", openapi.Service},
}

func expression(function string, arguments []any) string {
	var list []string
	for _, a := range arguments {
		text, err := json.Marshal(a)
		if err != nil {
			panic(err)
		}
		list = append(list, string(text))
	}
	return "reference." + function + "(" + strings.Join(list, ", ") + ")"
}

// visit opens the page on a screen of that size.
func (p *page) visit(s *harness.Server, scheme string, width, height int64) {
	p.t.Helper()
	p.prefer(scheme)
	order(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
	run(p, chromedp.Navigate(s.URL+"/docs"))
	run(p, chromedp.Evaluate[chromedp.Void](helpers))
}

func (p *page) prefer(scheme string) {
	p.t.Helper()
	order(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// operations are those of a contract, as method and path.
func operations(t *testing.T, document []byte) (list []string) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			list = append(list, strings.ToUpper(method+" "+path))
		}
	}
	slices.Sort(list)
	return list
}

// TestReference uses the page as its readers do.
func TestReference(t *testing.T) {
	s, browser := harness.Start(t, harness.Options{}), launch(t)
	for _, screen := range []struct {
		name, first, then string
		width, height     int64
	}{{"desk", "light", "dark", 1280, 900}, {"phone", "dark", "light", 390, 844}} {
		t.Run(screen.name, func(t *testing.T) {
			p := open(t, browser)
			p.visit(s, screen.first, screen.width, screen.height)
			for _, c := range contracts {
				p.shows(c.name, operations(t, c.document))
				p.fits(c.name, screen.width)
				p.picture(c.name + "-" + screen.name + "-" + screen.first)
			}
			p.dressed(screen.first)
			p.prefer(screen.then) // while the page is open
			p.dressed(screen.then)
			p.picture("service-" + screen.name + "-" + screen.then)
			p.quiet(s.URL)
		})
	}
	t.Run("try", func(t *testing.T) { try(t, s, open(t, browser)) })
	t.Run("keys", func(t *testing.T) { keys(t, s, open(t, browser)) })
	t.Run("back", func(t *testing.T) { back(t, s, open(t, browser)) })
}

// keys uses nothing but the keyboard, from the tabs to the request of an operation.
func keys(t *testing.T, s *harness.Server, p *page) {
	p.visit(s, "light", 1280, 900)
	call[[]string](p, "open", "muninx", 1)
	press := func(key string) string {
		run(p, chromedp.KeyEvent(key))
		return call[string](p, "held")
	}
	until := func(what string) {
		t.Helper()
		for range 30 {
			if strings.Contains(press(kb.Tab), what) {
				return
			}
		}
		t.Fatalf("no Tab leads to %s", what)
	}
	run(p, chromedp.Evaluate[chromedp.Void]("document.getElementById('tab-muninx').focus()"))
	for _, step := range []struct{ key, want string }{{kb.End, "service"}, {kb.Home, "muninx"}, {kb.ArrowLeft, "service"}, {kb.ArrowRight, "muninx"}} {
		press(step.key)
		if got := call[string](p, "chosen"); got != step.want {
			t.Errorf("the keys choose %s, want %s", got, step.want)
		}
	}
	until("summary endpoint-head post collapsed false")
	if held := press(kb.Enter); !strings.HasSuffix(held, "expanded true") {
		t.Errorf("Enter opens nothing: %s", held)
	}
	until("textarea")
	until("m-btn primary")
	run(p, chromedp.Evaluate[chromedp.Void]("location.hash = '#apitoken'"))
	call[chromedp.Void](p, "shows", "apitoken")
	p.quiet(s.URL)
}

// back leaves the page with a credential in it and comes back.
func back(t *testing.T, s *harness.Server, p *page) {
	p.visit(s, "light", 1280, 900)
	call[[]string](p, "open", "muninx", 1)
	call[chromedp.Void](p, "paste", "muninx", "bearer", s.Vars["member"])
	if call[bool](p, "bare", "muninx", "bearer") {
		t.Error("nothing was pasted")
	}
	run(p, chromedp.Navigate(s.URL+"/docs/rapidoc.LICENSE.txt"))
	run(p, chromedp.Evaluate[chromedp.Void]("setTimeout(() => history.back())"))
	const fresh = "typeof reference === 'undefined' && !!document.querySelector('#muninx > rapi-doc')?.shadowRoot?.querySelector('.endpoint-head')"
	for range 200 { // else it is the page that was left
		if ready, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](fresh)); err == nil && ready { // an error: between two pages
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	run(p, chromedp.Evaluate[chromedp.Void]("if (typeof reference === 'undefined') {"+strings.Replace(helpers, "const reference", "globalThis.reference", 1)+"}"))
	if !call[bool](p, "bare", "muninx", "bearer") {
		t.Error("the credential is still there")
	}
}

// shows checks that a tab has all operations of its contract, and opens the last.
func (p *page) shows(name string, want []string) {
	p.t.Helper()
	got := call[[]string](p, "open", name, len(want))
	if slices.Sort(got); !slices.Equal(got, want) {
		p.t.Errorf("%s shows %q, want %q", name, got, want)
	}
	call[chromedp.Void](p, "expand", name, want[len(want)-1])
}

// fits checks that nothing has to be scrolled sideways.
func (p *page) fits(name string, width int64) {
	p.t.Helper()
	if wide := run(p, chromedp.Evaluate[int64]("document.scrollingElement.scrollWidth")); wide > width {
		p.t.Errorf("%s is %d wide on a screen of %d", name, wide, width)
	}
}

// dressed checks that the page and what RapiDoc shows in it have the colours of the scheme.
func (p *page) dressed(scheme string) {
	p.t.Helper()
	want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(27, 31, 36)"}[scheme]
	call[chromedp.Void](p, "dressed", want)
}

// picture keeps a picture for whoever changes the page, if TOKENWRIGHT_PICTURES names a directory.
func (p *page) picture(name string) {
	dir := os.Getenv("TOKENWRIGHT_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(dir+"/"+name+".png", run(p, chromedp.FullScreenshot(100)), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// issued finds the secret in an answer.
var issued = regexp.MustCompile(`"(?:token|secret)": "([^"]+)"`)

// try makes a token of each dialect from the page, with a pasted credential.
func try(t *testing.T, s *harness.Server, p *page) {
	p.visit(s, "light", 1280, 900)
	secret := s.Vars["member"]
	for _, c := range []struct{ name, scheme, list, body, sample string }{
		{"muninx", "bearer", "/tokens", `{"name":"from the page"}`, "--header 'Authorization: Bearer <token>'"},
		{"apitoken", "bearer", "/api/v1/api_token", `{"token_scope":"account"}`, "--header 'Authorization: Bearer <token>'"},
		{"unleash", "apiKey", "/api/admin/user/tokens", `{"description":"\u202efrom \u009b the page"}`, "--header 'Authorization: <token>'"},
	} {
		before := s.Do("GET", c.list, secret, "")
		call[[]string](p, "open", c.name, 1)
		call[chromedp.Void](p, "paste", c.name, c.scheme, secret)
		shown := call[string](p, "attempt", c.name, "POST "+c.list, c.body)
		p.picture("try-" + c.name)
		if made := issued.FindStringSubmatch(shown); made == nil || s.Do("GET", "/service/me", made[1], "").Status != 200 {
			t.Errorf("%s: the page shows no token that works", c.name)
		}
		if !strings.Contains(shown, ":20") {
			t.Errorf("%s: the page shows %q", c.name, shown)
		}
		if c.name == "unleash" && !strings.Contains(shown, `"\u202efrom \u009b the page"`) {
			t.Errorf("%s: the page shows %q", c.name, shown)
		}
		if after := s.Do("GET", c.list, secret, ""); count(after) != count(before)+1 {
			t.Errorf("%s: no token was made: %s", c.name, after.Body)
		}
		sample := call[string](p, "sample", c.name, "POST "+c.list)
		if !strings.HasPrefix(sample, "curl --request POST --url '"+s.URL+c.list+"'") || !strings.Contains(sample, c.sample) ||
			!strings.Contains(sample, "--header 'Content-Type: application/json'") || strings.Contains(sample, secret) {
			t.Errorf("%s: the call to paste is %s", c.name, sample)
		}
	}
	call[[]string](p, "open", "service", 1)
	if fields := call[[]string](p, "fields", "service"); !slices.Equal(fields, []string{"User name off", "Credential new-password", "Credential off"}) {
		t.Errorf("the fields for credentials are %q", fields)
	}
	call[chromedp.Void](p, "paste", "service", "bearer", secret)
	if me := call[string](p, "attempt", "service", "GET /service/me", ""); !strings.Contains(me, `"member"`) {
		t.Errorf("who am I: %q", me)
	}
	call[chromedp.Void](p, "paste", "service", "bearer", s.Vars["admin"])
	if verdict := call[string](p, "attempt", "service", "POST /introspect", ""); !strings.Contains(verdict, `"active": false`) {
		t.Errorf("the example of a form: %q", verdict)
	}
	p.forgets(s)
	p.quiet(s.URL, secret, s.Vars["admin"])
}

// count is the number of tokens in a list of any dialect.
func count(a harness.Answer) int {
	return strings.Count(string(a.Body), `"id":`)
}

// forgets checks that the page keeps nothing anywhere.
func (p *page) forgets(s *harness.Server) {
	p.t.Helper()
	kept := call[string](p, "kept")
	want := `{"local":[],"session":[],"cookies":"","databases":[],"address":"` + s.URL + `/docs#service"}`
	if kept != want {
		p.t.Errorf("the page keeps %s", kept)
	}
	if cookies := order(p, network.GetCookies, network.GetCookiesParams{}).Cookies; len(cookies) > 0 {
		p.t.Errorf("cookies: %v", cookies)
	}
}
