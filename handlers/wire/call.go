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

// call is the context of one request: its data and its time limit. It is one value, since each further context costs a
// copy of the request. It starts its timer only when somebody waits, since a check from memory never does.
type call struct {
	id      string        // generated here, unique to the request
	sent    string        // the client's own id, "" if it has none
	method  string        // for the log, see [methodOf]
	client  func() string // the client's address
	elapsed func() time.Duration
	*Entrance

	caller, object string // for the log, see [NoteCaller] and [NoteObject]

	mu     sync.Mutex
	ctx    context.Context    // the connection's; has a deadline once somebody waits
	cancel context.CancelFunc // nil: nobody has waited yet
}

type contextKey struct{}

// Entrance has the settings that all requests to a server share.
type Entrance struct {
	Client func(*http.Request) string // the client's address
	Limit  time.Duration              // of the time that a request may take
	Gate   Gate
	Veil   *Veil
}

// Begin gives every request an id, and limits its time; after that, waiting ends with [token.Unavailable]. Responses
// are not cacheable unless they say otherwise. Begin passes HEAD on as GET; net/http omits the body, since it still
// knows the method. It passes every method, and every path below the gate's, on as a GET of that path, see
// [Gate.asOne].
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

// endAfterChunks closes the connection after a chunked request. RFC 9112 section 6.1 requires this if the request also
// had a Content-Length, which cannot be seen here: net/http has removed the header.
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

// end stops the timer. Anyone who starts to wait only now gets the connection's context, which ends with the request.
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

// Value implements [context.Context]. Before the caller is authenticated, its address owns its places in the queue.
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

// network is the part of an address that distinguishes clients: an IPv6 client has a network of 64 bits to itself (RFC
// 4291 section 2.5.4).
func network(client string) string {
	address, err := netip.ParseAddr(client)
	if err != nil || !address.Is6() || address.Is4In6() {
		return client
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}

// Put adds a value to the context of a request, for later handlers.
func Put(ctx context.Context, key, value any) {
	c := callOf(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = context.WithValue(c.ctx, key, value)
}

// callOf is nil if [Begin] is missing.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(contextKey{}).(*call)
	return c
}

// name is the id of the request in responses.
func (c *call) name() string { return cmp.Or(c.sent, c.id) }

// requestID is the id of the context's request in responses: the client's, if it is well-formed.
func requestID(ctx context.Context) string {
	if c := callOf(ctx); c != nil {
		return c.name()
	}
	return ""
}
