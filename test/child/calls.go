//go:build unix

package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Call sends a request with a credential, and decodes the answer if it is a JSON object.
func (s *Server) Call(method, path, credential, body string) (int, map[string]any, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, "http://"+s.Address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, err
	}
	return answer.StatusCode, got, nil
}

// Get returns the status of a GET, 0 if there is no answer.
func (s *Server) Get(path, credential string) int {
	status, _, _ := s.Call(http.MethodGet, path, credential, "")
	return status
}

// Create makes a token of the dialect with the credential. The error says what came in its place.
func (s *Server) Create(dialect, credential, name string) (secret, id string, err error) {
	create := map[string][2]string{
		"muninx": {"/tokens", `{"name":"` + name + `"}`}, "apitoken": {"/api/v1/api_token", `{"token_scope":"account"}`},
		"unleash": {"/api/admin/user/tokens", `{"description":"` + name + `"}`},
	}[dialect]
	status, made, err := s.Call(http.MethodPost, create[0], credential, create[1])
	if err != nil {
		return "", "", err
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return "", "", fmt.Errorf("%d %v", status, made)
	}
	switch dialect {
	case "unleash":
		return fmt.Sprint(made["secret"]), fmt.Sprintf("%.0f", made["id"]), nil
	case "apitoken":
		details, _ := made["details"].(map[string]any)
		return fmt.Sprint(made["token"]), fmt.Sprint(details["id"]), nil
	}
	return fmt.Sprint(made["token"]), fmt.Sprint(made["id"]), nil
}
