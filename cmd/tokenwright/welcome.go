package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/tokenwright/tokenwright/internal/server"
)

// welcome prints how to call the server. The credential itself is never printed. Whoever has the log in JSON is a
// machine: it finds the file of the credential there, and nothing is printed.
func (s *settings) welcome(w io.Writer, log *slog.Logger, srv *server.Server, first bool) {
	if s.LogFormat == jsonFormat {
		log.Info("ready", "credential_file", s.BootstrapCredentialFile, "first_start", first)
		return
	}
	fmt.Fprintf(w, "Tokenwright listens on %s and is called at %s\n", srv.Addr(), srv.PublicURL)
	if s.Ephemeral {
		fmt.Fprintf(w, "Everything is in memory and gone when the server stops.\n")
		showCalls(w, srv.PublicURL, "$"+bootstrapVariable)
		return
	}
	if s.BootstrapCredentialFile == "" || missing(s.BootstrapCredentialFile) {
		fmt.Fprintf(w, "If all admin credentials are lost, `tokenwright bootstrap` makes another.\n")
		return
	}
	if first {
		fmt.Fprintf(w, "The first admin's credential is in the file %s: keep it safe.\n", s.BootstrapCredentialFile)
	} else {
		fmt.Fprintf(w, "An admin's credential is in the file %s unless it was replaced.\n", s.BootstrapCredentialFile)
	}
	showCalls(w, srv.PublicURL, "$(cat "+quote(s.BootstrapCredentialFile)+")")
}

// showCalls prints what can be pasted; credential is an expression of the shell.
func showCalls(w io.Writer, url, credential string) {
	for _, call := range calls(url, credential) {
		fmt.Fprintf(w, "\n# %s\n%s\n", call.title, call.command)
	}
	fmt.Fprintf(w, "\nThe reference is at %s/docs, the contracts are at %[1]s/openapi/muninx.yaml, …/apitoken.yaml, "+
		"…/unleash.yaml and …/service.yaml.\n", url)
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// call is one command to paste.
type call struct{ title, command string }

// calls are the three documented operations, and what to do with their answers.
func calls(url, credential string) []call {
	create := func(path, scheme, body string) string {
		return fmt.Sprintf(`curl --request POST --url %s --header "Authorization: %s%s" `+
			`--header 'Content-Type: application/json' --data '%s'`, quote(url+path), scheme, credential, body)
	}
	return []call{
		{"Create a muninx token.", create("/tokens", "Bearer ", `{ "name": "CI token" }`)},
		{"Create an apitoken token.", create("/api/v1/api_token", "Bearer ", `{"token_scope":"account"}`)},
		{"Create an unleash token.", create("/api/admin/user/tokens", "", `{"description":"laptop"}`)},
		{"Ask who a token belongs to. Any token that you created works in the place of that credential.",
			fmt.Sprintf(`curl --url %s --header "Authorization: Bearer %s"`, quote(url+"/service/me"), credential)},
	}
}

// plain needs no quoting in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,-]+$`)

// quote writes the text as one word of a POSIX shell.
func quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
