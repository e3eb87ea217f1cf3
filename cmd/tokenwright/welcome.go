package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// welcome prints how to call the server, but never the credential itself. With JSON logs the reader is a machine: it
// finds the path of the credential file in the log, and nothing is printed.
func (s *server) welcome(w io.Writer) {
	if s.LogFormat == jsonFormat {
		s.log.Info("ready", "credential_file", s.credentialFile, "first_start", s.first)
		return
	}
	fmt.Fprintf(w, "Tokenwright is listening on %s (public URL %s)\n", s.listener.Addr(), s.publicURL)
	if s.Ephemeral {
		fmt.Fprintf(w, "All data is in memory and is lost when the server stops.\n")
		s.showCalls(w, "$"+bootstrapVariable)
		return
	}
	if s.credentialFile == "" || missing(s.credentialFile) {
		fmt.Fprintf(w, "If all admin credentials are lost, `tokenwright bootstrap` creates another.\n")
		return
	}
	if s.first {
		fmt.Fprintf(w, "The first admin's credential is in %s. Keep it safe.\n", s.credentialFile)
	} else {
		fmt.Fprintf(w, "An admin's credential is in %s unless it was replaced.\n", s.credentialFile)
	}
	s.showCalls(w, "$(cat "+quote(s.credentialFile)+")")
}

// showCalls prints commands to paste; credential is a shell expression.
func (s *server) showCalls(w io.Writer, credential string) {
	for _, call := range calls(s.publicURL, credential) {
		fmt.Fprintf(w, "\n# %s\n%s\n", call.title, call.command)
	}
	fmt.Fprintf(w, "\nAPI reference: %s/docs. Contracts: %[1]s/openapi/muninx.yaml, …/apitoken.yaml, "+
		"…/unleash.yaml and …/service.yaml.\n", s.publicURL)
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// call is one command to paste.
type call struct{ title, command string }

// calls are the three documented creates, and a use of the tokens that they return.
func calls(url, credential string) []call {
	create := func(path, scheme, body string) string {
		return fmt.Sprintf(`curl --request POST --url %s --header "Authorization: %s%s" `+
			`--header 'Content-Type: application/json' --data '%s'`, quote(url+path), scheme, credential, body)
	}
	return []call{
		{"Create a muninx token.", create("/tokens", "Bearer ", `{ "name": "CI token" }`)},
		{"Create an apitoken token.", create("/api/v1/api_token", "Bearer ", `{"token_scope":"account"}`)},
		{"Create an unleash token.", create("/api/admin/user/tokens", "", `{"description":"laptop"}`)},
		{"Show whose token it is. Any token that you created works in place of this credential.",
			fmt.Sprintf(`curl --url %s --header "Authorization: Bearer %s"`, quote(url+"/service/me"), credential)},
	}
}

// plain matches text that needs no quoting in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,-]+$`)

// quote writes the text as one word of a POSIX shell.
func quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
