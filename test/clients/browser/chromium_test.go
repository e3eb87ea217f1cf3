package browser

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is for all that one test does, on a busy machine.
const patience = 2 * time.Minute

// program finds what scripts/get-browser.sh finds.
func program(t *testing.T) string {
	t.Helper()
	for _, name := range []string{
		"google-chrome", "chromium", "chromium-browser", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("Chromium is not here: run `make browser`")
	return ""
}

// launch starts a Chromium with a profile that is thrown away, and stops it when the test ends. It reaches loopback
// only: everything else would go through a proxy that nobody runs.
func launch(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program(t)),
		chromedp.Env("HOME="+t.TempDir()),
		chromedp.Flag("proxy-server", "http://127.0.0.1:1"),
		chromedp.Flag("proxy-bypass-list", "127.0.0.1"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("no-sandbox", true), // not every machine lets users have one, and the page is our own
	)
	ctx, timeout := context.WithTimeout(context.Background(), patience)
	t.Cleanup(timeout)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// page is a tab of the browser with all that it asked for and complained of.
type page struct {
	t        *testing.T
	ctx      context.Context //nolint:containedctx // chromedp keeps the tab in it
	mu       sync.Mutex
	requests []request
	problems []string
}

type request struct{ method, url string }

// open makes a tab with nothing in its storage.
func open(t *testing.T, browser context.Context) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	order(p, network.Enable, network.EnableParams{})
	order(p, log.Enable, cdp.Empty{})
	order(p, runtime.Enable, cdp.Empty{})
	return p
}

func (p *page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, request{e.Request.Method, e.Request.URL})
	case *network.EventWebSocketCreated:
		p.requests = append(p.requests, request{"WebSocket", e.URL})
	case *log.EventEntryAdded: // violations of the policy are here
		p.problems = append(p.problems, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "warning", "assert"}, string(e.Type)) {
			p.problems = append(p.problems, fmt.Sprintf("console %s: %s", e.Type, said(e.Args)))
		}
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, fmt.Sprintf("exception: %s %s", e.ExceptionDetails.Text, said([]*runtime.RemoteObject{e.ExceptionDetails.Exception})))
	}
}

func said(arguments []*runtime.RemoteObject) string {
	var words []string
	for _, a := range arguments {
		words = append(words, string(a.Value)+a.Description)
	}
	return strings.Join(words, " ")
}

// order sends a command of the browser's protocol.
func order[P, R any](p *page, command cdp.Command[P, R], parameters P) R {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, command, parameters)
	if err != nil {
		p.fail(err)
	}
	return result
}

// run does something in the page and returns what came of it.
func run[T any](p *page, action chromedp.Action[T]) T {
	p.t.Helper()
	result, err := chromedp.Run(p.ctx, action)
	if err != nil {
		p.fail(err)
	}
	return result
}

// call runs a function of page.js.
func call[T any](p *page, function string, arguments ...any) T {
	p.t.Helper()
	return run(p, chromedp.Evaluate[T](expression(function, arguments), chromedp.EvalAwaitPromise))
}

func (p *page) fail(err error) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Fatalf("%v\nproblems: %q", err, p.problems)
}

// quiet checks that the page asked this server only, complained of nothing, and put the secrets into no address.
func (p *page) quiet(server string, secrets ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		u, err := url.Parse(r.url)
		if err != nil || "http://"+u.Host != server && u.Scheme != "data" {
			p.t.Errorf("a request leaves the server: %s %s", r.method, r.url)
		}
		for _, secret := range secrets {
			if strings.Contains(r.url, secret) || strings.Contains(r.url, url.QueryEscape(secret)) {
				p.t.Errorf("a credential in an address: %s", r.url)
			}
		}
	}
	for _, problem := range p.problems {
		p.t.Errorf("the page complains: %s", problem)
	}
	if len(p.requests) < 4 {
		p.t.Errorf("only %d requests were seen", len(p.requests))
	}
}
