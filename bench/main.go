// Command bench measures the server as it is shipped, on a database that keeps what it has committed, beside yardsticks
// that run at the same time on the same machine. Only the ratios mean something on another machine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli struct {
		Run   runCmd   `cmd:"" help:"Measure the server and its yardsticks side by side."`
		Load  loadCmd  `cmd:"" help:"Fill a database with users and tokens."`
		Scale scaleCmd `cmd:"" help:"Compare a big database with a small one."`
		Bare  bareCmd  `cmd:"" hidden:"" help:"Serve fixed answers, as a yardstick."`
	}
	command := kong.Parse(&cli, kong.Name("bench"), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// target is the flag that says which server is measured.
type target struct {
	Server string `placeholder:"PATH" help:"Server to measure. Default: the one that make build builds."`
	Log    string `placeholder:"FILE" help:"File to append the servers' logs to. Default: they are discarded."`
}

// build returns the path of the server's binary.
func (t target) build(ctx context.Context) (string, error) {
	if t.Server != "" {
		return exec.LookPath(t.Server)
	}
	cmd := exec.CommandContext(ctx, "make", "build")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return "bin/tokenwright", cmd.Run()
}
