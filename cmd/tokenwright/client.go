package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	apitoken "github.com/tokenwright/tokenwright/gen/apitoken/client"
	muninx "github.com/tokenwright/tokenwright/gen/muninx/client"
	service "github.com/tokenwright/tokenwright/gen/service/client"
	unleash "github.com/tokenwright/tokenwright/gen/unleash/client"
)

// credentialVariable holds the credential if no file is given. It is not a flag: flags show up in the process list.
const credentialVariable = "TOKENWRIGHT_CREDENTIAL"

// remoteFlags say which server to call, and how.
type remoteFlags struct {
	Server         string `default:"http://127.0.0.1:8080" placeholder:"URL" help:"@remote_server"`
	CredentialFile string `placeholder:"FILE" help:"@remote_credential_file"`
	CAFile         string `name:"ca-file" placeholder:"FILE" help:"Certificates (PEM) to trust instead of the system's."`
	Timeout        span   `default:"30s" help:"How long to wait for a response."`
	Output         string `short:"o" enum:"table,json" default:"table" help:"Output format: table or json."`
}

// remote is a server to call, through the generated clients.
type remote struct {
	printer
	service  *service.Client
	muninx   *muninx.Client
	apitoken *apitoken.Client
	unleash  *unleash.Client
}

// connect reads what is needed to call the server. It does not call it yet.
func (f *remoteFlags) connect(out *streams) (*remote, error) {
	u, err := url.Parse(f.Server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.ContainsAny(f.Server, "?#") {
		return nil, wrong("server", "must be an absolute http or https URL without user, query or fragment")
	}
	if f.Timeout <= 0 {
		return nil, wrong("timeout", "must be greater than zero")
	}
	credential, err := f.credential(out.getenv)
	if err != nil {
		return nil, err
	}
	web, err := f.httpClient()
	if err != nil {
		return nil, err
	}
	caller := &caller{web: web, credential: credential}
	r := &remote{printer: printer{out: out.stdout, json: f.Output == "json"}}
	var errs [4]error
	r.service, errs[0] = service.NewClient(f.Server, service.WithHTTPClient(caller))
	r.muninx, errs[1] = muninx.NewClient(f.Server, muninx.WithHTTPClient(caller))
	r.apitoken, errs[2] = apitoken.NewClient(f.Server, apitoken.WithHTTPClient(caller))
	r.unleash, errs[3] = unleash.NewClient(f.Server, unleash.WithHTTPClient(caller))
	return r, errors.Join(errs[:]...)
}

// credential comes from the file, else from the variable.
func (f *remoteFlags) credential(getenv func(string) string) (string, error) {
	source, text := credentialVariable, getenv(credentialVariable)
	if f.CredentialFile != "" {
		content, err := os.ReadFile(f.CredentialFile)
		if err != nil {
			return "", fmt.Errorf("cannot read the credential: %w", err)
		}
		source, text = f.CredentialFile, string(content)
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "" && f.CredentialFile == "":
		return "", wrong("credential-file", "is required unless the variable %s holds the credential", credentialVariable)
	case text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("%s must contain exactly one credential and nothing else", source)
	}
	return text, nil
}

func (f *remoteFlags) httpClient() (*http.Client, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if f.CAFile != "" {
		text, err := os.ReadFile(f.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read the CA certificates: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s contains no PEM certificate", f.CAFile)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{
		Transport: transport, Timeout: time.Duration(f.Timeout),
		// The credential is for this server only, so a redirect must not carry it elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// caller sends the requests of the generated clients with the credential.
type caller struct {
	web        *http.Client
	credential string
}

// Do implements what the generated clients call.
func (c *caller) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+c.credential)
	r.Header.Set("User-Agent", "tokenwright/"+programVersion())
	response, err := c.web.Do(r)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return nil, fmt.Errorf("cannot reach the server at %s://%s: %w", r.URL.Scheme, r.URL.Host, failed.Err)
	}
	return response, err
}

// maxAnswer is far larger than any response of the server, in bytes.
const maxAnswer = 16 << 20

// receive reads a response. Any status but 2xx becomes an error.
func receive(r *http.Response, err error) ([]byte, http.Header, error) {
	if err != nil {
		return nil, nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("the server's response was cut short: %w", err)
	}
	if r.StatusCode < 200 || r.StatusCode > 299 {
		return nil, nil, refusal(r, body)
	}
	return body, r.Header, nil
}

// strange is the error for a 2xx response whose body does not match the contract.
func strange(err error) error {
	return fmt.Errorf("the server's response does not match its contract: %w", err)
}

// decode is [receive] for a body of type T.
func decode[T any](r *http.Response, err error) (T, error) {
	var value T
	body, _, err := receive(r, err)
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(body, &value); err != nil {
		return value, strange(err)
	}
	return value, nil
}

// made is [decode] for a create: it rejects a body for which shows is false, such as an empty object.
func made[T any](shows func(T) bool, r *http.Response, err error) (T, error) {
	value, err := decode[T](r, err)
	if err == nil && !shows(value) {
		err = strange(errors.New("it does not contain what was created"))
	}
	return value, err
}

// trouble holds the members of the error bodies of all dialects.
type trouble struct {
	Detail    string          `json:"detail"`     // problem details
	Message   string          `json:"message"`    // apitoken and unleash
	RequestID string          `json:"request_id"` // problem details
	Errors    json.RawMessage `json:"errors"`     // a list in problem details, an object in apitoken
	Details   json.RawMessage `json:"details"`    // a list in unleash
}

// refusal is the error for a response other than 2xx: status, message, faults and request id.
func refusal(r *http.Response, body []byte) error {
	var t trouble
	_ = json.Unmarshal(body, &t) // a response from a proxy in between has none of these members
	parts := append([]string{cmp.Or(t.Message, t.Detail, "no reason given")}, t.faults()...)
	status := http.StatusText(r.StatusCode)
	text := fmt.Sprintf("the server responded %d %s: %s", r.StatusCode, status, strings.Join(parts, "; "))
	if id := cmp.Or(t.RequestID, r.Header.Get("X-Request-Id")); id != "" {
		text += " (request id " + id + ")"
	}
	return errors.New(printable(text))
}

func (t trouble) faults() []string {
	var problems []struct{ Detail, Pointer, Parameter string }
	var members map[string][]string
	var details []struct{ Message string }
	_ = json.Unmarshal(t.Errors, &problems)
	_ = json.Unmarshal(t.Errors, &members)
	_ = json.Unmarshal(t.Details, &details)
	var all []string
	for _, p := range problems {
		all = append(all, strings.TrimSpace(cmp.Or(p.Parameter, p.Pointer)+" "+p.Detail))
	}
	for _, name := range sortedKeys(members) {
		all = append(all, name+" "+strings.Join(members[name], ", "))
	}
	for _, d := range details {
		if d.Message != t.Message {
			all = append(all, d.Message)
		}
	}
	return all
}

// maxPage is the largest page size that the server accepts.
const maxPage = 100

// collect follows the cursors of a list to its end, or until it has limit entries if limit is not 0.
func collect[T any](limit int, page func(cursor *string, size *int32) ([]T, string, error)) ([]T, error) {
	all, cursor := []T{}, (*string)(nil)
	for {
		size := int32(maxPage)
		if limit > 0 {
			size = int32(min(limit-len(all), maxPage)) //nolint:gosec // at most maxPage
		}
		items, next, err := page(cursor, &size)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == "" || limit > 0 && len(all) >= limit {
			return all, nil
		}
		cursor = &next
	}
}
