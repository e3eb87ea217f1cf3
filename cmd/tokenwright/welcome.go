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
	"github.com/tokenwright/tokenwright/internal/token"
)

// welcome prints how to call the server, but never the credential itself. With JSON logs the reader is a machine: it
// finds the path of the credential file in the log, and nothing is printed.
func (s *settings) welcome(w io.Writer, log *slog.Logger, srv *server.Server, first bool) {
	if s.LogFormat == jsonFormat {
		log.Info("ready", "credential_file", s.BootstrapCredentialFile, "first_start", first)
		return
	}
	fmt.Fprintf(w, "Tokenwright is listening on %s (public URL %s)\n", srv.Addr(), srv.PublicURL)
	if s.Ephemeral {
		fmt.Fprintf(w, "All data is in memory and is lost when the server stops.\n")
		showCalls(w, srv.PublicURL, "$"+bootstrapVariable)
		return
	}
	if s.BootstrapCredentialFile == "" || missing(s.BootstrapCredentialFile) {
		fmt.Fprintf(w, "If all admin credentials are lost, `tokenwright bootstrap` makes another.\n")
		return
	}
	if first {
		fmt.Fprintf(w, "The first admin's credential is in %s. Keep it safe.\n", s.BootstrapCredentialFile)
		tellMaxima(w, s.policies(s.maxima))
	} else {
		fmt.Fprintf(w, "An admin's credential is in %s unless it was replaced.\n", s.BootstrapCredentialFile)
	}
	showCalls(w, srv.PublicURL, "$(cat "+quote(s.BootstrapCredentialFile)+")")
}

// tellMaxima says what a new installation limits, since an older one does not.
func tellMaxima(w io.Writer, policies map[*token.Dialect]token.Policy) {
	for _, d := range token.Published {
		p := policies[d]
		if d.OwnedByUser || p.MaxLifetime == 0 || p.MaxTokens == 0 {
			continue
		}
		fmt.Fprintf(w, "In this new installation a token lives at most %s, and an account has at most %d %s tokens: "+
			"see --max-lifetime and --%[3]s-max-tokens of serve.\n", inDays(p.MaxLifetime), p.MaxTokens, d)
	}
}

// showCalls prints commands to paste; credential is a shell expression.
func showCalls(w io.Writer, url, credential string) {
	for _, call := range calls(url, credential) {
		fmt.Fprintf(w, "\n# %s\n%s\n", call.title, call.command)
	}
	fmt.Fprintf(w, "\nAPI reference: %s/docs. Contracts: %[1]s/openapi/muninx.yaml, …/apitoken.yaml, "+
		"…/unleash.yaml and …/service.yaml.\n", url)
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
