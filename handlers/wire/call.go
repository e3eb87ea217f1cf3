package wire

import (
	"cmp"
	"context"
	"net/http"
	"slices"
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
	request *http.Request // as it was received
	started time.Duration // on the stopwatch
	*entrance

	answer         answer
	caller, object string // for the log, see [NoteCaller] and [NoteObject]
	beside         token.Beside

	mu     sync.Mutex
	ctx    context.Context    // the connection's; has a deadline once somebody waits
	cancel context.CancelFunc // nil: nobody has waited yet
	values []keyed            // see [Put]
	room   [4]keyed           // for the first values
}

type contextKey struct{}

// keyed is a value in the context of a request.
type keyed struct{ key, value any }

// answer is the response. It sets the request id again where a generated response has overwritten it.
type answer struct {
	http.ResponseWriter
	requestID [1]string // the value of the header
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if h := a.Header(); len(h[requestIDHeader]) != 1 || h[requestIDHeader][0] == "" {
		h[requestIDHeader] = a.requestID[:]
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// requestIDHeader is [echo.HeaderXRequestID] as the keys of [http.Header] spell it.
var requestIDHeader = http.CanonicalHeaderKey(echo.HeaderXRequestID)

// noStore is the value of a Cache-Control. Its capacity is its length: what is added goes elsewhere.
var noStore = []string{"no-store"}

// Entrance has the settings that all requests to a server share.
type Entrance struct {
	Client func(*http.Request) string // the client's address
	Limit  time.Duration              // of the time that a request may take
	Gate   Gate
	Veil   *Veil
}

// entrance has a stopwatch for all requests.
type entrance struct {
	Entrance
	stopwatch func() time.Duration
}

// Begin gives every request an id, and limits its time; after that, waiting ends with [token.Unavailable]. Responses
// are not cacheable unless they say otherwise. Begin passes HEAD on as GET; net/http omits the body, since it still
// knows the method. It passes every method, and every path below the gate's, on as a GET of that path, see
// [Gate.asOne].
func Begin(settings Entrance, next http.Handler) http.Handler {
	e := &entrance{settings, token.Stopwatch()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{
			entrance: e, id: uuid.NewString(), sent: sentRequestID(r.Header, e.Veil), method: methodOf(r),
			started: e.stopwatch(), ctx: r.Context(), request: r,
		}
		defer c.end()
		c.values = c.room[:0]
		c.answer = answer{w, [1]string{c.name()}}
		header := w.Header()
		header[requestIDHeader] = c.answer.requestID[:]
		header[echo.HeaderCacheControl] = noStore
		endAfterChunks(w, r)
		r = r.WithContext(c)
		if rest, ok := strings.CutPrefix(r.URL.Path, e.Gate.Path); ok && (rest == "" || rest[0] == '/') {
			r.Method, r.URL = http.MethodGet, e.Gate.asOne(r.URL)
		} else if r.Method == http.MethodHead {
			r.Method = http.MethodGet
		}
		next.ServeHTTP(&c.answer, r)
	})
}

// Random numbers are drawn for many ids at once: one draw costs more than the rest of an id. No id is a secret.
func init() { uuid.EnableRandPool() }

// elapsed is how long the request has taken.
func (c *call) elapsed() time.Duration { return c.stopwatch() - c.started }

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
	if _, asked := key.(token.BesideKey); asked {
		return &c.beside
	}
	if _, asked := key.(token.OriginKey); asked {
		return c.origin()
	}
	value, ok := c.put(key)
	if !ok {
		value = c.request.Context().Value(key)
	}
	if _, asked := key.(token.ShareKey); asked {
		return c.share(value)
	}
	return value
}

// mostAgent is how many bytes of a User-Agent are kept: enough to tell programs apart.
const mostAgent = 200

// origin is where the request came from, for the audit trail. What a client says of itself could contain anything.
func (c *call) origin() token.Origin {
	agent := c.Veil.over(strings.ToValidUTF8(c.request.UserAgent(), "\uFFFD"))
	if len(agent) > mostAgent {
		agent = strings.ToValidUTF8(agent[:mostAgent], "")
	}
	return token.Origin{Address: c.Client(c.request), Agent: agent, Request: c.id}
}

// share is the [token.Share] of the value of its key. A value may make its share only when it is asked: most requests
// wait for nothing.
func (c *call) share(value any) any {
	switch v := value.(type) {
	case nil:
		return token.Share{Address: Network(c.Client(c.request))}
	case interface{ Share() token.Share }:
		return v.Share()
	}
	return value
}

// put is the last value that [Put] was given for the key.
func (c *call) put(key any) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range slices.Backward(c.values) {
		if v.key == key {
			return v.value, true
		}
	}
	return nil, false
}

// Put adds a value to the context of a request, for later handlers.
func Put(ctx context.Context, key, value any) {
	c := callOf(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values = append(c.values, keyed{key, value})
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
