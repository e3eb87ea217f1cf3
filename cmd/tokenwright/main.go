// Command tokenwright issues, lists, suspends, revokes and verifies API tokens for other services. It is the server
// and the client of its own HTTP interface.
//
// It knows flags, variables, files and terminals. It must not know how a server is put together, which internal/server
// does, nor reach the database behind a server's back, but for the commands that are meant for a server that is down.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/alecthomas/kong"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }

// The exit codes besides 0.
const (
	exitFailure = 1 // the command failed
	exitUsage   = 2 // a flag or a setting is wrong
)

// cli is the tree of commands.
type cli struct {
	Help helpFlag `short:"h" help:"Show this help."`

	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Migrate     migrateCmd     `cmd:"" help:"Migrate the database schema, or show its version."`
	Keys        keysCmd        `cmd:"" help:"Manage the keys that sign JWTs."`
	Bootstrap   bootstrapCmd   `cmd:"" help:"Create an admin credential directly in the database."`
	User        userCmd        `cmd:"" help:"Register, list, update, disable and enable users, and issue tokens."`
	Account     accountCmd     `cmd:"" help:"Register, list, disable and enable accounts."`
	Environment environmentCmd `cmd:"" help:"Register, list, disable and enable environments."`
	Token       tokenCmd       `cmd:"" help:"Create, list, show, suspend, activate, revoke and delete tokens."`
	Audit       auditCmd       `cmd:"" help:"List, export, prove and verify what was done."`
	Secret      secretCmd      `cmd:"" help:"Generate a credential for serve --ephemeral."`
	Version     versionCmd     `cmd:"" help:"Show the version of this program."`
}

// streams is where a command writes: results to stdout, everything else to stderr. Getenv is its environment.
type streams struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	exposed        string // a warning that the command line exposes a password, "" if it does not
}

// run is the program without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	env := &variables{getenv: getenv}
	out := &streams{stdout: stdout, stderr: stderr, getenv: getenv}
	parser, err := newParser(env,
		kong.Writers(stdout, stderr), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(out))
	if err != nil {
		return report(stderr, err)
	}
	command, err := parser.Parse(args)
	if errors.Is(err, errHelpShown) {
		return 0
	}
	if err != nil {
		return report(stderr, &usageError{env.explain(err)})
	}
	out.exposed = exposedPassword(command)
	code := report(stderr, command.Run())
	if code == 0 && out.exposed != "" && command.Command() != "serve" { // serve logs it; an error stays one line
		fmt.Fprintf(stderr, "tokenwright: warning: %s\n", out.exposed)
	}
	return code
}

func newParser(env *variables, more ...kong.Option) (*kong.Kong, error) {
	return newParserOf(&cli{Serve: serveCmd{policyFlags: newPolicyFlags(token.Published)}}, env, more...)
}

// newParserOf reads into the commands.
func newParserOf(commands *cli, env *variables, more ...kong.Option) (*kong.Kong, error) {
	vars := dialectVars()
	for name, text := range longHelps() {
		if strings.HasPrefix(name, "command_") {
			vars[name] = text
		}
	}
	options := []kong.Option{
		kong.Name("tokenwright"), kong.Description("A self-hosted service for API tokens."),
		kong.NoDefaultHelp(), kong.ValueFormatter(helpText), kong.Resolvers(env), vars,
	}
	return kong.New(commands, append(options, more...)...)
}

//go:embed help.txt
var longHelp string

// longHelps are the help texts that no line of a tag has room for, by name: @NAME for a flag, ${command_NAME} for a
// command. The library copies its variables for every flag, so they are few.
var longHelps = sync.OnceValue(func() map[string]string {
	texts := map[string]string{}
	for paragraph := range strings.SplitSeq(longHelp, "\n\n") {
		name, text, _ := strings.Cut(paragraph, ":")
		texts[name] = strings.Join(strings.Fields(text), " ")
	}
	return texts
})

// usageError is a wrong flag or setting.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// report prints the error as one line and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "tokenwright: %s\n", redact(strings.Join(strings.Fields(err.Error()), " ")))
	if errors.As(err, new(*usageError)) || errors.As(err, new(server.ConfigError)) {
		return exitUsage
	}
	return exitFailure
}

// errHelpShown stops the parser after the help was printed.
var errHelpShown = errors.New("help was shown")

type helpFlag bool

// BeforeReset shows the help before the parser reports missing flags.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	return errHelpShown
}
