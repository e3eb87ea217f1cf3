package main

import (
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/tokenwright/tokenwright/internal/token"
)

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "TOKENWRIGHT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// helpText is the help of a flag with its variable.
func helpText(v *kong.Value) string {
	if v.Flag == nil || v.Name == "help" {
		return v.Help
	}
	return v.Help + " (" + variable(v.Name) + ")"
}

// variables gives flags that are not on the command line the value of their variable. An empty variable is the same
// as none.
type variables struct {
	getenv func(string) string
	used   []string // names of the flags that it set
}

// Validate implements [kong.Resolver].
func (e *variables) Validate(*kong.Application) error { return nil }

// Resolve implements [kong.Resolver].
func (e *variables) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value := e.getenv(variable(flag.Name))
	if value == "" || flag.Name == "help" {
		return nil, nil //nolint:nilnil // the library's way to say that there is none
	}
	e.used = append(e.used, flag.Name)
	return value, nil
}

// swallowed is the library's error for a value that it takes for a flag, as in --max-lifetime -1h.
var swallowed = regexp.MustCompile(`^(--[\w-]+): expected .* value but got ".*$`)

// explain says what to do about a value that begins with a dash, and names the variable where the flag that is wrong is
// not on the command line.
func (e *variables) explain(err error) string {
	text := swallowed.ReplaceAllString(err.Error(), "$1 needs a value; one that begins with - is written as $1=VALUE")
	for _, name := range e.used {
		if strings.HasPrefix(text, "--"+name+" ") || strings.HasPrefix(text, "--"+name+":") ||
			strings.HasPrefix(text, "--"+name+"=") {
			return text + " (from " + variable(name) + ")"
		}
	}
	return text
}

// What must not be printed, in case somebody types it where it does not belong: the password in a URL or a connection
// string, and the secrets of all dialects.
var (
	passwords  = regexp.MustCompile(`(://[^\s:]*:)\S*(@)|((?i:password)=)[^\s&'"]+`)
	secrets    = regexp.MustCompile(token.Published.SecretPattern())
	beginnings = regexp.MustCompile(token.Published.PrefixPattern())
)

// redact takes secrets out of a text that is to be printed. It leaves what they begin with.
func redact(text string) string {
	text = passwords.ReplaceAllString(text, "$1$3…$2")
	return secrets.ReplaceAllStringFunc(text, func(secret string) string { return beginnings.FindString(secret) + "…" })
}
