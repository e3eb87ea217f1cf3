package harness

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tokenwright/tokenwright/openapi"
)

// World is what tests of generated clients call: a server, and one that refuses everything.
type World struct {
	*Server
	Refusing string // a server that answers a request below /503 with that status, for every status that a contract knows
}

// StartWorld runs both servers until the test ends.
func StartWorld(t testing.TB) World {
	t.Helper()
	refusing := httptest.NewServer(http.HandlerFunc(refuse))
	t.Cleanup(refusing.Close)
	return World{Start(t, Options{}), refusing.URL}
}

// Variables tell a program about the world. TOKENWRIGHT_CREDENTIAL is the member's, as for the command line.
func (w World) Variables() map[string]string {
	return map[string]string{
		"TOKENWRIGHT_SERVER": w.URL, "TOKENWRIGHT_REFUSING": w.Refusing,
		"TOKENWRIGHT_ADMIN": w.Vars["admin"], "TOKENWRIGHT_MEMBER": w.Vars["member"], "TOKENWRIGHT_CREDENTIAL": w.Vars["member"],
		"TOKENWRIGHT_ACCOUNT": w.Vars["account"], "TOKENWRIGHT_ENVIRONMENT": w.Vars["environment"],
	}
}

// refuse answers a request below /503 with that status, in the words of the examples of the contracts. It is for what
// the server itself answers only when something is out of order.
func refuse(w http.ResponseWriter, r *http.Request) {
	first, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	status, err := strconv.Atoi(first)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	if status == http.StatusFound {
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", status)
		return
	}
	for _, document := range [][]byte{openapi.Muninx, openapi.APIToken, openapi.Unleash, openapi.Service} {
		if declared := response(document, r.Method, "/"+path, status); declared != nil {
			example(w, status, declared)
			return
		}
	}
	http.Error(w, "no contract declares this", http.StatusTeapot)
}

// response is what a contract says of a status; nil if it does not know the path.
func response(document []byte, method, path string, status int) *openapi3.Response {
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		panic(err)
	}
	item := spec.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		return nil
	}
	declared := item.GetOperation(method).Responses.Status(status)
	if declared == nil {
		return nil
	}
	return declared.Value
}

// example writes the first example of a response, with an example of each header.
func example(w http.ResponseWriter, status int, declared *openapi3.Response) {
	for name, header := range declared.Headers {
		text, err := json.Marshal(header.Value.Example)
		if err != nil {
			panic(err)
		}
		w.Header().Set(name, strings.Trim(string(text), `"`))
	}
	for mediaType, content := range declared.Content {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		for _, example := range content.Examples {
			if err := json.NewEncoder(w).Encode(example.Value.Value); err != nil {
				panic(err)
			}
			return
		}
	}
}
