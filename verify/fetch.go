package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// maxConnections is the maximum number of connections of a Verifier to Tokenwright.
const maxConnections = 64

// fetcher sends requests to Tokenwright, limited in time and size.
type fetcher struct {
	client  *http.Client
	timeout time.Duration
}

func newFetcher(c Config) fetcher {
	client := &http.Client{Transport: newTransport()}
	if c.Client != nil {
		copied := *c.Client
		client = &copied
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil // requests need no cookies
	return fetcher{client, c.Timeout}
}

// newTransport keeps as many idle connections as it opens: the default keeps two per host, and would open a new
// connection for nearly every request under load.
func newTransport() http.RoundTripper {
	usual, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // which the program has replaced
	}
	t := usual.Clone()
	t.MaxConnsPerHost, t.MaxIdleConnsPerHost = maxConnections, maxConnections
	return t
}

// get fetches a document of one media type.
func (f fetcher) get(
	ctx context.Context, url, accept string, limit int64, media ...string,
) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, misconfigured(err)
	}
	r.Header.Set("Accept", accept)
	return f.do(r, limit, media...)
}

// do returns the body of a response with status 200 and one of the media types. All its errors are ErrUnavailable: an
// error response to this service is not a verdict on a token.
func (f fetcher) do(r *http.Request, limit int64, media ...string) ([]byte, http.Header, error) {
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	defer answer.Body.Close()
	if err := judgeStatus(answer.StatusCode); err != nil {
		return nil, nil, err
	}
	if err := judgeMedia(answer.Header.Get("Content-Type"), media); err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return nil, nil, unavailable(err)
	}
	if int64(len(body)) > limit {
		return nil, nil, unavailable(errors.New("the response is too large"))
	}
	return body, answer.Header, nil
}

// judgeStatus treats a rejection as a misconfiguration, since requests are always well formed; other errors may be
// temporary.
func judgeStatus(status int) error {
	err := fmt.Errorf("Tokenwright responded %d %s", status, http.StatusText(status)) //nolint:staticcheck // a name
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return unavailable(err)
	default:
		return misconfigured(err)
	}
}

func judgeMedia(got string, want []string) error {
	parsed, _, err := mime.ParseMediaType(got)
	for _, m := range want {
		if err == nil && parsed == m {
			return nil
		}
	}
	return misconfigured(fmt.Errorf("the response is %q instead of %s", got, want[0]))
}
