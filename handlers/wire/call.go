package wire

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// call is the context of one request: what is known of it, and how long it may take. It is one value, since each
// further context costs a copy of the request; and it has no timer before somebody waits, since a check from memory
// never does.
type call struct {
	id      string        // made here, so that no two requests share one
	sent    string        // the sender's, "" if it has none
	method  string        // for the log, see [methodOf]
	client  func() string // address from which the request came
	elapsed func() time.Duration
	*Entrance

	caller, object string // for the log, see [NoteCaller] and [NoteObject]

	mu     sync.Mutex
	ctx    context.Context    // the connection's; with a deadline as soon as somebody waits
	cancel context.CancelFunc // nil: nobody has waited
}

type contextKey struct{}

// Entrance is what all requests to a server have in common.
type Entrance struct {
	Client func(*http.Request) string // address from which it came
	Limit  time.Duration              // for how long it may take
	Gate   Gate
	Veil   *Veil
}

// Begin gives every request and its answer a name, and bounds the time that it may take; what it waits for then ends
// with [token.Unavailable]. Nobody may keep an answer that does not say otherwise. It hands HEAD on as GET; the server
// leaves the body out by itself, since it still knows the method. It hands every method, and every path below the
// gate's, on as a GET of that path, see [Gate.asOne].
func Begin(e Entrance, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{
			Entrance: &e, id: uuid.NewString(), sent: sentRequestID(r.Header, e.Veil), method: methodOf(r),
			elapsed: token.Stopwatch(), ctx: r.Context(), client: func() string { return e.Client(r) },
		}
		defer c.end()
		w.Header().Set(echo.HeaderXRequestID, c.name())
		w.Header().Set(echo.HeaderCacheControl, "no-store")
		endAfterChunks(w, r)
		r = r.WithContext(c)
		if rest, ok := strings.CutPrefix(r.URL.Path, e.Gate.Path); ok && (rest == "" || rest[0] == '/') {
			r.Method, r.URL = http.MethodGet, e.Gate.asOne(r.URL)
		} else if r.Method == http.MethodHead {
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// endAfterChunks ends the connection after the answer to a request in chunks. One that also had a Content-Length must
// end it (RFC 9112 section 6.1), which net/http does not tell from the others: it has taken the header away.
func endAfterChunks(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 {
		w.Header().Set(echo.HeaderConnection, "close")
	}
}

// waiting is the context with its deadline.
func (c *call) waiting() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel == nil {
		c.ctx, c.cancel = context.WithTimeout(c.ctx, c.Limit-c.elapsed())
	}
	return c.ctx
}

// end lets go of the timer. Who begins to wait only now has the connection's context, which ends with the request.
func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel == nil {
		c.cancel = func() {}
	}
	c.cancel()
}

// Deadline implements [context.Context].
func (c *call) Deadline() (time.Time, bool) { return c.waiting().Deadline() }

// Done implements [context.Context].
func (c *call) Done() <-chan struct{} { return c.waiting().Done() }

// Err implements [context.Context].
func (c *call) Err() error { return c.waiting().Err() }

// Value implements [context.Context]. As long as it is not known who calls, places are taken up by an address.
func (c *call) Value(key any) any {
	if _, own := key.(contextKey); own {
		return c
	}
	c.mu.Lock()
	ctx := c.ctx
	c.mu.Unlock()
	value := ctx.Value(key)
	if _, asked := key.(token.ShareKey); asked && value == nil {
		return token.Share{Address: network(c.client())}
	}
	return value
}

// network is an address as far as it tells clients apart: one of IPv6 has a network of 64 bits to itself (RFC 4291
// section 2.5.4).
func network(client string) string {
	address, err := netip.ParseAddr(client)
	if err != nil || !address.Is6() || address.Is4In6() {
		return client
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}

// Put adds a value to the context of a request, for what comes after.
func Put(ctx context.Context, key, value any) {
	c := callOf(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = context.WithValue(c.ctx, key, value)
}

// callOf is nil where [Begin] is missing.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(contextKey{}).(*call)
	return c
}

// name is what answers call the request.
func (c *call) name() string { return cmp.Or(c.sent, c.id) }

// requestID is what answers call the request that the context belongs to: by its sender's name, if that has a good one.
func requestID(ctx context.Context) string {
	if c := callOf(ctx); c != nil {
		return c.name()
	}
	return ""
}
