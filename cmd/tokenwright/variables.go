package main

import (
	"cmp"
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
	return cmp.Or(longHelps()[v.Help], v.Help) + " (" + variable(v.Name) + ")"
}

// variables resolves flags that are not on the command line from their environment variables. An empty variable counts
// as unset.
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
		return nil, nil //nolint:nilnil // the library's way to say that there is no value
	}
	e.used = append(e.used, flag.Name)
	return value, nil
}

// swallowed is the library's error for a value that it takes for a flag, as in --max-lifetime -1h.
var swallowed = regexp.MustCompile(`^(--[\w-]+): expected .* value but got ".*$`)

// explain says how to write a value that begins with a dash, and names the variable that an invalid value came from.
func (e *variables) explain(err error) string {
	text := swallowed.ReplaceAllString(err.Error(), "$1 needs a value; write $1=VALUE if the value begins with -")
	for _, name := range e.used {
		if strings.HasPrefix(text, "--"+name+" ") || strings.HasPrefix(text, "--"+name+":") ||
			strings.HasPrefix(text, "--"+name+"=") {
			return text + " (from " + variable(name) + ")"
		}
	}
	return text
}

// What must never be printed, even if somebody types it in the wrong place: passwords in URLs and connection strings,
// and the secrets of all dialects.
var (
	passwords  = regexp.MustCompile(`(://[^\s:]*:)\S*(@)|((?i:password)=)[^\s&'"]+`)
	secrets    = regexp.MustCompile(token.Published.SecretPattern())
	beginnings = regexp.MustCompile(token.Published.PrefixPattern())
)

// redact removes secrets from a text before it is printed. It leaves their prefixes.
func redact(text string) string {
	text = passwords.ReplaceAllString(text, "$1$3…$2")
	return secrets.ReplaceAllStringFunc(text, func(secret string) string { return beginnings.FindString(secret) + "…" })
}
